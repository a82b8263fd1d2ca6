/** The one error type of the app and the codes a person can meet. Owns no recovery. */

export type EngineErrorCode =
  | 'model-missing'
  | 'model-truncated'
  | 'model-corrupt'
  | 'model-unsupported'
  | 'model-gated'
  | 'rate-limited'
  | 'runtime-unavailable'
  | 'self-test-failed'
  | 'out-of-memory'
  | 'device-lost'
  | 'worker-died'
  | 'prompt-too-long'
  | 'schema'
  | 'not-loaded'
  | 'busy'
  | 'network'
  | 'server'
  | 'storage'
  | 'internal';

/**
 * What failed (with values) in `message`, what the person can do in `remedy`. Aborts are results,
 * not errors.
 */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly remedy: string;

  constructor(
    code: EngineErrorCode,
    message: string,
    remedy: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
    this.remedy = remedy;
  }
}
