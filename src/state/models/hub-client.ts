/**
 * Owns the looking up of a model on the hub or its mirror before anything big is fetched: config, file list with sizes,
 * licence, whether it is gated; and the sentence for each way in which that can fail. Fetches no weights.
 */
import { EngineError } from '../../core/errors';
import type { ModelListing } from '../../core/model-listing';
import { cutText } from '../../core/text/letters';
import { chatTemplateOf } from '../../models/chat-template';
import { DEFAULT_HUB, hubListing, thinkingOfTemplate } from '../../models/hub-listing';
import type { ThinkingFact } from '../../models/registry';
import { readStack, type Stack } from '../../models/stack';

/** What was found out about a model. */
export interface Inspection {
  readonly listing: ModelListing;
  readonly stack: Stack;
  readonly licence: string | null;
  readonly languages: readonly string[];
  readonly thinking: ThinkingFact;
}

export interface HubHost {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly isOnline: () => boolean;
  /** False for an address that the build's policy does not let through. */
  readonly isAllowed: (url: string) => boolean;
}

/** The largest text that is read here is a tokenizer_config.json with its template. */
const MAX_TEXT_BYTES = 8 * 1024 ** 2;
/** The hub sends 1000 files a page. */
const MAX_PAGES = 10;

const FROM_DISK = 'or fetch its files yourself and open the folder under “From this computer”.';

/** Name of the place for sentences: its host. */
function hostOf(hub: string): string {
  return new URL(hub).host;
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The address after `rel="next"`, only on the same host. */
function nextPage(link: string | null, hub: string): string | null {
  const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  if (next === undefined || !URL.canParse(next, `${hub}/`)) return null;
  const url = new URL(next, `${hub}/`);
  return url.origin === new URL(hub).origin ? url.href : null;
}

/** Texts of a `license` or `language` field of a model card: one, several or none. */
function texts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list
    .filter((item): item is string => typeof item === 'string')
    .map((item) => cutText(item, 60))
    .slice(0, 100);
}

export class HubClient {
  readonly #host: HubHost;

  constructor(host: HubHost) {
    this.#host = host;
  }

