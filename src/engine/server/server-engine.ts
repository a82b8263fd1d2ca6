/**
 * Owns a model on a server as an engine: the same interface as the tab's client, so that chat, limit, tools, branches and
 * figures need not know which answers. Owns no reply (server-reply.ts) and keeps no key longer than it is used.
 */
import { EngineError } from '../../core/errors';
import {
  deviceOfServer,
  placeOfServer,
  type ServerModel,
  type ServerTarget,
} from '../../core/server/server-target';
import type {
  EngineEvent,
  GenerateRequest,
  GenerateResult,
  LoadedModel,
  LoadProgress,
  LoadRequest,
} from '../../protocol/engine-api';
import type { LabCapabilities, LabJobName } from '../../protocol/lab-api';
import type { Engine, Generation, LabRun } from '../engine';
import { inspectModel } from './inspect-model';
import type { ServerHost } from './server-http';
import { ServerReply, type ReplyControl } from './server-reply';

interface Opened {
  readonly target: ServerTarget;
  readonly model: ServerModel;
  /** Fields that the server has refused. */
  readonly refused: Set<string>;
}

export class ServerEngine implements Engine {
  readonly #host: ServerHost;
  #opened: Opened | null = null;
  #running: ReplyControl | null = null;
  #loading: AbortController | null = null;

  constructor(host: ServerHost) {
    this.#host = host;
  }

  /** Looks at the server and its model; nothing is loaded here. */
  async load(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadedModel> {
    const { server: target } = request;
    if (target === undefined)
      throw new EngineError('internal', 'No server was named.', 'Choose a model again.');
    const startedAt = performance.now();
    this.#opened = null;
    onProgress({ stage: 'server', loadedBytes: 0, totalBytes: 0, fromCache: false });
    const loading = new AbortController();
    this.#loading = loading;
    let model: ServerModel;
    try {
      model = await inspectModel(this.#host, target, loading.signal);
    } catch (cause) {
      if (!loading.signal.aborted) throw cause;
      throw new EngineError('internal', 'Another model was chosen meanwhile.', 'Choose again.');
    }
    this.#opened = { target, model, refused: new Set() };
    return describe(model, performance.now() - startedAt);
  }

  generate(
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Generation {
    const opened = this.#opened;
    const refusal = refusalOf(opened);
    if (opened === null || this.#running !== null) {
      return {
        id: request.id,
        done: Promise.reject(refusal),
        stop() {},
        answerNow() {},
        step() {},
      };
    }
    const control: ReplyControl = { stopped: false, answerNow: false, abort: () => {} };
    this.#running = control;
    const reply = new ServerReply(this.#host, opened.target, opened.model, request, {
      control,
      emit: onEvents,
      refused: opened.refused,
    });
    // As of the tab's engine, no event comes before its reader holds the reply.
    const done: Promise<GenerateResult> = Promise.resolve()
      .then(() => reply.run())
      .finally(() => {
        if (this.#running === control) this.#running = null;
      });
    return {
      id: request.id,
      done,
      stop: () => {
        control.stopped = true;
        control.abort();
      },
      answerNow: () => {
        control.answerNow = true;
      },
      // A server goes on by itself.
      step: () => {},
    };
  }

  countTokens(): Promise<number> {
    return Promise.reject(
      new EngineError(
        'server',
        'A server counts the tokens of its prompts itself.',
        'Ask, and see.',
      ),
    );
  }

  /** A server tells of its tokens at most: nothing is missing by layer, because no layer is seen. */
  watch(): Promise<LabCapabilities> {
    return Promise.resolve({
      missing: [],
      hasLayerwiseKv: false,
      modelId: this.#opened?.model.facts.model ?? '',
    });
  }

  lab<K extends LabJobName>(): LabRun<K> {
    const place = this.#opened === null ? 'A server' : placeOfServer(this.#opened.target.address);
    return {
      done: Promise.reject(
        new EngineError(
          'server',
          `${place} shows no states of its model, so the lab can neither read nor change them.`,
          'Choose the model in this tab for this experiment.',
        ),
      ),
      stop() {},
    };
  }

  /** A server does not die with the page's engine; what goes wrong with it is an error of the reply. */
  onDeath(): () => void {
    return () => {};
  }

  dispose(): Promise<void> {
    this.#loading?.abort();
    if (this.#running !== null) {
      this.#running.stopped = true;
      this.#running.abort();
    }
    this.#opened = null;
    return Promise.resolve();
  }
}

function refusalOf(opened: Opened | null): EngineError {
  return opened === null
    ? new EngineError('not-loaded', 'No server is chosen.', 'Choose a model first.')
    : new EngineError('busy', 'A reply is still being written.', 'Stop it or wait for its end.');
}

function describe({ facts }: ServerModel, loadMs: number): LoadedModel {
  return {
    // Nothing is known of its layers; what reads them sees none.
    spec: {
      name: facts.model,
      modelType: '',
      hiddenSize: 0,
      vocabSize: 0,
      maxPositions: facts.contextTokens ?? 0,
      layers: [],
      eosTokenIds: [],
    },
    device: deviceOfServer(facts.place),
    attempts: [],
    variant: '',
    weightBytes: facts.weightBytes ?? 0,
    parameters: facts.parameters ?? 0,
    threads: 0,
    loadMs,
    selfTest: { maxDifference: 0, tolerance: 0 },
    notice: '',
    server: facts,
  };
}
