/** Owns the headers that a host may not send: those that isolate the page, and the limits of its workers. */
import { workerPolicy } from '../../src/core/security-policy';

/** Written by vite.config.ts: the origins of TIDEPOOL_MODEL_HOSTS. */
declare const __MODEL_HOSTS__: readonly string[];

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/**
 * The same response with the headers that WASM threads need, and for a worker's script with the policy that keeps the
 * model to our origin and the hub. An opaque response or an error is given back as it is.
 */
export function isolated(response: Response, destination: RequestDestination): Response {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  if (destination === 'worker')
    headers.set('Content-Security-Policy', workerPolicy(__MODEL_HOSTS__));
  const { body, status, statusText } = response;
  return new Response(body, { status, statusText, headers });
}
