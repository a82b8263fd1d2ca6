/**
 * Owns a model hub on this machine that answers as huggingface.co does (observed 2025-2026): the API's model and tree
 * calls, redirects of files to a content host of another origin, ranges, ETags, sizes and hashes in headers, errors
 * with their codes, and, on demand, the bad days: rate limits, pages in place of files, transfers that break off.
 * Owns no models.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface HubRepo {
  /** `owner/name`. */
  readonly id: string;
  /** Contents by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Files need an account that was let in: 401 without one, as for everybody here. */
  readonly gated?: 'auto' | 'manual';
  readonly license?: string;
  readonly languages?: readonly string[];
  readonly baseModel?: string;
}

/** What goes wrong for requests whose path (with the repository's id) `match` finds; `times` times, else always. */
export interface HubFault {
  readonly match: RegExp;
  readonly times?: number;
  readonly kind:
    /** 429 with `Retry-After`. */
    | 'rate-limit'
    /** 503 with a page of the gateway. */
    | 'gateway'
    /** 200 with a page in place of the file: a captive portal, a filter. */
    | 'page'
    /** The connection breaks off after `bytes` of the content. */
    | 'cut'
    /** The connection goes silent after `bytes` of the content, and stays open. */
    | 'stall'
    /** The content host refuses the address as too old: 403, a new one must be asked for. */
    | 'expired'
    /** Content of the right length, one byte changed. */
    | 'damaged';
  /** For `rate-limit`. */
  readonly retryAfterSeconds?: number;
  /** For `cut` and `stall`. */
  readonly bytes?: number;
}

/** One request as it came in. */
export interface HubRequest {
  readonly host: 'hub' | 'cdn';
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly range: string | null;
  readonly status: number;
}

interface StoredFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly gitSha1: string;
  readonly sha256: string;
  /** Kept by Git LFS, that is by the content host: all but small text. */
  readonly isLarge: boolean;
}

interface StoredRepo {
  readonly repo: HubRepo;
  readonly commit: string;
  readonly files: ReadonlyMap<string, StoredFile>;
}

/** Above this, and for weights at any size, the hub keeps files in LFS. */
const LARGE_BYTES = 10 * 1024 * 1024;
const LARGE_NAMES = /(?:\.onnx|\.onnx_data(?:_\d+)?|\.safetensors|\.bin|tokenizer\.json|\.model)$/;

/** Entries of one page of a tree listing, where the caller does not say. */
const TREE_LIMIT = 1000;

const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';

const GATEWAY_PAGE =
  '<!DOCTYPE html><html><head><title>503 Service Temporarily Unavailable</title></head><body><h1>503</h1></body></html>';
const PORTAL_PAGE =
  '<!doctype html>\n<html><head><title>Log in to the school network</title></head><body>Log in</body></html>';

function hex(algorithm: 'sha1' | 'sha256', ...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function stored(path: string, bytes: Uint8Array): StoredFile {
  return {
    path,
    bytes,
    gitSha1: hex('sha1', `blob ${bytes.length}\0`, bytes),
    sha256: hex('sha256', bytes),
    isLarge: bytes.length > LARGE_BYTES || LARGE_NAMES.test(path),
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port given'));
      else resolve(`http://127.0.0.1:${address.port}`);
    });
  });
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve, reject) =>
    server.close((error) => (error ? reject(error) : resolve())),
  );
}

/** `bytes=…` as first and last byte; null where there is none, 'unsatisfiable' where it lies outside. */
function rangeOf(
  header: string | undefined,
  size: number,
): { first: number; last: number } | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null) return null;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return null;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return first > last || first >= size ? 'unsatisfiable' : { first, last };
}

/** A hub that runs until it is closed. */
export class FakeHub {
  /** All requests so far, in order. */
  readonly requests: HubRequest[] = [];
  /** Bytes the content host sends at once, and the pause after them; null: all at once. */
  pace: { readonly chunkBytes: number; readonly pauseMs: number } | null = null;
  readonly #repos = new Map<string, StoredRepo>();
  readonly #faults: { fault: HubFault; left: number }[] = [];
  readonly #hub: Server;
  readonly #cdn: Server;
  #origin = '';
  #cdnOrigin = '';
  /** Signatures of content addresses that are not valid any more. */
  readonly #spent = new Set<string>();
  #signatures = 0;

