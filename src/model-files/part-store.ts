/**
 * Owns how verified bytes of model files lie in Cache Storage. Owns no network and no list of models.
 *
 * Cache Storage, not OPFS: an entry is put whole or not at all, so a tab that is killed leaves no torn file; pages and
 * workers of several tabs read it at once without locks; it is there in every browser that has service workers, which
 * the app needs to be offline anyway. A large file lies in parts, so that a download goes on after a reload, one damaged
 * part is fetched again alone, and reading needs no second copy of the file in memory.
 */
import { MODEL_CACHE } from '../core/offline';
import { sha256Of } from './hashing';

/**
 * 4 MiB: at 1 Mbit/s a reload loses half a minute at most, and a file of 1 GB is 240 entries. Part of the names of what
 * is kept: with another size nothing kept would be found.
 */
export const PART_BYTES = 4 * 1024 * 1024;

const HASH_HEADER = 'X-Tidepool-SHA-256';
const ETAG_HEADER = 'X-Tidepool-ETag';
/** Prefix of all keys of the model that an entry belongs to. */
const MODEL_HEADER = 'X-Tidepool-Model';

/** Where the file is kept, and what it must be. */
export interface KeptKey {
  /** Address under which it is kept, with the hash in its query. */
  readonly key: string;
  /** Prefix that all files of its model share. */
  readonly model: string;
  readonly bytes: number;
}

/** A file of several parts whose whole was verified. */
export interface WholeRecord {
  readonly etag: string | null;
  /** SHA-256 of each part. */
  readonly hashes: readonly string[];
}

export interface KeptPart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: string;
  readonly etag: string | null;
}

export interface KeptEntry {
  readonly url: string;
  readonly model: string | null;
  readonly bytes: number;
}

export function partCountOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / PART_BYTES));
}

/** First and one past the last byte of a part. */
export function partRange(bytes: number, part: number): readonly [number, number] {
  return [part * PART_BYTES, Math.min(bytes, (part + 1) * PART_BYTES)];
}

function partKey({ key, bytes }: KeptKey, part: number): string {
  return partCountOf(bytes) === 1 ? key : `${key}&part=${part}`;
}

function wholeKey({ key }: KeptKey): string {
  return `${key}&whole`;
}

/** Reads never fail: what cannot be read is not there. Writes reject (QuotaExceededError, private windows). */
export class PartStore {
  readonly #caches: CacheStorage | undefined;
  #cache: Promise<Cache> | null = null;

  /** @param caches absent in Node and on insecure pages: then nothing is kept */
  constructor(caches: CacheStorage | undefined) {
    this.#caches = caches;
  }

  /** Cache Storage may refuse in private windows. */
  async #open(): Promise<Cache> {
    if (this.#caches === undefined)
      throw new DOMException('No Cache Storage.', 'NotSupportedError');
    this.#cache ??= this.#caches.open(MODEL_CACHE);
    try {
      return await this.#cache;
    } catch (error) {
      this.#cache = null;
      throw error;
    }
  }

