/** Owns the sentences of the long read, true of the readings they are given. Pure. */
import { t } from '../../core/language/translate';
import { formatBytes, formatCount, formatDuration } from '../../core/units';
import type { NeedleAnswer, ReadingPoint } from '../../protocol/distance-api';

export interface Asked {
  readonly tokens: number;
  readonly answers: readonly NeedleAnswer[];
}

export function readingSentence(points: readonly ReadingPoint[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined)
    return t('The text is read token by token; the curves grow as it goes.');
  const constant = (point: ReadingPoint): number => point.ssmBytes + point.convBytes;
  const states =
    constant(last) === 0
      ? t('It has no states')
      : constant(last) === constant(first)
        ? t('Its states have {constant}, as at the first token', {
            constant: formatBytes(constant(last)),
          })
        : t('Its states went from {constant} to {constant2}', {
            constant: formatBytes(constant(first)),
            constant2: formatBytes(constant(last)),
          });
  const timed = points.filter(({ msPerToken }) => msPerToken > 0);
  const [early, late] = [timed[0], timed.at(-1)];
  const cost =
    early === undefined || late === undefined || early === late
      ? ''
      : ` ${t('A token took {msPerToken} at the beginning and {msPerToken2} now.', { msPerToken: formatDuration(early.msPerToken), msPerToken2: formatDuration(late.msPerToken) })}`;
  return t('{tokens} tokens are read. {states}; the cache has grown to {kvBytes}.{cost}', {
    tokens: formatCount(last.tokens),
    states,
    kvBytes: formatBytes(last.kvBytes),
    cost,
  });
}

/** What is still known, as it is. */
export function recallSentence(asked: readonly Asked[], trainedContext: number): string {
  const all = asked.flatMap(({ tokens, answers }) => answers.map((one) => ({ ...one, tokens })));
  if (all.length === 0)
    return t('Facts are hidden in the text and asked for on the way; the answers appear here.');
  const right = all.filter(({ isRight }) => isRight);
  const furthest = right.at(-1);
  const counts = t('{length} of {length2} answers were right.', {
    length: right.length,
    length2: all.length,
  });
  const far =
    furthest === undefined
      ? t('It recalled none of the facts.')
      : t('The last right answer came after {tokens} tokens.', {
          tokens: formatCount(furthest.tokens),
        });
  const near = all.filter(({ tokens, isRight: wasRight }) => !wasRight && tokens <= trainedContext);
  const limit =
    near.length > 0
      ? t(
          '{length} of the misses came within the {trainedContext} tokens that its config allows: a model this small seldom finds a fact in prose, however near it is.',
          { length: formatCount(near.length), trainedContext: formatCount(trainedContext) },
        )
      : t(
          'Its config allows {trainedContext} tokens: a state that keeps its size must forget, and a cache that keeps everything must still be looked up.',
          { trainedContext: formatCount(trainedContext) },
        );
  return `${counts} ${far} ${limit}`;
}
