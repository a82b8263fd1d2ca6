/**
 * Owns the way of one file from store and network to whoever needs it: what is kept is checked and used, what is missing
 * or damaged is fetched, the whole is held against its hash, and what was fetched is kept. Owns no list of files.
 */
import { EngineError } from '../core/errors';
import type { ListedFile } from '../core/model-listing';
import { expectedHashOf, RunningHash, sha256Of, type ExpectedHash } from './hashing';
import {
  partCountOf,
  partRange,
  type KeptKey,
  type KeptPart,
  type PartStore,
  type WholeRecord,
} from './part-store';
import {
  FileChanged,
  inBytes,
  RemoteFile,
  type DownloadWait,
  type Fetch,
  type Patience,
} from './remote-file';

export interface FileProgress {
  readonly file: string;
  /** Of the file's true length; never above it. */
  readonly loadedBytes: number;
  /** How many of them were kept here and did not come over the network. */
  readonly cachedBytes: number;
  /** All bytes so far were kept here. */
  readonly fromCache: boolean;
}

export interface FetchFileOptions {
  readonly file: Pick<ListedFile, 'path' | 'bytes' | 'sha256' | 'gitSha1'>;
  readonly url: string;
  readonly kept: KeptKey;
  readonly store: PartStore;
  readonly fetch: Fetch;
  /**
   * Where the content goes, of the file's length; null when it is only to be kept, and then only a part of it is in
   * memory at a time.
   */
  readonly target: Uint8Array<ArrayBuffer> | null;
  /** False: nothing is kept, whatever there is room for. */
  readonly isToBeKept: boolean;
  /** A hub's ETag is the SHA-256 or the git SHA-1 of the content: it counts where the listing tells no hash. */
  readonly isEtagHash: boolean;
  readonly onProgress?: (progress: FileProgress) => void;
  readonly onWait?: (wait: DownloadWait) => void;
  readonly signal?: AbortSignal;
  readonly patience?: Patience;
}

export interface FetchedFile {
  /** Bytes that came over the network. */
  readonly fetchedBytes: number;
  /** Settles when all that is to be kept is kept; false when there was no room or no leave. Never rejects. */
  readonly keeping: Promise<boolean>;
}

/** Up to here WebCrypto hashes the whole at once: it takes a copy, and is several times faster. */
const WHOLE_HASH_BYTES = 64 * 1024 * 1024;
/** From here on the browser's HTTP cache is told not to keep the file as well. */
const NO_STORE_BYTES = 32 * 1024 * 1024;

/** The content is not what the listing says. */
class WrongContent extends Error {
  readonly found: string;

  constructor(found: string) {
    super('wrong content');
    this.found = found;
  }
}

/**
 * Brings one file. EngineError `network`, `model-missing`, `model-gated`, `model-truncated`, `model-corrupt`, or
 * `storage` when there is no target and no room; the signal's reason when aborted: what was fetched until then stays.
 */
export async function fetchFile(options: FetchFileOptions): Promise<FetchedFile> {
  try {
    return await new FileFetch(options, false).run();
  } catch (error) {
    // What was kept of a file that is too long or too short is of another file.
    if (error instanceof EngineError && /^model-(?:corrupt|truncated)$/.test(error.code))
      await options.store.drop(options.kept);
    if (!(error instanceof WrongContent || error instanceof FileChanged)) throw error;
    // A part from before the file changed, or a stale copy on the way: once more, from nothing.
    await options.store.drop(options.kept);
  }
  try {
    return await new FileFetch(options, true).run();
  } catch (error) {
    if (error instanceof WrongContent || error instanceof FileChanged) {
      await options.store.drop(options.kept);
      throw wrongContent(options.file, options.url, error);
    }
    throw error;
  }
}

function wrongContent(
  file: FetchFileOptions['file'],
  url: string,
  error: WrongContent | FileChanged,
): EngineError {
  const expected = expectedHashOf(file);
  const seen =
    error instanceof WrongContent && expected !== null
      ? `${file.path} has the right length (${inBytes(file.bytes)}) but the wrong content: ${expected.kind === 'sha256' ? 'SHA-256' : 'git SHA-1'} ${error.found.slice(0, 12)}…, expected ${expected.hex.slice(0, 12)}….`
      : `${url} is another file than the one that was listed (${inBytes(file.bytes)}).`;
  return new EngineError(
    'model-corrupt',
    seen,
    'Load the model again; if it stays so, the host serves a damaged or older file.',
    { cause: error },
  );
}

function hold(found: string, expected: ExpectedHash): void {
  if (found !== expected.hex) throw new WrongContent(found);
}

