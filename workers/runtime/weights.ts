/**
 * Owns what the engine reads of a model: its listing (from manifest.json of our site, from a hub, from disk), its small
 * files, its weights, verified, with progress over all of them. Owns no fetching and no keeping (src/model-files), and
 * no parsing of what is in the files.
 */
import { EngineError } from '../../src/core/errors';
import type { ListedFile, ModelListing } from '../../src/core/model-listing';
import { KEPT_CHANNEL, type KeptMessage } from '../../src/core/offline';
import { fetchFile, type FileProgress } from '../../src/model-files/fetch-file';
import {
  fileUrlOf,
  keptKeyOf,
  keptPrefixOf,
  listingOfManifest,
  MANIFEST,
  pathsOfVariant,
} from '../../src/model-files/file-keys';
import { expectedHashOf, RunningHash } from '../../src/model-files/hashing';
import { ModelStore } from '../../src/model-files/model-store';
import { PartStore } from '../../src/model-files/part-store';
import { inBytes, PATIENCE, RemoteFile, type Patience } from '../../src/model-files/remote-file';
import { parseManifest, type ModelManifest } from '../../src/models/spec';

export type { FileProgress };

export interface ModelFilesOptions {
  /** Folder of the model, absolute, with closing slash. */
  readonly modelUrl: string;
  /** Files of a model from a hub or a disk; absent: the manifest in `modelUrl` tells them. */
  readonly listing?: ModelListing;
  /** Contents by path of a listing from disk. */
  readonly blobs?: ReadonlyMap<string, Blob>;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Cache Storage; absent in Node and on insecure pages. */
  readonly caches?: CacheStorage;
  /** False: the model runs from memory, and nothing of it is kept. */
  readonly isToBeKept?: boolean;
  readonly signal?: AbortSignal;
  readonly patience?: Patience;
}

/** Over all files that were asked for together. */
export interface FilesProgress {
  /** The file that grew. */
  readonly file: string;
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** How many of the loaded bytes were kept here. */
  readonly cachedBytes: number;
}

type NamedFile = Pick<ListedFile, 'path' | 'bytes'> &
  Partial<Pick<ListedFile, 'sha256' | 'gitSha1'>>;

/** A network that neither answers nor refuses is given up after this when the kept copy will do. */
const MANIFEST_PATIENCE_MS = 2500;

function asListed({ path, bytes, sha256, gitSha1 }: NamedFile): ListedFile {
  return { path, bytes, sha256: sha256 ?? null, gitSha1: gitSha1 ?? null };
}

/** Reads the verified files of one model. */
export class ModelFiles {
  readonly #options: ModelFilesOptions;
  readonly #store: PartStore;
  #manifest: Promise<ModelManifest> | null = null;
  /** Text of a manifest that was fetched and is not kept yet. */
  #newManifest: string | null = null;
  #keptManifest: string | null = null;
  #keeping: Promise<unknown> = Promise.resolve();
  #hasRoom = true;
  #hasKeptListing = false;

  constructor(options: ModelFilesOptions) {
    this.#options = options;
    this.#store = new PartStore(options.caches);
  }

  /** Something that was to be kept could not be: the model runs from memory. Known after `settled`. */
  get isLeftOut(): boolean {
    // Node, and pages without Cache Storage, keep nothing and need no telling; insecure pages say so elsewhere.
    return !this.#hasRoom && this.#options.caches !== undefined;
  }

  /** Settles when all that is to be kept is kept. */
  async settled(): Promise<void> {
    await this.#keeping;
  }

  /** The files of the model. */
  async listing(): Promise<ModelListing> {
    const { listing, modelUrl } = this.#options;
    return listing ?? listingOfManifest(await this.manifest(), modelUrl);
  }

