/**
 * Owns the engine's worker from the page's side: starts it, talks to it, notices its death, starts it anew. Owns no
 * inference. The one place that names the worker's file.
 */
import { releaseProxy, transfer, wrap, type Remote } from 'comlink';
import { EngineError } from '../core/errors';
import type { PromptMessage } from '../core/chat/prompt-message';
import type {
  EngineApi,
  EngineEvent,
  EventBatch,
  GenerateRequest,
  GenerateResult,
  LoadedModel,
  LoadOutcome,
  LoadProgress,
  LoadRequest,
  Outcome,
} from '../protocol/engine-api';
import type {
  LabCapabilities,
  LabJobName,
  LabJobs,
  LabProgress,
  LabRequest,
  LabResult,
  LabWatch,
} from '../protocol/lab-api';
import { fromWireError } from '../protocol/wire-error';
import type { Engine, Generation, LabRun } from './engine';

/** The part of a Worker that is needed; a fake in tests. */
export type WorkerLike = Pick<
  Worker,
  'postMessage' | 'addEventListener' | 'removeEventListener' | 'terminate'
>;

export interface EngineClientOptions {
  readonly spawn?: () => WorkerLike;
  /** Pause between two signs of life that are asked for while a job runs. */
  readonly heartbeatMs?: number;
  /**
   * Silence after which a worker counts as dead. A prefill chunk on WASM or the making of a session keeps the worker
   * from answering for seconds on a slow phone, so this is generous.
   */
  readonly silenceMs?: number;
  /** Web Locks, by which a death is noticed at once; absent: the browser's, where it has them. */
  readonly locks?: Pick<LockManager, 'request'>;
}

const HEARTBEAT_MS = 5_000;
const SILENCE_MS = 90_000;

/** Errors after which the worker's runtime cannot be trusted any more. */
const FATAL: ReadonlySet<string> = new Set(['device-lost', 'out-of-memory']);

/** Starts the worker; as `distance` it runs models beside the engine, see workers/engine.worker.ts. */
export function spawnWorker(name: 'engine' | 'distance' = 'engine'): Worker {
  return new Worker(new URL('../../workers/engine.worker.ts', import.meta.url), {
    type: 'module',
    name,
  });
}

/** Absent on insecure pages. */
function browserLocks(): LockManager | undefined {
  const scope: { navigator?: { locks?: LockManager } } = globalThis;
  return scope.navigator?.locks;
}

/** A worker with its proxy, and the calls that must be rejected when it dies. */
interface Link {
  readonly worker: WorkerLike;
  readonly api: Remote<EngineApi>;
  readonly reject: Set<(error: EngineError) => void>;
  readonly close: () => void;
  jobs: number;
  /** It has sent something, so its script has arrived. */
  hasSpoken: boolean;
  /** Time without a sign, as far as this page was awake to hear one. */
  silentMs: number;
}

const LOCK_PREFIX = 'tidepool-engine-';
const OWN_LOCKS = LOCK_PREFIX + crypto.randomUUID();
/** The worker of a page that was just left or reloaded is gone by then. */
const LEAVING_MS = 400;

/** Engines that live in other tabs of this browser; 0 where it cannot be told. */
export async function countOtherEngines(): Promise<number> {
  const count = async (): Promise<number> => {
    const locks = browserLocks();
    const snapshot = await locks?.query().catch(() => null);
    const held = snapshot?.held ?? [];
    const isOther = (name = ''): boolean =>
      name.startsWith(LOCK_PREFIX) && !name.startsWith(OWN_LOCKS);
    return held.filter(({ name }) => isOther(name)).length;
  };
  if ((await count()) === 0) return 0;
  await new Promise((resolve) => setTimeout(resolve, LEAVING_MS));
  return count();
}

/** The real engine: a worker over Comlink. */
export class EngineClient implements Engine {
  readonly #spawn: () => WorkerLike;
  readonly #heartbeatMs: number;
  readonly #silenceMs: number;
  readonly #locks: Pick<LockManager, 'request'> | undefined;
  readonly #deathListeners = new Set<(error: EngineError) => void>();
  #link: Link | null = null;
  #labJobs = 0;

  constructor(options: EngineClientOptions = {}) {
    this.#spawn = options.spawn ?? (() => spawnWorker());
    this.#heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
    this.#locks = options.locks ?? browserLocks();
  }

  /** Starts the worker before there is anything to load, so that its code is there by then. */
  prepare(): void {
    this.#connect();
  }

