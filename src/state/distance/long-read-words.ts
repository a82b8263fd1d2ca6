/** Owns the sentences of the long read, true of the readings they are given. Pure. */
import { formatBytes, formatCount, formatDuration } from '../../core/units';
import type { NeedleAnswer, ReadingPoint } from '../../protocol/distance-api';

export interface Asked {
  readonly tokens: number;
  readonly answers: readonly NeedleAnswer[];
}

export function readingSentence(points: readonly ReadingPoint[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined)
    return 'The text is read token by token; the curves grow as it goes.';
  const constant = (point: ReadingPoint): number => point.ssmBytes + point.convBytes;
  const states =
    constant(last) === 0
      ? 'It has no states'
      : constant(last) === constant(first)
        ? `Its states have ${formatBytes(constant(last))}, as at the first token`
        : `Its states went from ${formatBytes(constant(first))} to ${formatBytes(constant(last))}`;
  const timed = points.filter(({ msPerToken }) => msPerToken > 0);
  const [early, late] = [timed[0], timed.at(-1)];
  const cost =
    early === undefined || late === undefined || early === late
      ? ''
      : ` A token took ${formatDuration(early.msPerToken)} at the beginning and ${formatDuration(late.msPerToken)} now.`;
  return `${formatCount(last.tokens)} tokens are read. ${states}; the cache has grown to ${formatBytes(last.kvBytes)}.${cost}`;
}

/** What is still known, as it is. */
export function recallSentence(asked: readonly Asked[], trainedContext: number): string {
  const all = asked.flatMap(({ tokens, answers }) => answers.map((one) => ({ ...one, tokens })));
  if (all.length === 0)
    return 'Facts are hidden in the text and asked for on the way; the answers appear here.';
  const right = all.filter(({ isRight }) => isRight);
  const furthest = right.at(-1);
  const counts = `${right.length} of ${all.length} answers were right.`;
  const far =
    furthest === undefined
      ? 'It recalled none of the facts.'
      : `The last right answer came after ${formatCount(furthest.tokens)} tokens.`;
  const near = all.filter(({ tokens, isRight: wasRight }) => !wasRight && tokens <= trainedContext);
  const limit =
    near.length > 0
      ? `${formatCount(near.length)} of the misses came within the ${formatCount(trainedContext)} tokens that its config allows: a model this small seldom finds a fact in prose, however near it is.`
      : `Its config allows ${formatCount(trainedContext)} tokens: a state that keeps its size must forget, and a cache that keeps everything must still be looked up.`;
  return `${counts} ${far} ${limit}`;
}
