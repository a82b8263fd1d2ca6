// A reply by a server is stopped, goes on, runs tools and fails like one in the tab, in the same events.
import { expect, test } from 'vitest';
import type { FakeOptions } from '../../../fake-llm-server';
import { SCRIPT, withServer } from './ask-server';

const SHORT = {
  thought: ['Let ', 'me ', 'see.'],
  answer: ['One ', 'two ', 'three ', 'four ', 'five.'],
};

test('a stop ends the reply and the server’s work', async () => {
  await withServer({ kind: 'llama.cpp', script: SCRIPT, paceMs: 2 }, async ({ reply, server }) => {
    let tokens = 0;
    const { result } = await reply({ thinkingLimit: 'unlimited' }, (event, run) => {
      if (event.type === 'token' && (tokens += 1) === 4) run.stop();
    });
    expect(result).toMatchObject({ finish: 'stopped', thoughtEnd: 'stopped' });
    await expect.poll(() => server.aborted()).toBe(1);
  });
});

test.each(['llama.cpp', 'vllm', 'transformers', 'ollama', 'sglang'] as const)(
  '%s goes on inside the answer',
  async (kind) => {
    await withServer({ kind, script: SHORT }, async ({ reply }) => {
      const { answer, thought, result } = await reply({
        continueFrom: { thought: 'Let me see.', answer: 'One two ' },
      });
      expect(answer).toBe('three four five.');
      expect(thought).toBe('');
      expect(result?.finish).toBe('end');
    });
  },
);

test.each(['llama.cpp', 'vllm', 'transformers'] as const)(
  '%s goes on inside the thought, without a field of its own for it',
  async (kind) => {
    await withServer({ kind, script: SHORT, isInline: true }, async ({ reply }) => {
      const { answer, thought } = await reply({ continueFrom: { thought: 'Let ', answer: '' } });
      expect(thought).toContain('me see.');
      expect(answer).toBe('One two three four five.');
    });
  },
);

test('a begun answer that a server cannot go on with is refused in words, not written twice', async () => {
  await withServer(
    { kind: 'transformers', script: SHORT },
    async ({ reply, model }) => {
      expect(model.server?.ways).toEqual(['again']);
      const { error } = await reply({ continueFrom: { thought: null, answer: 'One ' } });
      expect(error).toMatchObject({
        code: 'server',
        remedy: expect.stringMatching(/Generate/) as unknown,
      });
    },
    { host: { publishedTemplate: () => Promise.resolve(null) } },
  );
});

test('a thought that already stands at its limit is closed before anything is thought', async () => {
  await withServer({ kind: 'llama.cpp', script: SHORT }, async ({ reply }) => {
    const thought = 'step and step '.repeat(30);
    const { answer, result, error } = await reply({
      thinkingLimit: 16,
      continueFrom: { thought, answer: '' },
    });
    expect(error).toBeNull();
    expect(result?.thoughtEnd).toBe('hard-limit');
    expect(answer).toBe('One two three four five.');
  });
});

test.each([
  ['in parts', 'llama.cpp', false],
  ['inline', 'other', true],
] as const)(
  'a tool call that comes %s is run, and its result read',
  async (_how, kind, isInline) => {
    const call = { name: 'calculator', arguments: '{"expression":"417 * 96"}' };
    const script = isInline
      ? {
          thought: ['Too ', 'large.'],
          answer: [`<tool_call>{"name":"calculator","arguments":${call.arguments}}</tool_call>`],
        }
      : { thought: ['Too ', 'large.'], answer: ['It ', 'is ', '40032.'], call };
    await withServer({ kind, script }, async ({ reply, server }) => {
      const { events, answer, result } = await reply({ tools: ['calculator'] });
      const steps = events.filter(({ type }) => type === 'tool-call' || type === 'tool-result');
      expect(steps.slice(0, 2)).toEqual([
        { type: 'tool-call', call: { name: 'calculator', arguments: { expression: '417 * 96' } } },
        { type: 'tool-result', name: 'calculator', content: '40032', isError: false },
      ]);
      expect(server.asked[0]?.body['tools']).toHaveLength(1);
      const second = server.asked[1]?.body['messages'] as { role: string; content: string }[];
      expect(second.slice(-2)).toMatchObject([
        { role: 'assistant', tool_calls: [{ function: { name: 'calculator' } }] },
        { role: 'tool', content: '40032' },
      ]);
      if (isInline) return;
      expect(answer).toBe('It is 40032.');
      expect(result?.finish).toBe('end');
    });
  },
);

