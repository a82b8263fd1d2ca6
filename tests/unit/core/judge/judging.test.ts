/** A whole judging goes out and comes back, and two become one of which nothing that is here is lost. */
import { describe, expect, it } from 'vitest';
import type { JudgeBook } from '../../../../src/core/judge/judge-file';
import {
  mergeJudgings,
  readJudging,
  writeJudging,
  type Judging,
} from '../../../../src/core/judge/judging';
import { readSetUp } from '../../../../src/core/judge/set-up';

const task = (id: string, prompt = `Ask ${id}`): JudgeBook['tasks'][number] => ({
  id,
  prompt,
  domain: 'Sums',
  criteria: [{ description: 'Says 12', types: [], weight: 'Major', labels: { x: true } }],
});
const reply = (source: string, of: string, text = '12'): JudgeBook['replies'][number] => ({
  source,
  task: of,
  text,
  tokens: null,
  ms: null,
});
const verdict = (judge: string, source: string, of: string): JudgeBook['verdicts'][number] => ({
  judge,
  source,
  task: of,
  criterion: 0,
  answer: 'yes',
  promptTokens: 40,
  tokens: 1,
  ms: 8,
});
const judging = (book: JudgeBook, ...sources: readonly string[]): Judging => ({
  book,
  setUp: readSetUp({ taskCount: 3, sources: sources.map((name) => ({ name })) }),
});

const HERE = judging(
  { tasks: [task('a')], replies: [reply('x', 'a')], verdicts: [verdict('J', 'x', 'a')] },
  'x',
);

describe('a judging', () => {
  it('is read back as it was written', () => {
    const { book, setUp, problems } = readJudging(JSON.parse(JSON.stringify(writeJudging(HERE))));
    expect({ book, setUp }).toEqual(HERE);
    expect(problems).toEqual([]);
  });

  it('is taken whole where there is none', () => {
    expect(mergeJudgings(null, HERE)).toEqual({ ...HERE, added: 3, problems: [] });
  });

  it('adds to another what that one lacks, and once only', () => {
    const found = judging(
      {
        tasks: [task('a'), task('b')],
        replies: [reply('x', 'a'), reply('y', 'b')],
        verdicts: [verdict('J', 'x', 'a'), verdict('K', 'x', 'a'), verdict('J', 'y', 'b')],
      },
      'x',
      'y',
    );
    const { added, problems, ...merged } = mergeJudgings(HERE, found);
    expect(merged.book).toEqual(found.book);
    expect(merged.setUp.sources.map(({ name }) => name)).toEqual(['x', 'y']);
    expect([added, problems]).toEqual([4, []]);
    expect(mergeJudgings(merged, found)).toEqual({ ...merged, added: 0, problems: [] });
  });

  it('keeps the task and the reply that are here, and takes no verdict on others', () => {
    const found = judging({
      tasks: [task('a'), task('c', 'Other words')],
      replies: [reply('x', 'a', '13'), reply('y', 'c')],
      verdicts: [verdict('K', 'x', 'a'), verdict('K', 'y', 'c')],
    });
    const here = judging({ ...HERE.book, tasks: [task('a'), task('c')] }, 'x');
    const { book, added, problems } = mergeJudgings(here, found);
    expect(book).toEqual(here.book);
    expect(added).toBe(0);
    expect(problems).toEqual([
      'Task c is here with other words; that of the file was left out with its replies.',
      'Another reply of x to task a is here; that of the file was left out with its verdicts.',
    ]);
  });

  it('shows six sources at most, and names the others', () => {
    const here = judging(HERE.book, 'x', '2', '3', '4', '5');
    const { setUp, problems } = mergeJudgings(here, judging(HERE.book, 'x', '6', '7', '8'));
    expect(setUp.sources.map(({ name }) => name)).toEqual(['x', '2', '3', '4', '5', '6']);
    expect(problems).toEqual(['Replies come from 6 sources at most; not shown: 7, 8.']);
  });
});
