// The report's file: its fields, what may be missing, and what is refused by its name.
import { describe, expect, it } from 'vitest';
import { IMPACT_CATEGORIES, readImpactFile } from '../../../src/models/impact-file';

const figure = {
  id: 'pairs',
  model: 'tidepool',
  name: 'The stereotyped sentence is the likelier one',
  value: 51.2,
  unit: '%',
  interval: [48.7, 53.7],
  n: 1508,
  neutral: 50,
  groups: [{ name: 'age', value: 53, interval: null, n: 87 }],
  gate: { name: 'order', value: 71, unit: '%', interval: null, n: 9, needed: 90, passed: false },
  command: 'python -m impact',
  cannotSay: 'Pairs are noisy.',
  later: 'unknown fields are passed over',
};

function file(...figures: readonly unknown[]): unknown {
  return {
    date: '2026-11-28',
    models: [{ id: 'tidepool', name: 'Tidepool small' }],
    categories: IMPACT_CATEGORIES.map((id) => ({ id, figures: id === 'bias' ? figures : [] })),
  };
}

describe('impact.json', () => {
  it('is read with gate, groups and neutral value', () => {
    const { categories, models } = readImpactFile(file(figure));
    expect(categories.map(({ id }) => id)).toEqual(IMPACT_CATEGORIES);
    expect(models.get('tidepool')).toBe('Tidepool small');
    expect(categories[0]?.figures[0]).toMatchObject({
      value: 51.2,
      interval: [48.7, 53.7],
      count: 1508,
      neutral: 50,
      groups: [{ name: 'age', value: 53, interval: null, count: 87 }],
      gate: { needed: 90, hasPassed: false },
    });
  });

  it('may say nothing where there is nothing', () => {
    const bare = { id: 'x', name: 'Not measured', value: null, interval: null };
    const { categories } = readImpactFile(file(bare));
    expect(categories[0]?.figures[0]).toMatchObject({
      value: null,
      interval: null,
      model: null,
      groups: [],
      gate: null,
      neutral: null,
      unit: '',
    });
  });

  it.each([
    [{ categories: 7 }, 'categories'],
    [{ categories: [{ id: 'moon' }] }, 'categories[0] is "moon"'],
    [file({ ...figure, value: 'high' }), 'value of figures[0] of bias'],
    [file({ ...figure, interval: [1] }), 'interval of figures[0] of bias'],
    [file({ ...figure, name: '' }), 'name of figures[0] of bias'],
  ])('is refused by the name of the field', (json, part) => {
    expect(() => readImpactFile(json)).toThrow(part);
  });
});