test('what a reply may answer is kept to, over all its questions', async () => {
  await withServer({ kind: 'llama.cpp', script: SHORT }, async ({ reply, server }) => {
    const { answer, result } = await reply({ maxAnswerTokens: 2 });
    expect(answer).toBe('One two ');
    expect(result?.finish).toBe('length');
    expect(server.asked[0]?.body['max_tokens']).toBeGreaterThan(2);
  });
});

test('a server that does not stream is read whole, limit and all', async () => {
  await withServer({ kind: 'vllm', script: SCRIPT, isUnstreamed: true }, async ({ reply }) => {
    const { answer, notices, result } = await reply({ thinkingLimit: 32 });
    expect(answer).toBe('The answer is 42.');
    expect(result?.stats.thoughtTokens).toBeLessThanOrEqual(48);
    expect(notices[0]).toMatch(/does not stream/);
  });
});

test('llama.cpp’s reading of the prompt is shown', async () => {
  await withServer({ kind: 'llama.cpp', script: SHORT }, async ({ reply }) => {
    const { events, result } = await reply();
    expect(events[0]).toEqual({ type: 'prefill', done: 11, total: 11, reused: 3 });
    expect(result?.stats).toMatchObject({ promptTokens: 11, thoughtTokens: 3, answerTokens: 5 });
    expect(result?.stats.device).toMatch(/^server:127\.0\.0\.1:/);
    expect(result?.memory).toBeNull();
  });
});

const failures: readonly [string, Partial<FakeOptions>, string, RegExp, RegExp][] = [
  ['breaks off', { breaksAfter: 5 }, 'server', /in the middle/, /Continue/],
  ['fails inside', { failsAfter: 5 }, 'server', /CUDA error/, /log/],
  [
    'is still loading',
    { refuses: { status: 503, body: { error: { message: 'Loading model' } } } },
    'server',
    /not ready/,
    /moment/,
  ],
  [
    'has too short a context',
    {
      refuses: { status: 400, body: { error: { message: 'exceeds the available context size' } } },
    },
    'prompt-too-long',
    /context/,
    /-c/,
  ],
];

test.each(failures)(
  'a server that %s ends in its sentence',
  async (_what, change, code, message, remedy) => {
    await withServer({ kind: 'llama.cpp', script: SHORT, ...change }, async ({ reply }) => {
      const { error } = await reply();
      expect(error).toMatchObject({
        code,
        message: expect.stringMatching(message) as unknown,
        remedy: expect.stringMatching(remedy) as unknown,
      });
    });
  },
);

test('after a broken reply the next one is answered', async () => {
  await withServer({ kind: 'ollama', script: SHORT, breaksAfter: 4 }, async ({ reply }) => {
    const broken = await reply();
    expect(broken.error).not.toBeNull();
    expect(broken.thought).toBe('Let me see.');
    expect((await reply()).answer).toBe('One two three four five.');
  });
});

test('a server that is gone is said to be gone', async () => {
  await withServer({ kind: 'ollama', script: SHORT }, async ({ reply, server }) => {
    await server.close();
    const { error } = await reply();
    expect(error).toMatchObject({
      message: expect.stringMatching(/No answer that this page may read/) as unknown,
    });
  });
});

test('likely tokens come with their probabilities where the server tells them, and are asked for only then', async () => {
  await withServer({ kind: 'vllm', script: SHORT }, async ({ reply, server }) => {
    await reply({ candidates: 5 });
    expect(server.asked[0]?.body).toMatchObject({ logprobs: true, top_logprobs: 5 });
    await reply();
    expect(server.asked.at(-1)?.body).not.toHaveProperty('logprobs');
  });
  await withServer({ kind: 'transformers', script: SHORT }, async ({ reply, server }) => {
    await reply({ candidates: 5 });
    expect(server.asked[0]?.body).not.toHaveProperty('logprobs');
    expect(server.asked[0]?.body).not.toHaveProperty('stream_options');
  });
});
