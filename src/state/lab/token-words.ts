/** Owns what the views of tokens and costs say. Pure; every number comes from its arguments. */
import type { CostPoint } from '../../protocol/lab-api';
import { formatCount, formatDuration } from '../../core/units';
import type { LiveCost, TraceToken } from './trace';

/** Entropy in bits: how many yes-or-no questions the next token is worth. */
export function bitsOf(nats: number): number {
  return nats / Math.LN2;
}

/** What the choice at one token was like. */
export function choiceSentence(token: TraceToken): string {
  const [first, second] = token.candidates;
  if (token.injected) return 'The thinking limit put this token in; the model did not choose it.';
  if (first === undefined) {
    return 'No candidates were kept for this token: the lab was closed when it was written.';
  }
  const chosen = token.candidates.find(({ text }) => text === token.text);
  const percent = (share: number): string =>
    share < 0.0005 ? 'under 0.1 %' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
  const place =
    chosen === undefined
      ? 'The token that was drawn is not among the likeliest shown'
      : chosen === first
        ? `The model took its favourite, at ${percent(first.probability)}`
        : `The model’s favourite had ${percent(first.probability)}; what was drawn had ${percent(chosen.probability)}`;
  const sure =
    token.entropy === null
      ? ''
      : token.entropy < 0.2
        ? ' It was sure.'
        : ` It was as unsure as between ${Math.exp(token.entropy).toFixed(1)} equal choices.`;
  const next =
    second !== undefined && chosen === first ? `; next came ${percent(second.probability)}` : '';
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
    return 'Nothing has been written since the lab was opened.';
  const contexts = decode.map(({ context }) => context);
  const span = `${formatCount(Math.min(...contexts))} and ${formatCount(Math.max(...contexts))}`;
  const read = middleOf(prefill.map(({ ms }) => ms));
  const reading =
    read === null
      ? ''
      : ` A token of the prompt, read together with others, took ${formatDuration(read)}.`;
  return `${formatCount(decode.length)} tokens were written at contexts between ${span}, at a median of ${formatDuration(middle)} each.${reading}`;
}

/** What the measurement over context lengths found. */
export function costSentence(points: readonly CostPoint[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return 'Nothing has been measured yet.';
  const start = `At ${formatCount(first.context)} tokens of context a new token takes ${formatDuration(first.decodeMs)}`;
  if (points.length === 1) return `${start}.`;
  const growth = last.decodeMs / first.decodeMs;
  // Told apart only where even the fastest there is slower than the slowest here.
  const isClear = last.decodeRange[0] > first.decodeRange[1];
  const words =
    growth > 1.15
      ? `${growth.toFixed(1)} times as much${isClear ? ': the attention layers read a longer cache, the recurrent layers do the same work as ever' : ', but the slowest steps here overlap the fastest there: measure again on a quiet machine'}`
      : growth < 0.85
        ? 'less: the spread of the timings is larger than the cost of the context'
        : 'about the same: at this length the cache hardly counts';
  return `${start}, at ${formatCount(last.context)} ${formatDuration(last.decodeMs)}, ${words}.`;
}

/** Context lengths to measure at: doubling from 32, within the model's own limit and leaving room for the steps. */
export function costContexts(maxPositions: number, steps: number): number[] {
  const contexts: number[] = [];
  for (let context = 32; context <= Math.min(1024, maxPositions - steps); context *= 2) {
    contexts.push(context);
  }
  return contexts;
}
