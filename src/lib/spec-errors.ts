/** Owns the errors of the library as the Prompt API names them. Owns no sentence: those are the engine's own. */
import { EngineError } from '../core/errors';

export function domError(name: string, message: string): DOMException {
  return new DOMException(message, name);
}

/** `QuotaExceededError` with its figures: the class where the browser has it, else an exception of that name. */
export function quotaError(message: string, quota: number, requested: number): DOMException {
  const scope = globalThis as {
    readonly QuotaExceededError?: new (
      message: string,
      figures: { readonly quota: number; readonly requested: number },
    ) => DOMException;
  };
  if (scope.QuotaExceededError !== undefined)
    return new scope.QuotaExceededError(message, { quota, requested });
  return Object.assign(domError('QuotaExceededError', message), { quota, requested });
}

function nameOf({ code }: EngineError): string {
  switch (code) {
    case 'schema':
    case 'model-unsupported':
    case 'runtime-unavailable':
      return 'NotSupportedError';
    case 'prompt-too-long':
      return 'QuotaExceededError';
    case 'model-missing':
    case 'model-truncated':
    case 'model-corrupt':
    case 'model-gated':
    case 'rate-limited':
    case 'network':
    case 'server':
      return 'NetworkError';
    case 'self-test-failed':
    case 'out-of-memory':
    case 'storage':
    case 'busy':
    case 'not-loaded':
      return 'OperationError';
    case 'device-lost':
    case 'worker-died':
    case 'internal':
      return 'UnknownError';
  }
}

/** What is thrown to a page for whatever went wrong: an exception of the page's kind passes as it is. */
export function asDomError(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return domError(nameOf(error), `${error.message} ${error.remedy}`);
}
