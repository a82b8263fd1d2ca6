/**
 * Owns the address of a server: how what a person types becomes one, and why this page may
 * not ask it. No network; the policy itself stands in core/security-policy.ts.
 */
import { EngineError } from '../errors';
import { isLoopback, isServerAllowed, type AllowedServers } from '../security-policy';

/** Where the page stands, as far as it decides what it may ask. */
export interface PagePlace {
  /** `https:` or `http:`. */
  readonly protocol: string;
  readonly origin: string;
  /** Origins of TIDEPOOL_SERVERS, and whether loopback is let through. */
  readonly allowed: AllowedServers;
}

const MAX_LENGTH = 500;

/**
 * The base of a server from what was typed: a scheme is added, `/v1` and what comes after it is dropped, no slash at the
 * end. Null when it is no address, or has a name, a password or a question in it.
 */
export function parseServerAddress(text: string): string | null {
  const typed = text.trim();
  if (typed === '' || typed.length > MAX_LENGTH || /\s/.test(typed)) return null;
  const isBare = !/^[a-z][a-z0-9+.-]*:\/\//i.test(typed);
  const isHere = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::|\/|$)/i.test(typed);
  const full = isBare ? `${isHere ? 'http' : 'https'}://${typed}` : typed;
  if (!URL.canParse(full)) return null;
  const url = new URL(full);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return null;
  const path = url.pathname
    .replace(/\/+$/, '')
    .replace(/\/v1(?:\/(?:chat\/completions|completions|models))?$/, '')
    .replace(/\/+$/, '');
  return `${url.origin}${path}`;
}

/** Why the page may not ask this address, as an error with what can be done; null when it may. */
export function refusalOf(address: string, page: PagePlace): EngineError | null {
  const url = new URL(address);
  const place = url.host;
  if (!isServerAllowed(url, page.origin, page.allowed)) {
    return new EngineError(
      'server',
      `This copy of the app may not ask ${place}: its security policy names which servers it may reach, so that nothing here can send words elsewhere.`,
      isLoopback(url)
        ? `Whoever built this site has switched servers on this computer off. Run the app yourself with npm start, or build it without TIDEPOOL_SERVERS=none.`
        : `Whoever builds this site names it: TIDEPOOL_SERVERS=${url.origin} npm start (or npm run build). A server on this computer, http://localhost:PORT, needs no such thing.`,
    );
  }
  if (page.protocol === 'https:' && url.protocol === 'http:' && !isLoopback(url)) {
    return new EngineError(
      'server',
      `This page came over https, and browsers let such a page ask no http address but this computer’s own: ${place} is refused as mixed content.`,
      `Reach the server over https, through localhost (for example: ssh -L 8080:${url.hostname}:${url.port || '80'}), or open this app over http.`,
    );
  }
  return null;
}
