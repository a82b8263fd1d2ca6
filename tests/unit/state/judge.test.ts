// A judging: what is missing is written and asked, kept, gone on with; six sources at most; a changed reply is asked anew.
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine';
import { FakeEngine } from '../../../src/engine/fake-engine';
import type { JudgeEngines } from '../../../src/state/judge/judge-engines.svelte';
import { Judge } from '../../../src/state/judge/judge.svelte';

const TASKS = ['a', 'b', 'c']
  .map((id) =>
    JSON.stringify({
      task_id: id,
      domain: 'Sums',
      prompt: 'What is 23 + 58?',
      x_response: 'It is 81.',
      rubrics: [
        {
          criterion_description: 'States 81',
          criterion_type: [],
          criterion_weight: 'Major',
          x_fulfilment: true,
        },
      ],
    }),
  )
  .join('\n');

/** Counts what the engine is asked; stops the judging after `most` requests. */
function judgeOf(kept: { value: unknown }, most = Infinity) {
  const engine = new FakeEngine({ scenario: 'thinks', paceMs: 0 });
  const asked: string[] = [];
  const generate = engine.generate.bind(engine);
  engine.generate = (request, onEvents) => {
    asked.push(request.messages[0]?.content ?? '');
    if (asked.length > most) judge.stop();
    return generate(request, onEvents);
  };
  const engines = {
    models: [{ key: 'tide', title: 'Tide', place: null }],
    look: async () => {},
    use: async (_key: string, work: (engine: Engine) => Promise<void>) => {
      await engine.load({ modelUrl: 'https://example.test/', device: 'auto' }, () => {});
      await work(engine);
    },
  };
  const judge: Judge = new Judge({
    engines: engines as unknown as JudgeEngines,
    store: {
      load: async () => kept.value,
      save: async (value) => {
        kept.value = JSON.parse(JSON.stringify(value));
      },
    },
    fetchTasks: async () => TASKS,
    now: () => 0,
    onProblem: (error) => {
      throw error;
    },
  });
  return { judge, asked };
}

describe('a judging', () => {
  test('writes what is missing, then asks each criterion once', async () => {
    const { judge, asked } = judgeOf({ value: undefined });
    await judge.load();
    judge.addModel('tide', 32);
    expect(judge.progress).toEqual({ done: 0, total: 9 });
    await judge.run();
    expect(judge.phase).toBe('done');
    expect(judge.progress).toEqual({ done: 9, total: 9 });
    expect(asked).toHaveLength(9);
    expect(asked.filter((text) => text.endsWith('Only answer Yes or No.'))).toHaveLength(6);
    // The scripted engine says a number, whatever it is asked: neither yes nor no.
    expect(judge.book.verdicts.every(({ answer }) => answer === 'neither')).toBe(true);
    expect(judge.reply('Tide (thinking 32)', 'a')?.text).toContain('81');
  });

  test('stops, is kept, and goes on in another page with what is left', async () => {
    const kept = { value: undefined };
    const first = judgeOf(kept, 2);
    await first.judge.load();
    await first.judge.run();
    expect(first.judge.phase).toBe('stopped');
    expect(first.judge.progress).toEqual({ done: 2, total: 3 });

    const second = judgeOf(kept);
    await second.judge.load();
    expect(second.judge.phase).toBe('stopped');
    await second.judge.run();
    expect(second.judge.phase).toBe('done');
    expect(second.asked).toHaveLength(1);
  });

  test('settles with all that was said kept, and takes up what was changed meanwhile', async () => {
    const kept: { value: unknown } = { value: undefined };
    const { judge } = judgeOf(kept);
    await judge.load();
    void judge.run();
    await judge.settle();
    expect(judge.phase).toBe('stopped');
    expect(JSON.parse(judge.asJson())).toEqual(kept.value);
    kept.value = { ...(kept.value as object), setUp: { taskCount: 2 } };
    await judge.load();
    expect(judge.tasks).toHaveLength(2);
  });

  test('has six sources at most, and says so', async () => {
    const { judge } = judgeOf({ value: undefined });
    await judge.load();
    for (const limit of [0, 16, 32, 64, 128, 256]) judge.addModel('tide', limit);
    expect(judge.setUp.sources).toHaveLength(6);
    expect(judge.problems.join(' ')).toContain('6 sources at most');
  });

  test('asks anew about a reply that was pasted over', async () => {
    const { judge, asked } = judgeOf({ value: undefined });
    await judge.load();
    await judge.run();
    judge.paste('x', 'b', 'It is 80.');
    expect(judge.progress).toEqual({ done: 2, total: 3 });
    await judge.run();
    expect(asked).toHaveLength(4);
    expect(asked[3]).toContain('It is 80.');
  });
});
