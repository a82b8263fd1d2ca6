/**
 * Owns what the app may load and reach, as Content-Security-Policies of its page and its workers: which hosts may have
 * model files, and which servers may answer in the model's place. No behaviour of the network.
 *
 * A host that is not listed here (a mirror of the model hub) is named when the app is built, TIDEPOOL_MODEL_HOSTS, or
 * serves the models under the app's own origin. It cannot be added from the page, by purpose: a policy that the page can
 * widen keeps nothing in once something hostile runs in the page, and that is the one case it is there for.
 */

/** The model hub and the hosts its downloads are sent on to (cdn-lfs.hf.co, cas-bridge.xethub.hf.co and their like). */
const HUB_SOURCES = [
  'https://huggingface.co',
  'https://*.huggingface.co',
  'https://*.hf.co',
] as const;

/**
 * Reads the value of TIDEPOOL_MODEL_HOSTS: origins apart by spaces or commas, `https:` or of this machine. RangeError
 * naming the one that is none, so that a build with a typing error fails.
 */
export function readModelHosts(text: string): readonly string[] {
  return text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const url = URL.canParse(part) ? new URL(part) : null;
      const isLocal = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1';
      const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal);
      if (url === null || !isSafe || url.origin !== part.replace(/\/$/, '')) {
        throw new RangeError(
          `TIDEPOOL_MODEL_HOSTS: "${part}" is no origin such as https://models.example.org`,
        );
      }
      return url.origin;
    });
}

/** Which servers may answer in the model's place: TIDEPOOL_SERVERS, as the build read it. */
export interface AllowedServers {
  /** Servers of this computer, on any port. A page can reach nobody else by them. */
  readonly loopback: boolean;
  readonly origins: readonly string[];
}

/** http://[::1] has no form that a policy may name. */
const LOOPBACK_SOURCES = ['http://localhost:*', 'http://127.0.0.1:*'] as const;

export function isLoopback(url: URL): boolean {
  return url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
}

/**
 * Reads the value of TIDEPOOL_SERVERS: origins apart by spaces or commas, added to this computer's own; `none` instead
 * of them all leaves no server but the site itself. RangeError naming what is none of these.
 */
export function readServers(text: string): AllowedServers {
  if (text.trim() === 'none') return { loopback: false, origins: [] };
  const origins = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const url = URL.canParse(part) ? new URL(part) : null;
      const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
      // A star would stand in the policy for any host.
      if (
        url === null ||
        !isWeb ||
        url.hostname.includes('*') ||
        url.origin !== part.replace(/\/$/, '')
      ) {
        throw new RangeError(
          `TIDEPOOL_SERVERS: "${part}" is no origin such as https://llm.example.org, nor "none"`,
        );
      }
      return url.origin;
    });
  return { loopback: true, origins };
}

function serverSources({ loopback, origins }: AllowedServers): readonly string[] {
  return [...(loopback ? LOOPBACK_SOURCES : []), ...origins];
}

function connectSources(modelHosts: readonly string[]): string {
  return ["'self'", ...HUB_SOURCES, ...modelHosts].join(' ');
}

/** The page's policy, for a meta element: it holds on any host. Fonts and images of the page are files. */
export function pagePolicy(modelHosts: readonly string[], servers: AllowedServers): string {
  return [
    "default-src 'none'",
    "script-src 'self' blob: 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src ${[connectSources(modelHosts), ...serverSources(servers)].join(' ')}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types default tidepool-markdown svelte-trusted-html',
  ].join('; ');
}

/** A worker has no part in the policy of its page, so its script brings this as a header. Servers are asked by the page. */
export function workerPolicy(modelHosts: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self' blob: 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    `connect-src ${connectSources(modelHosts)}`,
  ].join('; ');
}

/** True when the policy lets a page at `ownOrigin` fetch from `url`; a redirect of it is judged anew by the browser. */
export function isModelHostAllowed(
  url: URL,
  ownOrigin: string,
  modelHosts: readonly string[],
): boolean {
  if (url.origin === ownOrigin || modelHosts.includes(url.origin)) return true;
  return HUB_SOURCES.some((source) => {
    const host = source.slice('https://'.length);
    if (url.protocol !== 'https:' || url.port !== '') return false;
    return host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host;
  });
}

/** True when the policy lets a page at `ownOrigin` ask the server at `url`. */
export function isServerAllowed(url: URL, ownOrigin: string, servers: AllowedServers): boolean {
  if (url.origin === ownOrigin || servers.origins.includes(url.origin)) return true;
  return servers.loopback && isLoopback(url);
}
