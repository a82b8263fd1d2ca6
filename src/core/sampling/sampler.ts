/**
 * Owns the choice of the next token from logits: repetition penalty, temperature, top-k, top-p,
 * min-p.
 */
import type { NumberRow } from '../number-row';
import { checkedMax, summariseLogits } from './distribution';
import type { Random } from './random';
import { topKIndices } from './top-k';

export interface SamplingSettings {
  /** 0 = greedy. */
  readonly temperature: number;
  /** 0 = off. */
  readonly topK: number;
  /** 1 = off. */
  readonly topP: number;
  /** 0 = off. */
  readonly minP: number;
  /** 1 = off. */
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export interface SampleOptions {
  /** How many of the model's likeliest tokens to report; default 0. */
  readonly candidates?: number;
  /** Ids that must not be drawn (e.g. `ThinkingBudget.bannedIds`). */
  readonly bannedIds?: readonly number[];
}

export interface SampleCandidate {
  readonly id: number;
  readonly probability: number;
}

/**
 * Probabilities and entropy are the model's own: softmax of its logits, before penalty, temperature
 * and cuts.
 */
export interface SampledToken {
  readonly id: number;
  readonly probability: number;
  /** In nats. */
  readonly entropy: number;
  /** The model's likeliest tokens, likeliest first. */
  readonly candidates: readonly SampleCandidate[];
  /** Probability under the distribution that was really drawn from; 1 when greedy. */
  readonly drawProbability: number;
}

/**
 * Penalises repeats as CTRL does (Keskar et al., 2019): positive logits divided, negative ones
 * multiplied.
 */
export function adjust(
  logits: NumberRow,
  settings: SamplingSettings,
  recentIds: Iterable<number>,
  bannedIds: readonly number[],
  indexOf: (id: number) => number | undefined,
): NumberRow {
  const penalty = settings.repetitionPenalty;
  if (penalty === 1 && bannedIds.length === 0) return logits;
  const adjusted = Float32Array.from(logits);
  if (penalty !== 1) {
    for (const id of new Set(recentIds)) {
      const index = indexOf(id);
      if (index === undefined) continue;
      const x = adjusted[index];
      if (x !== undefined) adjusted[index] = x > 0 ? x / penalty : x * penalty;
    }
  }
  for (const id of bannedIds) {
    const index = indexOf(id);
    if (index !== undefined && index < adjusted.length) adjusted[index] = -Infinity;
  }
  return adjusted;
}

/** What is left to draw from after the cuts: indices and unnormalised weights. */
export interface Pool {
  readonly indices: NumberRow;
  readonly weights: Float64Array;
  readonly total: number;
}

export function weigh(
  logits: NumberRow,
  indices: NumberRow,
  max: number,
  temperature: number,
): Pool {
  const weights = new Float64Array(indices.length);
  let total = 0;
  for (let i = 0; i < indices.length; i += 1) {
    const exponent = ((logits[indices[i] ?? 0] ?? -Infinity) - max) / temperature;
    // As in a summary of the row: beyond a double's rounding even when all entries are so.
    if (exponent < -50) continue;
    const weight = Math.exp(exponent);
    weights[i] = weight;
    total += weight;
  }
  return { indices, weights, total };
}

/** Keeps the entries whose weight is at least `least`. */
export function keepAtLeast(pool: Pool, least: number): Pool {
  const indices: number[] = [];
  const weights: number[] = [];
  let total = 0;
  for (let i = 0; i < pool.weights.length; i += 1) {
    const weight = pool.weights[i] ?? 0;
    if (weight < least) continue;
    indices.push(pool.indices[i] ?? 0);
    weights.push(weight);
    total += weight;
  }
  return { indices, weights: Float64Array.from(weights), total };
}

/**
 * The smallest set of likeliest entries that holds at least `topP` of the mass; always one entry at
 * least.
 */
function nucleus(pool: Pool, topP: number): Pool {
  // Entries below (1-p)/n of the mass hold less than 1-p together, so the nucleus lies among the
  // others: only those are sorted, some tens of a peaked 131k vocabulary.
  const few = keepAtLeast(pool, ((1 - topP) * pool.total) / pool.weights.length);
  const order = topKIndices(few.weights, few.weights.length);
  const indices: number[] = [];
  const weights: number[] = [];
  let total = 0;
  for (const i of order) {
    const weight = few.weights[i] ?? 0;
    indices.push(few.indices[i] ?? 0);
    weights.push(weight);
    total += weight;
    if (total >= topP * pool.total) break;
  }
  return { indices, weights: Float64Array.from(weights), total };
}

/** An index of the pool and its probability there; one random number. */
export function drawFrom(pool: Pool, random: Random): [number, number] {
  let left = random.next() * pool.total;
  let last = -1;
  for (let i = 0; i < pool.weights.length; i += 1) {
    const weight = pool.weights[i] ?? 0;
    if (weight === 0) continue;
    last = i;
    left -= weight;
    if (left < 0) break;
  }
  return [pool.indices[last] ?? 0, (pool.weights[last] ?? 0) / pool.total];
}

function allIndices(count: number): Int32Array {
  const indices = new Int32Array(count);
  for (let i = 0; i < count; i += 1) indices[i] = i;
  return indices;
}

/** As {@link draw}, among `indices` after top-k, in the order of the draw; `max` is the largest logit. */
export function drawAmong(
  logits: NumberRow,
  indices: NumberRow,
  max: number,
  settings: SamplingSettings,
  random: Random,
): [number, number] {
  let pool = weigh(logits, indices, max, settings.temperature);
  // topP 0 keeps the likeliest alone, as the smallest set must.
  if (settings.topP < 1) pool = nucleus(pool, settings.topP);
  // The largest weight is exp(0) = 1, so min-p, a share of the largest, is a plain bound.
  if (settings.minP > 0) pool = keepAtLeast(pool, Math.min(1, settings.minP));
  return drawFrom(pool, random);
}

/** Index into `logits` and its probability under the cut distribution. */
function draw(logits: NumberRow, settings: SamplingSettings, random: Random): [number, number] {
  const max = checkedMax(logits);
  if (settings.temperature === 0 || settings.topK === 1) return [topKIndices(logits, 1)[0] ?? 0, 1];
  const indices =
    settings.topK > 0 && settings.topK < logits.length
      ? topKIndices(logits, settings.topK)
      : allIndices(logits.length);
  return drawAmong(logits, indices, max, settings, random);
}

export function checkSettings(settings: SamplingSettings): void {
  const { temperature, topK, topP, minP, repetitionPenalty } = settings;
  if (!(temperature >= 0 && temperature < Infinity))
    throw new RangeError(`temperature ${temperature} is not ≥ 0`);
  if (!(Number.isInteger(topK) && topK >= 0))
    throw new RangeError(`topK ${topK} is not a whole number ≥ 0`);
  if (!(topP >= 0 && topP <= 1)) throw new RangeError(`topP ${topP} is not in 0…1`);
  if (!(minP >= 0 && minP <= 1)) throw new RangeError(`minP ${minP} is not in 0…1`);
  if (!(repetitionPenalty > 0 && repetitionPenalty < Infinity)) {
    throw new RangeError(`repetitionPenalty ${repetitionPenalty} is not > 0`);
  }
}

/**
 * Draws the next token. `logits`: (vocab), left unchanged. Order of cuts as in Hugging Face:
 * penalty over `recentIds`, bans, temperature, top-k, top-p, min-p. Deterministic in `random`;
 * greedy draws nothing from it, equal logits go to the lower id. EngineError `internal` on NaN or
 * when nothing is left; RangeError on settings out of range.
 */
export function sampleToken(
  logits: NumberRow,
  settings: SamplingSettings,
  recentIds: Iterable<number>,
  random: Random,
  options: SampleOptions = {},
): SampledToken {
  checkSettings(settings);
  const { logSumExp, entropy } = summariseLogits(logits);
  const probability = (id: number): number => Math.exp((logits[id] ?? -Infinity) - logSumExp);
  const adjusted = adjust(logits, settings, recentIds, options.bannedIds ?? [], (id) => id);
  const [id, drawProbability] = draw(adjusted, settings, random);
  const candidates = topKIndices(logits, options.candidates ?? 0).map((top) => ({
    id: top,
    probability: probability(top),
  }));
  return { id, probability: probability(id), entropy, candidates, drawProbability };
}
