/**
 * Owns one download of a model into this browser, seen from the page: start, pause, resume, cancel, with true totals,
 * rate and time left. Owns no choice of model and no words.
 */
import { EngineError } from '../core/errors';
import type { ModelListing } from '../core/model-listing';
import { fetchFile } from './fetch-file';
import { fileUrlOf, keptKeyOf, keptPrefixOf } from './file-keys';
import { filesForUse, variantOf, type ModelStore } from './model-store';
import type { DownloadWait, Fetch, Patience } from './remote-file';

/** `queued`: another tab downloads this model. */
export type DownloadPhase =
  'idle' | 'queued' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

export interface DownloadState {
  readonly phase: DownloadPhase;
  /** Over all files of the variant; never above the total. */
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** How many of the loaded bytes were here already. */
  readonly cachedBytes: number;
  /** The file under way. */
  readonly file: string;
  /** Over the last seconds; null until something has come over the network. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Set while the download stands still by itself. */
  readonly wait: DownloadWait | null;
  readonly error: EngineError | null;
}

export interface ModelDownloadOptions {
  readonly listing: ModelListing;
  readonly dtype: string;
  readonly store: ModelStore;
  readonly fetch: Fetch;
  readonly onChange: (state: DownloadState) => void;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
  /** Keeps two tabs from fetching the same; absent where the browser has none. */
  readonly locks?: LockManager;
  readonly patience?: Patience;
}

/** The rate is that of the last seconds: long enough to be calm, short enough to follow a change of network. */
const RATE_WINDOW_MS = 5000;
/** Progress is told at most this often: a frame or two. */
const REPORT_EVERY_MS = 50;

export class ModelDownload {
  readonly #options: ModelDownloadOptions;
  readonly #now: () => number;
  #state: DownloadState;
  #controller: AbortController | null = null;
  #running: Promise<DownloadState> | null = null;
  #stopAs: 'paused' | 'cancelled' = 'paused';
  /** Network bytes at times within the window, oldest first. */
  #samples: { readonly at: number; readonly bytes: number }[] = [];
  #networkBytes = 0;
  #reportedAt = -Infinity;

