/** The judge's question, its scores and its quality: values worked out by hand from ProfBench's formulas, and a property each. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeQuestion, readAnswer } from '../../../../src/core/judge/question';
import {
  constantJudge,
  judgeQuality,
  macroF1,
  taskInterval,
  type JudgedPair,
} from '../../../../src/core/judge/quality';
import type { Criterion, CriterionWeight, JudgeTask } from '../../../../src/core/judge/rubric';
import { scoreReplies } from '../../../../src/core/judge/scores';
import { createRandom } from '../../../../src/core/sampling/random';

describe('the question and its answer', () => {
  it('is ProfBench’s, word for word', () => {
    expect(judgeQuestion('It is 4.', 'Says 4')).toBe(
      'Response:\n\nIt is 4.\n\nEvaluate whether the response above satisfies this criterion: Says 4. Only answer Yes or No.',
    );
  });

  it.each([
    ['Yes', 'yes'],
    [' yes, it does', 'yes'],
    ['**No**.', 'no'],
    ['"No"', 'no'],
    ['The answer is yes.', 'yes'],
    ['Answer: No', 'no'],
    ['Yes or No', 'neither'],
    ['No, yes', 'neither'],
    ['yesterday it rained', 'neither'],
    ['Nothing.', 'neither'],
    ['12', 'neither'],
    ['', 'neither'],
    ['The response satisfies it.', 'neither'],
  ])('%j is read as %s', (text, answer) => {
    expect(readAnswer(text)).toBe(answer);
  });

  it('never takes a text without either word for one of them', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/yes|no/i.test(text));
        expect(readAnswer(text)).toBe('neither');
      }),
    );
  });
});

function task(id: string, domain: string, ...weights: readonly CriterionWeight[]): JudgeTask {
  const criteria = weights.map((weight, at): Criterion => ({
    description: `criterion ${at}`,
    types: at === 0 ? ['Reasoning'] : ['Reasoning', 'Style'],
    weight,
    labels: {},
  }));
  return { id, prompt: '?', domain, criteria };
}

describe('scores', () => {
  const tasks = [
    task('a', 'sums', 'Critical', 'Minor'),
    task('b', 'sums', 'Major', 'Additional'),
    task('c', 'words', 'Additional'),
  ];

  it('weigh 4, 3, 2, 1, and the overall is the mean of the domains, not of the tasks', () => {
    const met = new Set(['a0', 'b1', 'c0']);
    const scores = scoreReplies(tasks, ({ id }, at) => met.has(`${id}${at}`));
    expect(scores.tasks.get('a')).toBeCloseTo(4 / 6);
    expect(scores.tasks.get('b')).toBeCloseTo(1 / 4);
    expect(scores.domains.get('sums')).toBeCloseTo((4 / 6 + 1 / 4) / 2);
    expect(scores.overall).toBeCloseTo(((4 / 6 + 1 / 4) / 2 + 1) / 2);
    // Unweighted: of five criteria that ask for reasoning three are met, of two of style one.
    expect(scores.types.get('Reasoning')).toBeCloseTo(3 / 5);
    expect(scores.types.get('Style')).toBeCloseTo(1 / 2);
  });

  it('leave out a task that is not judged whole', () => {
    const scores = scoreReplies(tasks, ({ id }, at) => (id === 'b' && at === 1 ? null : true));
    expect([...scores.tasks.keys()]).toEqual(['a', 'c']);
    expect(scores.overall).toBe(1);
    expect(scoreReplies(tasks, () => null).overall).toBeNull();
  });

  it('lie between 0 and 1, and meeting one more criterion never lowers them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        fc.nat(4),
        (met, more) => {
          const order = ['a0', 'a1', 'b0', 'b1', 'c0'];
          const overall = (bits: readonly boolean[]): number =>
            scoreReplies(tasks, ({ id }, at) => bits[order.indexOf(`${id}${at}`)] ?? null)
              .overall ?? NaN;
          const one = overall(met);
          const other = overall(met.map((bit, at) => bit || at === more));
          expect(one).toBeGreaterThanOrEqual(0);
          expect(other).toBeLessThanOrEqual(1);
          expect(other).toBeGreaterThanOrEqual(one);
        },
      ),
    );
  });
});

/** "source task truth said": `y` or `n`. */
function pairs(...rows: readonly string[]): JudgedPair[] {
  return rows.map((row) => {
    const [source = '', of = '', truth, said] = row.split(' ');
    return { source, task: of, truth: truth === 'y', said: said === 'y' };
  });
}