  async load(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadedModel> {
    let next = request;
    // Each fresh worker has left at least one rung for good, so this ends.
    for (;;) {
      const link = this.#connect();
      const channel = new MessageChannel();
      channel.port1.onmessage = (event: MessageEvent<LoadProgress>) => onProgress(event.data);
      try {
        const outcome = await this.#job<LoadOutcome>(link, () =>
          link.api.load(next, transfer(channel.port2, [channel.port2])),
        );
        if (outcome.ok) return outcome.value;
        if ('error' in outcome) throw this.#failed(link, fromWireError(outcome.error));
        next = { ...request, attempted: outcome.respawn.attempted };
        this.#drop(link);
      } catch (error) {
        // A runtime that could not start in a worker never starts there again.
        if (this.#link === link) this.#drop(link);
        throw error;
      } finally {
        channel.port1.close();
      }
    }
  }

  generate(
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Generation {
    const link = this.#link;
    if (link === null) {
      const missing = new EngineError('not-loaded', 'No model is loaded.', 'Load a model first.');
      return {
        id: request.id,
        done: Promise.reject(missing),
        stop: () => {},
        answerNow: () => {},
        step: () => {},
      };
    }
    return {
      id: request.id,
      done: this.#generate(link, request, onEvents),
      stop: () => this.#tell(link, () => link.api.stop(request.id)),
      answerNow: () => this.#tell(link, () => link.api.answerNow(request.id)),
      step: (tokens) => this.#tell(link, () => link.api.step(request.id, tokens)),
    };
  }

  async #generate(
    link: Link,
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Promise<GenerateResult> {
    const channel = new MessageChannel();
    const batches = new BatchReader(channel.port1, onEvents);
    try {
      const outcome = await this.#job<Outcome<GenerateResult>>(link, async () => {
        const settled = await link.api.generate(request, transfer(channel.port2, [channel.port2]));
        await batches.last;
        return settled;
      });
      if (!outcome.ok) throw this.#failed(link, fromWireError(outcome.error));
      return outcome.value;
    } finally {
      channel.port1.close();
    }
  }

  async watch(watch: LabWatch | null): Promise<LabCapabilities> {
    const link = this.#linked();
    const outcome = await this.#call<Outcome<LabCapabilities>>(link, () => link.api.watch(watch));
    if (!outcome.ok) throw this.#failed(link, fromWireError(outcome.error));
    return outcome.value;
  }

  lab<K extends LabJobName>(
    job: K,
    request: LabJobs[K]['request'],
    onProgress: (progress: LabProgress) => void = () => {},
  ): LabRun<K> {
    this.#labJobs += 1;
    const id = `lab ${this.#labJobs}`;
    const link = this.#link;
    return {
      // The worker answers a job with that job's result: a correspondence that the wire's union cannot say.
      done: this.#lab({ id, job, request } as LabRequest, onProgress),
      stop: () => {
        if (link !== null) this.#tell(link, () => link.api.stop(id));
      },
    };
  }

