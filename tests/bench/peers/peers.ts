/**
 * Owns the engines that are measured side by side on one page: makes them by name and runs them for the script that
 * drives the browser. Measures nothing itself but main-thread long tasks; owns no order of runs.
 */
import type {
  Contender,
  ContenderLoad,
  ContenderRun,
  RunRequest,
} from '../../../src/core/bench/contender';
import { TidepoolContender } from '../../../src/engine/bench/tidepool-contender';
import { TransformersContender } from '../../../src/engine/bench/transformers-contender';
import { DistanceClient } from '../../../src/engine/distance-client';
import { EngineClient } from '../../../src/engine/engine-client';
import type { RacePoint, RaceRequest } from '../../../src/protocol/distance-api';
import type { StockLoadRequest } from '../../../src/protocol/stock-api';
import type { BandwidthRequest } from '../../../workers/bench/bandwidth.worker';
import type { LayersAnswer, LayersRequest } from '../../../workers/bench/layers.worker';
import type { WllamaOptions } from './wllama-contender';

export type ContenderOptions =
  | {
      readonly kind: 'tidepool';
      /** The worker of the built site. */
      readonly workerUrl: string;
      readonly modelUrl: string;
      readonly device: 'wasm' | 'webgpu';
    }
  | {
      readonly kind: 'transformers';
      readonly baseUrl: string;
      readonly name: string;
      readonly dtype: StockLoadRequest['dtype'];
      readonly threads: number;
      readonly build: 'asyncify' | 'plain';
      readonly file: string;
      readonly fileBytes: number;
      readonly readsText?: boolean;
    }
  | ({ readonly kind: 'wllama' } & WllamaOptions);

/** Makes wllama; a page that has no use for it gives none. */
export type CreateWllama = (options: WllamaOptions) => Contender;

export interface MeasuredRun extends ContenderRun {
  /** Tasks over 50 ms on the page's main thread during the run. */
  readonly longTasks: number;
  readonly longTaskMs: number;
}

const absolute = (url: string): string => new URL(url, location.href).href;

/** What a worker answers to one request; ends it. */
async function answerOf<T>(worker: Worker, request: unknown): Promise<T> {
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<T>) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}

function create(options: ContenderOptions, createWllama: CreateWllama | null): Contender {
  switch (options.kind) {
    case 'tidepool': {
      const { workerUrl, modelUrl, device } = options;
      const spawn = (): Worker => new Worker(workerUrl, { type: 'module', name: 'engine' });
      return new TidepoolContender({
        createEngine: () => new EngineClient({ spawn }),
        modelUrl: absolute(modelUrl),
        device,
      });
    }
    case 'transformers':
      return new TransformersContender({ ...options, baseUrl: absolute(options.baseUrl) });
    case 'wllama':
      if (createWllama === null) throw new RangeError('this page has no wllama');
      return createWllama({ ...options, url: absolute(options.url) });
    default:
      throw new RangeError(`unknown contender ${JSON.stringify(options satisfies never)}`);
  }
}

export class Peers {
  readonly #createWllama: CreateWllama | null;
  readonly #contenders = new Map<string, Contender>();
  #longTasks: PerformanceEntry[] = [];
  readonly #observer = new PerformanceObserver((list) => {
    this.#longTasks.push(...list.getEntries());
  });

  constructor(createWllama: CreateWllama | null) {
    this.#createWllama = createWllama;
    this.#observer.observe({ type: 'longtask' });
  }

  async load(name: string, options: ContenderOptions): Promise<ContenderLoad> {
    await this.dispose(name);
    const contender = create(options, this.#createWllama);
    this.#contenders.set(name, contender);
    return contender.load();
  }

  async run(name: string, request: RunRequest): Promise<MeasuredRun> {
    this.#longTasks = [];
    const run = await this.#get(name).run(request);
    this.#longTasks.push(...this.#observer.takeRecords());
    return {
      ...run,
      longTasks: this.#longTasks.length,
      longTaskMs: this.#longTasks.reduce((sum, { duration }) => sum + duration, 0),
    };
  }

  async dispose(name: string): Promise<void> {
    await this.#contenders.get(name)?.dispose();
    this.#contenders.delete(name);
  }

  /** Ids of `text`, by stock transformers.js under `name`. */
  async encode(name: string, text: string): Promise<readonly number[]> {
    return this.#stock(name).api.encode(text);
  }

  /** Text of `ids`, by stock transformers.js under `name`. */
  async decode(name: string, ids: readonly number[]): Promise<string> {
    return this.#stock(name).api.decode(ids);
  }

  /** Ids of a conversation, by stock transformers.js under `name`. */
  async render(
    name: string,
    messages: readonly { readonly role: string; readonly content: string }[],
    enableThinking: boolean,
  ): Promise<readonly number[]> {
    return this.#stock(name).api.render(messages, enableThinking);
  }

  /** One reply as stock makes it, ended by the model's end of turn. */
  async reply(
    name: string,
    promptIds: readonly number[],
    newTokens: number,
  ): Promise<ContenderRun> {
    return this.#stock(name).generate({
      promptIds,
      promptText: '',
      newTokens,
      reuse: false,
      stopsAtEnd: true,
    });
  }

  /** Bytes per second that WebAssembly reads of an area of `bytes`, for `forMs`. */
  async bandwidth(bytes: number, forMs: number): Promise<number> {
    const request: BandwidthRequest = { bytes, forMs };
    return answerOf<number>(
      new Worker(new URL('../../../workers/bench/bandwidth.worker.ts', import.meta.url), {
        type: 'module',
      }),
      request,
    );
  }

  /** A token's time by kind of layer, of our session over the model's files. */
  async layers(request: LayersRequest): Promise<LayersAnswer> {
    const modelUrl = absolute(request.modelUrl);
    return answerOf<LayersAnswer>(
      new Worker(new URL('../../../workers/bench/layers.worker.ts', import.meta.url), {
        type: 'module',
      }),
      { ...request, modelUrl },
    );
  }

  /** The race of two models as the lab runs it, in the built site's own worker. */
  async race(workerUrl: string, request: RaceRequest): Promise<readonly RacePoint[]> {
    const spawn = (): Worker => new Worker(workerUrl, { type: 'module', name: 'distance' });
    const client = new DistanceClient(spawn);
    const points = new Map<string, RacePoint>();
    const models = request.models.map(({ id, modelUrl }) => ({ id, modelUrl: absolute(modelUrl) }));
    try {
      await new Promise<void>((resolve, reject) => {
        client.start({ ...request, models }, (event) => {
          if (event.type === 'point') {
            const { point } = event;
            points.set(`${point.id} ${point.context} ${point.states}`, point);
          } else if (event.type === 'gave-up')
            reject(new Error(`${event.id} came no further than ${event.context}: ${event.why}`));
          else if (event.type === 'failed') reject(new Error(event.error.message));
          else if (event.type === 'done') resolve();
        });
      });
    } finally {
      client.end();
    }
    return [...points.values()];
  }

  #get(name: string): Contender {
    const contender = this.#contenders.get(name);
    if (contender === undefined) throw new RangeError(`no contender "${name}" is loaded`);
    return contender;
  }

  #stock(name: string): TransformersContender {
    const contender = this.#get(name);
    if (contender instanceof TransformersContender) return contender;
    throw new RangeError(`"${name}" is not transformers.js`);
  }
}