  async #match(key: string): Promise<Response | null> {
    try {
      return (await (await this.#open()).match(key)) ?? null;
    } catch {
      return null;
    }
  }

  /** The record that a file of several parts is whole; null when it is not, or has one part only. */
  async whole(file: KeptKey): Promise<WholeRecord | null> {
    if (partCountOf(file.bytes) === 1) return null;
    const response = await this.#match(wholeKey(file));
    if (response === null) return null;
    try {
      return readWhole(await response.json(), partCountOf(file.bytes));
    } catch {
      return null;
    }
  }

  /**
   * A part whose content has the hash it was kept under (and `hash`, when given); one that has not is dropped. Null when
   * there is none.
   */
  async read(file: KeptKey, part: number, hash?: string): Promise<KeptPart | null> {
    const key = partKey(file, part);
    const response = await this.#match(key);
    if (response === null) return null;
    try {
      const [from, to] = partRange(file.bytes, part);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const found = await sha256Of(bytes);
      const expected = hash ?? response.headers.get(HASH_HEADER);
      if (bytes.length === to - from && (expected === null || expected === found))
        return { bytes, hash: found, etag: response.headers.get(ETAG_HEADER) };
    } catch {
      // The browser has lost the content of the entry.
    }
    await this.#delete(key);
    return null;
  }

  /** Lengths of the parts that are kept, without reading them: how far a download is. */
  async keptBytes(file: KeptKey): Promise<number> {
    let kept = 0;
    for (let part = 0; part < partCountOf(file.bytes); part += 1) {
      const response = await this.#match(partKey(file, part));
      if (response === null) continue;
      const [from, to] = partRange(file.bytes, part);
      kept += to - from;
    }
    return kept;
  }

  /** Keeps a part. Rejects when there is no room or no leave. */
  async put(
    file: KeptKey,
    part: number,
    bytes: Uint8Array<ArrayBuffer>,
    marks: { readonly hash: string; readonly etag: string | null },
  ): Promise<void> {
    const headers: Record<string, string> = {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(bytes.length),
      [HASH_HEADER]: marks.hash,
      [MODEL_HEADER]: file.model,
    };
    if (marks.etag !== null) headers[ETAG_HEADER] = marks.etag;
    const cache = await this.#open();
    await cache.put(partKey(file, part), new Response(bytes, { headers }));
  }

  /** Says that all parts are there and that the whole was verified. */
  async putWhole(file: KeptKey, record: WholeRecord): Promise<void> {
    if (partCountOf(file.bytes) === 1) return;
    await this.putText(wholeKey(file), file.model, JSON.stringify(record));
  }

  /** Drops everything of a file. */
  async drop(file: KeptKey): Promise<void> {
    await this.#delete(wholeKey(file));
    for (let part = 0; part < partCountOf(file.bytes); part += 1)
      await this.#delete(partKey(file, part));
  }

  /** True when the file is whole, going by its entries; their content is checked when it is read. */
  async isWhole(file: KeptKey): Promise<boolean> {
    if (partCountOf(file.bytes) === 1) return (await this.#match(file.key)) !== null;
    return (await this.whole(file)) !== null && (await this.keptBytes(file)) === file.bytes;
  }

  async text(key: string): Promise<string | null> {
    try {
      return (await (await this.#match(key))?.text()) ?? null;
    } catch {
      return null;
    }
  }

  async putText(key: string, model: string, text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': String(bytes.length),
      [MODEL_HEADER]: model,
    };
    await (await this.#open()).put(key, new Response(bytes, { headers }));
  }

  async deleteKey(key: string): Promise<void> {
    await this.#delete(key);
  }

  /** All that is kept; empty where nothing can be. */
  async entries(): Promise<readonly KeptEntry[]> {
    const found: KeptEntry[] = [];
    try {
      const cache = await this.#open();
      for (const request of await cache.keys()) {
        const response = await cache.match(request);
        if (response === undefined) continue;
        const length = response.headers.get('Content-Length');
        found.push({
          url: request.url,
          model: response.headers.get(MODEL_HEADER),
          bytes: length === null ? (await response.blob()).size : Number(length),
        });
      }
    } catch {
      // Private windows may refuse Cache Storage: nothing is kept.
    }
    return found;
  }

  async #delete(key: string): Promise<void> {
    try {
      await (await this.#open()).delete(key);
    } catch {
      // What cannot be opened holds nothing.
    }
  }
}

function readWhole(value: unknown, parts: number): WholeRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const { etag, hashes } = value as Record<string, unknown>;
  if (!Array.isArray(hashes) || hashes.length !== parts) return null;
  if (!hashes.every((hash): hash is string => typeof hash === 'string')) return null;
  return { etag: typeof etag === 'string' ? etag : null, hashes };
}