describe('the judge’s quality', () => {
  const some = pairs('a 1 y y', 'a 1 n y', 'b 1 y y', 'b 2 n n', 'c 2 y n', 'c 2 n n');

  it('is Macro-F1, bias by source and their spread', () => {
    const { macroF1: f1, bias, biasIndex, score } = judgeQuality(some);
    // Yes: 2 right of 3 said and 3 true, F1 2/3; no: 2 right of 3 said and 3 true, F1 2/3.
    expect(f1).toBeCloseTo(100 * (2 / 3));
    expect(Object.fromEntries(bias)).toEqual({ a: 50, b: 0, c: -50 });
    expect(biasIndex).toBe(100);
    expect(score).toBeCloseTo(100 * (2 / 3) - 100);
  });

  it('has no bias index over fewer than three sources', () => {
    const two = judgeQuality(some.filter(({ source }) => source !== 'c'));
    expect(two.biasIndex).toBeNull();
    expect(two.score).toBeNull();
  });

  it('is 100 for a judge that says what the labels say', () => {
    const right = judgeQuality(some.map((pair) => ({ ...pair, said: pair.truth })));
    expect([right.macroF1, right.biasIndex, right.score]).toEqual([100, 0, 100]);
  });

  it('is low for a judge that always says yes, and loses what the sources differ by', () => {
    // True shares: a 3/4, b 2/4, c 1/4.
    const rows = pairs(
      ...['a 1 y n', 'a 1 y n', 'a 2 y n', 'a 2 n n'],
      ...['b 1 y n', 'b 1 y n', 'b 2 n n', 'b 2 n n'],
      ...['c 1 y n', 'c 1 n n', 'c 2 n n', 'c 2 n n'],
    );
    const yes = judgeQuality(constantJudge(rows, true));
    // F1 of yes 2·6/(12+6), of no 0: half of 2/3.
    expect(yes.macroF1).toBeCloseTo(100 / 3);
    expect(yes.biasIndex).toBe(50);
    expect(yes.score).toBeCloseTo(100 / 3 - 50);
  });

  it('counts one class only where there is only one, as scikit-learn does', () => {
    expect(macroF1(pairs('a 1 y y', 'a 1 y y'))).toBe(100);
    expect(macroF1(pairs('a 1 y n'))).toBe(0);
    expect(macroF1([])).toBe(0);
  });

  it('never gives a constant judge more than half by Macro-F1 where both answers are true somewhere', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 2, maxLength: 30 }),
        fc.boolean(),
        (truths, said) => {
          fc.pre(truths.includes(true) && truths.includes(false));
          const rows = truths.map((truth, at) => ({
            source: String(at % 3),
            task: '1',
            truth,
            said,
          }));
          expect(macroF1(rows)).toBeLessThan(50);
        },
      ),
    );
  });

  it('has an interval over tasks that holds the figure', () => {
    const rows = Array.from({ length: 40 }, (_, at) => ({
      source: ['a', 'b', 'c'][at % 3] ?? '',
      task: String(Math.floor(at / 4)),
      truth: at % 2 === 0,
      said: at % 5 !== 0,
    }));
    const [low, high] = taskInterval(rows, macroF1, createRandom(1), 200);
    expect(low).toBeLessThan(macroF1(rows));
    expect(high).toBeGreaterThan(macroF1(rows));
    expect(taskInterval(rows, macroF1, createRandom(1), 200)).toEqual([low, high]);
  });
});