/** What a hub's ETag says of the content; null where it is no such hash. */
function hashOfEtag(etag: string | null): ExpectedHash | null {
  const hex = /^(?:W\/)?"([\da-f]{40}|[\da-f]{64})"$/.exec(etag ?? '')?.[1];
  if (hex === undefined) return null;
  return { kind: hex.length === 40 ? 'git-sha1' : 'sha256', hex };
}

/** The hashes that are needed of a file that is not in memory whole. */
class RunningHashes {
  readonly #hashes: ReadonlyMap<ExpectedHash['kind'], RunningHash>;

  constructor(kinds: readonly ExpectedHash['kind'][], bytes: number) {
    this.#hashes = new Map(kinds.map((kind) => [kind, new RunningHash(kind, bytes)]));
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
  }

  /** Throws WrongContent when the hash of that kind was kept and differs. */
  hold(expected: ExpectedHash | null): void {
    if (expected === null) return;
    const running = this.#hashes.get(expected.kind);
    if (running !== undefined) hold(running.hex(), expected);
  }
}

class FileFetch {
  readonly #options: FetchFileOptions;
  readonly #isFresh: boolean;
  readonly #parts: number;
  #loadedBytes = 0;
  #cachedBytes = 0;
  #fetchedBytes = 0;
  /** Puts follow one another, one behind the network. */
  #keeping: Promise<boolean> = Promise.resolve(true);
  #putProblem: unknown = null;
  /** Of a file of one part, which is put only after the whole has passed its check. */
  #lastPart: KeptPart | null = null;
  #remote: RemoteFile | null = null;
  #stream: AsyncGenerator<Uint8Array, void, undefined> | null = null;
  /** Next byte that the stream gives, past what is left over. */
  #streamAt = 0;
  #leftOver: Uint8Array = new Uint8Array(0);

  constructor(options: FetchFileOptions, isFresh: boolean) {
    this.#options = options;
    this.#isFresh = isFresh;
    this.#parts = partCountOf(options.file.bytes);
  }

