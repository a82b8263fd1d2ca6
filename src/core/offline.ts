/**
 * Owns the names by which page, engine worker and service worker keep the app offline together: caches, messages, the
 * channel. No behaviour.
 */

/** One cache per version of the app; the version follows. */
export const SHELL_CACHE_PREFIX = 'tidepool-shell-';

/** ONNX Runtime's files, and the PDF reader's, that this browser has used. */
export const RUNTIME_CACHE = 'tidepool-runtime-v1';

/** Verified files of models. Versioned, so that a change of what is stored can drop the old. */
export const MODEL_CACHE = 'tidepool-models-v1';

/** Files that another app has shared, until the page has read them. */
export const SHARED_CACHE = 'tidepool-shared-v1';

/** In the address that a share leads to: how many files wait; 0 when they did not arrive. */
export const SHARED_PARAMETER = 'shared';

/** Carries {@link KeptMessage} among pages and workers. */
export const KEPT_CHANNEL = 'tidepool-kept';

export type KeptMessage =
  /** What is kept may have changed: look again. */
  | 'changed'
  /** A service worker is there and lacks the runtime: engine workers keep what they use. */
  | 'keep-runtime';

/** What the page says to the service worker. */
export type ShellMessage =
  /** The person wants the waiting version now. */
  | 'take-over'
  /** This page has started on its version: caches that no open page needs may go. */
  | 'tidy';

/** True for a file of ONNX Runtime, by the name that the build gives it. */
export function isRuntimeFile(path: string): boolean {
  return /(?:^|\/)ort-wasm[\w.-]*\.(?:mjs|wasm)$/.test(path);
}

/** True for a file of the PDF reader: like the runtime it is large, and kept once it was used. */
function isPdfReader(path: string): boolean {
  return /(?:^|\/)(?:read-pdf|pdf\.worker)-[\w-]{8}\.js$/.test(path);
}

/** True for what is no part of the app that every browser keeps, but kept by one that has used it. */
export function isKeptOnUse(path: string): boolean {
  return isRuntimeFile(path) || isPdfReader(path);
}
