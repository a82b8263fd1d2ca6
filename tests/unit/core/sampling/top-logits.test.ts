import { GREEDY } from '../../../../src/core/sampling/greedy';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../src/core/sampling/random';
import { sampleToken, type SamplingSettings } from '../../../../src/core/sampling/sampler';
import { sampleFromTopLogits, type TopLogits } from '../../../../src/core/sampling/top-logits';
import { topKIndices } from '../../../../src/core/sampling/top-k';

/** What the device would give, with its sums in float32. */
function topOf(row: Float32Array, count: number, temperature: number): TopLogits {
  const ids = topKIndices(row, count);
  const max = row[ids[0] ?? 0] ?? 0;
  const sumOf = (term: (shifted: number) => number): number =>
    Math.fround(row.reduce((sum, x) => sum + term(Math.max(-104, x - max)), 0));
  return {
    ids,
    logits: ids.map((id) => row[id] ?? 0),
    vocabSize: row.length,
    sum: sumOf((x) => Math.exp(x)),
    weighted: sumOf((x) => Math.exp(x) * x),
    tempered: sumOf((x) => Math.exp(x / (temperature === 0 ? 1 : temperature))),
  };
}

describe('sampleFromTopLogits', () => {
  const settings = fc.record({
    temperature: fc.constantFrom(0, 0.3, 0.6, 1, 1.7),
    topK: fc.constantFrom(0, 1, 3, 20),
    topP: fc.constantFrom(0, 0.5, 0.9, 1),
    minP: fc.constantFrom(0, 0.05, 0.3),
    repetitionPenalty: fc.constantFrom(1, 1.1, 2, 0.8),
    seed: fc.constant(0),
  });
  // Coarse values, so that equal logits are common.
  const rows = fc
    .array(fc.integer({ min: -24, max: 24 }), { minLength: 1, maxLength: 120 })
    .map((row) => Float32Array.from(row, (x) => x / 2));

  test('draws the token that the whole row gives, or leaves it to the whole row', () => {
    let told = 0;
    let asked = 0;
    fc.assert(
      fc.property(
        rows,
        fc.nat(40),
        settings,
        fc.array(fc.nat(119), { maxLength: 12 }),
        fc.array(fc.nat(119), { maxLength: 2 }),
        fc.nat(1000),
        (row, length, chosen, recentIds, bans, seed) => {
          const recent = recentIds.filter((id) => id < row.length);
          const bannedIds = bans.filter((id) => id < row.length);
          const masked = row.slice();
          for (const id of bannedIds) masked[id] = -Infinity;
          if (!masked.some((x) => x > -Infinity)) return;
          const list = topOf(row, Math.max(1, length), chosen.temperature);
          const random = createRandom(seed);
          const listed = sampleFromTopLogits(list, chosen, recent, random, {
            candidates: 3,
            bannedIds,
          });
          asked += 1;
          if (listed === null) {
            expect(random.exportState()).toEqual(createRandom(seed).exportState());
            return;
          }
          told += 1;
          const wanted = sampleToken(masked, chosen, recent, createRandom(seed), { candidates: 3 });
          expect(listed.id).toBe(wanted.id);
          expect(listed.candidates.map(({ id }) => id)).toEqual(
            wanted.candidates.map(({ id }) => id),
          );
          // The mass of a ban that is not in the list is not known.
          if (bannedIds.every((id) => Array.from(list.ids).includes(id)))
            expect(listed.probability).toBeCloseTo(wanted.probability, 4);
          expect(listed.drawProbability).toBeCloseTo(wanted.drawProbability, 5);
          if (bannedIds.length === 0) expect(listed.entropy).toBeCloseTo(wanted.entropy, 4);
        },
      ),
      { numRuns: 3000 },
    );
    expect(told / asked).toBeGreaterThan(0.3);
  });

  test('draws in the order of rank where top-k takes all of the list', () => {
    const row = Float32Array.of(0, 0, 0, 0.5);
    const one = { ...GREEDY, temperature: 1.7, topK: 3 };
    for (let seed = 0; seed < 20; seed += 1) {
      const listed = sampleFromTopLogits(topOf(row, 3, 1.7), one, [], createRandom(seed));
      expect(listed?.id).toBe(sampleToken(row, one, [], createRandom(seed)).id);
    }
  });

  test('tells greedy and the usual settings from a list, for a vocabulary of 131k', () => {
    const random = createRandom(4);
    for (let round = 0; round < 4; round += 1) {
      const row = Float32Array.from({ length: 131_072 }, () => 3 * random.nextNormal());
      for (let i = 0; i < 30; i += 1)
        row[random.nextUint32() % row.length] = 14 + random.nextNormal();
      for (const one of [
        GREEDY,
        { ...GREEDY, temperature: 0.6, topK: 20, topP: 0.95 },
        { ...GREEDY, temperature: 0.6, topP: 0.95 },
        { ...GREEDY, temperature: 1, minP: 0.1 },
        { ...GREEDY, temperature: 0.6, topP: 0.95, repetitionPenalty: 1.1 },
      ]) {
        const recent = [1, 2, 3];
        const listed = sampleFromTopLogits(
          topOf(row, 128, one.temperature),
          one,
          recent,
          createRandom(round),
          { bannedIds: [5] },
        );
        const masked = row.slice();
        masked[5] = -Infinity;
        expect(listed?.id).toBe(sampleToken(masked, one, recent, createRandom(round)).id);
      }
    }
  });

  test('leaves to the whole row what a list cannot tell', () => {
    const row = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i));
    const none = (changes: Partial<SamplingSettings>, recent: number[] = []): void => {
      const one = { ...GREEDY, temperature: 1, ...changes };
      expect(sampleFromTopLogits(topOf(row, 20, 1), one, recent, createRandom(0))).toBeNull();
    };
    none({});
    none({ topK: 21 });
    none({ topP: 0.9 });
    none({ minP: 0.01 });
    none({ topK: 5, repetitionPenalty: 0.9 }, [1]);
    none({ temperature: 0, repetitionPenalty: 3 }, topKIndices(row, 20));
    const broken = { ...topOf(row, 20, 1), sum: NaN };
    expect(sampleFromTopLogits(broken, GREEDY, [], createRandom(0))).toBeNull();
  });
});