  async run(): Promise<FetchedFile> {
    const { file, kept, store, target } = this.#options;
    const whole = await store.whole(kept);
    const expected = expectedHashOf(file);
    // One part that is there by its own hash needs no other.
    const isOnePart = this.#parts === 1 && expected?.kind === 'sha256';
    const hashesWhole =
      target !== null && file.bytes <= WHOLE_HASH_BYTES && expected?.kind === 'sha256';
    const running = new RunningHashes(
      whole !== null || isOnePart || hashesWhole
        ? []
        : expected !== null
          ? [expected.kind]
          : this.#options.isEtagHash
            ? ['sha256', 'git-sha1']
            : [],
      file.bytes,
    );
    const hashes: string[] = [];
    let etag = whole?.etag ?? null;
    try {
      for (let part = 0; part < this.#parts; part += 1) {
        const hash = whole?.hashes[part] ?? (isOnePart ? expected.hex : undefined);
        const own = await this.#keptPart(part, hash, etag);
        if (own !== null) {
          etag ??= own.etag;
          hashes.push(own.hash);
          running.update(own.bytes);
          target?.set(own.bytes, partRange(file.bytes, part)[0]);
          continue;
        }
        const bytes = await this.#fetchPart(part, etag, running);
        etag = this.#remote?.etag ?? etag;
        const found = await sha256Of(bytes);
        if (hash !== undefined && found !== hash) throw new WrongContent(found);
        hashes.push(found);
        await this.#keep(part, bytes, found, etag);
      }
      if (whole === null) {
        if (hashesWhole && !isOnePart) hold(await sha256Of(target), expected);
        else running.hold(expected ?? hashOfEtag(etag));
        this.#finish({ etag, hashes });
      }
    } catch (error) {
      await this.#keeping;
      throw error;
    } finally {
      await this.#endStream();
    }
    return { fetchedBytes: this.#fetchedBytes, keeping: this.#keeping };
  }

  async #keptPart(
    part: number,
    hash: string | undefined,
    etag: string | null,
  ): Promise<KeptPart | null> {
    const { kept, store } = this.#options;
    if (this.#isFresh) return null;
    this.#options.signal?.throwIfAborted();
    const own = await store.read(kept, part, hash);
    if (own === null) return null;
    // Parts of two versions of the file, where nothing tells yet which is right.
    if (hash === undefined && etag !== null && own.etag !== null && own.etag !== etag) return null;
    this.#report(own.bytes.length, true);
    return own;
  }

  async #fetchPart(
    part: number,
    etag: string | null,
    running: RunningHashes,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { file, target } = this.#options;
    const [from, to] = partRange(file.bytes, part);
    const bytes = target?.subarray(from, to) ?? new Uint8Array(to - from);
    if (this.#streamAt !== from || this.#stream === null) await this.#openStream(from, etag);
    let filled = 0;
    while (filled < bytes.length) {
      const chunk = await this.#nextChunk();
      const taken = chunk.subarray(0, bytes.length - filled);
      bytes.set(taken, filled);
      running.update(taken);
      filled += taken.length;
      this.#streamAt += taken.length;
      this.#leftOver = chunk.subarray(taken.length);
      this.#report(taken.length, false);
    }
    // A host that sends more than the listing says is found out by asking once more.
    if (to === file.bytes) await this.#expectEnd();
    return bytes;
  }

  async #openStream(from: number, etag: string | null): Promise<void> {
    const { file, url, fetch, signal, onWait, patience } = this.#options;
    await this.#endStream();
    const cache: RequestCache | undefined = this.#isFresh
      ? 'reload'
      : file.bytes >= NO_STORE_BYTES
        ? 'no-store'
        : undefined;
    this.#remote = new RemoteFile({
      url,
      bytes: file.bytes,
      etag,
      fetch,
      ...(cache === undefined ? {} : { cache }),
      ...(signal === undefined ? {} : { signal }),
      ...(onWait === undefined ? {} : { onWait }),
      ...(patience === undefined ? {} : { patience }),
    });
    this.#stream = this.#remote.read(from);
    this.#streamAt = from;
    this.#leftOver = new Uint8Array(0);
  }

  async #endStream(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    await stream?.return();
  }

  async #nextChunk(): Promise<Uint8Array> {
    if (this.#leftOver.length > 0) return this.#leftOver;
    const next = await this.#stream?.next();
    if (next?.done !== false) throw new TypeError('the stream ended before the part did');
    this.#fetchedBytes += next.value.length;
    return next.value;
  }

  async #expectEnd(): Promise<void> {
    const next = await this.#stream?.next();
    this.#stream = null;
    if (next?.done === false) throw new TypeError('the stream goes on behind the end');
  }

  /** Starts keeping a part, once the one before is kept. EngineError `storage` when nothing else has the bytes. */
  async #keep(
    part: number,
    bytes: Uint8Array<ArrayBuffer>,
    hash: string,
    etag: string | null,
  ): Promise<void> {
    const { kept, store, isToBeKept, target } = this.#options;
    if (!isToBeKept) {
      this.#keeping = Promise.resolve(false);
      return;
    }
    // One part is put by `finish`, when the whole has passed its check.
    if (this.#parts === 1) {
      this.#lastPart = { bytes, hash, etag };
      return;
    }
    if (!(await this.#keeping) && target === null)
      throw noRoom(this.#options.file, this.#putProblem);
    this.#put(async () => store.put(kept, part, bytes, { hash, etag }));
    if (target === null && !(await this.#keeping))
      throw noRoom(this.#options.file, this.#putProblem);
  }

  #put(write: () => Promise<void>): void {
    this.#keeping = this.#keeping.then(async (isKept) => {
      if (!isKept) return false;
      try {
        await write();
        return true;
      } catch (error) {
        this.#putProblem = error;
        // What is kept of a file that cannot be kept whole only takes room; a download may go on later.
        if (this.#options.target !== null) await this.#options.store.drop(this.#options.kept);
        return false;
      }
    });
  }

  #finish(record: WholeRecord): void {
    const { kept, store, isToBeKept } = this.#options;
    if (!isToBeKept) return;
    const last = this.#lastPart;
    if (last !== null) this.#put(async () => store.put(kept, 0, last.bytes, last));
    else this.#put(async () => store.putWhole(kept, record));
  }

  #report(bytes: number, isCached: boolean): void {
    const { file, onProgress } = this.#options;
    this.#loadedBytes += bytes;
    if (isCached) this.#cachedBytes += bytes;
    onProgress?.({
      file: file.path,
      loadedBytes: this.#loadedBytes,
      cachedBytes: this.#cachedBytes,
      fromCache: this.#cachedBytes === this.#loadedBytes,
    });
  }
}

/** Nothing could be kept, and nothing else was to be done with the bytes. */
function noRoom(file: Pick<ListedFile, 'path' | 'bytes'>, cause: unknown): EngineError {
  return new EngineError(
    'storage',
    `There is no room to keep ${file.path} (${inBytes(file.bytes)}).`,
    'Delete other models or chats, choose a smaller model, or run this one from memory.',
    { cause },
  );
}
