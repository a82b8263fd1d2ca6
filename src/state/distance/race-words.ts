/** Owns the sentences of the race, true of the rows they are given. Pure. */
import { bytesCrossing, speedCrossing, type RaceRow } from '../../core/lab/race';
import { formatCount } from '../../core/units';

/** "1.8 times as fast" or "0.7 times as fast". */
function times(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)} times as fast`;
}

export function raceSentence(rows: readonly RaceRow[]): string {
  const both = rows.filter(({ speedRatio }) => speedRatio !== null);
  const [first, last] = [both[0], both.at(-1)];
  const [near, far] = [first?.speedRatio ?? null, last?.speedRatio ?? null];
  if (first === undefined || last === undefined || near === null || far === null)
    return 'Each model writes a few tokens at every length, in turns; the lines grow as they run.';
  const crossing = speedCrossing(rows);
  const where =
    crossing === 'always'
      ? 'The hybrid was the faster one at every length measured.'
      : crossing === 'never'
        ? 'The hybrid was never the faster one for good as far as this was measured.'
        : crossing === null
          ? ''
          : `From about ${formatCount(crossing)} tokens on the hybrid is the faster one.`;
  const ends = `After ${formatCount(first.context)} tokens the hybrid writes ${times(near)} as its twin, after ${formatCount(last.context)} ${times(far)}.`;
  return `${ends} ${where}`;
}

export function raceBytesSentence(rows: readonly RaceRow[]): string {
  const crossing = bytesCrossing(rows);
  const last = rows.findLast(({ bytesRatio }) => bytesRatio !== null);
  const ratio = last?.bytesRatio ?? null;
  if (crossing === null || last === undefined || ratio === null)
    return 'The bytes of states and cache are read off the tensors at each length.';
  return `The hybrid’s states are the larger memory up to ${formatCount(crossing)} tokens, and the smaller one from there on; after ${formatCount(last.context)} it holds ${Math.round(ratio * 100)} % of what its twin holds.`;
}

/** Says how the longer contexts came about, and how far that was seen to agree. */
export function madeSentence(readUpTo: number, agreement: number | null): string {
  const how = `Up to ${formatCount(readUpTo)} tokens the text was really read; longer caches are made of the keys and values that were read, laid one after the other. They have the same type and size number for number, and a step multiplies every number whatever it is, so it costs the same; nothing is asked of them.`;
  return agreement === null
    ? how
    : `${how} Where both ways were timed they differ by ${Math.round((agreement - 1) * 100)} %.`;
}
