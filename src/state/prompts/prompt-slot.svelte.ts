/** Owns the place where the saved prompts stand once somebody looks for one: nothing of them is part of a first answer. */
import type { SavedPrompt } from '../../core/prompts/prompt';
import type { Prompts } from './prompts.svelte';

export class PromptSlot {
  /** Their page. */
  isOpen = $state(false);
  /** To be used as soon as the page is open. */
  wanted = $state.raw<SavedPrompt | null>(null);
  /** Null until they are read. */
  made = $state.raw<Prompts | null>(null);
  readonly #make: () => Promise<Prompts>;

  /** @param make fetches the code and reads what is kept; rejects when the code does not arrive */
  constructor(make: () => Promise<Prompts>) {
    this.#make = make;
  }

  async load(): Promise<void> {
    this.made ??= await this.#make();
  }

  open(wanted: SavedPrompt | null = null): void {
    this.wanted = wanted;
    this.isOpen = true;
  }
}