  /**
   * Looks a repository up at its newest commit. Rejects with EngineError: `model-gated`, `model-missing`,
   * `rate-limited`, `network`, `model-unsupported`, `model-corrupt`; with AbortError when `signal` says so.
   */
  async inspect(hub: string, repo: string, signal?: AbortSignal): Promise<Inspection> {
    const where = { hub, repo, ...(signal === undefined ? {} : { signal }) };
    const info = await this.#json(`${hub}/api/models/${repo}`, where);
    if (!isObject(info)) throw this.#notTheHub(hub, 'its answer is no object');
    if (info['gated'] === 'auto' || info['gated'] === 'manual' || info['gated'] === true)
      throw gated(repo, hub);
    const revision = typeof info['sha'] === 'string' ? info['sha'] : 'main';
    const tree: unknown[] = [];
    let page: string | null = `${hub}/api/models/${repo}/tree/${revision}?recursive=true`;
    for (let pages = 0; page !== null && pages < MAX_PAGES; pages += 1) {
      const response: Response = await this.#get(page, where);
      const part = await this.#parse(response, where);
      if (!Array.isArray(part)) throw this.#notTheHub(hub, 'its list of files is no list');
      tree.push(...(part as unknown[]));
      page = nextPage(response.headers.get('Link'), hub);
    }
    const listing = hubListing(hub, repo, revision, tree);
    const stack = readStack(await this.#json(`${listing.baseUrl}config.json`, where));
    const card = isObject(info['cardData']) ? info['cardData'] : {};
    const [licence = null] = texts(card['license_name'] ?? card['license']);
    return {
      listing,
      stack,
      licence,
      languages: texts(card['language']),
      thinking: thinkingOfTemplate(await this.#template(listing, where)),
    };
  }

  /** The chat template, beside the tokenizer or in its config; '' where there is none. */
  async #template(listing: ModelListing, where: Where): Promise<string> {
    const { baseUrl, files } = listing;
    const has = (name: string): boolean => files.some(({ path }) => path === name);
    const file = has('chat_template.jinja')
      ? await this.#text(await this.#get(`${baseUrl}chat_template.jinja`, where), where)
      : null;
    const own = chatTemplateOf(file, null);
    if (own !== null) return own;
    return chatTemplateOf(null, await this.#json(`${baseUrl}tokenizer_config.json`, where)) ?? '';
  }

  async #json(url: string, where: Where): Promise<unknown> {
    return this.#parse(await this.#get(url, where), where);
  }

  async #parse(response: Response, where: Where): Promise<unknown> {
    const text = await this.#text(response, where);
    if (/^\s*</.test(text)) throw this.#notTheHub(where.hub, 'it answered with a web page');
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw this.#notTheHub(where.hub, 'its answer is no JSON', cause);
    }
  }

  async #text(response: Response, where: Where): Promise<string> {
    const length = Number(response.headers.get('Content-Length') ?? 0);
    if (length > MAX_TEXT_BYTES)
      throw this.#notTheHub(where.hub, `it sent ${length} bytes where a short text was asked for`);
    try {
      return await response.text();
    } catch (cause) {
      throw this.#unreachable(where, cause);
    }
  }

  async #get(url: string, where: Where): Promise<Response> {
    if (!this.#host.isAllowed(url)) {
      throw new EngineError(
        'network',
        `This copy of the app may not fetch from ${hostOf(where.hub)}: its security policy names other hosts.`,
        'Ask whoever runs this site to build it with TIDEPOOL_MODEL_HOSTS set to that address, or to serve the mirror under the site’s own address.',
      );
    }
    let response: Response;
    try {
      response = await this.#host.fetch(
        url,
        where.signal === undefined ? {} : { signal: where.signal },
      );
    } catch (cause) {
      if (where.signal?.aborted === true) throw cause;
      throw this.#unreachable(where, cause);
    }
    if (!response.ok) throw problemOf(response, where);
    return response;
  }

  #unreachable({ hub }: Where, cause: unknown): EngineError {
    return this.#host.isOnline()
      ? new EngineError(
          'network',
          `${hostOf(hub)} does not answer.`,
          'Check the connection; some schools and offices block it, and then a mirror may help (“Hub and mirror”).',
          { cause },
        )
      : new EngineError(
          'network',
          'This device is offline, so the hub cannot be asked.',
          'Go online, or open a model from this computer.',
          { cause },
        );
  }

  #notTheHub(hub: string, what: string, cause?: unknown): EngineError {
    return new EngineError(
      'network',
      `${hostOf(hub)} does not answer like the hub: ${what}.`,
      hub === DEFAULT_HUB
        ? 'A sign-in page of the network often does this: open any other page first, then try again.'
        : 'Check the mirror’s address in “Hub and mirror”, or go back to the hub itself.',
      { cause },
    );
  }
}

interface Where {
  readonly hub: string;
  readonly repo: string;
  readonly signal?: AbortSignal;
}

function gated(repo: string, hub: string): EngineError {
  return new EngineError(
    'model-gated',
    `${repo} is gated: its makers give it only to people who have signed in and accepted their terms.`,
    `This app has no account there. Choose another model, or accept the terms at ${hub}/${repo}, ${FROM_DISK.replace('or ', '')}`,
  );
}

function problemOf(response: Response, { hub, repo }: Where): EngineError {
  const code = response.headers.get('X-Error-Code');
  const { status } = response;
  if (code === 'GatedRepo' || status === 403) return gated(repo, hub);
  // To strangers the hub gives the same answer for a repository that is private and for one that is not there.
  if (code === 'RepoNotFound' || status === 401 || status === 404 || status === 410) {
    return new EngineError(
      'model-missing',
      status === 401
        ? `${hostOf(hub)} shows no ${repo} to people who are not signed in: it is private, gated or not there.`
        : `There is no ${repo} at ${hostOf(hub)}.`,
      `Check the name, capitals too: owner/name as it stands at the top of the model’s page; ${FROM_DISK}`,
    );
  }
  if (status === 429) {
    const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
    const wait =
      Number.isFinite(seconds) && seconds > 0
        ? `It asks to wait ${Math.ceil(seconds)} seconds`
        : 'Wait some minutes';
    return new EngineError(
      'rate-limited',
      `${hostOf(hub)} has had too many questions from this network.`,
      `${wait}, then look the model up again. A class behind one address meets this sooner; a mirror helps.`,
    );
  }
  return new EngineError(
    'network',
    `${hostOf(hub)} answered ${status} ${response.statusText}`.trim() + '.',
    status >= 500 ? 'The trouble is there: try again in some minutes.' : 'Try again later.',
  );
}
