/** Owns what the views of tokens and costs say. Pure; every number comes from its arguments. */
import { t } from '../../core/language/translate';
import type { CostPoint } from '../../protocol/lab-api';
import { formatCount, formatDuration, formatFixed } from '../../core/units';
import type { LiveCost, TraceToken } from './trace';

/** Entropy in bits: how many yes-or-no questions the next token is worth. */
export function bitsOf(nats: number): number {
  return nats / Math.LN2;
}

/** What the choice at one token was like. */
export function choiceSentence(token: TraceToken): string {
  const [first, second] = token.candidates;
  if (token.injected)
    return t('The thinking limit put this token in; the model did not choose it.');
  if (first === undefined) {
    return t('No candidates were kept for this token: the lab was closed when it was written.');
  }
  const chosen = token.candidates.find(({ text }) => text === token.text);
  const percent = (share: number): string =>
    share < 0.0005 ? t('under 0.1 %') : `${formatFixed(share * 100, share < 0.1 ? 1 : 0)} %`;
  const place =
    chosen === undefined
      ? t('The token that was drawn is not among the likeliest shown')
      : chosen === first
        ? t('The model took its favourite, at {probability}', {
            probability: percent(first.probability),
          })
        : t('The model’s favourite had {probability}; what was drawn had {probability2}', {
            probability: percent(first.probability),
            probability2: percent(chosen.probability),
          });
  const sure =
    token.entropy === null
      ? ''
      : token.entropy < 0.2
        ? ` ${t('It was sure.')}`
        : ` ${t('It was as unsure as between {exp} equal choices.', { exp: formatFixed(Math.exp(token.entropy), 1) })}`;
  const next =
    second !== undefined && chosen === first
      ? t('; next came {probability}', { probability: percent(second.probability) })
      : '';
  return `${place}${next}.${sure}`;
}

function middleOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** What the replies seen so far cost, live. */
export function liveCostSentence(
  decode: readonly LiveCost[],
  prefill: readonly LiveCost[],
): string {
  const middle = middleOf(decode.map(({ ms }) => ms));
  const [first, last] = [decode[0], decode.at(-1)];
  if (middle === null || first === undefined || last === undefined)
    return t('Nothing has been written since the lab was opened.');
  const contexts = decode.map(({ context }) => context);
  const span = t('{min} and {max}', {
    min: formatCount(Math.min(...contexts)),
    max: formatCount(Math.max(...contexts)),
  });
  const read = middleOf(prefill.map(({ ms }) => ms));
  const reading =
    read === null
      ? ''
      : ` ${t('A token of the prompt, read together with others, took {read}.', { read: formatDuration(read) })}`;
  return t(
    '{length} tokens were written at contexts between {span}, at a median of {middle} each.{reading}',
    { length: formatCount(decode.length), span, middle: formatDuration(middle), reading },
  );
}

/** What the measurement over context lengths found. */
export function costSentence(points: readonly CostPoint[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return t('Nothing has been measured yet.');
  const start = t('At {context} tokens of context a new token takes {decodeMs}', {
    context: formatCount(first.context),
    decodeMs: formatDuration(first.decodeMs),
  });
  if (points.length === 1) return `${start}.`;
  const growth = last.decodeMs / first.decodeMs;
  // Told apart only where even the fastest there is slower than the slowest here.
  const isClear = last.decodeRange[0] > first.decodeRange[1];
  const words =
    growth > 1.15
      ? t('{growth} times as much{theAttentionLayers}', {
          growth: formatFixed(growth, 1),
          theAttentionLayers: isClear
            ? t(
                ': the attention layers read a longer cache, the recurrent layers do the same work as ever',
              )
            : t(
                ', but the slowest steps here overlap the fastest there: measure again on a quiet machine',
              ),
        })
      : growth < 0.85
        ? t('less: the spread of the timings is larger than the cost of the context')
        : t('about the same: at this length the cache hardly counts');
  return t('{start}, at {context} {decodeMs}, {words}.', {
    start,
    context: formatCount(last.context),
    decodeMs: formatDuration(last.decodeMs),
    words,
  });
}

/** Context lengths to measure at: doubling from 32, within the model's own limit and leaving room for the steps. */
export function costContexts(maxPositions: number, steps: number): number[] {
  const contexts: number[] = [];
  for (let context = 32; context <= Math.min(1024, maxPositions - steps); context *= 2) {
    contexts.push(context);
  }
  return contexts;
}
