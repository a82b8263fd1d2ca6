/**
 * Owns the asking of one server: addresses, the key, what a refusal means. Reads no reply (server-stream.ts) and knows no
 * chat. Every failure is an EngineError with a remedy; an abort stays what it is.
 */
import { EngineError } from '../../core/errors';
import { errorText } from '../../core/server/chat-chunk';
import { refusalOf, type PagePlace } from '../../core/server/server-address';
import {
  notAServer,
  refusedAnswer,
  streamCut,
  unreachable,
  type LocalNetworkLeave,
  type Whom,
} from '../../core/server/server-problem';
import type { ServerTarget } from '../../core/server/server-target';

/** What the engine takes from the browser; tests give their own. */
export interface ServerHost {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly page: PagePlace;
  /** What the browser says of the right to reach this computer or its network. */
  readonly localNetworkLeave: () => Promise<LocalNetworkLeave>;
  /** The chat template that the makers published for a model; null where none is to be had. */
  readonly publishedTemplate: (model: string) => Promise<string | null>;
  /** Local date and time for the clock tool. */
  readonly now: () => Date;
}

export type Asked = Pick<ServerTarget, 'address' | 'key' | 'model'> & {
  readonly kind: ServerTarget['kind'] | null;
};

/** An answer with an error status, before it is made a sentence. */
export interface Refused {
  readonly status: number;
  readonly said: string;
}

/** What a server says in an error is shown in a sentence; more than this is a web page. */
const MAX_ERROR_CHARS = 20_000;

export class ServerHttp {
  readonly #host: ServerHost;
  readonly #asked: Asked;
  readonly #hasAnswered: boolean;

  /** @param hasAnswered this page has read answers of this server before: it lets the page in */
  constructor(host: ServerHost, asked: Asked, hasAnswered = false) {
    this.#host = host;
    this.#asked = asked;
    this.#hasAnswered = hasAnswered;
  }

  get whom(): Whom {
    const { kind, address } = this.#asked;
    return { kind, address, pageOrigin: this.#host.page.origin };
  }

  /** The JSON at a path; null where the server has no such path or answers with something else. */
  async look(path: string, signal?: AbortSignal): Promise<unknown> {
    const response = await this.#send(path, { method: 'GET' }, signal);
    if (!response.ok) return null;
    return response.json().catch(() => null);
  }

  /** True when the server has the path, whatever it says to a GET of it. */
  async has(path: string, signal?: AbortSignal): Promise<boolean> {
    const { status } = await this.#send(path, { method: 'GET' }, signal);
    return status !== 404;
  }

  /** The JSON at a path that must be there. */
  async get(path: string, signal?: AbortSignal): Promise<unknown> {
    const response = await this.#send(path, { method: 'GET' }, signal);
    if (!response.ok) throw this.problem(await refusedOf(response));
    try {
      return (await response.json()) as unknown;
    } catch {
      throw notAServer(this.whom, `${path} is no JSON`);
    }
  }

  /** The answer to a question; with an error status, what it says. */
  async post(path: string, body: object, signal?: AbortSignal): Promise<Response | Refused> {
    const response = await this.#send(
      path,
      {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      },
      signal,
    );
    return response.ok ? response : refusedOf(response);
  }

  problem({ status, said }: Refused): Error {
    return refusedAnswer(this.whom, status, said, this.#asked.model);
  }

  async #send(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const { address, key } = this.#asked;
    const refusal = refusalOf(address, this.#host.page);
    if (refusal !== null) throw refusal;
    const headers = new Headers(init.headers);
    if (key !== '') headers.set('Authorization', `Bearer ${key}`);
    const url = `${address}${path}`;
    try {
      return await this.#host.fetch(url, {
        ...init,
        headers,
        // A cookie of the server's own pages is nobody's business here, and a star in its CORS header forbids it.
        credentials: 'omit',
        cache: 'no-store',
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      // The browser's own model says itself what was wrong.
      if (signal?.aborted === true || cause instanceof EngineError) throw cause;
      const isThere = await this.#isThere(url);
      if (isThere && this.#hasAnswered) throw streamCut(this.whom, cause);
      throw unreachable(this.whom, {
        isThere,
        leave: await this.#host.localNetworkLeave(),
        cause,
      });
    }
  }

  /** Something answers, though the page may not read it. Told only where the page is not isolated: false says nothing. */
  async #isThere(url: string): Promise<boolean> {
    try {
      await this.#host.fetch(url, { mode: 'no-cors', credentials: 'omit', cache: 'no-store' });
      return true;
    } catch {
      return false;
    }
  }
}

async function refusedOf(response: Response): Promise<Refused> {
  const text = (await response.text().catch(() => '')).slice(0, MAX_ERROR_CHARS);
  return { status: response.status, said: saidIn(text) };
}

/** What an error's body says: the text in its JSON, or the text itself; '' for a web page. */
function saidIn(text: string): string {
  try {
    return errorText(JSON.parse(text));
  } catch {
    return /^\s*</.test(text) ? '' : text.trim();
  }
}
