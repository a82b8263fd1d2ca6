/** Owns where the model stands: loading, ready, failed; its device, its memory; and its rebuilding after a death. */
import { t } from '../core/language/translate';
import { EngineError } from '../core/errors';
import { placeOfServer } from '../core/server/server-target';
import type { Engine } from '../engine/engine';
import type {
  DevicePreference,
  FourBitPreference,
  LoadedModel,
  LoadProgress,
  LoadRequest,
} from '../protocol/engine-api';
import type { DeadLoads, LoadGuard } from './load-guard';

export type ModelPhase = 'idle' | 'loading' | 'ready' | 'failed';

/** Deaths within this time that are answered by a rebuild; one more asks the person, so that nothing loops. */
const MAX_REBUILDS = 2;
const REBUILD_WINDOW_MS = 5 * 60_000;

/** Which model is loaded: a folder of the site, or a listing from a hub or a disk. */
export type LoadTarget = Pick<
  LoadRequest,
  'modelUrl' | 'listing' | 'blobs' | 'variant' | 'isToBeKept' | 'server' | 'isBrowserModel'
>;

export interface EngineDeath {
  readonly error: EngineError;
  /** It came while a model was loading. */
  readonly isInLoad: boolean;
  /** The engine is being started again; else it waits for the person to say so. */
  readonly isRebuilt: boolean;
}

export class ModelStatus {
  phase = $state<ModelPhase>('idle');
  progress = $state.raw<LoadProgress | null>(null);
  model = $state.raw<LoadedModel | null>(null);
  /** Why the last load failed, or why the engine died. */
  error = $state.raw<EngineError | null>(null);
  /** True while a load follows a death. */
  isRebuild = $state(false);
  /** Set while the model is held back because its last loads died; a load that a person asks for ends it. */
  heldBack = $state.raw<DeadLoads | null>(null);
  /** For the next load: what becomes of weights of few bits on the processor. */
  rewriteFourBit: FourBitPreference = 'auto';

  readonly #engine: Engine;
  #target: LoadTarget = $state.raw({ modelUrl: '' });
  readonly #now: () => number;
  readonly #guard: LoadGuard | null;
  #device: DevicePreference = 'auto';
  #loading: Promise<void> | null = null;
  #deathCount = 0;
  /** Told of each death of the engine, after this object has dealt with it. */
  onDeath: (death: EngineDeath) => void = () => {};
  #deaths: number[] = [];

  constructor(
    engine: Engine,
    modelUrl: string,
    now: () => number = () => performance.now(),
    guard: LoadGuard | null = null,
  ) {
    this.#engine = engine;
    this.#target = { modelUrl };
    this.#now = now;
    this.#guard = guard;
    engine.onDeath((error) => {
      this.#onDeath(error);
    });
  }

  /** Host and port of the server that answers, or shall; null: the model in this tab. Known before it is loaded. */
  get place(): string | null {
    const { server } = this.#target;
    return server === undefined ? null : placeOfServer(server.address);
  }

  /** Which model the next load takes. */
  get target(): LoadTarget {
    return this.#target;
  }

  /** The browser's own model answers, or shall. */
  get isBrowserModel(): boolean {
    return this.#target.isBrowserModel === true;
  }

  /** Loads the model at the start of the page, unless its last loads ended the tab or the engine. */
  async start(device: DevicePreference): Promise<void> {
    this.#device = device;
    this.heldBack = (await this.#guard?.verdict(this.#target.modelUrl, device)) ?? null;
    if (this.heldBack === null) return this.load();
    this.error = heldBackError(this.heldBack);
    this.phase = 'failed';
  }

  /** Loads the model; a second call while one runs joins it. Never rejects: the outcome is `phase` and `error`. */
  load(device: DevicePreference = this.#device): Promise<void> {
    this.#device = device;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** Sets which model the next load takes. */
  aim(target: LoadTarget): void {
    this.#target = target;
  }

  /** Loads anew, ending a load that runs: of another model. Never rejects. */
  async reload(): Promise<void> {
    if (this.#loading !== null) {
      await this.#engine.dispose();
      await this.#loading;
    }
    this.#deaths = [];
    return this.load();
  }

  /** Another engine has taken this one's place, with this model loaded and tested; nothing may be loading. */
  adopt(target: LoadTarget, model: LoadedModel): void {
    this.#target = target;
    this.#deaths = [];
    this.progress = null;
    this.error = null;
    this.heldBack = null;
    this.isRebuild = false;
    this.model = model;
    this.phase = 'ready';
  }

  /** Does not load by itself, and says why; a question or the person starts it all the same. */
  refuse(reason: EngineError): void {
    this.error = reason;
    this.phase = 'failed';
  }

  /** Settles when the model is ready; rejects with the load's EngineError when it is not to be had. */
  async whenReady(): Promise<void> {
    if (this.phase !== 'ready' && this.heldBack === null) await this.load();
    if (this.model === null) {
      throw this.error ?? new EngineError('not-loaded', 'The model is not loaded.', 'Try again.');
    }
  }

  async #load(): Promise<void> {
    this.phase = 'loading';
    this.heldBack = null;
    this.model = null;
    for (;;) {
      const deathsBefore = this.#deathCount;
      this.progress = null;
      this.#guard?.begin(this.#target.modelUrl, this.#device);
      try {
        this.model = await this.#engine.load(
          { ...this.#target, device: this.#device, rewriteFourBit: this.rewriteFourBit },
          (progress) => {
            this.progress = progress;
            if (progress.device !== undefined) this.#guard?.reach(progress.device);
          },
        );
        this.#guard?.end('survived');
        this.error = null;
        this.phase = 'ready';
        break;
      } catch (cause) {
        this.error = asEngineError(cause);
        // What did not arrive has not died: the guard is not to hold back its next start.
        const hasDied =
          this.error.code !== 'network' &&
          (this.#deathCount > deathsBefore || this.error.code === 'out-of-memory');
        this.#guard?.end(hasDied ? 'died' : 'left');
        if (this.#deathCount > deathsBefore && this.#mayRebuild) continue;
        this.phase = 'failed';
        break;
      }
    }
    this.isRebuild = false;
  }

  get #mayRebuild(): boolean {
    // What did not fit into memory does not fit a moment later.
    return this.#deaths.length <= MAX_REBUILDS && this.error?.code !== 'out-of-memory';
  }

  #onDeath(error: EngineError): void {
    // A worker that was started ahead of its model takes nothing along: the load, when there is one, starts another.
    if (this.phase === 'idle' || this.phase === 'failed') return;
    const isInLoad = this.phase === 'loading';
    const now = this.#now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < REBUILD_WINDOW_MS), now];
    this.error = error;
    this.#deathCount += 1;
    this.isRebuild = this.#mayRebuild;
    if (!isInLoad) {
      this.model = null;
      this.phase = 'failed';
      if (this.isRebuild) void this.load();
    }
    this.onDeath({ error, isInLoad, isRebuilt: this.isRebuild });
  }
}

function heldBackError({ device, count }: DeadLoads): EngineError {
  const where =
    device === 'auto'
      ? ''
      : ` ${t('on {webgpu}', { webgpu: device.startsWith('webgpu') ? 'WebGPU' : 'WASM' })}`;
  return new EngineError(
    'worker-died',
    `The last ${count} times this model was loaded${where}, the tab or the engine died. It was not loaded again by itself.`,
    'Choose what to do; your chats are here.',
  );
}

/** Any thrown value as the app's error. */
export function asEngineError(cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new EngineError('internal', message, 'Reload the page; the conversation is kept.', {
    cause,
  });
}