  private constructor() {
    this.#hub = createServer((request, response) => void this.#answer('hub', request, response));
    this.#cdn = createServer((request, response) => void this.#answer('cdn', request, response));
  }

  static async start(repos: readonly HubRepo[] = []): Promise<FakeHub> {
    const hub = new FakeHub();
    hub.#origin = await listen(hub.#hub);
    hub.#cdnOrigin = await listen(hub.#cdn);
    for (const repo of repos) hub.add(repo);
    return hub;
  }

  /** `http://127.0.0.1:port`, in place of https://huggingface.co. */
  get origin(): string {
    return this.#origin;
  }

  /** Where large files are redirected to. */
  get contentOrigin(): string {
    return this.#cdnOrigin;
  }

  /** Adds a repository, or a new commit of one. Returns the commit. */
  add(repo: HubRepo): string {
    const files = new Map([...repo.files].map(([path, bytes]) => [path, stored(path, bytes)]));
    const tree = [...files.values()].map(({ path, gitSha1 }) => `${path} ${gitSha1}\n`).sort();
    const commit = hex('sha1', repo.id, ...tree);
    this.#repos.set(repo.id, { repo, commit, files });
    return commit;
  }

  remove(id: string): void {
    this.#repos.delete(id);
  }

  /** Makes something go wrong from now on. */
  fail(fault: HubFault): void {
    this.#faults.push({ fault, left: fault.times ?? Infinity });
  }

  /** All goes well from now on. */
  heal(): void {
    this.#faults.length = 0;
  }

