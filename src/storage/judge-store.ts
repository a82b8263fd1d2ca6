/** The judge's work: one record beside the settings, in the form that the page exports. Reads no form (core/judge). */
import type { Backing } from './backing';

const KEY = 'judge';

export class JudgeStore {
  readonly #backing: Backing;

  constructor(backing: Backing) {
    this.#backing = backing;
  }

  /** What was saved last; undefined where nothing was. */
  load(): Promise<unknown> {
    return this.#backing.run(['settings'], 'readonly', (transaction) =>
      transaction.get('settings', KEY),
    );
  }

  /** @throws EngineError `storage`, with nothing changed. */
  async save(value: unknown): Promise<void> {
    await this.#backing.run(['settings'], 'readwrite', (transaction) => {
      if (value === null) transaction.delete('settings', KEY);
      else transaction.put('settings', KEY, value);
    });
  }
}
