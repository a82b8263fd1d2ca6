/** Owns the place where the files of a question wait once one is added: their code is no part of a first answer. */
import type { PendingFiles } from './pending-files.svelte';

export class FileSlot {
  /** Null until a file is added. */
  pending = $state.raw<PendingFiles | null>(null);
  readonly #make: () => Promise<PendingFiles>;
  readonly #onAbsent: () => void;

  /** @param make fetches the code; `onAbsent` is told when it does not arrive */
  constructor(make: () => Promise<PendingFiles>, onAbsent: () => void) {
    this.#make = make;
    this.#onAbsent = onAbsent;
  }

  async add(files: readonly File[]): Promise<void> {
    try {
      this.pending ??= await this.#make();
    } catch {
      this.#onAbsent();
      return;
    }
    await this.pending.add(files);
  }
}