  async close(): Promise<void> {
    await Promise.all([close(this.#hub), close(this.#cdn)]);
  }

  #faultFor(path: string, kinds: readonly HubFault['kind'][]): HubFault | null {
    const found = this.#faults.find(
      ({ fault, left }) => left > 0 && kinds.includes(fault.kind) && fault.match.test(path),
    );
    if (found === undefined) return null;
    found.left -= 1;
    return found.fault;
  }

  async #answer(
    host: 'hub' | 'cdn',
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const path = request.url ?? '/';
    const { range } = request.headers;
    const method = request.method ?? 'GET';
    response.on('close', () => {
      this.requests.push({
        host,
        method,
        path,
        range: range ?? null,
        status: response.headersSent ? response.statusCode : 0,
      });
    });
    const { origin } = request.headers;
    if (host === 'hub') {
      // The hub names the asking origin; its content host allows all.
      response.setHeader('Access-Control-Allow-Origin', origin ?? this.#origin);
      response.setHeader('Vary', 'Origin');
      response.setHeader('X-Request-Id', `Root=1-${this.requests.length}`);
    } else {
      response.setHeader('Access-Control-Allow-Origin', '*');
    }
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
    // As both hosts send it, so that cross-origin isolated pages may fetch.
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    if (method === 'OPTIONS') {
      response.writeHead(204, {
        'Access-Control-Allow-Methods': 'GET,HEAD,OPTIONS',
        'Access-Control-Allow-Headers': request.headers['access-control-request-headers'] ?? '*',
        'Access-Control-Max-Age': '86400',
      });
      response.end();
      return;
    }
    const url = new URL(path, host === 'hub' ? this.#origin : this.#cdnOrigin);
    if (host === 'cdn') await this.#content(url, request, response);
    else if (url.pathname.startsWith('/api/')) this.#api(url, method, response);
    else await this.#resolve(url, request, response);
  }

  /* ---------- errors ---------- */

  #error(
    response: ServerResponse,
    status: number,
    message: string,
    code: string | null = null,
  ): void {
    response.writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      ...(code === null ? {} : { 'X-Error-Code': code }),
      'X-Error-Message': message,
    });
    response.end(JSON.stringify({ error: message }));
  }

  #page(response: ServerResponse, status: number, page: string): void {
    response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(page);
  }

  /** True when a fault of the whole answer has been sent. */
  #goesWrong(path: string, response: ServerResponse): boolean {
    const fault = this.#faultFor(path, ['rate-limit', 'gateway', 'page']);
    if (fault === null) return false;
    switch (fault.kind) {
      case 'rate-limit': {
        const seconds = fault.retryAfterSeconds ?? 1;
        response.setHeader('Retry-After', String(seconds));
        response.setHeader('RateLimit', `"resolvers";r=0;t=${seconds}`);
        response.setHeader('RateLimit-Policy', '"fixed window";"resolvers";q=3000;w=300');
        this.#error(
          response,
          429,
          'We had to rate limit your IP. To continue using our service, create a HF account or login to your existing account, and make sure you pass a HF_TOKEN if you are using the API.',
        );
        return true;
      }
      case 'gateway':
        this.#page(response, 503, GATEWAY_PAGE);
        return true;
      default:
        this.#page(response, 200, PORTAL_PAGE);
        return true;
    }
  }

  /** The hub does not tell strangers whether a repository exists. */
  #noRepo(response: ServerResponse): void {
    response.setHeader('WWW-Authenticate', 'Bearer realm="Authentication required"');
    this.#error(response, 401, 'Repository not found', 'RepoNotFound');
  }

  #known(stored: StoredRepo, revision: string): boolean {
    return revision === 'main' || revision === stored.commit;
  }

  /* ---------- /api ---------- */

  #api(url: URL, method: string, response: ServerResponse): void {
    const match = /^\/api\/models\/([^/]+\/[^/]+)(?:\/(tree|revision)\/([^/]+)(?:\/(.*))?)?$/.exec(
      decodeURIComponent(url.pathname),
    );
    const [, id = '', call, revision = 'main', folder = ''] = match ?? [];
    if (this.#goesWrong(`${url.pathname}${url.search}`, response)) return;
    if (match === null) {
      this.#error(response, 404, 'Sorry, we cannot find the page you are looking for.');
      return;
    }
    const stored = this.#repos.get(id);
    if (stored === undefined) {
      this.#noRepo(response);
      return;
    }
    if (!this.#known(stored, revision)) {
      this.#error(response, 404, `Invalid rev id: ${revision}`, 'RevisionNotFound');
      return;
    }
    const value = call === 'tree' ? this.#tree(stored, folder, url, response) : this.#model(stored);
    if (value === null) {
      this.#error(response, 404, `${folder} does not exist on "${revision}"`, 'EntryNotFound');
      return;
    }
    const body = JSON.stringify(value);
    response.writeHead(200, {
      'Content-Type': 'application/json; charset=utf-8',
      ETag: `W/"${hex('sha1', body).slice(0, 27)}"`,
    });
    response.end(method === 'HEAD' ? undefined : body);
  }

  #model({ repo, commit, files }: StoredRepo): object {
    const configBytes = files.get('config.json')?.bytes;
    const config =
      configBytes === undefined
        ? {}
        : (JSON.parse(new TextDecoder().decode(configBytes)) as Record<string, unknown>);
    return {
      _id: commit.slice(0, 24),
      id: repo.id,
      modelId: repo.id,
      author: repo.id.split('/')[0],
      sha: commit,
      lastModified: '2026-09-01T12:00:00.000Z',
      createdAt: '2026-08-01T12:00:00.000Z',
      private: false,
      gated: repo.gated ?? false,
      disabled: false,
      downloads: 0,
      likes: 0,
      library_name: 'transformers.js',
      pipeline_tag: 'text-generation',
      tags: [
        'transformers.js',
        'onnx',
        'text-generation',
        'conversational',
        ...(repo.languages ?? []),
        ...(repo.license === undefined ? [] : [`license:${repo.license}`]),
        ...(repo.baseModel === undefined ? [] : [`base_model:${repo.baseModel}`]),
        'region:us',
      ],
      cardData: {
        library_name: 'transformers.js',
        ...(repo.license === undefined ? {} : { license: repo.license }),
        ...(repo.languages === undefined ? {} : { language: repo.languages }),
        ...(repo.baseModel === undefined ? {} : { base_model: [repo.baseModel] }),
      },
      config: { architectures: config['architectures'], model_type: config['model_type'] },
      siblings: [...files.keys()].sort().map((rfilename) => ({ rfilename })),
      usedStorage: [...files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0),
    };
  }

  /** Entries of a folder, with all below when `recursive`; a page of them, with a link to the next. */
  #tree(stored: StoredRepo, folder: string, url: URL, response: ServerResponse): object[] | null {
    const prefix = folder === '' ? '' : `${folder.replace(/\/$/, '')}/`;
    const isRecursive = ['1', 'true', 'True'].includes(url.searchParams.get('recursive') ?? '');
    const folders = new Set<string>();
    const entries: { path: string; entry: object }[] = [];
    for (const file of stored.files.values()) {
      if (!file.path.startsWith(prefix)) continue;
      const parts = file.path.slice(prefix.length).split('/');
      for (let depth = 1; depth < parts.length; depth += 1) {
        if (depth > 1 && !isRecursive) break;
        folders.add(prefix + parts.slice(0, depth).join('/'));
      }
      if (parts.length > 1 && !isRecursive) continue;
      entries.push({
        path: file.path,
        entry: {
          type: 'file',
          oid: file.isLarge ? hex('sha1', 'pointer', file.sha256) : file.gitSha1,
          size: file.bytes.length,
          ...(file.isLarge
            ? {
                lfs: { oid: file.sha256, size: file.bytes.length, pointerSize: 135 },
                xetHash: hex('sha256', 'xet', file.sha256),
              }
            : {}),
          path: file.path,
        },
      });
    }
    if (entries.length === 0 && folders.size === 0) return null;
    for (const path of folders)
      entries.push({ path, entry: { type: 'directory', oid: hex('sha1', path), size: 0, path } });
    entries.sort((a, b) => (a.path < b.path ? -1 : 1));
    const limit = Number(url.searchParams.get('limit') ?? TREE_LIMIT);
    const start = Number(url.searchParams.get('cursor') ?? 0);
    if (start + limit < entries.length) {
      const next = new URL(url);
      next.searchParams.set('cursor', String(start + limit));
      response.setHeader('Link', `<${next.href}>; rel="next"`);
    }
    return entries.slice(start, start + limit).map(({ entry }) => entry);
  }

  /* ---------- files ---------- */

  /** `/{id}/resolve/{revision}/{path}`: small files at once, large ones by way of the content host. */
  async #resolve(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const match = /^\/([^/]+\/[^/]+)\/(?:resolve|raw)\/([^/]+)\/(.+)$/.exec(
      decodeURIComponent(url.pathname),
    );
    const [, id = '', revision = '', path = ''] = match ?? [];
    if (this.#goesWrong(url.pathname, response)) return;
    if (match === null) {
      this.#page(response, 404, '<!doctype html><html><body>404</body></html>');
      return;
    }
    const stored = this.#repos.get(id);
    if (stored === undefined) {
      this.#noRepo(response);
      return;
    }
    if (stored.repo.gated !== undefined) {
      // 401 to strangers; 403 to those who are known and were not let in.
      const isKnown = request.headers.authorization !== undefined;
      this.#error(
        response,
        isKnown ? 403 : 401,
        `Access to model ${id} is restricted. You must have access to it and be authenticated to access it. Please log in.`,
        'GatedRepo',
      );
      return;
    }
    if (!this.#known(stored, revision)) {
      this.#error(response, 404, `Invalid rev id: ${revision}`, 'RevisionNotFound');
      return;
    }
    const file = stored.files.get(path);
    response.setHeader('X-Repo-Commit', stored.commit);
    response.setHeader('Accept-Ranges', 'bytes');
    if (file === undefined) {
      response.writeHead(404, {
        'Content-Type': 'text/plain; charset=utf-8',
        'X-Error-Code': 'EntryNotFound',
        'X-Error-Message': 'Entry not found',
      });
      response.end('Entry not found');
      return;
    }
    if (!file.isLarge) {
      response.setHeader('ETag', `"${file.gitSha1}"`);
      await this.#send(`${id}/${path}`, file.bytes, request, response);
      return;
    }
    this.#signatures += 1;
    const target = new URL(`/repos/${id}/${file.sha256}`, this.#cdnOrigin);
    target.searchParams.set('response-content-disposition', `inline; filename="${path}"`);
    target.searchParams.set('Expires', '3600');
    target.searchParams.set('Signature', String(this.#signatures));
    response.writeHead(302, {
      Location: target.href,
      'X-Linked-Size': String(file.bytes.length),
      'X-Linked-ETag': `"${file.sha256}"`,
      'X-Xet-Hash': hex('sha256', 'xet', file.sha256),
      'Content-Type': 'text/plain; charset=utf-8',
    });
    response.end(request.method === 'HEAD' ? undefined : `Found. Redirecting to ${target.href}`);
  }

  async #content(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const match = /^\/repos\/([^/]+\/[^/]+)\/([0-9a-f]{64})$/.exec(url.pathname);
    const signature = url.searchParams.get('Signature') ?? '';
    const file = [...(this.#repos.get(match?.[1] ?? '')?.files.values() ?? [])].find(
      ({ sha256, isLarge }) => isLarge && sha256 === match?.[2],
    );
    const path = `${match?.[1] ?? ''}/${file?.path ?? ''}`;
    if (this.#faultFor(path, ['expired']) !== null) this.#spent.add(signature);
    if (file === undefined || signature === '' || this.#spent.has(signature)) {
      response.writeHead(403, { 'Content-Type': 'application/xml' });
      response.end('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>');
      return;
    }
    response.setHeader('ETag', `"${file.sha256}"`);
    response.setHeader('Accept-Ranges', 'bytes');
    await this.#send(path, file.bytes, request, response);
  }

  /** Sends the content, or the asked range of it, at the set pace and with the set faults. */
  async #send(
    path: string,
    content: Uint8Array,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const etag = String(response.getHeader('ETag'));
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    const isSame = [undefined, etag].includes(request.headers['if-range'] as string | undefined);
    const range = isSame ? rangeOf(request.headers.range, content.length) : null;
    if (range === 'unsatisfiable') {
      response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
      return;
    }
    const { first, last } = range ?? { first: 0, last: content.length - 1 };
    const body = content.slice(first, last + 1);
    const fault = this.#faultFor(path, ['cut', 'stall', 'damaged']);
    if (fault?.kind === 'damaged' && body.length > 0) {
      const middle = Math.floor(body.length / 2);
      body[middle] = (body[middle] ?? 0) ^ 1;
    }
    response.writeHead(range === null ? 200 : 206, {
      'Content-Type': path.endsWith('.json') ? 'application/json' : 'application/octet-stream',
      'Content-Length': String(body.length),
      ...(range === null ? {} : { 'Content-Range': `bytes ${first}-${last}/${content.length}` }),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const breaks = fault?.kind === 'cut' || fault?.kind === 'stall';
    const end = breaks ? Math.min(fault.bytes ?? 0, body.length) : body.length;
    const chunk = this.pace?.chunkBytes ?? Math.max(1, body.length);
    for (let at = 0; at < end && !response.destroyed; at += chunk) {
      response.write(body.subarray(at, Math.min(end, at + chunk)));
      if (this.pace !== null) await new Promise((done) => setTimeout(done, this.pace?.pauseMs));
    }
    if (fault?.kind === 'stall') {
      // Headers and first bytes leave at once; nothing follows.
      response.flushHeaders();
      return;
    }
    if (fault?.kind === 'cut') {
      // What was written shall arrive before the connection is gone.
      response.flushHeaders();
      setTimeout(() => response.destroy(), 20);
      return;
    }
    response.end();
  }
}
