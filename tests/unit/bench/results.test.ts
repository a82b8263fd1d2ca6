import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  figureOf,
  pairedRatio,
  ratiosOf,
  targetsOf,
  type ContenderResult,
} from '../../../scripts/bench/results';

function contender(figures: Record<string, readonly number[]>): ContenderResult {
  return {
    title: '',
    file: '',
    fileBytes: 1,
    threads: 1,
    weightBytes: 1,
    figures: Object.fromEntries(
      Object.entries(figures).map(([name, values]) => [name, figureOf(values)]),
    ),
  };
}

describe('ratios', () => {
  it('pair the rounds, so that a slow spell of the machine falls out', () => {
    // The third and fourth rounds ran at a quarter of the speed; the ratio is 2 in each.
    expect(pairedRatio([200, 210, 50, 52], [100, 105, 25, 26])).toBe(2);
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 1, maxLength: 9 }),
        fc.double({ min: 0.5, max: 4, noNaN: true }),
        (speeds, ratio) => {
          const ours = speeds.map((speed) => speed * ratio * 100);
          const theirs = speeds.map((speed) => speed * 100);
          expect(pairedRatio(ours, theirs)).toBeCloseTo(ratio, 2);
        },
      ),
    );
  });

  it('are held against the better of two peers', () => {
    const ratios = ratiosOf({
      tidepool: contender({ decode128: [300], prefill512: [4000] }),
      'wllama-q8_0': contender({ decode128: [100], prefill512: [1000] }),
      'wllama-q4_0': contender({ decode128: [150], prefill512: [800] }),
      'smollm2-q8': contender({ decode128: [75] }),
      'smollm2-q4': contender({ decode128: [10] }),
    });
    expect(ratios['decodeVsSmolLm2InTransformersJs']).toBe(4);
    expect(ratios['prefillVsSmolLm2InTransformersJs']).toBeNull();
    expect(ratios['decodeVsWllama']).toBe(2);
    expect(ratios['prefillVsWllama']).toBe(4);
  });

  it('take the worst thread count of a peer for us, and least is best for the first token', () => {
    const ratios = ratiosOf({
      tidepool: contender({ firstTokenMs1024: [100], decode128: [300] }),
      transformers: contender({ firstTokenMs1024: [400], decode128: [200] }),
      'transformers-2t': contender({ firstTokenMs1024: [200], decode128: [100] }),
    });
    expect(ratios['ttft1024VsTransformersJsSameFile']).toBe(0.5);
    expect(ratios['decodeVsTransformersJsSameFile']).toBe(1.5);
  });

  it('are null, not made up, where a contender was left out', () => {
    const ratios = ratiosOf({ tidepool: contender({ decode128: [300] }) });
    for (const name of Object.keys(targetsOf('tidepool'))) expect(ratios[name] ?? null).toBeNull();
  });
});
