// What the family's pictures say and are drawn from: curves as they are read, sentences that follow the numbers.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { expertRoom } from '../../../src/core/lab/expert-room';
import { readFamilyCurves } from '../../../src/models/family-curves';
import type { RouterStep, WithoutResult } from '../../../src/protocol/lab-api';
import {
  importanceSentence,
  partsSentence,
  precisionGaps,
  precisionSentence,
  rankingSentence,
} from '../../../src/state/lab/family/curve-words';
import { comparisonInWords, figureInWords } from '../../../src/state/lab/family/figure-words';
import { heirSentence, withoutSentence } from '../../../src/state/lab/family/router-words';

const CURVES = {
  fp8: [
    {
      seed: 1,
      kind: 'bf16',
      points: [
        [0, 4],
        [100, 2],
      ],
    },
    {
      seed: 1,
      kind: 'fp8',
      points: [
        [0, 4],
        [100, 2.02],
      ],
    },
    {
      seed: 2,
      kind: 'bf16',
      points: [
        [0, 4],
        [100, 2],
      ],
    },
    {
      seed: 2,
      kind: 'fp8',
      points: [
        [0, 4],
        [100, 1.99],
      ],
    },
    { seed: 3, kind: 'bf16', points: [[0, 4]] },
  ],
  nvfp4: [
    { parts: ['bf16'], points: [[100, 2]] },
    { parts: [], points: [[100, 2.3]] },
    { parts: ['2-D scales', 'Hadamard'], points: [[100, 2.1]] },
  ],
  moe: {
    maxVio: [
      [0, 3],
      [10, 1.2],
    ],
  },
  puzzle: {
    importance: [0.5, 0.1, 0.9],
    cut: [1, { layer: 0 }],
    candidates: [
      { pattern: 'M*', bytes: 10, rankBefore: 1, rankAfter: 2, loss: 0.9 },
      { pattern: 'M-', bytes: 12, rankBefore: 2, rankAfter: 1, loss: 0.8 },
      { pattern: '-*', bytes: 11, rankBefore: 3 },
    ],
  },
};

describe('family-curves.json', () => {
  it('is read with all its parts, and with none', () => {
    const curves = readFamilyCurves(CURVES);
    expect(curves.fp8).toHaveLength(5);
    expect(curves.moeBalance.at(-1)).toEqual({ step: 10, violation: 1.2 });
    expect(curves.puzzle?.cut).toEqual([1, 0]);
    expect(readFamilyCurves({})).toEqual({ fp8: [], nvfp4: [], moeBalance: [], puzzle: null });
  });

  it.each([
    [null, 'the file'],
    [{ fp8: [{ seed: 1, kind: 'fp7', points: [] }] }, 'kind of fp8[0] is "fp7"'],
    [{ nvfp4: [{ parts: [], points: [[1, 'low']] }] }, 'points of nvfp4[0][0][1]'],
    [{ puzzle: { importance: [1], cut: [4] } }, 'puzzle.cut names layer 4'],
    [{ puzzle: { importance: 3 } }, 'puzzle.importance'],
  ])('is refused with a sentence that names the field: %j', (json, named) => {
    expect(() => readFamilyCurves(json)).toThrow(EngineError);
    expect(() => readFamilyCurves(json)).toThrow(named);
  });
});

