/** Owns the report on impact: whether its page is open, and its file once that has been read. Owns no drawing. */
import { said, t } from '../../core/language/translate';
import type { ImpactFile } from '../../models/impact-file';
import { asEngineError } from '../model-status.svelte';

export class Report {
  isOpen = $state(false);
  /** Null until it is read. */
  file = $state.raw<ImpactFile | null>(null);
  /** Why there is none. */
  problem = $state('');

  readonly #fetch: () => Promise<Response>;

  /** @param fetchFile asks for impact.json */
  constructor(fetchFile: () => Promise<Response>) {
    this.#fetch = fetchFile;
  }

  /** Reads the file, once. Never rejects. */
  async load(): Promise<void> {
    if (this.file !== null) return;
    this.problem = '';
    try {
      const [response, { readImpactFile }] = await Promise.all([
        this.#fetch(),
        import('../../models/impact-file'),
      ]);
      if (response.status === 404) this.problem = t('This build comes without a report.');
      else this.file = readImpactFile(await response.json());
    } catch (error) {
      const { message, remedy } = asEngineError(error);
      this.problem = `${said(message)} ${said(remedy)}`;
    }
  }
}