  async #lab(request: LabRequest, onProgress: (progress: LabProgress) => void): Promise<LabResult> {
    const link = this.#linked();
    const channel = new MessageChannel();
    channel.port1.onmessage = (event: MessageEvent<LabProgress>) => onProgress(event.data);
    try {
      const outcome = await this.#job<Outcome<LabResult>>(link, () =>
        link.api.lab(request, transfer(channel.port2, [channel.port2])),
      );
      if (!outcome.ok) throw this.#failed(link, fromWireError(outcome.error));
      return outcome.value;
    } finally {
      channel.port1.close();
    }
  }

  async countTokens(messages: readonly PromptMessage[]): Promise<number> {
    const link = this.#linked();
    const outcome = await this.#call<Outcome<number>>(link, () => link.api.countTokens(messages));
    if (!outcome.ok) throw this.#failed(link, fromWireError(outcome.error));
    return outcome.value;
  }

  onDeath(listener: (error: EngineError) => void): () => void {
    this.#deathListeners.add(listener);
    return () => this.#deathListeners.delete(listener);
  }

  async dispose(): Promise<void> {
    const link = this.#link;
    if (link === null) return;
    this.#drop(link);
    const gone = new EngineError(
      'worker-died',
      'The engine was switched off.',
      'Load the model again.',
    );
    for (const reject of [...link.reject]) reject(gone);
  }

  /** The living worker; EngineError `not-loaded` when there is none. */
  #linked(): Link {
    if (this.#link === null)
      throw new EngineError('not-loaded', 'No model is loaded.', 'Load a model first.');
    return this.#link;
  }

  /** The living worker, or a new one. */
  #connect(): Link {
    if (this.#link !== null) return this.#link;
    const worker = this.#spawn();
    const onError = (event: Event): void => {
      const message = 'message' in event && typeof event.message === 'string' ? event.message : '';
      if (message === '' && !link.hasSpoken) this.#bury(link, scriptMissing());
      else this.#die(link, message === '' ? 'it broke down without a word' : message);
    };
    const onUnreadable = (): void => this.#die(link, 'a message from it could not be read');
    worker.addEventListener('error', onError);
    worker.addEventListener('messageerror', onUnreadable);
    const onSign = (): void => {
      link.hasSpoken = true;
      link.silentMs = 0;
    };
    worker.addEventListener('message', onSign);
    const link: Link = {
      worker,
      api: wrap<EngineApi>(worker),
      reject: new Set(),
      jobs: 0,
      hasSpoken: false,
      silentMs: 0,
      close: () => {
        worker.removeEventListener('error', onError);
        worker.removeEventListener('messageerror', onUnreadable);
        worker.removeEventListener('message', onSign);
        link.api[releaseProxy]();
        worker.terminate();
      },
    };
    this.#link = link;
    // To a frame of another site the browser may refuse locks: then only the silence of a dead worker is noticed.
    this.#watchLife(link).catch(() => undefined);
    void this.#watchDevice(link);
    return link;
  }

  /** A worker that the browser ends sends no event; but the lock that it held comes free. */
  async #watchLife(link: Link): Promise<void> {
    if (this.#locks === undefined) return;
    const name = `${OWN_LOCKS} ${crypto.randomUUID()}`;
    await link.api.hold(name);
    await this.#locks.request(name, () => {
      this.#die(link, 'the browser has ended it');
    });
  }

  /** Also between replies: else the next question would be the one that finds out. */
  async #watchDevice(link: Link): Promise<void> {
    this.#bury(link, fromWireError(await link.api.lost()));
  }

  /** A call that rejects when the worker dies: by itself Comlink would wait for ever. */
  #call<T>(link: Link, call: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      link.reject.add(reject);
      call()
        .then(resolve, (cause: unknown) => {
          const message = cause instanceof Error ? cause.message : String(cause);
          reject(
            new EngineError('internal', `The engine failed: ${message}`, 'Load the model again.', {
              cause,
            }),
          );
        })
        .finally(() => link.reject.delete(reject));
    });
  }

  /** A long call, under the heartbeat. */
  async #job<T>(link: Link, call: () => Promise<T>): Promise<T> {
    link.jobs += 1;
    if (link.jobs === 1) {
      link.silentMs = 0;
      this.#beat(link);
    }
    try {
      return await this.#call(link, call);
    } finally {
      link.jobs -= 1;
    }
  }

  #beat(link: Link): void {
    const sentAt = performance.now();
    setTimeout(() => {
      if (this.#link !== link || link.jobs === 0) return;
      // A page that slept (hidden tab, closed lid) wakes to a clock far ahead; its worker slept as well.
      link.silentMs += Math.min(performance.now() - sentAt, 2 * this.#heartbeatMs);
      if (link.silentMs > this.#silenceMs) {
        this.#die(link, `it has not answered for ${Math.round(link.silentMs / 1000)} seconds`);
        return;
      }
      // The answer is a message, which is the sign; a death rejects nothing here.
      void link.api.ping();
      this.#beat(link);
    }, this.#heartbeatMs);
  }

  /** Says something to a running job; a worker that has died since needs no telling. */
  #tell(link: Link, say: () => Promise<void>): void {
    if (this.#link === link) void say();
  }

  /** Drops a worker whose runtime is beyond trust; returns the error to throw. */
  #failed(link: Link, error: EngineError): EngineError {
    if (FATAL.has(error.code)) this.#bury(link, error);
    return error;
  }

  #die(link: Link, how: string): void {
    this.#bury(
      link,
      new EngineError(
        'worker-died',
        `The engine has stopped working: ${how}.`,
        'Your chats are kept. The engine is started again; ask once more.',
      ),
    );
  }

  #bury(link: Link, error: EngineError): void {
    if (this.#link !== link) return;
    this.#drop(link);
    for (const reject of [...link.reject]) reject(error);
    for (const listener of [...this.#deathListeners]) listener(error);
  }

  #drop(link: Link): void {
    if (this.#link === link) this.#link = null;
    link.close();
  }
}

/** A worker whose script did not come: the browser says no more of it than that there was an error. */
function scriptMissing(): EngineError {
  return new EngineError(
    'network',
    'The engine’s script could not be fetched.',
    'Check the connection, then try again.',
  );
}

/**
 * Hands on a generation's batches. Ports are not ordered among each other, so the call may settle while batches are
 * still under way; the last one is marked.
 */
class BatchReader {
  readonly last: Promise<void>;

  constructor(port: MessagePort, onEvents: (events: readonly EngineEvent[]) => void) {
    this.last = new Promise((resolve) => {
      port.onmessage = (event: MessageEvent<EventBatch>) => {
        onEvents(event.data.events);
        if (event.data.isLast === true) resolve();
      };
    });
  }
}