describe('what the curves say', () => {
  const curves = readFamilyCurves(CURVES);

  it('is the gap of each seed that was trained in both', () => {
    const gaps = precisionGaps(curves.fp8);
    expect(gaps.map(({ seed }) => seed)).toEqual([1, 2]);
    expect(gaps[0]?.points.at(-1)?.gap).toBeCloseTo(0.01);
    expect(precisionSentence(curves.fp8)).toContain('within the noise');
    expect(precisionSentence(curves.fp8.slice(0, 2))).toContain('+1.00\u00a0%');
    expect(precisionSentence([])).toContain('No seed');
  });

  it('names the best and the worst set of parts', () => {
    expect(partsSentence(curves.nvfp4)).toMatch(/Lowest at the end is bf16.*highest NVFP4 alone/);
  });

  it('names the layers that matter, that were cut, and who won', () => {
    if (curves.puzzle === null) throw new Error('no puzzle');
    expect(importanceSentence(curves.puzzle)).toContain(
      'Without layer 2 the model errs most, without layer 1 least. Cut: layers 0, 1.',
    );
    expect(rankingSentence(curves.puzzle)).toContain('2 of 3 candidates');
    expect(rankingSentence(curves.puzzle)).toContain('number 2 before');
    expect(rankingSentence(curves.puzzle)).not.toContain('made of');
  });

  it('of the shipped search says that the model is of the second, smaller one, as its config has it', () => {
    const folder = new URL('../../../public/models/', import.meta.url);
    const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
    const { puzzle } = readFamilyCurves(read('family-curves.json'));
    const chosen = puzzle?.candidates.filter(({ isChosen }) => isChosen) ?? [];
    const config = read('tidepool-puzzle/config.json') as { intermediate_size: number };
    expect(chosen.map(({ units }) => units)).toEqual([config.intermediate_size]);
    if (puzzle === null) throw new Error('no search');
    expect(rankingSentence(puzzle)).toMatch(
      /made of number 2 after it: 0\.0008 nats behind the first, in 4 % fewer bytes/,
    );
  });
});

describe('figures in words', () => {
  const control = {
    folder: null,
    parameters: null,
    activeParameters: null,
    weightBytes: null,
    heldOutLoss: null,
    problems: 640,
    accuracy: { value: 0.6, interval: [0.55, 0.65] },
  } as const;

  it('says better or worse only beyond chance', () => {
    const verdict = (low: number, high: number): string =>
      comparisonInWords({ value: (low + high) / 2, interval: [low, high] }, control);
    expect(verdict(0.66, 0.7)).toMatch(/^Better/);
    expect(verdict(0.4, 0.54)).toMatch(/^Worse/);
    expect(verdict(0.64, 0.7)).toMatch(/^No difference/);
  });

  it('writes shares as percent and other numbers plainly', () => {
    const figure = { value: 0.5, interval: [0.25, 0.75], control: 0.6 } as const;
    expect(figureInWords({ ...figure, name: 'accuracy on problems' })).toContain('50.0\u00a0%');
    expect(figureInWords({ ...figure, name: 'loss in nats' })).toBe(
      '0.5 (0.25 to 0.75); the control 0.6',
    );
  });

  it('counts what a latent space saves', () => {
    const experts = { count: 8, chosen: 2, width: 64, sharedWidth: null, latentWidth: 48 };
    expect(expertRoom(experts, 192)).toEqual({ perExpert: 6144, atFullWidth: 24_576 });
    expect(expertRoom({ ...experts, width: null }, 192)).toBeNull();
  });
});

describe('a part taken out, in words', () => {
  const step = (experts: readonly number[]): RouterStep => ({
    position: experts.length - 1,
    texts: experts.map(() => ' a'),
    layers: [
      {
        layer: 1,
        chosen: 1,
        experts: Int32Array.from(experts),
        weights: Float32Array.from(experts, () => 1),
      },
    ],
  });
  const run = (experts: readonly number[]) => ({
    tokenIds: [1, 2, 3],
    texts: [' a', ' b', ' c'],
    text: ' a b c',
    ended: true,
    routed: [step(experts)],
  });
  const result: WithoutResult = {
    baseline: run([0, 0, 2, 1]),
    changed: run([3, 3, 2, 1]),
    kl: Float64Array.of(0.5, 0.1, 0),
    firstDifference: 2,
  };

  it('says where the replies part, and who takes over', () => {
    expect(withoutSentence(result, 'expert 0')).toContain('the first 2 tokens are the same');
    expect(withoutSentence(result, 'expert 0')).toContain('0.200 nats');
    expect(withoutSentence({ ...result, firstDifference: null }, 'it')).toContain('the same 3');
    expect(heirSentence(result, { layer: 1, expert: 0 })).toContain('2 had gone to expert 0');
    expect(heirSentence(result, { layer: 1, expert: 0 })).toContain('expert 3 takes over');
    expect(heirSentence(result, { layer: 1, expert: 5 })).toContain('no token had gone');
  });
});
