/**
 * Owns the reckoning of drafting: what a run with guesses gives and costs, by the share of guesses that come true. Times are
 * those that were measured; the reading again of tokens that a miss has passed is left out, so it is the best case. Pure.
 */

/** What runs cost, in milliseconds. */
export interface DraftCosts {
  /** Of a run that reads 1, 2, … tokens at once. */
  readonly runMs: readonly number[];
  /** Of a run's first guess, and of one more. */
  readonly guessMs: number;
  readonly moreGuessMs: number;
}

/** Tokens that a run with `guesses` guesses gives when each comes true with `share` and the first miss ends it. */
export function tokensARun(guesses: number, share: number): number {
  let tokens = 1;
  for (let i = 1; i <= guesses; i += 1) tokens += share ** i;
  return tokens;
}

/** Cost of a run with so many guesses, as a multiple of reading one token; NaN where it was not measured. */
export function costOfRun({ runMs, guessMs, moreGuessMs }: DraftCosts, guesses: number): number {
  const [one = NaN] = runMs;
  const ms = runMs[guesses] ?? NaN;
  return (ms + (guesses > 0 ? guessMs + (guesses - 1) * moreGuessMs : 0)) / one;
}

/** How many times as fast as without guesses. */
export function draftSpeed(costs: DraftCosts, guesses: number, share: number): number {
  return tokensARun(guesses, share) / costOfRun(costs, guesses);
}

/** The share of guesses from which on such runs are faster than none; null where not even all would do. */
export function breakEvenShare(costs: DraftCosts, guesses: number): number | null {
  if (!(draftSpeed(costs, guesses, 1) >= 1)) return null;
  let low = 0;
  let high = 1;
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (draftSpeed(costs, guesses, middle) < 1) low = middle;
    else high = middle;
  }
  return high;
}
