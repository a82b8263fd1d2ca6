/** Owns the words for drafted tokens. No behaviour. */

/** How drafting went: tokens that were read one by one, the runs it took, guesses made and guesses that came true. */
export interface DraftCounts {
  readonly tokens: number;
  readonly runs: number;
  readonly guesses: number;
  readonly accepted: number;
}

/** A draft for one token: it was drawn as drafted, or something else was drawn in place of `text`. */
export type TokenDraft =
  { readonly isKept: true } | { readonly isKept: false; readonly text: string };
