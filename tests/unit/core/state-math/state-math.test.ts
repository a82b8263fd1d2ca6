import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../src/core/sampling/random';
import { summariseLogits } from '../../../../src/core/sampling/distribution';
import { attentionRow } from '../../../../src/core/state-math/attention';
import { klDivergence } from '../../../../src/core/state-math/divergence';
import {
  decayOf,
  halfLifeTokens,
  type HeadInputs,
  hiddenAttention,
  measuredHalfLife,
  scanHead,
  softplus,
} from '../../../../src/core/state-math/hidden-attention';
import {
  effectiveRank,
  frobeniusNorm,
  singularValues,
} from '../../../../src/core/state-math/singular-values';
import {
  addNoise,
  quantiseState,
  roundToFloat16,
  scaleState,
} from '../../../../src/core/state-math/surgery';
import torch from '../../../fixtures/state-math.json';

const HEAD: HeadInputs = torch;
const small = fc.double({ min: -3, max: 3, noNaN: true });
const list = (length: number, of: fc.Arbitrary<number> = small): fc.Arbitrary<number[]> =>
  fc.array(of, { minLength: length, maxLength: length });

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(0, ...Array.from(a, (x, i) => Math.abs(x - (b[i] ?? NaN))));
}

describe('against PyTorch (tests/fixtures/make_state_math.py, float64)', () => {
  test('step size and decay', () => {
    const delta = torch.raw.map((raw) => softplus(raw + torch.bias));
    expect(largestDifference(delta, torch.delta)).toBeLessThan(1e-14);
    const decay = torch.delta.map((value) => decayOf(value, torch.aLog));
    expect(largestDifference(decay, torch.decay)).toBeLessThan(1e-14);
  });

  test('hidden attention, recurrence and state', () => {
    expect(largestDifference(hiddenAttention(HEAD), torch.attention)).toBeLessThan(1e-12);
    const { output, state } = scanHead(HEAD, torch.x, torch.headDim, torch.start);
    expect(largestDifference(output, torch.output)).toBeLessThan(1e-12);
    expect(largestDifference(state, torch.state)).toBeLessThan(1e-12);
  });

  test('norm, singular values, effective rank', () => {
    expect(frobeniusNorm(torch.state)).toBeCloseTo(torch.norm, 12);
    const values = singularValues(torch.state, torch.headDim, torch.stateSize);
    expect(largestDifference(values, torch.singular)).toBeLessThan(1e-12);
    expect(effectiveRank(values)).toBeCloseTo(torch.effectiveRank, 12);
  });

  test('KL divergence and entropy', () => {
    expect(klDivergence(torch.p, torch.q)).toBeCloseTo(torch.kl, 12);
    expect(summariseLogits(torch.p).entropy).toBeCloseTo(torch.entropy, 12);
  });

  test('half-lives of the decays', () => {
    expect(largestDifference(torch.decay.map(halfLifeTokens), torch.halfLives)).toBeLessThan(1e-12);
  });

  test('attention of a query over keys', () => {
    const weights = new Float64Array(5);
    attentionRow(torch.query, torch.keys, 5, weights);
    expect(largestDifference(weights, torch.weights)).toBeLessThan(1e-14);
  });

  test('states in 8 and 4 bits', () => {
    for (const [bits, expected] of [
      [8, torch.quantised8],
      [4, torch.quantised4],
    ] as const)
      expect(largestDifference(quantiseState(torch.block, bits).values, expected)).toBeLessThan(
        1e-6,
      );
  });

  test('rounding to float16', () => {
    expect(torch.halves.map(roundToFloat16)).toEqual(torch.roundedHalves);
  });
});

describe('decay', () => {
  test('after a half-life one half is left', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1 - 1e-9, noNaN: true }), (decay) => {
        expect(decay ** halfLifeTokens(decay)).toBeCloseTo(0.5, 6);
      }),
    );
    expect([halfLifeTokens(0), halfLifeTokens(1)]).toEqual([0, Infinity]);
    expect(() => halfLifeTokens(1.1)).toThrow(/1.1 is not in 0…1/);
  });

  test('the measured half-life is the constant one, rounded up; null when the text is too short', () => {
    expect(measuredHalfLife(new Array<number>(50).fill(0.9))).toBe(Math.ceil(halfLifeTokens(0.9)));
    expect(measuredHalfLife([0.9, 0.9, 0.9])).toBeNull();
    expect(measuredHalfLife([1, 0, 1])).toBe(2);
  });

  test('softplus holds at both ends', () => {
    expect(softplus(800)).toBe(800);
    expect(softplus(-800)).toBe(0);
    expect(softplus(0)).toBeCloseTo(Math.LN2, 15);
  });
});