  constructor(options: ModelDownloadOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const { listing, dtype } = options;
    const files = filesForUse(listing, variantOf(listing, dtype));
    this.#state = {
      phase: 'idle',
      loadedBytes: 0,
      totalBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      cachedBytes: 0,
      file: '',
      bytesPerSecond: null,
      secondsLeft: null,
      wait: null,
      error: null,
    };
  }

  get state(): DownloadState {
    return this.#state;
  }

  /** Starts, or goes on after a pause or a failure. Settles when it is done, paused, failed or cancelled; never rejects. */
  start(): Promise<DownloadState> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      this.#controller = null;
    });
    return this.#running;
  }

  /** Ends the requests at once; what has come is kept, to the last whole part. */
  async pause(): Promise<void> {
    await this.#stop('paused');
  }

  /** Ends it and deletes what has come of this variant. */
  async cancel(): Promise<void> {
    await this.#stop('cancelled');
    const { store, listing, dtype } = this.#options;
    await store.delete(listing, dtype);
    this.#set({ phase: 'cancelled', loadedBytes: 0, cachedBytes: 0, file: '' });
  }

  async #stop(as: 'paused' | 'cancelled'): Promise<void> {
    this.#stopAs = as;
    this.#controller?.abort();
    await this.#running;
  }

  async #run(): Promise<DownloadState> {
    const controller = new AbortController();
    this.#controller = controller;
    this.#stopAs = 'paused';
    this.#samples = [];
    this.#networkBytes = 0;
    this.#set({
      phase: 'running',
      error: null,
      wait: null,
      bytesPerSecond: null,
      secondsLeft: null,
    });
    try {
      await this.#alone(controller.signal, () => this.#fetchAll(controller.signal));
      this.#set({ phase: 'done', wait: null, secondsLeft: 0 });
    } catch (cause) {
      if (controller.signal.aborted) this.#set({ phase: this.#stopAs, wait: null });
      else this.#set({ phase: 'failed', wait: null, error: asError(cause) });
    }
    return this.#state;
  }

  /** Runs `work` while no other tab downloads this model. */
  async #alone(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { locks, listing } = this.#options;
    if (locks === undefined) return work();
    const name = `tidepool-download ${keptPrefixOf(listing)}`;
    const wasFree = await locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await work();
      return lock !== null;
    });
    if (wasFree) return;
    this.#set({ phase: 'queued' });
    await locks.request(name, { signal }, async () => {
      this.#set({ phase: 'running' });
      await work();
    });
  }

  async #fetchAll(signal: AbortSignal): Promise<void> {
    const { listing, dtype, store, fetch, patience } = this.#options;
    const prefix = keptPrefixOf(listing);
    await store.keepListing(listing);
    let before = 0;
    let cachedBefore = 0;
    for (const file of filesForUse(listing, variantOf(listing, dtype))) {
      const kept = keptKeyOf(prefix, file);
      let cached = file.bytes;
      // What is whole is checked when it is read; reading a gigabyte here would only cost time.
      if (!(await store.parts.isWhole(kept))) {
        const { keeping } = await fetchFile({
          file,
          url: fileUrlOf(listing.baseUrl, file.path),
          kept,
          store: store.parts,
          fetch,
          target: null,
          isToBeKept: true,
          isEtagHash: listing.source === 'hub',
          signal,
          ...(patience === undefined ? {} : { patience }),
          onWait: (wait) => this.#set({ wait, bytesPerSecond: null, secondsLeft: null }),
          onProgress: ({ loadedBytes, cachedBytes }) => {
            cached = cachedBytes;
            this.#progress(file.path, before + loadedBytes, cachedBefore + cachedBytes);
          },
        });
        if (!(await keeping)) throw noRoomFor(listing);
      }
      before += file.bytes;
      cachedBefore += cached;
      this.#progress(file.path, before, cachedBefore, true);
    }
  }

  #progress(file: string, loadedBytes: number, cachedBytes: number, isEnd = false): void {
    const now = this.#now();
    const networkBytes = loadedBytes - cachedBytes;
    // A file that is begun anew takes bytes back; the rate counts what came.
    if (networkBytes < this.#networkBytes) this.#samples = [];
    this.#networkBytes = networkBytes;
    this.#samples.push({ at: now, bytes: networkBytes });
    while ((this.#samples[0]?.at ?? now) < now - RATE_WINDOW_MS) this.#samples.shift();
    if (!isEnd && now - this.#reportedAt < REPORT_EVERY_MS) return;
    this.#reportedAt = now;
    const [first] = this.#samples;
    const ms = first === undefined ? 0 : now - first.at;
    const rate =
      first === undefined || ms < 200 ? null : ((networkBytes - first.bytes) / ms) * 1000;
    const bytesPerSecond = rate !== null && rate > 0 ? rate : this.#state.bytesPerSecond;
    const left = this.#state.totalBytes - loadedBytes;
    this.#set({
      file,
      loadedBytes,
      cachedBytes,
      wait: null,
      bytesPerSecond,
      secondsLeft: bytesPerSecond === null ? null : left / bytesPerSecond,
    });
  }

  #set(change: Partial<DownloadState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onChange(this.#state);
  }
}

function noRoomFor(listing: ModelListing): EngineError {
  return new EngineError(
    'storage',
    `There is no room left to keep ${listing.id}.`,
    'Delete other models or chats, choose a smaller model, or run this one from memory.',
  );
}

function asError(cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const isFull = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  return new EngineError(
    'storage',
    isFull ? 'There is no room left to keep the model.' : `The download failed: ${message}.`,
    'Delete other models or chats, or run this model from memory.',
    { cause },
  );
}
