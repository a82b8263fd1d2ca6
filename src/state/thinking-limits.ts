/** The stops of the thinking-limit slider and their meaning in words. Owns no slider and no budget. */
import { t } from '../core/language/translate';
import type { ThinkingLimit, ThoughtEnd } from '../protocol/engine-api';

/** From off to unlimited; thought tokens. Doubling, because a thought's worth grows with its logarithm. */
export const THINKING_STOPS: readonly ThinkingLimit[] = [
  0,
  16,
  32,
  64,
  128,
  256,
  512,
  1024,
  'unlimited',
];

export const DEFAULT_THINKING_LIMIT: ThinkingLimit = 128;

/** The stops of a model, ascending: the usual ones, and any besides at which it was measured. */
export function stopsWith(measured: readonly ThinkingLimit[]): readonly ThinkingLimit[] {
  const more = measured.filter((limit) => !THINKING_STOPS.includes(limit));
  if (more.length === 0) return THINKING_STOPS;
  const order = (limit: ThinkingLimit): number => (limit === 'unlimited' ? Infinity : limit);
  return [...new Set([...THINKING_STOPS, ...more])].sort((a, b) => order(a) - order(b) || 0);
}

/** Index of the stop nearest to `limit` (an imported conversation may hold a limit between two stops). */
export function stopIndex(
  limit: ThinkingLimit,
  stops: readonly ThinkingLimit[] = THINKING_STOPS,
): number {
  if (limit === 'unlimited') return stops.length - 1;
  let best = 0;
  let bestDistance = Infinity;
  stops.forEach((stop, index) => {
    if (stop === 'unlimited') return;
    const distance = Math.abs(stop - limit);
    if (distance < bestDistance) {
      best = index;
      bestDistance = distance;
    }
  });
  return best;
}

/** The limit at a slider position; positions out of range give the nearest end. */
export function limitAt(
  index: number,
  stops: readonly ThinkingLimit[] = THINKING_STOPS,
): ThinkingLimit {
  const clamped = Math.min(Math.max(Math.round(index), 0), stops.length - 1);
  return stops[clamped] ?? DEFAULT_THINKING_LIMIT;
}

/** Short label of a tick. */
export function limitLabel(limit: ThinkingLimit): string {
  if (limit === 'unlimited') return t('Unlimited');
  return limit === 0 ? t('Off') : String(limit);
}

/** What a screen reader says for the slider, and what stands beside it. */
export function limitInWords(limit: ThinkingLimit): string {
  if (limit === 'unlimited') return t('Unlimited');
  return limit === 0 ? t('Off, answers at once') : t('{limit} tokens at most', { limit });
}

/** How a thought ended, for the thought panel; null while it lasts. */
export function endInWords(end: ThoughtEnd | null): string {
  switch (end) {
    case null:
      return '';
    case 'natural':
      return t('It ended by itself.');
    case 'soft-limit':
      return t('At the limit: ended with its sentence.');
    case 'hard-limit':
      return t('At the limit: cut hard, in mid-sentence.');
    case 'answer-now':
      return t('Ended by “Answer now”.');
    case 'stopped':
      return t('You stopped it.');
    case 'ended':
      return t('The model ended its turn inside the thought.');
    case 'called':
      return t('It called a tool in mid-thought.');
    default: {
      const never: never = end;
      return never;
    }
  }
}
