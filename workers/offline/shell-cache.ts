/**
 * Owns the caches of the app's own files: a version is stored whole and verified or not at all, files that did not
 * change are taken over from the version before, and what is no longer needed goes. Owns no requests of the page.
 */
import { isKeptOnUse, RUNTIME_CACHE, SHELL_CACHE_PREFIX } from '../../src/core/offline';

export interface ShellFile {
  /** Relative to the app's folder; `index.html` stands for the folder itself. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 in hex. */
  readonly sha256: string;
}

/** What the build says of one version of the app. */
export interface ShellBuild {
  readonly version: string;
  readonly files: readonly ShellFile[];
  /** Paths of ONNX Runtime's files and the PDF reader's, kept only once they have been used. */
  readonly runtime: readonly string[];
}

export interface ShellCacheOptions {
  readonly build: ShellBuild;
  /** The app's folder, absolute, with closing slash. */
  readonly baseUrl: string;
  readonly caches: CacheStorage;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** Says in the cache which content an entry has, so that the next version need not fetch it again. */
const HASH_HEADER = 'X-Tidepool-SHA-256';

async function sha256Hex(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** `assets/ort-wasm-simd-threaded.jspi-CP6SXO_B.wasm` -> `assets/ort-wasm-simd-threaded.jspi.wasm`. */
function withoutHash(path: string): string {
  return path.replace(/-[\w-]{8}(\.\w+)$/, '$1');
}

export class ShellCache {
  readonly #options: ShellCacheOptions;
  readonly #paths: ReadonlySet<string>;

  constructor(options: ShellCacheOptions) {
    this.#options = options;
    this.#paths = new Set(options.build.files.map(({ path }) => path));
  }

  get #name(): string {
    return SHELL_CACHE_PREFIX + this.#options.build.version;
  }

  #url(path: string): string {
    // Hosts often send index.html on to its folder, and a redirect cannot answer a navigation.
    return new URL(path === 'index.html' ? './' : path, this.#options.baseUrl).href;
  }

  /** Path inside the app of an address, with the folder read as index.html; null outside. */
  pathOf(url: URL): string | null {
    const plain = url.origin + url.pathname;
    if (!plain.startsWith(this.#options.baseUrl)) return null;
    const path = plain.slice(this.#options.baseUrl.length);
    return path === '' ? 'index.html' : path;
  }

  /**
   * Stores this version whole. Rejects when any file is missing or is not what the build says; then nothing of it is
   * left and the version before is as it was.
   */
  async install(): Promise<void> {
    const { build, caches } = this.#options;
    // A script that changed while the files did not: the cache in use must not be dropped.
    const isNew = !(await caches.has(this.#name));
    const cache = await caches.open(this.#name);
    const kept = await this.#keptByHash();
    try {
      await Promise.all(
        build.files.map(async (file) => {
          const url = this.#url(file.path);
          const has = await cache.match(url);
          if (has?.headers.get(HASH_HEADER) === file.sha256) return;
          const old = kept.get(`${file.path} ${file.sha256}`);
          await cache.put(url, old ?? (await this.#fetchVerified(file)));
        }),
      );
      await this.#renewRuntime();
    } catch (error) {
      if (isNew) await caches.delete(this.#name);
      throw error;
    }
  }

  async #keptByHash(): Promise<Map<string, Response>> {
    const { caches } = this.#options;
    const kept = new Map<string, Response>();
    for (const name of await caches.keys()) {
      if (!name.startsWith(SHELL_CACHE_PREFIX)) continue;
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const response = await cache.match(request);
        const hash = response?.headers.get(HASH_HEADER);
        const path = this.pathOf(new URL(request.url));
        if (response !== undefined && typeof hash === 'string' && path !== null)
          kept.set(`${path} ${hash}`, response);
      }
    }
    return kept;
  }

  async #fetchVerified(file: ShellFile): Promise<Response> {
    const url = this.#url(file.path);
    const response = await this.#options.fetch(url, { cache: 'no-cache' });
    if (!response.ok) throw new Error(`${url}: the host answered ${response.status}`);
    const bytes = await response.arrayBuffer();
    const sha256 = await sha256Hex(bytes);
    if (sha256 !== file.sha256) {
      throw new Error(`${url} is another version: ${bytes.byteLength} bytes, SHA-256 ${sha256}`);
    }
    return new Response(bytes, {
      headers: {
        'Content-Type': response.headers.get('Content-Type') ?? 'application/octet-stream',
        'Content-Length': String(bytes.byteLength),
        [HASH_HEADER]: sha256,
      },
    });
  }

  /** Fetches the new files of a runtime build that is in use, so that the new version starts offline as well. */
  async #renewRuntime(): Promise<void> {
    const cache = await this.#options.caches.open(RUNTIME_CACHE);
    const used = new Set(
      (await cache.keys()).map(({ url }) => withoutHash(this.pathOf(new URL(url)) ?? '')),
    );
    for (const path of this.#options.build.runtime) {
      if (!used.has(withoutHash(path))) continue;
      const url = this.#url(path);
      if ((await cache.match(url)) !== undefined) continue;
      const response = await this.#options.fetch(url, {});
      if (!isKeepable(response)) throw new Error(`${url}: the host answered ${response.status}`);
      await cache.put(url, response);
    }
  }

  /** Whether this path may be kept here; a model's file never is. */
  mayKeep(path: string): boolean {
    return this.#paths.has(path) || isKeptOnUse(path) || path.startsWith('assets/');
  }

  /** The kept answer to a request for this path of the app, or null when it is not kept. */
  async match(path: string): Promise<Response | null> {
    const { caches } = this.#options;
    if (this.#paths.has(path))
      return (await (await caches.open(this.#name)).match(this.#url(path))) ?? null;
    if (isKeptOnUse(path))
      return (await (await caches.open(RUNTIME_CACHE)).match(this.#url(path))) ?? null;
    // A page that was opened on the version before may still ask for its parts.
    return path.startsWith('assets/') ? ((await caches.match(this.#url(path))) ?? null) : null;
  }

  /** Keeps a file of ONNX Runtime or the PDF reader that was just fetched. True when it is kept now. */
  async keepRuntime(path: string, response: Response): Promise<boolean> {
    if (!isKeptOnUse(path) || !isKeepable(response)) return false;
    await (await this.#options.caches.open(RUNTIME_CACHE)).put(this.#url(path), response);
    return true;
  }

  /**
   * Drops other versions of the shell, and runtime files that this version does not name. `isNewest` is asked when it is
   * known what there is: a version that is being stored, or waits, is no left-over.
   */
  async tidy(isNewest: () => boolean): Promise<void> {
    const { build, caches } = this.#options;
    const names = await caches.keys();
    if (!isNewest()) return;
    for (const name of names) {
      if (name.startsWith(SHELL_CACHE_PREFIX) && name !== this.#name) await caches.delete(name);
    }
    const runtime = new Set(build.runtime.map((path) => this.#url(path)));
    const cache = await caches.open(RUNTIME_CACHE);
    for (const request of await cache.keys()) {
      if (!runtime.has(request.url)) await cache.delete(request);
    }
  }
}

/** A whole file, and no page that stands in for one. */
function isKeepable(response: Response): boolean {
  const type = response.headers.get('Content-Type') ?? '';
  return response.status === 200 && !type.startsWith('text/html');
}
