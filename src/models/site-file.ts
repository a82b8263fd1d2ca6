/** Owns how a broken JSON file of the site is told of: by its name and what it holds. Owns no reading of fields (config-fields.ts). */
import { EngineError } from '../core/errors';

export interface SiteFile {
  /** EngineError `model-corrupt` that names the file; `message` is a whole sentence. */
  broken(message: string): EngineError;
  /** An error that was thrown while it was read, as one that names the file; anything else is thrown on. */
  named(error: unknown): EngineError;
  /** What `reading` returns. EngineError `model-corrupt` that names file and field. */
  read<T>(reading: () => T): T;
}

/** @param holds as in "which holds …"; read by scripts/page-sentences.js, so it is written where this is called */
export function siteFile(name: string, holds: string): SiteFile {
  const begin = `${name}, which holds ${holds}`;
  const broken = (message: string): EngineError =>
    new EngineError(
      'model-corrupt',
      `${name}, which holds ${holds}, cannot be read: ${message}`,
      'Load the page again; if it stays so, the site’s copy is damaged.',
    );
  const named = (error: unknown): EngineError => {
    if (!(error instanceof EngineError)) throw error;
    return error.message.startsWith(begin) ? error : broken(error.message);
  };
  return {
    broken,
    named,
    read: (reading) => {
      try {
        return reading();
      } catch (error) {
        throw named(error);
      }
    },
  };
}
