/**
 * Owns the reading of one file from a host that may cut, stall, refuse for a while, ignore ranges or change the file.
 * Gives bytes in order from any offset; owns no storing and no check of what the bytes are.
 */
import { EngineError } from '../core/errors';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Why a download stands still, and for how long. */
export interface DownloadWait {
  readonly reason: 'connection' | 'host-busy';
  readonly ms: number;
}

export interface RemoteFileOptions {
  readonly url: string;
  /** Length that the file must have; null when nothing tells it (then a cut cannot be resumed). */
  readonly bytes: number | null;
  /** ETag of the content of which bytes are kept already. */
  readonly etag?: string | null;
  readonly fetch: Fetch;
  /** HTTP cache mode. Large files are kept by us, so the browser's own copy would be a second one. */
  readonly cache?: RequestCache;
  readonly signal?: AbortSignal;
  readonly onWait?: (wait: DownloadWait) => void;
  readonly patience?: Patience;
}

/** How long is waited, and how often. Tests give their own. */
export interface Patience {
  /** Without an answer, or between two pieces of one. */
  readonly silenceMs: number;
  /** Attempts in a row that bring no byte. */
  readonly attempts: number;
  /** Longest pause that a host may ask for. */
  readonly longestWaitMs: number;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const PATIENCE: Patience = {
  // A phone that changes from Wi-Fi to mobile is silent for about ten seconds.
  silenceMs: 20_000,
  // With pauses of 0.5, 1, 2 and 4 s an outage of half a minute (4 silences) or of 8 s (refusals) is bridged.
  attempts: 5,
  // Hubs ask for up to five minutes when an address has asked too often.
  longestWaitMs: 300_000,
  sleep,
};

/** The host has another file at this address than the one of which bytes are kept. */
export class FileChanged extends Error {
  constructor(url: string) {
    super(`${url} has changed on its host.`);
    this.name = 'FileChanged';
  }
}

const RELOAD = 'Check the connection and load the model again.';

/** Settles after `ms`; rejects with the signal's reason when it is aborted before. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(abortReason(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException('Stopped.', 'AbortError');
}

export function inBytes(bytes: number): string {
  return `${bytes.toLocaleString('en')} bytes`;
}

/** Hosts that know no file often answer with a page and status 200. */
function looksLikeHtml(bytes: Uint8Array): boolean {
  const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().toLowerCase();
  return start.startsWith('<!doctype html') || start.startsWith('<html');
}

/** An ETag without the marks that proxies add when they compress. */
function plainTag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/[-;](?:gzip|br|zstd)"$/, '"');
}

function isSameTag(a: string | null, b: string | null): boolean {
  return a === null || b === null || plainTag(a) === plainTag(b);
}

/** Milliseconds of a Retry-After header: seconds or a date; null when there is none or it cannot be read. */
function retryAfterMs(response: Response): number | null {
  const value = response.headers.get('Retry-After');
  if (value === null) return null;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(ms, 0) : null;
}

/** What is to be tried again, after a pause. */
class Interruption extends Error {
  readonly waitMs: number | null;
  readonly reason: DownloadWait['reason'];

  constructor(message: string, options: { cause?: unknown; waitMs?: number | null } = {}) {
    super(message, { cause: options.cause });
    this.waitMs = options.waitMs ?? null;
    this.reason = options.waitMs === undefined ? 'connection' : 'host-busy';
  }
}

export class RemoteFile {
  readonly #options: RemoteFileOptions;
  readonly #patience: Patience;
  #etag: string | null;

