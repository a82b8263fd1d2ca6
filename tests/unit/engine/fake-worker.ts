/** Owns a worker that is none: an engine on the other end of a channel, that can be told to die. */
import { expose } from 'comlink';
import type { WorkerLike } from '../../../src/engine/engine-client';
import type {
  EngineApi,
  EventBatch,
  GenerateRequest,
  TabResult,
  LoadedModel,
  LoadOutcome,
  LoadProgress,
  LoadRequest,
  Outcome,
  WireError,
} from '../../../src/protocol/engine-api';

export const LOADED = { device: 'wasm', attempts: [] } as unknown as LoadedModel;
export const RESULT = { finish: 'end' } as unknown as TabResult;

/** Each call as a test wants it; by default all goes well. */
export class FakeApi implements EngineApi {
  readonly calls: string[] = [];
  readonly loads: LoadRequest[] = [];
  onLoad: (request: LoadRequest, port: MessagePort) => Promise<LoadOutcome> = () =>
    Promise.resolve({ ok: true, value: LOADED });
  onLost = new Promise<WireError>(() => {});
  onGenerate: (
    request: GenerateRequest,
    send: (batch: EventBatch) => void,
  ) => Promise<Outcome<TabResult>> = (_, send) => {
    send({ sequence: 0, events: [], isLast: true });
    return Promise.resolve({ ok: true, value: RESULT });
  };

  load(request: LoadRequest, port: MessagePort): Promise<LoadOutcome> {
    this.loads.push(request);
    return this.onLoad(request, port);
  }

  generate(request: GenerateRequest, port: MessagePort): Promise<Outcome<TabResult>> {
    return this.onGenerate(request, (batch) => port.postMessage(batch));
  }

  async stop(id: string): Promise<void> {
    this.calls.push(`stop ${id}`);
  }

  async answerNow(id: string): Promise<void> {
    this.calls.push(`answerNow ${id}`);
  }

  async step(id: string, tokens: number): Promise<void> {
    this.calls.push(`step ${id} ${tokens}`);
  }

  async countTokens(): Promise<Outcome<number>> {
    return { ok: true, value: 42 };
  }

  memory(): Promise<never> {
    return new Promise(() => {});
  }

  watch(): Promise<never> {
    return new Promise(() => {});
  }

  lab(): Promise<never> {
    return new Promise(() => {});
  }

  async ping(): Promise<'pong'> {
    this.calls.push('ping');
    return 'pong';
  }

  async hold(name: string): Promise<void> {
    this.calls.push(`hold ${name}`);
  }

  lost(): Promise<WireError> {
    return this.onLost;
  }

  async dispose(): Promise<void> {
    this.calls.push('dispose');
  }
}

export class FakeWorker extends EventTarget implements WorkerLike {
  readonly api: FakeApi;
  isTerminated = false;
  readonly #channel = new MessageChannel();

  constructor(api = new FakeApi()) {
    super();
    this.api = api;
    this.#channel.port1.onmessage = (event: MessageEvent<unknown>) => {
      this.dispatchEvent(new MessageEvent('message', { data: event.data }));
    };
    expose(api, this.#channel.port2);
  }

  postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
    if (this.isTerminated) return;
    this.#channel.port1.postMessage(message, Array.isArray(transfer) ? transfer : []);
  }

  terminate(): void {
    this.isTerminated = true;
    this.#channel.port1.close();
    this.#channel.port2.close();
  }

  /** Dies as a worker does: an error event, and silence. */
  die(message: string): void {
    this.dispatchEvent(Object.assign(new Event('error'), { message }));
  }

  /** Goes on existing, but never answers again. */
  fallSilent(): void {
    this.#channel.port1.onmessage = null;
    this.#channel.port2.close();
  }
}

export function progressOf(stage: LoadProgress['stage']): LoadProgress {
  return { stage, loadedBytes: 0, totalBytes: 0, fromCache: false };
}
