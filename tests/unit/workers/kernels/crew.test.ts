// How threads share a call of a kernel: every unit is computed once, whoever comes when.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ATTEND,
  post,
  takeParts,
  WORDS,
  type Kernels,
  type Kind,
} from '../../../../workers/kernels/crew-work';

function wordsOf(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * WORDS));
}

interface Part {
  readonly kind: Kind;
  readonly numbers: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** Kernels that note what they were asked, and let somebody else run in between. */
function noting(parts: Part[], between: () => void = () => {}): Kernels {
  const note =
    (kind: Kind) =>
    (...numbers: number[]): void => {
      parts.push({
        kind,
        numbers: numbers.slice(0, -2),
        from: numbers.at(-2) ?? NaN,
        to: numbers.at(-1) ?? NaN,
      });
      between();
    };
  return { product4: note('product4'), product8: note('product8'), attend: note('attend') };
}

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8];

describe('a crew’s call', () => {
  it('is done once, in parts, by whoever is there', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.boolean(), { maxLength: 40 }),
        fc.integer({ min: 1, max: 0x3fffffff }),
        (units, part, turns, call) => {
          const words = wordsOf();
          const parts: Part[] = [];
          let depth = 0;
          // Another thread takes parts while this one is at work on one.
          const kernels = noting(parts, () => {
            if (depth > 3 || turns.pop() !== true) return;
            depth += 1;
            takeParts(words, call, kernels, depth);
            depth -= 1;
          });
          post(words, call, 'product4', { units, part, room: 0 }, NUMBERS);
          takeParts(words, call, kernels, 0);
          const seen = parts.toSorted((a, b) => a.from - b.from);
          expect(seen.map(({ from }) => from)).toEqual([
            0,
            ...seen.slice(0, -1).map(({ to }) => to),
          ]);
          expect(seen.at(-1)?.to).toBe(units);
          for (const { kind, numbers } of seen)
            expect([kind, numbers]).toEqual(['product4', NUMBERS]);
        },
      ),
    );
  });

  it('is not touched by a thread that still has the one before in hand', () => {
    const words = wordsOf();
    const parts: Part[] = [];
    post(words, 7, 'product8', { units: 10, part: 5, room: 0 }, NUMBERS);
    takeParts(words, 7, noting(parts), 0);
    post(words, 8, 'product4', { units: 10, part: 5, room: 0 }, NUMBERS);
    const late: Part[] = [];
    takeParts(words, 7, noting(late), 1);
    expect(late).toEqual([]);
    takeParts(words, 8, noting(parts), 1);
    expect(parts.map(({ kind, from }) => [kind, from])).toEqual([
      ['product8', 0],
      ['product8', 5],
      ['product4', 0],
      ['product4', 5],
    ]);
  });

  it('gives each thread work room of its own, and the scale as the float it is', () => {
    const words = wordsOf();
    const numbers = Array.from({ length: 13 }, (_, i) => (i === ATTEND.scale ? 0.125 : 100 * i));
    post(words, 1, 'attend', { units: 4, part: 4, room: 4096 }, numbers);
    const parts: Part[] = [];
    takeParts(words, 1, noting(parts), 2);
    expect(parts).toEqual([
      {
        kind: 'attend',
        numbers: numbers.map((value, i) => (i === ATTEND.scores ? value + 8192 : value)),
        from: 0,
        to: 4,
      },
    ]);
  });
});
