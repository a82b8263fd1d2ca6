import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRecalled, recallText, type RecallTask } from '../../../../src/core/lab/recall-task';

const tasks = fc
  .record({
    kind: fc.constantFrom('list' as const, 'story' as const, 'name' as const),
    length: fc.integer({ min: 1, max: 60 }),
    keys: fc.integer({ min: 1, max: 8 }),
    depth: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
  })
  .map((task): RecallTask => ({ ...task, keys: Math.min(task.keys, task.length) }));

describe('texts of the recall test', () => {
  it('is the same text for the same task, and another for another seed', () => {
    const task: RecallTask = { kind: 'list', length: 5, keys: 1, depth: 0.5, seed: 9 };
    expect(recallText(task)).toEqual(recallText(task));
    expect(recallText({ ...task, seed: 10 })).not.toEqual(recallText(task));
  });

  it('hides each needle once, with a value that no other name has', () => {
    fc.assert(
      fc.property(tasks, (task) => {
        const { context, questions } = recallText(task);
        expect(questions).toHaveLength(task.keys);
        for (const { key, expected, text } of questions) {
          const entry = {
            list: `${key}: ${expected}`,
            story: `${key} has ${expected} points.`,
            name: `The ${key} belongs to ${expected}.`,
          }[task.kind];
          expect(context.split(entry)).toHaveLength(2);
          expect(text).toContain(key);
          expect(isRecalled(`It is ${expected}.`, expected)).toBe(true);
        }
        if (task.length <= 20) {
          const values = context.match(/\d+/g) ?? [];
          expect(new Set(values).size).toBe(values.length);
        }
      }),
    );
  });

  it('puts needles at the depth that was asked for', () => {
    const at = (depth: number): number => {
      const { context, questions } = recallText({
        kind: 'story',
        length: 40,
        keys: 1,
        depth,
        seed: 3,
      });
      return context.indexOf(questions[0]?.key ?? '') / context.length;
    };
    expect(at(0)).toBe(0);
    expect(at(0.5)).toBeGreaterThan(0.4);
    expect(at(0.5)).toBeLessThan(0.6);
    expect(at(1)).toBeGreaterThan(0.95);
  });

  it('judges by the last number of an answer', () => {
    expect(isRecalled('Ben has 12, so 40.', '40')).toBe(true);
    expect(isRecalled('40? No, 12.', '40')).toBe(false);
    expect(isRecalled('140', '40')).toBe(false);
    expect(isRecalled('', '40')).toBe(false);
  });

  it('finds a name where it stands as a word of its own, however it is written', () => {
    expect(isRecalled('The drum belongs to Zodrilm.', 'Zodrilm')).toBe(true);
    expect(isRecalled('ZODRILM’s.', 'Zodrilm')).toBe(true);
    expect(isRecalled('It is Zodrilmer.', 'Zodrilm')).toBe(false);
    expect(isRecalled('Anna.', 'Zodrilm')).toBe(false);
  });

  it('makes names that are none of those it knows, and none twice', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 8 }), (seed, keys) => {
        const task: RecallTask = { kind: 'name', length: 12, keys, depth: 0.5, seed };
        const { context, questions } = recallText(task);
        const names = questions.map(({ expected }) => expected);
        expect(new Set(names).size).toBe(keys);
        for (const name of names) {
          expect(name).toMatch(/^[A-Z][a-z]{4,}$/);
          expect(context.split(name)).toHaveLength(2);
        }
      }),
    );
  });

  it('refuses tasks out of range', () => {
    const task: RecallTask = { kind: 'list', length: 5, keys: 1, depth: 0.5, seed: 9 };
    expect(() => recallText({ ...task, keys: 6 })).toThrow('6 keys');
    expect(() => recallText({ ...task, length: 0 })).toThrow('0 entries');
    expect(() => recallText({ ...task, depth: 2 })).toThrow('depth 2');
  });
});
