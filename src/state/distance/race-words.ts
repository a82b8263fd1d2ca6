/** Owns the sentences of the race, true of the rows they are given. Pure. */
import { t } from '../../core/language/translate';
import { bytesCrossing, speedCrossing, type RaceRow } from '../../core/lab/race';
import { formatCount } from '../../core/units';

/** "1.8 times as fast" or "0.7 times as fast". */
function times(ratio: number): string {
  return t('{ratio} times as fast', { ratio: ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2) });
}

export function raceSentence(rows: readonly RaceRow[]): string {
  const both = rows.filter(({ speedRatio }) => speedRatio !== null);
  const [first, last] = [both[0], both.at(-1)];
  const [near, far] = [first?.speedRatio ?? null, last?.speedRatio ?? null];
  if (first === undefined || last === undefined || near === null || far === null)
    return t(
      'Each model writes a few tokens at every length, in turns; the lines grow as they run.',
    );
  const crossing = speedCrossing(rows);
  const where =
    crossing === 'always'
      ? t('The hybrid was the faster one at every length measured.')
      : crossing === 'never'
        ? t('The hybrid was never the faster one for good as far as this was measured.')
        : crossing === null
          ? ''
          : t('From about {crossing} tokens on the hybrid is the faster one.', {
              crossing: formatCount(crossing),
            });
  const ends = t(
    'After {context} tokens the hybrid writes {times} as its twin, after {context2} {times2}.',
    {
      context: formatCount(first.context),
      times: times(near),
      context2: formatCount(last.context),
      times2: times(far),
    },
  );
  return `${ends} ${where}`;
}

export function raceBytesSentence(rows: readonly RaceRow[]): string {
  const crossing = bytesCrossing(rows);
  const last = rows.findLast(({ bytesRatio }) => bytesRatio !== null);
  const ratio = last?.bytesRatio ?? null;
  if (crossing === null || last === undefined || ratio === null)
    return t('The bytes of states and cache are read off the tensors at each length.');
  return t(
    'The hybrid’s states are the larger memory up to {crossing} tokens, and the smaller one from there on; after {context} it holds {ratio} % of what its twin holds.',
    {
      crossing: formatCount(crossing),
      context: formatCount(last.context),
      ratio: Math.round(ratio * 100),
    },
  );
}

/** Says how the longer contexts came about, and how far that was seen to agree. */
export function madeSentence(readUpTo: number, agreement: number | null): string {
  const how = t(
    'Up to {readUpTo} tokens the text was really read; longer caches are made of the keys and values that were read, laid one after the other. They have the same type and size number for number, and a step multiplies every number whatever it is, so it costs the same; nothing is asked of them.',
    { readUpTo: formatCount(readUpTo) },
  );
  return agreement === null
    ? how
    : t('{how} Where both ways were timed they differ by {agreement} %.', {
        how,
        agreement: Math.round((agreement - 1) * 100),
      });
}