  constructor(options: RemoteFileOptions) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
    this.#etag = options.etag ?? null;
  }

  /** ETag of the content that was read last; null when the host gives none. */
  get etag(): string | null {
    return this.#etag;
  }

  /**
   * The bytes from `from` to the end (or to `to`), in order and without gaps; after a cut the next request goes on
   * where the last one ended. FileChanged when the host's file is another one now; EngineError `network`,
   * `rate-limited`, `model-missing`, `model-gated`, `model-truncated` or `model-corrupt` (longer); the signal's reason when aborted.
   */
  async *read(from: number, to = this.#options.bytes): AsyncGenerator<Uint8Array, void, undefined> {
    let at = from;
    let vain = 0;
    let hasEndedEarly = false;
    while (to === null || at < to) {
      const before = at;
      try {
        for await (const chunk of this.#attempt(at, to)) {
          at += chunk.length;
          vain = 0;
          yield chunk;
        }
        if (to === null || at >= to) return;
        // The body ended cleanly and is short: the host may have cut, or have no more.
        if (at === before || hasEndedEarly) throw this.#truncated(at);
        hasEndedEarly = at === before;
      } catch (error) {
        if (!(error instanceof Interruption)) throw error;
        // All bytes came, and the host does not close.
        if (to !== null && at >= to) return;
        // Without a known length nothing tells whether the rest belongs to the start.
        if (this.#options.bytes === null && at > from) throw this.#brokenOff(at, error);
        vain += 1;
        // Where nothing ever came there is rather no network than a bad one.
        const attempts =
          at === from ? Math.min(3, this.#patience.attempts) : this.#patience.attempts;
        if (vain >= attempts) throw this.#brokenOff(at, error);
        const waitMs =
          error.waitMs ?? (error.reason === 'connection' ? 500 : 2000) * 2 ** (vain - 1);
        if (waitMs > this.#patience.longestWaitMs) throw this.#brokenOff(at, error);
        this.#options.onWait?.({ reason: error.reason, ms: waitMs });
        await this.#patience.sleep(waitMs, this.#options.signal);
      }
    }
  }

  /** One request; ends where the body ends, throws Interruption where it breaks. */
  async *#attempt(at: number, to: number | null): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, url, bytes } = this.#options;
    if (isAborted(signal)) throw abortReason(signal);
    const controller = new AbortController();
    const stop = (): void => controller.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    const ended = endOf(controller.signal);
    try {
      const response = await this.#inTime(this.#answer(at, controller.signal), controller, ended);
      let skip = this.#check(response, at) ? at : 0;
      const reader = response.body?.getReader();
      let position = at - skip;
      for (;;) {
        if (reader === undefined) return;
        const next = await this.#inTime(reader.read(), controller, ended);
        if (next.done) return;
        if (position === 0 && looksLikeHtml(next.value)) throw htmlError(url);
        position += next.value.length;
        if (bytes !== null && position > bytes) throw this.#tooLong();
        const dropped = Math.min(skip, next.value.length);
        skip -= dropped;
        const end = to === null ? undefined : next.value.length - Math.max(0, position - to);
        const chunk = next.value.subarray(dropped, end);
        if (chunk.length > 0) yield chunk;
        if (to !== null && position >= to && to !== bytes) return;
      }
    } catch (cause) {
      if (isAborted(signal)) throw abortReason(signal);
      if (cause instanceof EngineError || cause instanceof Interruption) throw cause;
      if (cause instanceof FileChanged) throw cause;
      throw new Interruption('the connection broke', { cause });
    } finally {
      signal?.removeEventListener('abort', stop);
      controller.abort();
    }
  }

  #answer(at: number, signal: AbortSignal): Promise<Response> {
    const { url, fetch, cache } = this.#options;
    const headers: Record<string, string> = {};
    if (at > 0) {
      headers['Range'] = `bytes=${at}-`;
      // If-Range would need the leave of a host on another origin (a preflight), which the hubs' stores do not give;
      // there the ETag of the answer is compared. A weak one may not be sent at all.
      const isStrong = this.#etag?.startsWith('"') === true;
      if (this.#etag !== null && isStrong && isOwnOrigin(url)) headers['If-Range'] = this.#etag;
    }
    return fetch(url, { headers, signal, ...(cache === undefined ? {} : { cache }) });
  }

  /** Holds the answer's head against what was asked. True when it begins at 0 although a range was asked for. */
  #check(response: Response, at: number): boolean {
    const { url, bytes } = this.#options;
    const { status } = response;
    if (status === 416) {
      const length = /^bytes \*\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '')?.[1];
      throw this.#truncated(length === undefined ? at : Number(length));
    }
    if (status === 429 || status === 503) {
      throw new Interruption(`the host answered ${status}`, { waitMs: retryAfterMs(response) });
    }
    if (status >= 500 || status === 408) throw new Interruption(`the host answered ${status}`);
    // A hub sends large files' readers on to an address that holds for an hour; asked again it gives another one.
    const isSentOn = response.redirected && new URL(response.url).origin !== new URL(url).origin;
    if (status === 403 && isSentOn)
      throw new Interruption('the address that the hub gave for it has run out');
    if (!response.ok) throw refusal(url, response);
    if (/^text\/html\b/i.test(response.headers.get('Content-Type') ?? '')) throw htmlError(url);
    const etag = response.headers.get('ETag');
    if (at > 0 && !isSameTag(this.#etag, etag)) throw new FileChanged(url);
    this.#etag = etag ?? this.#etag;
    if (status !== 206) return at > 0;
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('Content-Range') ?? '');
    // Another origin may hide the header; then the hash of the whole decides.
    if (range === null) return false;
    if (range[2] !== '*' && bytes !== null && Number(range[2]) !== bytes)
      throw new FileChanged(url);
    if (Number(range[1]) !== at) throw new Interruption(`the host answered ${range[0]}`);
    return false;
  }

  /** The promise, or an Interruption after the longest silence; `ended` rejects when the request was ended. */
  async #inTime<T>(
    promise: Promise<T>,
    controller: AbortController,
    ended: Promise<never>,
  ): Promise<T> {
    const { silenceMs } = this.#patience;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Interruption(`nothing came for ${Math.round(silenceMs / 1000)} seconds`));
        controller.abort();
      }, silenceMs);
    });
    try {
      return await Promise.race([promise, silence, ended]);
    } finally {
      clearTimeout(timer);
    }
  }

  #brokenOff(at: number, cause: Interruption): EngineError {
    const { url, bytes } = this.#options;
    if (cause.reason === 'host-busy') {
      const wait =
        cause.waitMs === null ? '' : ` and asks to wait ${Math.ceil(cause.waitMs / 1000)} s`;
      return new EngineError(
        'rate-limited',
        `${url} could not be fetched: ${cause.message}${wait}.`,
        'Wait a little, then load the model again: what has arrived is kept.',
        { cause },
      );
    }
    if (at === 0) {
      const why = /^(?:the connection|the request)/.test(cause.message)
        ? 'the network or the host does not answer'
        : cause.message;
      return new EngineError('network', `${url} could not be fetched: ${why}.`, RELOAD, { cause });
    }
    return new EngineError(
      'network',
      `${url} broke off after ${inBytes(at)}${bytes === null ? '' : ` of ${inBytes(bytes)}`}.`,
      RELOAD,
      { cause },
    );
  }

  #truncated(at: number): EngineError {
    const { url, bytes } = this.#options;
    return new EngineError(
      'model-truncated',
      `${url} has ${inBytes(at)}, but should have ${inBytes(bytes ?? at)}: the file is cut off.`,
      'Load the model again; if it stays so, upload the file again to the host.',
    );
  }

  #tooLong(): EngineError {
    const { url, bytes } = this.#options;
    return new EngineError(
      'model-corrupt',
      `${url} is longer than the ${inBytes(bytes ?? 0)} that the list of files says.`,
      'Upload manifest and model files of one and the same package to the host.',
    );
  }
}

/** Rejects when the signal is aborted; nobody need listen. */
function endOf(signal: AbortSignal): Promise<never> {
  const ended = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Interruption('the request was ended')), {
      once: true,
    });
  });
  ended.catch(() => undefined);
  return ended;
}

function isOwnOrigin(url: string): boolean {
  const { location } = globalThis as { location?: { origin: string } };
  return new URL(url).origin === location?.origin;
}

function htmlError(url: string): EngineError {
  return new EngineError(
    'model-missing',
    `${url} is answered with a web page: the file is not there.`,
    'Choose another model, or put the model files in that folder.',
  );
}

function refusal(url: string, { status, statusText }: Response): EngineError {
  const answer = `the host answered ${status} ${statusText}`.trim();
  const message = `${url} could not be fetched: ${answer}.`;
  if (status === 401 || status === 403) {
    return new EngineError(
      'model-gated',
      message,
      'This model asks for an account or for agreement to its terms. Choose another one, or open its folder from disk.',
    );
  }
  if (status === 404 || status === 410) {
    return new EngineError(
      'model-missing',
      message,
      'Choose another model, or put the model files in that folder.',
    );
  }
  return new EngineError('network', message, RELOAD);
}
