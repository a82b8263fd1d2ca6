/** The figures of a judging: scores and costs by source, quality by judge, and constant judges on the same pairs. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeFigures, sourceFigures } from '../../../../src/core/judge/figures';
import { openJudgeFile } from '../../../../src/core/judge/judge-file';
import { WEIGHTS, type Verdict } from '../../../../src/core/judge/rubric';

const own = openJudgeFile(readFileSync('public/judge/tasks.jsonl', 'utf8'), '', []);

/** A judge that says what the labels say. */
const verdicts: readonly Verdict[] = own.tasks.flatMap((task) =>
  task.criteria.flatMap(({ labels }, criterion) =>
    Object.entries(labels).map(([source, label]): Verdict => {
      const answer = label === true ? 'yes' : 'neither';
      const cost = { promptTokens: 50, tokens: 2, ms: 10 };
      return { judge: 'labels', source, task: task.id, criterion, answer, ...cost };
    }),
  ),
);

describe('the page’s own set', () => {
  it('has forty tasks in four domains, each with a critical criterion, and reads whole', () => {
    expect(own.problems).toEqual([]);
    expect(own.tasks).toHaveLength(40);
    expect(new Set(own.tasks.map(({ domain }) => domain)).size).toBe(4);
    for (const { id, criteria } of own.tasks)
      expect(
        criteria.some(({ weight }) => WEIGHTS[weight] === 4),
        id,
      ).toBe(true);
  });

  it('labels every criterion of every reply that comes with it', () => {
    for (const { source, task } of own.replies)
      for (const { labels } of own.tasks.find(({ id }) => id === task)?.criteria ?? [])
        expect(labels[source], `${source}, ${task}`).toBeTypeOf('boolean');
  });
});

describe('the figures', () => {
  const book = { ...own, verdicts };
  const sources = ['written', 'brief', 'tidepool'];

  it('are those of the labels where the judge says what they say', () => {
    for (const figures of sourceFigures(book, own.tasks, sources, 'labels')) {
      expect(figures.byJudge).toEqual(figures.byLabels);
      expect(figures.judged).toBe(128);
    }
    const { judges, always } = judgeFigures(book, own.tasks, 'labels');
    expect(judges.map(({ name, quality }) => [name, quality.score])).toEqual([['labels', 100]]);
    expect(judges[0]?.costs).toEqual({
      promptTokens: 50 * verdicts.length,
      tokens: 2 * verdicts.length,
      ms: 10 * verdicts.length,
    });
    expect(always.yes.score).toBeLessThan(0);
    expect(always.no.score).toBeLessThan(0);
  });

  it('count an answer that is neither as no, and say how many there were', () => {
    const [written, brief] = sourceFigures(book, own.tasks, sources, 'labels');
    expect(written?.neither).toBe(0);
    expect(brief?.neither).toBe(54);
  });
});
