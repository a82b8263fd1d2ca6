/** Owns the headers that a host may not send: those that isolate the page, and the limits of its workers. */
import { workerPolicy } from '../../src/core/security-policy';

/** Written by vite.config.ts: the origins of TIDEPOOL_MODEL_HOSTS. */
declare const __MODEL_HOSTS__: readonly string[];

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** What becomes a world of its own, with its own headers; all else takes part in the one that asked. */
const WORLDS: ReadonlySet<RequestDestination> = new Set([
  'document',
  'iframe',
  'worker',
  'sharedworker',
]);

/** Whether an answer for this destination needs headers that a host may not send. */
export function isWorld(destination: RequestDestination): boolean {
  return WORLDS.has(destination);
}

/**
 * The same response with the headers that WASM threads need, and for a worker's script with the policy that keeps the
 * model to our origin and the hub. Whatever needs none of them is given back untouched, as an opaque response or an error
 * is: only then does the browser find the code that it has compiled from a kept script or WASM file before.
 */
export function isolated(response: Response, destination: RequestDestination): Response {
  if (response.status === 0 || !isWorld(destination)) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  if (destination === 'worker')
    headers.set('Content-Security-Policy', workerPolicy(__MODEL_HOSTS__));
  const { body, status, statusText } = response;
  return new Response(body, { status, statusText, headers });
}