  /**
   * manifest.json of a model of our site, always asked anew (a few kB): it tells whether kept weights are still the
   * right ones. When nothing answers in time, the one that was kept with the weights.
   */
  manifest(): Promise<ModelManifest> {
    this.#manifest ??= this.#readManifest().catch((error: unknown) => {
      this.#manifest = null;
      throw error;
    });
    return this.#manifest;
  }

  async #readManifest(): Promise<ModelManifest> {
    const { modelUrl } = this.#options;
    const url = fileUrlOf(modelUrl, MANIFEST);
    const kept = await this.#store.text(url);
    let text: string;
    try {
      text = await this.#fetchText(url, kept !== null);
      this.#keptManifest = kept;
      this.#newManifest = text;
    } catch (error) {
      const isNetwork =
        error instanceof EngineError && ['network', 'rate-limited'].includes(error.code);
      if (kept === null || !isNetwork) throw error;
      text = kept;
    }
    return parseManifest(parseJson(text, url));
  }

  async #fetchText(url: string, hasKept: boolean): Promise<string> {
    const { fetch, signal, patience = PATIENCE } = this.#options;
    const remote = new RemoteFile({
      url,
      bytes: null,
      fetch,
      cache: 'no-cache',
      patience: hasKept
        ? {
            ...patience,
            silenceMs: Math.min(MANIFEST_PATIENCE_MS, patience.silenceMs),
            attempts: 1,
          }
        : patience,
      ...(signal === undefined ? {} : { signal }),
    });
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of remote.read(0)) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  }

  /** A small JSON file of the folder; `fallback` when the listing does not name it. */
  async json(path: string, fallback?: unknown): Promise<unknown> {
    const text = await this.text(path);
    if (text !== null) return parseJson(text, `${this.#options.modelUrl}${path}`);
    if (fallback !== undefined) return fallback;
    const { id } = await this.listing();
    throw new EngineError(
      'model-missing',
      `${path} is not among the files of ${id}.`,
      'Package the model anew with its tokenizer.',
    );
  }

  /** A small text file of the folder; null when the listing does not name it. */
  async text(path: string): Promise<string | null> {
    const { files } = await this.listing();
    const entry = files.find((file) => file.path === path);
    if (entry === undefined) return null;
    return new TextDecoder().decode(await this.file(entry, () => {}));
  }

  /**
   * The verified bytes of a file, one copy in memory. EngineError `model-missing`, `model-gated`, `model-truncated`,
   * `model-corrupt`, `network` or `out-of-memory`; the signal's reason when aborted.
   */
  async file(
    named: NamedFile,
    onProgress: (progress: FileProgress) => void,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const entry = asListed(named);
    const { listing, modelUrl, blobs, signal, fetch, patience, isToBeKept = true } = this.#options;
    // Without contents at hand a model from disk is one that was kept.
    if (listing?.source === 'disk' && blobs !== undefined)
      return this.#fromDisk(entry, blobs, onProgress);
    const target = allocate(entry);
    const source = listing ?? { source: 'site', id: '', revision: null, baseUrl: modelUrl };
    const { keeping } = await fetchFile({
      file: entry,
      url: fileUrlOf(source.baseUrl, entry.path),
      kept: keptKeyOf(keptPrefixOf(source), entry),
      store: this.#store,
      fetch: source.source === 'disk' ? refuseKept(entry, source.id) : fetch,
      target,
      isToBeKept: isToBeKept && this.#options.caches !== undefined,
      isEtagHash: source.source === 'hub',
      onProgress,
      ...(signal === undefined ? {} : { signal }),
      ...(patience === undefined ? {} : { patience }),
    });
    this.#keepAfter(entry, keeping);
    return target;
  }

  /** Several files, one after the other, with progress over all of them. */
  async files(
    paths: readonly string[],
    onProgress: (progress: FilesProgress) => void,
  ): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
    const listing = await this.listing();
    const entries = paths.map((path) => {
      const entry = listing.files.find((file) => file.path === path);
      if (entry !== undefined) return entry;
      throw new EngineError(
        'model-missing',
        `${path} is not among the files of ${listing.id}.`,
        'Choose another variant of the model.',
      );
    });
    const totalBytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const contents = new Map<string, Uint8Array<ArrayBuffer>>();
    let before = 0;
    let cachedBefore = 0;
    for (const entry of entries) {
      let cached = 0;
      const bytes = await this.file(entry, ({ loadedBytes, cachedBytes, file }) => {
        cached = cachedBytes;
        onProgress({
          file,
          loadedBytes: before + loadedBytes,
          totalBytes,
          cachedBytes: cachedBefore + cachedBytes,
        });
      });
      before += entry.bytes;
      cachedBefore += cached;
      contents.set(entry.path, bytes);
    }
    return contents;
  }

  async #fromDisk(
    entry: ListedFile,
    blobs: ReadonlyMap<string, Blob>,
    onProgress: (progress: FileProgress) => void,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const blob = blobs.get(entry.path);
    if (blob?.size !== entry.bytes) {
      throw new EngineError(
        'model-missing',
        `${entry.path} is no longer on the disk as it was (${blob === undefined ? 'not there' : inBytes(blob.size)}, expected ${inBytes(entry.bytes)}).`,
        'Open the folder again.',
      );
    }
    const target = allocate(entry);
    const expected = expectedHashOf(entry);
    const hash = expected === null ? null : new RunningHash(expected.kind, entry.bytes);
    let at = 0;
    try {
      for await (const chunk of blob.stream() as unknown as AsyncIterable<Uint8Array>) {
        this.#options.signal?.throwIfAborted();
        target.set(chunk, at);
        hash?.update(chunk);
        at += chunk.length;
        onProgress({ file: entry.path, loadedBytes: at, cachedBytes: at, fromCache: true });
      }
    } catch (cause) {
      if (this.#options.signal?.aborted === true) throw cause;
      throw new EngineError(
        'model-missing',
        `${entry.path} could not be read from the disk after ${inBytes(at)} of ${inBytes(entry.bytes)}.`,
        'Open the folder again.',
        { cause },
      );
    }
    if (expected !== null && hash?.hex() !== expected.hex) {
      throw new EngineError(
        'model-corrupt',
        `${entry.path} on the disk is not the file that was listed: its hash is another one.`,
        'Open the folder again, or copy the model anew.',
      );
    }
    return target;
  }

  /** Notes what becomes of the keeping; the manifest follows the weights that it names. */
  #keepAfter(entry: ListedFile, keeping: Promise<boolean>): void {
    this.#keeping = Promise.all([this.#keeping, keeping]).then(async ([, isKept]) => {
      if (!isKept && this.#options.isToBeKept !== false) this.#hasRoom = false;
      if (isKept) await this.#keepList(entry);
    });
  }

  /** Keeps what names the files: a model of a hub then starts without the hub. */
  async #keepList(entry: ListedFile): Promise<void> {
    const { listing } = this.#options;
    if (listing === undefined) return this.#keepManifest(entry);
    if (this.#hasKeptListing) return;
    this.#hasKeptListing = true;
    try {
      await new ModelStore(this.#options.caches).keepListing(listing);
    } catch {
      this.#hasRoom = false;
    }
    sayKept();
  }

  /** Whether a variant that reads `path` is kept with all of its files: one part of its weights starts nothing. */
  async #isVariantKept(manifest: ModelManifest, path: string): Promise<boolean> {
    const { modelUrl } = this.#options;
    for (const variant of listingOfManifest(manifest, modelUrl).variants) {
      const paths = new Set(pathsOfVariant(variant));
      if (!paths.has(path)) continue;
      const kept = await Promise.all(
        manifest.files
          .filter((file) => paths.has(file.path))
          .map((file) => this.#store.isWhole(keptKeyOf(modelUrl, asListed(file)))),
      );
      if (kept.every(Boolean)) return true;
    }
    return false;
  }

  /**
   * Keeps the manifest once the weights that it names are kept, and only then drops files of the package before: an
   * update that breaks off leaves the old package whole.
   */
  async #keepManifest(entry: ListedFile): Promise<void> {
    const text = this.#newManifest;
    if (text === null || this.#manifest === null) return;
    const manifest = await this.#manifest;
    const { modelUrl } = this.#options;
    if (!(await this.#isVariantKept(manifest, entry.path))) return;
    this.#newManifest = null;
    if (text === this.#keptManifest) return;
    const url = fileUrlOf(modelUrl, MANIFEST);
    try {
      await this.#store.putText(url, modelUrl, text);
    } catch {
      // No room or no permission: the next start needs the network again.
      this.#hasRoom = false;
      return;
    }
    sayKept();
    if (this.#keptManifest === null) return;
    const current = manifest.files.map((file) => keptKeyOf(modelUrl, asListed(file)).key);
    for (const { url: kept } of await this.#store.entries()) {
      if (!kept.startsWith(modelUrl) || kept === url) continue;
      if (!current.some((key) => kept === key || kept.startsWith(`${key}&`)))
        await this.#store.deleteKey(kept);
    }
  }
}

/** In place of a network for a model from disk: what is not kept any more is nowhere else. */
function refuseKept({ path }: ListedFile, id: string): () => Promise<never> {
  return () =>
    Promise.reject(
      new EngineError(
        'model-missing',
        `${path} of ${id} is no longer kept in this browser, or damaged.`,
        'Open its folder again under “Models”.',
      ),
    );
}

/** Tells the pages to look again at what is kept. */
function sayKept(): void {
  if (typeof BroadcastChannel === 'undefined') return;
  const channel = new BroadcastChannel(KEPT_CHANNEL);
  const message: KeptMessage = 'changed';
  channel.postMessage(message);
  channel.close();
}

function allocate({ path, bytes }: ListedFile): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new EngineError(
      'out-of-memory',
      `There is not enough memory for ${path} (${inBytes(bytes)}).`,
      'Close other tabs, or choose a smaller model.',
      { cause },
    );
  }
}

function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new EngineError(
      'model-corrupt',
      `${url} is not JSON (${text.length.toLocaleString('en')} characters).`,
      'Upload the model files again to the host.',
      { cause },
    );
  }
}
