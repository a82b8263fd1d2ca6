/** Owns stock transformers.js as a contender: its worker, and the arrival of its tokens on the page. */
import { releaseProxy, transfer, wrap, type Remote } from 'comlink';
import type {
  Contender,
  ContenderLoad,
  ContenderRun,
  RunRequest,
} from '../../core/bench/contender';
import type { StockApi, StockEvent, StockLoadRequest } from '../../protocol/stock-api';

function spawnWorker(): Worker {
  return new Worker(new URL('../../../workers/bench/transformers.worker.ts', import.meta.url), {
    type: 'module',
    name: 'transformers',
  });
}

export interface TransformersOptions extends StockLoadRequest {
  readonly spawn?: () => Worker;
  readonly file: string;
  readonly fileBytes: number;
  /** Its tokens are not those of the prompts: it reads their text. */
  readonly readsText?: boolean;
}

export class TransformersContender implements Contender {
  readonly #options: TransformersOptions;
  #link: { readonly worker: Worker; readonly api: Remote<StockApi> } | null = null;

  constructor(options: TransformersOptions) {
    this.#options = options;
  }

  async load(): Promise<ContenderLoad> {
    await this.dispose();
    const { spawn = spawnWorker, file, fileBytes, ...request } = this.#options;
    const startedAt = performance.now();
    const worker = spawn();
    this.#link = { worker, api: wrap<StockApi>(worker) };
    const died = new Promise<never>((_, reject) => {
      worker.addEventListener('error', (event) =>
        reject(new Error(`the worker of transformers.js failed: ${event.message}`)),
      );
    });
    const { baseUrl, name, dtype, threads, build } = request;
    await Promise.race([this.#link.api.load({ baseUrl, name, dtype, threads, build }), died]);
    return { loadMs: performance.now() - startedAt, threads, file, fileBytes };
  }

  /** The worker's own calls. RangeError before `load`. */
  get api(): Remote<StockApi> {
    if (this.#link === null) throw new RangeError('used before load');
    return this.#link.api;
  }

  async run(request: RunRequest): Promise<ContenderRun> {
    return this.generate({ ...request, stopsAtEnd: false });
  }

  /** As `run`; with `stopsAtEnd` the model's end of turn ends it. */
  async generate(request: RunRequest & { readonly stopsAtEnd: boolean }): Promise<ContenderRun> {
    const channel = new MessageChannel();
    let text = '';
    let tokens = 0;
    let firstAt = 0;
    let lastAt = 0;
    const ended = new Promise<void>((resolve) => {
      channel.port1.onmessage = ({ data }: MessageEvent<StockEvent>) => {
        switch (data.type) {
          case 'token':
            lastAt = performance.now();
            if (tokens === 0) firstAt = lastAt;
            tokens += 1;
            break;
          case 'text':
            text += data.text;
            break;
          case 'end':
            resolve();
            break;
          default:
            throw new RangeError(`unknown event ${JSON.stringify(data satisfies never)}`);
        }
      };
    });
    try {
      const isOther = this.#options.readsText === true;
      const promptIds = isOther ? await this.api.encode(request.promptText) : request.promptIds;
      const startedAt = performance.now();
      const { ids, readTokens } = await this.api.run(
        { ...request, promptIds },
        transfer(channel.port2, [channel.port2]),
      );
      await ended;
      return {
        ids: isOther ? null : ids,
        text,
        tokens,
        readTokens,
        firstTokenMs: firstAt - startedAt,
        decodeMs: lastAt - firstAt,
        inner: null,
      };
    } finally {
      channel.port1.close();
    }
  }

  async dispose(): Promise<void> {
    this.#link?.api[releaseProxy]();
    this.#link?.worker.terminate();
    this.#link = null;
  }
}
