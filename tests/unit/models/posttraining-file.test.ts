import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { readPosttrainingFile } from '../../../src/models/posttraining-file';
import { figureWords } from '../../../src/state/lab/posttraining/posttraining-words';
import shipped from '../../../public/models/posttraining.json';

const ROW = {
  id: 'grpo',
  model: 'tidepool',
  figure: { name: 'accuracy', before: 0.6, after: 0.65, interval: [0.61, 0.69] },
  command: 'python -m tidepool_model.posttraining.grpo',
  commit: 'abc1234',
};

const read = (...systems: unknown[]) => readPosttrainingFile({ systems });

describe('reading posttraining.json', () => {
  it('reads the file that is shipped, and README says what it says', () => {
    const { systems, problems } = readPosttrainingFile(shipped);
    expect(problems).toEqual([]);
    expect(systems).toHaveLength(shipped.systems.length);
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    for (const system of systems) {
      expect(system.command).toMatch(/^(npm run |python -m |model\/runs\/)/);
      expect(system.commit).toMatch(/^[0-9a-f]{7,40}$/);
      expect(readme, system.id).toContain(figureWords(system.figure).after.replace('\u00a0', ' '));
    }
  });

  it('takes a row as the contract has it, with or without a figure before and a note', () => {
    const without = { ...ROW, id: 'judge', figure: { ...ROW.figure, before: null }, note: 'why' };
    const { systems, problems } = read(ROW, without);
    expect(problems).toEqual([]);
    expect(systems).toEqual([{ ...ROW, note: '' }, without]);
  });

  it.each([
    [{ ...ROW, id: 'moon' }, 'id of systems[1] is "moon"'],
    [{ ...ROW, id: 'judge', command: 7 }, 'command of systems[1]'],
    [{ ...ROW, id: 'judge', figure: { ...ROW.figure, after: '1' } }, 'figure.after of systems[1]'],
    [{ ...ROW, id: 'judge', figure: { ...ROW.figure, interval: [2, 1] } }, 'figure.interval'],
    [{ ...ROW, id: 'judge', figure: null }, 'figure of systems[1]'],
    [ROW, 'twice'],
    [7, 'systems[1]'],
  ])('leaves a broken row out with a sentence that names row and field: %#', (row, named) => {
    const { systems, problems } = read(ROW, row);
    expect(systems).toHaveLength(1);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('posttraining.json');
    expect(problems[0]).toContain(named);
  });

  it('fails with nothing but a sentence, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          readPosttrainingFile(json);
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError);
        }
      }),
    );
  });
});
