/** Owns which starters the empty chat shows: those of the model that answers, what it does best first. Pure. */
import starters from './starters.json';

export interface Starter {
  readonly label: string;
  readonly text: string;
}

/** Beside what is always asked of a model, who it is. */
const SHOWN = 3;

/** @param families shares of right answers by family, as measured for the larger model; null where nothing was */
export function startersOf(
  isLarger: boolean,
  families: ReadonlyMap<string, number> | null,
): readonly Starter[] {
  if (!isLarger) return starters.embedded;
  const shareOf = ({ family }: { readonly family: string }): number => families?.get(family) ?? 0;
  // Sorting keeps the file's order among equals.
  const best = [...starters.larger].sort((a, b) => shareOf(b) - shareOf(a)).slice(0, SHOWN);
  return [...best, starters.introduction];
}
