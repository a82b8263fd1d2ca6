/** Owns the place where the voice stands once a reply could be read aloud: nothing of it is part of a first answer. */
import type { Voice } from './voice.svelte';

export class VoiceSlot {
  /** Null until it is asked for. */
  made = $state.raw<Voice | null>(null);
  readonly #make: () => Promise<Voice>;

  constructor(make: () => Promise<Voice>) {
    this.#make = make;
  }

  /** Fetches the code once; rejects when it does not arrive. */
  async load(): Promise<void> {
    this.made ??= await this.#make();
  }
}
