/**
 * Owns the choice of the next token from the largest logits of a row that stayed on the device, as sampler.ts chooses
 * from the whole row: the same token for the same random numbers, or a refusal where the list cannot tell.
 */
import type { Random } from './random';
import {
  adjust,
  checkSettings,
  drawAmong,
  drawFrom,
  keepAtLeast,
  weigh,
  type Pool,
  type SampledToken,
  type SampleOptions,
  type SamplingSettings,
} from './sampler';
import { topKIndices } from './top-k';

/** The largest logits of a row, with sums over all of it. */
export interface TopLogits {
  /** Token ids, largest logit first, equal ones by lower id first. */
  readonly ids: ArrayLike<number>;
  /** Logits of `ids`. */
  readonly logits: ArrayLike<number>;
  readonly vocabSize: number;
  /** Σ exp(logit − max). */
  readonly sum: number;
  /** Σ exp(logit − max) · (logit − max). */
  readonly weighted: number;
  /** Σ exp((logit − max) / temperature), at the temperature that is drawn with. */
  readonly tempered: number;
}

/**
 * Error allowed for the device's sums, as a share: 131k float32 terms, added by row and then over rows, stay below 1e-6. A
 * cut of top-p that falls within it is left to the whole row.
 */
const SUM_ERROR = 1e-5;

/** The smallest set of likeliest entries with `topP` of the row's mass; null where the list does not tell. */
function nucleusOf(
  pool: Pool,
  topP: number,
  mass: { readonly total: number; readonly error: number },
  isCertain: (index: number) => boolean,
): Pool | null {
  const order = topKIndices(pool.weights, pool.weights.length);
  const indices: number[] = [];
  const weights: number[] = [];
  let total = 0;
  for (const i of order) {
    const index = pool.indices[i] ?? 0;
    const weight = pool.weights[i] ?? 0;
    if (!isCertain(index)) return null;
    indices.push(index);
    weights.push(weight);
    total += weight;
    if (total >= topP * (mass.total + mass.error))
      return { indices, weights: Float64Array.from(weights), total };
    if (total >= topP * (mass.total - mass.error)) return null;
  }
  return null;
}

/**
 * As `sampleToken` on the whole row with the logits of `bannedIds` at −Infinity from the start (so they count neither in
 * probabilities nor among candidates; what a ban beyond the list held stays in the probabilities' divisor); draws the
 * same token for the same `random`. Null, with nothing drawn, where only
 * the whole row tells: no cut at all, a top-k or candidates beyond the list, a repetition penalty below 1 or one that
 * lowers so many that others may come up from below, a top-p cut that lies beyond the list or within the sums' rounding.
 * RangeError on settings out of range.
 */
export function sampleFromTopLogits(
  top: TopLogits,
  settings: SamplingSettings,
  recentIds: Iterable<number>,
  random: Random,
  options: SampleOptions = {},
): SampledToken | null {
  checkSettings(settings);
  const { temperature, topK, topP, minP, repetitionPenalty } = settings;
  const count = top.ids.length;
  const max = top.logits[0] ?? NaN;
  if (!Number.isFinite(max) || !Number.isFinite(top.sum) || !Number.isFinite(top.tempered))
    return null;
  // By id, as in the row itself: equal logits and the order of a draw go by it.
  const order = Int32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => (top.ids[a] ?? 0) - (top.ids[b] ?? 0),
  );
  const ids = order.map((place) => top.ids[place] ?? 0);
  const plain = Float32Array.from(order, (place) => top.logits[place] ?? -Infinity);
  const places = new Map<number, number>();
  ids.forEach((id, place) => places.set(id, place));

  // Bans first: the model's own distribution is told without them.
  const banned = options.bannedIds ?? [];
  const floor = count < top.vocabSize ? (top.logits[count - 1] ?? -Infinity) : -Infinity;
  let { sum, weighted } = top;
  for (const id of new Set(banned)) {
    const place = places.get(id);
    if (place === undefined) continue;
    const shifted = (plain[place] ?? 0) - max;
    sum -= Math.exp(shifted);
    weighted -= Math.exp(shifted) * shifted;
    plain[place] = -Infinity;
  }
  const wanted = options.candidates ?? 0;
  const likeliest = topKIndices(plain, wanted);
  if (
    // What bans leave of a float32 sum must not be its rounding.
    !(sum > top.sum / 64) ||
    (likeliest.length < wanted && count < top.vocabSize) ||
    likeliest.some((place) => plain[place] === -Infinity)
  )
    return null;

  const recent = [...new Set(recentIds)];
  if (repetitionPenalty < 1 && recent.length > 0) return null;
  const adjusted = adjust(plain, settings, recent, [], (id) => places.get(id));
  const isChanged = (repetitionPenalty !== 1 && recent.length > 0) || banned.length > 0;
  // What is not in the list lies at the floor or below, and no change has raised it.
  const isCertain = (place: number): boolean => {
    const logit = adjusted[place] ?? -Infinity;
    return logit > floor || (!isChanged && logit > -Infinity);
  };

  const chosen = ((): [number, number] | null => {
    const isGreedy = temperature === 0 || topK === 1;
    const best = isGreedy ? 1 : topK > 0 && topK < top.vocabSize ? topK : 0;
    if (best > 0) {
      const leading = topKIndices(adjusted, best);
      if (leading.length < best || !leading.every(isCertain)) return null;
      const [first = 0] = leading;
      if (isGreedy) return [first, 1];
      return drawAmong(adjusted, leading, adjusted[first] ?? -Infinity, settings, random);
    }
    const most = adjusted[topKIndices(adjusted, 1)[0] ?? 0] ?? -Infinity;
    if (!(most > floor) && isChanged) return null;
    const all = Int32Array.from({ length: count }, (_, i) => i);
    let pool = weigh(adjusted, all, most, temperature);
    const below = Math.exp((floor - most) / temperature);
    if (topP < 1) {
      const scale = Math.exp((max - most) / temperature);
      let total = top.tempered * scale;
      let error = SUM_ERROR * total;
      for (let i = 0; i < count; i += 1) {
        const before = Math.exp(((top.logits[order[i] ?? 0] ?? 0) - most) / temperature);
        total += (pool.weights[i] ?? 0) - before;
      }
      for (const id of [...banned, ...recent]) if (!places.has(id)) error += below;
      const cut = nucleusOf(pool, topP, { total, error }, isCertain);
      if (cut === null) return null;
      pool = cut;
    } else if (!(below < Math.min(1, minP))) return null;
    if (minP > 0) pool = keepAtLeast(pool, Math.min(1, minP));
    return drawFrom(pool, random);
  })();
  if (chosen === null) return null;

  const [place, drawProbability] = chosen;
  const logSum = Math.log(sum);
  const probability = (at: number): number => Math.exp((plain[at] ?? -Infinity) - max - logSum);
  return {
    id: ids[place] ?? 0,
    probability: probability(place),
    entropy: Math.max(0, logSum - weighted / sum),
    candidates: likeliest.map((at) => ({ id: ids[at] ?? 0, probability: probability(at) })),
    drawProbability,
  };
}
