import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { readPosttrainingCurves } from '../../../src/models/posttraining-curves';
import shipped from '../../../public/models/posttraining-curves.json';

const POINT = { n: 1, right: 0.6, interval: [0.5, 0.7], lift: 0 };
const DRAWS = {
  problems: 120,
  forms: [
    { id: 'bradley-terry', points: [POINT, { ...POINT, n: 2, right: 0.58, lift: 0.5 }] },
    { id: 'attributes', points: [POINT] },
  ],
};
const OLD = { points: [], shown: [], tenths: [{ reward: -1.5, right: 0.25 }] };
const withPoint = (change: object): object => ({
  ...DRAWS,
  forms: [{ id: 'attributes', points: [POINT, { ...POINT, ...change }] }],
});

describe('reading posttraining-curves.json', () => {
  it('reads the file that is shipped', () => {
    const { points, tenths, draws } = readPosttrainingCurves(shipped);
    expect(points).toHaveLength(shipped.points.length);
    expect(tenths).toHaveLength(10);
    for (const form of draws?.forms ?? []) {
      const sizes = form.points.map(({ n }) => n);
      expect(sizes).toEqual(sizes.map((_, at) => 2 ** at));
      const lifts = form.points.map(({ lift }) => lift);
      expect(lifts).toEqual([...lifts].sort((a, b) => a - b));
    }
  });

  it('reads what the best of N is worth, and files without it', () => {
    expect(readPosttrainingCurves(OLD).draws).toBeNull();
    expect(readPosttrainingCurves({ ...OLD, draws: DRAWS }).draws).toEqual(DRAWS);
  });

  it.each([
    [{ ...DRAWS, forms: [{ id: 'votes', points: [] }] }, 'draws.forms[0].id is "votes"'],
    [withPoint({ right: 'all' }), 'draws.forms[0].points[1].right'],
    [withPoint({ interval: [0.1] }), 'draws.forms[0].points[1].interval[1]'],
    [withPoint({ n: 1.5 }), 'draws.forms[0].points[1].n'],
    [withPoint({ lift: null }), 'draws.forms[0].points[1].lift'],
    [{ ...DRAWS, problems: -3 }, 'draws.problems'],
    [7, 'draws'],
  ])('names the field that cannot be: %#', (draws, named) => {
    const reading = (): unknown => readPosttrainingCurves({ ...OLD, draws });
    expect(reading).toThrow(named);
    expect(reading).toThrow('posttraining-curves.json');
    expect(reading).toThrow(EngineError);
  });

  it('fails with nothing but a sentence, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (draws) => {
        try {
          readPosttrainingCurves({ ...OLD, draws });
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError);
        }
      }),
    );
  });
});
