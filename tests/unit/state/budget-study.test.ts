// What the limit buys: measuring with an engine that is right only when it may think.
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseProblems } from '../../../src/core/evaluation/problem';
import type { Generation } from '../../../src/engine/engine';
import { FakeEngine } from '../../../src/engine/fake-engine';
import { BudgetStudy } from '../../../src/state/budget-study.svelte';
import { ModelStatus } from '../../../src/state/model-status.svelte';
import { readShippedCurve } from '../../../src/state/shipped-curve';
import heldOut from '../../../src/ui/budget/held-out.json';
import { until } from './make-app';

const PROBLEMS = parseProblems([
  {
    id: 'a',
    family: 'addition',
    difficulty: 1,
    phrasing: 'train',
    question: 'What is 23 + 58?',
    gold: '81',
    check: { kind: 'number' },
  },
  {
    id: 'b',
    family: 'addition',
    difficulty: 2,
    phrasing: 'test',
    question: '23 + 58!',
    gold: '81',
    check: { kind: 'number' },
  },
]);

/** The fake engine, which says 81; with thinking off its answer is broken off before the sum. */
class HastyEngine extends FakeEngine {
  override generate(...[request, onEvents]: Parameters<FakeEngine['generate']>): Generation {
    const isHasty = request.thinkingLimit === 0;
    return super.generate(isHasty ? { ...request, maxAnswerTokens: 3 } : request, onEvents);
  }
}

function studyOf(paceMs = 0, respond: () => Response = () => new Response('', { status: 404 })) {
  const engine = new HastyEngine({ scenario: 'thinks', paceMs });
  const url = 'https://example.test/models/fake/';
  const asked: string[] = [];
  const study = new BudgetStudy({
    engine,
    status: new ModelStatus(engine, url),
    runAlone: (work) => work(),
    modelUrl: () => url,
    fetch: (address) => {
      asked.push(address);
      return Promise.resolve(respond());
    },
  });
  return { study, asked };
}

test('asks each problem at each limit and adds the answers up', async () => {
  const { study } = studyOf();
  await study.run(PROBLEMS, [0, 128]);
  expect(study.phase).toBe('done');
  expect(study.doneReplies).toBe(4);
  expect(study.here?.overall).toEqual({ '0': 0, '128': 1 });
  expect(study.here?.thoughtTokens['0']).toBe(0);
  expect(study.here?.thoughtTokens['128']).toBeGreaterThan(10);
  expect(study.here?.interval['128']?.[0]).toBeGreaterThan(0.3);
  expect(study.here?.n).toBe(2);
});

test('can be cancelled in mid-reply; what was measured stays, and a new run begins anew', async () => {
  const { study } = studyOf(3);
  const run = study.run(PROBLEMS, [128, 0]);
  await until(() => study.doneReplies === 1, 'the first reply');
  study.cancel();
  await run;
  expect(study.phase).toBe('cancelled');
  expect(study.doneReplies).toBeLessThan(4);
  expect(study.here?.overall['128']).toBe(1);
  await study.run(PROBLEMS.slice(0, 1), [128]);
  expect(study.phase).toBe('done');
  expect(study.doneReplies).toBe(1);
});

describe('the shipped curve', () => {
  const CURVE = {
    model: { variant: 'q8' },
    overall: { '0': 0.25, unlimited: 0.75 },
    interval: { '0': [0.2, 0.3], unlimited: [0.7, 0.8] },
    tokens: { '0': 8, unlimited: 60 },
    thoughtTokens: { '0': 0, unlimited: 50 },
    n: 400,
  };

  const IN_CHAT = {
    problems: 160,
    alone: 0.6875,
    second: 0.0875,
    fourth: 0.0437,
    interval: { alone: [0.612, 0.7542], second: [0.0528, 0.1415], fourth: [0.0214, 0.0875] },
  };

  test('is read once, beside the model', async () => {
    const { study, asked } = studyOf(0, () => Response.json(CURVE));
    await study.loadShipped();
    await study.loadShipped();
    expect(asked).toEqual(['https://example.test/models/fake/eval.json']);
    expect(study.shipped).toMatchObject({ n: 400, variant: 'q8', overall: CURVE.overall });
  });

  test('has what was asked later in a chat, where the file has that', () => {
    expect(readShippedCurve(CURVE).inChat).toBeNull();
    const families = { logic: { alone: 1, second: 0, fourth: 0 } };
    expect(readShippedCurve({ ...CURVE, inChat: { ...IN_CHAT, families } }).inChat).toEqual(
      IN_CHAT,
    );
  });

  test('that is missing or damaged is a sentence', async () => {
    const missing = studyOf();
    await missing.study.loadShipped();
    expect(missing.study.shippedProblem).toContain('without');
    const damaged = studyOf(0, () => Response.json({ ...CURVE, overall: { '0': 7 } }));
    await damaged.study.loadShipped();
    expect(damaged.study.shipped).toBeNull();
    expect(damaged.study.shippedProblem).toContain('overall.0');
  });

  test.each([
    ['n', { ...CURVE, n: 0 }],
    ['interval.0', { ...CURVE, interval: { '0': 0.5 } }],
    ['tokens', { ...CURVE, tokens: null }],
    ['the whole', []],
    ['inChat', { ...CURVE, inChat: null }],
    ['inChat.problems', { ...CURVE, inChat: { ...IN_CHAT, problems: 0 } }],
    ['inChat.second', { ...CURVE, inChat: { ...IN_CHAT, second: 1.5 } }],
    [
      'inChat.interval.fourth',
      { ...CURVE, inChat: { ...IN_CHAT, interval: { ...IN_CHAT.interval, fourth: [0.1] } } },
    ],
  ])('names the field that is wrong: %s', (name, value) => {
    expect(() => readShippedCurve(value)).toThrow(name);
  });
});

test('the problems that are shipped are held-out ones, of many families, without tools', async () => {
  const url = new URL('../../fixtures/eval/problems.json', import.meta.url);
  const all = parseProblems(JSON.parse(await readFile(url, 'utf8')));
  const known = new Map(all.map((problem) => [problem.id, problem]));
  const shipped = parseProblems(heldOut);
  expect(shipped).toHaveLength(90);
  for (const problem of shipped) expect(problem).toEqual(known.get(problem.id));
  expect(new Set(shipped.map(({ family }) => family)).size).toBeGreaterThanOrEqual(15);
  expect(shipped.every(({ tools, now }) => tools.length === 0 && now === null)).toBe(true);
});
