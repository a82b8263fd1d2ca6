import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../../src/core/errors';
import { createRandom } from '../../../../src/core/sampling/random';
import { sampleToken, type SamplingSettings } from '../../../../src/core/sampling/sampler';
import { topKIndices } from '../../../../src/core/sampling/top-k';
import { summariseLogits } from '../../../../src/core/sampling/distribution';

const PLAIN: SamplingSettings = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: 0,
};
const NORMAL = fc.float({ min: -20, max: 20, noNaN: true });
const rows = fc.array(NORMAL, { minLength: 1, maxLength: 60 }).map((row) => Float32Array.from(row));

function softmax(logits: Iterable<number>, temperature = 1): number[] {
  const scaled = Array.from(logits, (x) => x / temperature);
  const max = Math.max(...scaled);
  const weights = scaled.map((x) => Math.exp(x - max));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

/** Ids that come up in `draws` draws, with how often. */
function counts(
  logits: Float32Array,
  settings: SamplingSettings,
  draws = 400,
  recent: number[] = [],
): Map<number, number> {
  const random = createRandom(settings.seed);
  const seen = new Map<number, number>();
  for (let i = 0; i < draws; i += 1) {
    const { id } = sampleToken(logits, settings, recent, random);
    seen.set(id, (seen.get(id) ?? 0) + 1);
  }
  return seen;
}

describe('topKIndices', () => {
  test('equals the head of a full sort', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 })), fc.nat(40), (values, k) => {
        const sorted = values
          .map((_, i) => i)
          .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
        expect(topKIndices(values, k)).toEqual(sorted.slice(0, k));
      }),
    );
  });
});

describe('summariseLogits', () => {
  test('agrees with the definitions', () => {
    fc.assert(
      fc.property(rows, (row) => {
        const p = softmax(row);
        const { logSumExp, entropy } = summariseLogits(row);
        expect(Math.exp((row[0] ?? 0) - logSumExp)).toBeCloseTo(p[0] ?? 0, 10);
        expect(entropy).toBeCloseTo(
          -p.reduce((sum, q) => sum + (q > 0 ? q * Math.log(q) : 0), 0),
          8,
        );
      }),
    );
  });
});

describe('sampleToken', () => {
  test('greedy takes the likeliest, the lower id of equals, and no random number', () => {
    const random = createRandom(1);
    const before = random.exportState();
    const sampled = sampleToken([1, 3, 3, 2], { ...PLAIN, temperature: 0 }, [], random);
    expect(sampled).toMatchObject({ id: 1, drawProbability: 1 });
    expect(random.exportState()).toEqual(before);
  });

  test('frequencies follow softmax at the temperature (chi-square)', () => {
    const logits = Float32Array.from([2, 1, 0, 0, -1, -2]);
    for (const temperature of [0.7, 1, 1.8]) {
      const draws = 20_000;
      const seen = counts(logits, { ...PLAIN, temperature, seed: 11 }, draws);
      const expected = softmax(logits, temperature);
      const chiSquare = expected.reduce(
        (sum, p, id) => sum + ((seen.get(id) ?? 0) - p * draws) ** 2 / (p * draws),
        0,
      );
      // 5 degrees of freedom: P(χ² > 25.7) = 0.0001.
      expect(chiSquare).toBeLessThan(25.7);
    }
  });

  test('top-k, top-p and min-p keep exactly the tokens of their definitions', () => {
    const distinct = fc.uniqueArray(fc.integer({ min: -40, max: 40 }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        distinct.map((row) => Float32Array.from(row, (x) => x / 8)),
        fc.integer({ min: 0, max: 8 }),
        fc.constantFrom(0.15, 0.5, 0.83, 1),
        fc.constantFrom(0, 0.11, 0.37),
        (row, topK, topP, minP) => {
          const byRank = softmax(row)
            .map((p, id) => ({ p, id }))
            .sort((a, b) => b.p - a.p);
          let kept = topK > 0 ? byRank.slice(0, topK) : byRank;
          const mass = kept.reduce((sum, { p }) => sum + p, 0);
          let cumulative = 0;
          kept = kept.filter(({ p }) => {
            const isIn = cumulative < topP * mass - 1e-12;
            cumulative += p;
            return isIn;
          });
          kept = kept.filter(({ p }) => p >= minP * (byRank[0]?.p ?? 0) - 1e-12);
          const total = kept.reduce((sum, { p }) => sum + p, 0);
          const chances = new Map(kept.map(({ p, id }) => [id, p / total]));
          const random = createRandom(3);
          for (let i = 0; i < 20; i += 1) {
            const sampled = sampleToken(row, { ...PLAIN, topK, topP, minP }, [], random);
            expect(sampled.drawProbability).toBeCloseTo(chances.get(sampled.id) ?? -1, 6);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('the repetition penalty divides positive and multiplies negative logits, once for each token', () => {
    const greedy = { ...PLAIN, temperature: 0, repetitionPenalty: 2 };
    expect(sampleToken([4, 3], greedy, [0, 0], createRandom(0)).id).toBe(1);
    expect(sampleToken([4, 1.9], greedy, [0, 0], createRandom(0)).id).toBe(0);
    expect(sampleToken([-1, -1.5], greedy, [0], createRandom(0)).id).toBe(1);
  });

  test('banned tokens are never drawn, and reports stay the model’s own', () => {
    const logits = Float32Array.from([5, 1, 1]);
    const random = createRandom(5);
    for (let i = 0; i < 50; i += 1) {
      const sampled = sampleToken(logits, PLAIN, [], random, { bannedIds: [0], candidates: 2 });
      expect(sampled.id).not.toBe(0);
      expect(sampled.drawProbability).toBeCloseTo(0.5);
      expect(sampled.probability).toBeCloseTo(softmax(logits)[1] ?? 0);
      expect(sampled.candidates[0]?.id).toBe(0);
    }
    expect(logits).toEqual(Float32Array.from([5, 1, 1]));
  });

  test('impossible tokens are never drawn', () => {
    const seen = counts(Float32Array.from([-Infinity, 0, -Infinity, 0]), PLAIN);
    expect([...seen.keys()].sort()).toEqual([1, 3]);
  });

  test.each([
    ['NaN', [0, Number.NaN]],
    ['+Infinity', [0, Infinity]],
    ['no finite value', [-Infinity, -Infinity]],
    ['no finite value', []],
  ])('logits with %s are an error with its reason', (what, logits) => {
    for (const temperature of [0, 1]) {
      const attempt = (): unknown =>
        sampleToken(logits, { ...PLAIN, temperature }, [], createRandom(0));
      expect(attempt).toThrow(EngineError);
      expect(attempt).toThrow(what);
    }
  });

  test('banning every token is an error, not a token', () => {
    expect(() => sampleToken([1], PLAIN, [], createRandom(0), { bannedIds: [0] })).toThrow(
      'no finite value',
    );
  });

  test.each([
    { temperature: -1 },
    { topK: 1.5 },
    { topP: 1.1 },
    { minP: Number.NaN },
    { repetitionPenalty: 0 },
  ])('settings out of range are refused: %o', (wrong) => {
    expect(() => sampleToken([1, 2], { ...PLAIN, ...wrong }, [], createRandom(0))).toThrow(
      RangeError,
    );
  });
});
