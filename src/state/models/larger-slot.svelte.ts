/** Owns the place where the larger model stands once its code has come: nothing of it is part of a first answer. */
import type { LargerModel } from './larger-model.svelte';

export class LargerSlot {
  /** Null until the embedded model answers, and where the build has no larger one. */
  model = $state.raw<LargerModel | null>(null);
}
