// A host of files that behaves as real ones do, and misbehaves as told: ranges, ETags, redirects, cuts, stalls, refusals.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { findFile, typeOf } from '../scripts/static-files.js';

export type Fault =
  /** The connection is cut after this many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** No more comes after this many bytes, and the connection stays. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Never answers. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** Answers 200 with the whole file, whatever was asked. */
  | { readonly kind: 'ignore-range' }
  | { readonly kind: 'html' }
  | { readonly kind: 'redirect'; readonly to: string }
  /** Sends at most this many bytes each 10 ms. */
  | { readonly kind: 'slow'; readonly bytesPerTick: number };

export interface SeenRequest {
  readonly path: string;
  readonly range: string | null;
  readonly ifRange: string | null;
  status: number;
  /** Bytes of the body that were sent. */
  sentBytes: number;
}

interface HostedFile {
  readonly bytes: Uint8Array;
  readonly etag: string | null;
}

/** What page and worker need to have threads. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

export class FaultHost {
  readonly requests: SeenRequest[] = [];
  /** Decides on each request; null answers it properly. */
  fault: (path: string, request: SeenRequest) => Fault | null = () => null;
  /** Sent with every answer. */
  headers: Readonly<Record<string, string>> = {};
  readonly #server: Server;
  readonly #files = new Map<string, HostedFile>();
  readonly #folder: string | null;

  private constructor(folder: string | null) {
    this.#folder = folder;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
  }

  /**
   * @param folder files that are served besides those that are put: a built site
   * @param port 0: one that is free
   */
  static async start(folder?: string, port = 0): Promise<FaultHost> {
    const host = new FaultHost(folder === undefined ? null : resolve(folder));
    host.#server.listen(port, '127.0.0.1');
    await once(host.#server, 'listening');
    return host;
  }

  /** Address with a closing slash. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the host has no port');
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Serves a file; the ETag is a hash of it unless another, or none, is given. */
  put(path: string, bytes: Uint8Array, etag?: string | null): void {
    const own = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`;
    this.#files.set(path, { bytes, etag: etag === undefined ? own : etag });
  }

  /** Requests of one path, in order. */
  asked(path: string): readonly SeenRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Ends at once, in the middle of whatever it does. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #find(path: string): HostedFile | null {
    const own = this.#files.get(path);
    if (own !== undefined) return own;
    if (this.#folder === null) return null;
    const found = findFile(this.#folder, path);
    return found === null ? null : { bytes: readFileSync(found.file), etag: null };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname.slice(1));
    const seen: SeenRequest = {
      path,
      range: request.headers.range ?? null,
      ifRange: request.headers['if-range']?.toString() ?? null,
      status: 0,
      sentBytes: 0,
    };
    this.requests.push(seen);
    const fault = this.fault(path, seen);
    const end = (status: number, headers: Record<string, string> = {}, body = ''): void => {
      seen.status = status;
      seen.sentBytes = body.length;
      response.writeHead(status, { ...ISOLATION, ...this.headers, ...headers }).end(body);
    };
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'status') {
      const { status, retryAfter } = fault;
      return end(status, retryAfter === undefined ? {} : { 'Retry-After': retryAfter });
    }
    if (fault?.kind === 'html') {
      return end(200, { 'Content-Type': 'text/html' }, '<!doctype html><title>Sign in</title>');
    }
    if (fault?.kind === 'redirect') return end(302, { Location: fault.to });
    const file = this.#find(path);
    if (file === null) return end(404, {}, 'not found');
    const { bytes, etag } = file;
    const asked = /^bytes=(\d+)-(\d*)$/.exec(seen.range ?? '');
    const isRange =
      asked !== null &&
      fault?.kind !== 'ignore-range' &&
      (seen.ifRange === null || seen.ifRange === etag);
    const from = isRange ? Number(asked[1]) : 0;
    const to = isRange && asked[2] !== '' ? Number(asked[2]) + 1 : bytes.length;
    if (isRange && from >= bytes.length)
      return end(416, { 'Content-Range': `bytes */${bytes.length}` });
    seen.status = isRange ? 206 : 200;
    response.writeHead(seen.status, {
      ...ISOLATION,
      'Content-Type': typeOf(path === '' ? 'index.html' : path),
      'Content-Length': to - from,
      'Accept-Ranges': 'bytes',
      ...(etag === null ? {} : { ETag: etag }),
      ...(isRange ? { 'Content-Range': `bytes ${from}-${to - 1}/${bytes.length}` } : {}),
      ...this.headers,
    });
    await send(bytes.subarray(from, to), response, seen, fault);
  }
}

async function send(
  body: Uint8Array,
  response: ServerResponse,
  seen: SeenRequest,
  fault: Fault | null,
): Promise<void> {
  const isShort = fault?.kind === 'cut' || fault?.kind === 'stall';
  const most = isShort ? fault.afterBytes : body.length;
  const step = fault?.kind === 'slow' ? fault.bytesPerTick : 64 * 1024;
  for (let at = 0; at < Math.min(most, body.length); at += step) {
    const piece = body.subarray(at, Math.min(at + step, most, body.length));
    if (response.destroyed) return;
    // Only what has left this process counts: a cut drops what still waits here.
    await new Promise((done) => response.write(piece, done));
    seen.sentBytes += piece.length;
    if (fault?.kind === 'slow') await new Promise((done) => setTimeout(done, 10));
  }
  if (fault?.kind === 'cut' && most < body.length) response.destroy();
  else if (fault?.kind !== 'stall') response.end();
}
