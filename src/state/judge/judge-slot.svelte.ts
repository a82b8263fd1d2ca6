/** Owns the place where the judge stands once somebody opens its page: nothing of it is part of a first answer. */
import type { Judge } from './judge.svelte';

export class JudgeSlot {
  isOpen = $state(false);
  /** Null until its code has come and what is kept has been read. */
  made = $state.raw<Judge | null>(null);
  readonly #make: () => Promise<Judge>;

  /** @param make rejects when the code does not arrive */
  constructor(make: () => Promise<Judge>) {
    this.#make = make;
  }

  async load(): Promise<void> {
    this.made ??= await this.#make();
  }
}