describe('hidden attention', () => {
  const heads = fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 5 }))
    .chain(([tokens, stateSize]) =>
      fc.record({
        delta: list(tokens, fc.double({ min: 0.001, max: 2, noNaN: true })),
        decay: list(tokens, fc.double({ min: 0, max: 1, noNaN: true })),
        b: list(tokens * stateSize),
        c: list(tokens * stateSize),
        x: list(tokens * 2),
        stateSize: fc.constant(stateSize),
      }),
    );

  test('times x it is the output of the recurrence from an empty state', () => {
    fc.assert(
      fc.property(heads, ({ x, ...head }) => {
        const tokens = head.delta.length;
        const matrix = hiddenAttention(head);
        const product = Array.from({ length: tokens * 2 }, (_, i) => {
          const [t, p] = [Math.floor(i / 2), i % 2];
          let sum = 0;
          for (let s = 0; s < tokens; s += 1)
            sum += (matrix[t * tokens + s] ?? NaN) * (x[s * 2 + p] ?? NaN);
          return sum;
        });
        expect(largestDifference(product, scanHead(head, x, 2).output)).toBeLessThan(1e-9);
      }),
    );
  });

  test('it looks at no later token', () => {
    const tokens = HEAD.delta.length;
    const matrix = hiddenAttention(HEAD);
    for (let t = 0; t < tokens; t += 1) {
      expect(
        [...matrix.slice(t * tokens + t + 1, (t + 1) * tokens)].every((entry) => entry === 0),
      ).toBe(true);
    }
  });

  test('a scan in two parts equals the whole', () => {
    const { b, c, delta, decay, stateSize } = torch;
    const part = (from: number, to: number): HeadInputs => ({
      delta: delta.slice(from, to),
      decay: decay.slice(from, to),
      b: b.slice(from * stateSize, to * stateSize),
      c: c.slice(from * stateSize, to * stateSize),
      stateSize,
    });
    const first = scanHead(
      part(0, 2),
      torch.x.slice(0, 2 * torch.headDim),
      torch.headDim,
      torch.start,
    );
    const second = scanHead(
      part(2, 6),
      torch.x.slice(2 * torch.headDim),
      torch.headDim,
      first.state,
    );
    expect([...first.output, ...second.output]).toEqual([
      ...scanHead(HEAD, torch.x, torch.headDim, torch.start).output,
    ]);
  });

  test('sizes that don’t fit are named', () => {
    expect(() => hiddenAttention({ ...HEAD, b: [1] })).toThrow(
      /6 tokens × state 4 needs 6 decays and 24/,
    );
    expect(() => scanHead(HEAD, [1], 3)).toThrow(/not 6 × 3/);
    expect(() => scanHead(HEAD, torch.x, 3, [1])).toThrow(/not 3 × 4/);
  });
});

describe('singular values', () => {
  test('known matrices', () => {
    expect([...singularValues([3, 0, 0, 4], 2, 2)]).toEqual([4, 3]);
    expect(
      largestDifference(singularValues([1, 2, 2, 4, 3, 6], 3, 2), [Math.sqrt(70), 0]),
    ).toBeLessThan(1e-12);
    expect([...singularValues([0, 0, 0], 1, 3)]).toEqual([0]);
    expect(effectiveRank(singularValues([1, 0, 0, 0, 1, 0, 0, 0, 1], 3, 3))).toBeCloseTo(3, 12);
    expect(effectiveRank([5, 0, 0])).toBe(1);
    expect(effectiveRank([0, 0])).toBe(0);
  });

  test('their squares sum to the squared norm, and transposing changes nothing', () => {
    const matrices = fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
      .chain(([rows, columns]) =>
        fc.tuple(fc.constant(rows), fc.constant(columns), list(rows * columns)),
      );
    fc.assert(
      fc.property(matrices, ([rows, columns, values]) => {
        const singular = singularValues(values, rows, columns);
        expect(frobeniusNorm(singular)).toBeCloseTo(frobeniusNorm(values), 9);
        const transposed = values.map(
          (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] ?? NaN,
        );
        expect(largestDifference(singularValues(transposed, columns, rows), singular)).toBeLessThan(
          1e-9,
        );
        const rank = effectiveRank(singular);
        expect(rank).toBeLessThanOrEqual(Math.min(rows, columns) + 1e-9);
      }),
    );
  });

  test('a head of 64 × 128 settles, of any rank', () => {
    const random = createRandom(3);
    const left = Array.from({ length: 64 }, () => random.nextNormal());
    const right = Array.from({ length: 128 }, () => random.nextNormal());
    const rankOne = left.flatMap((l) => right.map((r) => l * r));
    expect(effectiveRank(singularValues(rankOne, 64, 128))).toBeCloseTo(1, 6);
    const full = singularValues(
      rankOne.map(() => random.nextNormal()),
      64,
      128,
    );
    expect(full[0]).toBeLessThan(Math.sqrt(128) + Math.sqrt(64) + 3);
  });

  test('wrong sizes and values that are not finite are refused', () => {
    expect(() => singularValues([1, 2, 3], 2, 2)).toThrow(/3 values are no 2 × 2/);
    expect(() => singularValues([1, Number.NaN, 1, 1], 2, 2)).toThrow(/norm of NaN/);
  });
});

