/**
 * Owns the browser's storage that sites share by content (Cross-Origin Storage, https://wicg.github.io/cross-origin-storage/,
 * as of 2026-11): a file whose SHA-256 is known beforehand is taken from there in place of the network, and put there once
 * it was fetched and verified. A proposal: no browser must have it, and one may answer "not found" for what it has.
 */
import type { ListedFile, ModelListing } from '../core/model-listing';
import { answerFrom } from './answer-from';
import { fileUrlOf } from './file-keys';
import { filesForUse, variantOf } from './model-store';
import type { Fetch } from './remote-file';

interface ContentHash {
  readonly algorithm: 'SHA-256';
  /** Lower-case hex. */
  readonly value: string;
}

interface SharedHandle {
  getFile(): Promise<Blob>;
  createWritable(): Promise<{
    write(data: Blob): Promise<void>;
    /** Rejects with DataError when what was written has another hash. */
    close(): Promise<void>;
    abort(reason?: unknown): Promise<void>;
  }>;
}

/** `navigator.crossOriginStorage`, of which no type of the DOM knows yet. */
export interface CrossOriginStorage {
  requestFileHandle(
    hash: ContentHash,
    options?: { readonly create?: boolean; readonly origins?: '*' },
  ): Promise<SharedHandle>;
}

/** Smaller files come as fast over the network, and are told apart by too few sites to be worth asking for. In bytes. */
const LEAST_BYTES = 1024 * 1024;

/** The shared storage of this browser; null where it has none. */
export function crossOriginStorageOf(browser: object): CrossOriginStorage | null {
  const found = (browser as { crossOriginStorage?: Partial<CrossOriginStorage> })
    .crossOriginStorage;
  return typeof found?.requestFileHandle === 'function' ? (found as CrossOriginStorage) : null;
}

function hashOf({ sha256, bytes }: ListedFile): ContentHash | null {
  return sha256 === null || bytes < LEAST_BYTES ? null : { algorithm: 'SHA-256', value: sha256 };
}

/** The files of one model as sites share them. */
export class SharedFiles {
  /** Bytes of files that were there. */
  takenBytes = 0;
  readonly #storage: CrossOriginStorage;
  readonly #listing: ModelListing;
  readonly #fetch: Fetch;
  /** Files that were asked for, by address; null for one that is not there. */
  readonly #asked = new Map<string, Promise<Blob | null>>();

  readonly #taken = new Set<string>();

  constructor(storage: CrossOriginStorage, listing: ModelListing, fetch: Fetch) {
    this.#storage = storage;
    this.#listing = listing;
    this.#fetch = fetch;
  }

  /**
   * Fetches as before what is not shared. What comes is verified by whoever asked; a file that is asked for from its
   * beginning a second time was not what it should be, and comes over the network then.
   */
  readonly fetch: Fetch = async (url, init) => {
    const blob = await (this.#asked.get(url) ?? this.#ask(url));
    if (blob === null) return this.#fetch(url, init);
    if (!new Headers(init?.headers).has('Range')) this.#asked.set(url, Promise.resolve(null));
    return answerFrom(blob, init);
  };

  #ask(url: string): Promise<Blob | null> {
    const asked = this.#find(url);
    this.#asked.set(url, asked);
    return asked;
  }

  async #find(url: string): Promise<Blob | null> {
    const { files, baseUrl } = this.#listing;
    const file = files.find(({ path }) => fileUrlOf(baseUrl, path) === url);
    const hash = file === undefined ? null : hashOf(file);
    if (file === undefined || hash === null) return null;
    try {
      const blob = await (await this.#storage.requestFileHandle(hash)).getFile();
      if (blob.size !== file.bytes) return null;
      this.takenBytes += blob.size;
      this.#taken.add(url);
      return blob;
    } catch {
      // Not there, hidden for privacy's sake, or forbidden by a policy: the network has it.
      return null;
    }
  }

  /**
   * Puts the files of a variant there for every site, as far as the browser lets it: they are public, and are told apart
   * by their content alone. Files that were there already are left out. Gives how many bytes went there; rejects never.
   */
  async offer(
    dtype: string,
    contentOf: (file: ListedFile) => Promise<Blob | null>,
  ): Promise<number> {
    let offered = 0;
    for (const file of filesForUse(this.#listing, variantOf(this.#listing, dtype))) {
      const hash = hashOf(file);
      if (hash === null) continue;
      if (this.#taken.has(fileUrlOf(this.#listing.baseUrl, file.path))) continue;
      const content = await contentOf(file);
      if (content !== null && (await this.#put(hash, content))) offered += content.size;
    }
    return offered;
  }

  async #put(hash: ContentHash, content: Blob): Promise<boolean> {
    try {
      const handle = await this.#storage.requestFileHandle(hash, { create: true, origins: '*' });
      const stream = await handle.createWritable();
      try {
        await stream.write(content);
        await stream.close();
        return true;
      } catch (error) {
        await stream.abort(error).catch(() => undefined);
        return false;
      }
    } catch {
      // No leave, or no room: the model is kept here all the same.
      return false;
    }
  }
}
