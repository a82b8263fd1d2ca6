/** Owns the question whether this build may fetch model files from an address. Its policy answers the same (core). */
import { isModelHostAllowed } from '../core/security-policy';

/** Written by vite.config.ts: the origins of TIDEPOOL_MODEL_HOSTS. */
declare const __MODEL_HOSTS__: readonly string[];

/**
 * True when the Content-Security-Policy of this build lets `url` be fetched: our own origin, the model hub, and hosts
 * named when it was built. A mirror that is none of these fails before a byte is sent, so say so instead of trying.
 */
export function isModelHost(url: string, ownOrigin: string): boolean {
  return URL.canParse(url) && isModelHostAllowed(new URL(url), ownOrigin, __MODEL_HOSTS__);
}