describe('surgery', () => {
  // Down to 1e-30: below lie float32's subnormals, whose codes have few digits.
  const states = fc.array(
    fc.float({ min: -100, max: 100, noNaN: true }).map((x) => (Math.abs(x) < 1e-30 ? 0 : x)),
    { maxLength: 80 },
  );

  test('quantising is off by at most half a code, and twice is once', () => {
    fc.assert(
      fc.property(states, fc.constantFrom(4 as const, 8 as const), (state, bits) => {
        const once = quantiseState(state, bits, 32);
        const top = 2 ** (bits - 1) - 1;
        for (const [i, x] of state.entries()) {
          const start = i - (i % 32);
          const scale = Math.max(...state.slice(start, start + 32).map(Math.abs)) / top;
          expect(Math.abs((once.values[i] ?? NaN) - x)).toBeLessThanOrEqual(scale * 0.5001);
        }
        const twice = quantiseState(once.values, bits, 32);
        for (const [i, x] of once.values.entries()) {
          expect(Math.abs((twice.values[i] ?? NaN) - x)).toBeLessThanOrEqual(Math.abs(x) * 1e-6);
        }
      }),
    );
  });

  test('fewer bits, fewer bytes, more error', () => {
    const random = createRandom(5);
    const state = Float32Array.from({ length: 256 }, () => random.nextNormal());
    const error = (bits: 16 | 8 | 4): number =>
      frobeniusNorm(quantiseState(state, bits).values.map((x, i) => x - (state[i] ?? NaN)));
    expect(error(16)).toBeLessThan(error(8));
    expect(error(8)).toBeLessThan(error(4));
    expect(error(4)).toBeLessThan(0.2 * frobeniusNorm(state));
    expect(([16, 8, 4] as const).map((bits) => quantiseState(state, bits).bytes)).toEqual([
      512, 288, 160,
    ]);
  });

  test('zeros stay zeros; float16 saturates', () => {
    expect([...quantiseState(new Float32Array(5), 4).values]).toEqual([0, 0, 0, 0, 0]);
    expect([...quantiseState([1e6, -1e6], 16).values]).toEqual([65504, -65504]);
    expect(() => quantiseState([1], 4, 0)).toThrow(/block size 0/);
  });

  test('noise has the strength asked for and repeats with its seed', () => {
    const state = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i));
    const noisy = addNoise(state, 0.3, createRandom(1));
    const share = frobeniusNorm(noisy.map((x, i) => x - (state[i] ?? NaN))) / frobeniusNorm(state);
    expect(share).toBeGreaterThan(0.28);
    expect(share).toBeLessThan(0.32);
    expect(addNoise(state, 0.3, createRandom(1))).toEqual(noisy);
    expect(addNoise(state, 0, createRandom(1))).toEqual(state);
    expect(() => addNoise(state, -1, createRandom(1))).toThrow(/strength -1/);
  });

  test('scaling', () => {
    expect([...scaleState([1, -2], 0.5)]).toEqual([0.5, -1]);
    expect(() => scaleState([1], Infinity)).toThrow(/factor Infinity/);
  });
});

describe('KL divergence', () => {
  test('is 0 for the same distribution, however shifted, and never negative', () => {
    fc.assert(
      fc.property(list(5), list(5), small, (p, q, shift) => {
        expect(
          klDivergence(
            p,
            p.map((x) => x + shift),
          ),
        ).toBeCloseTo(0, 12);
        expect(klDivergence(p, q)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('is infinite where what was possible is ruled out, not the other way round', () => {
    expect(klDivergence([0, 0], [0, -Infinity])).toBe(Infinity);
    expect(klDivergence([0, -Infinity], [0, 0])).toBeCloseTo(Math.LN2, 12);
    expect(() => klDivergence([1], [1, 2])).toThrow(/1 and 2/);
  });
});
