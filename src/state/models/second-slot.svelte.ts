/** Owns the place where the second model stands once it is asked for: nothing of it is part of a first answer. */
import type { SecondModel } from './second-model.svelte';

export class SecondSlot {
  model = $state.raw<SecondModel | null>(null);
  /** The dialog where it is chosen. */
  isOpen = $state(false);

  readonly #make: () => Promise<SecondModel>;

  constructor(make: () => Promise<SecondModel>) {
    this.#make = make;
  }

  /** Fetches its code. Rejects where that does not arrive. */
  async fetch(): Promise<SecondModel> {
    this.model ??= await this.#make();
    return this.model;
  }
}
