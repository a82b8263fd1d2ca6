// The thinking limit means the same on every kind of server: kept to its grace, said how, and an answer follows.
import { describe, expect, test } from 'vitest';
import { graceTokens } from '../../../../src/core/budget/thinking-limit';
import { SERVER_KINDS, type ServerKind } from '../../../../src/core/server/server-names';
import { LONG_THOUGHT, SCRIPT, withServer } from './ask-server';

const LIMIT = 32;
const MOST = LIMIT + graceTokens(LIMIT);

/** The way that each kind is asked on, by a word of its sentence. */
const WAYS: Readonly<Record<Exclude<ServerKind, 'browser'>, RegExp>> = {
  'llama.cpp': /in its own template/,
  ollama: /as the beginning of its answer/,
  'lm-studio': /as the beginning of its answer/,
  vllm: /in its own template/,
  sglang: /as the beginning of its answer/,
  nim: /by the limit of its own that NVIDIA NIM has/,
  transformers: /in the model’s published template/,
  other: /as the beginning of its answer/,
};

describe.each(SERVER_KINDS)('%s', (kind) => {
  test('a long thought stops within limit and grace, and the answer follows', async () => {
    await withServer({ kind, script: SCRIPT }, async ({ reply, server }) => {
      const { thought, answer, notices, result, error, events } = await reply({
        thinkingLimit: LIMIT,
      });
      expect(error).toBeNull();
      expect(answer).toBe('The answer is 42.');
      expect(result?.finish).toBe('end');
      const tokens = thought.trim().split(' ').length;
      expect(tokens).toBeGreaterThanOrEqual(LIMIT);
      expect(tokens).toBeLessThanOrEqual(MOST);
      expect(LONG_THOUGHT.join('').trim().startsWith(thought.trim())).toBe(true);
      expect(result?.stats.thoughtTokens).toBe(tokens);
      expect(result?.stats.answerTokens).toBe(4);
      expect(notices).toEqual([expect.stringMatching(WAYS[kind])]);
      expect(events.filter(({ type }) => type === 'thought-end')).toHaveLength(1);
      // All but NIM, whose own limit has no soft end here, stop at the end of a sentence.
      if (kind !== 'nim') expect(result?.thoughtEnd).toBe('soft-limit');
      // The server is told to stop writing: nobody reads the rest.
      if (kind !== 'nim') expect(server.aborted()).toBe(1);
    });
  });

  test('a short thought ends by itself, and nothing is asked twice', async () => {
    const script = { thought: ['I ', 'know ', 'it.'], answer: SCRIPT.answer };
    await withServer({ kind, script }, async ({ reply, server }) => {
      const { thought, answer, notices, result } = await reply({ thinkingLimit: LIMIT });
      expect(thought.trim()).toBe('I know it.');
      expect(answer).toBe('The answer is 42.');
      expect(result).toMatchObject({ finish: 'end', thoughtEnd: 'natural' });
      expect(notices).toEqual([]);
      expect(server.asked).toHaveLength(1);
    });
  });

  test('a limit of none shows no thought, even by a model that thinks all the same', async () => {
    await withServer({ kind, script: SCRIPT }, async ({ reply }) => {
      const { events, answer, result } = await reply({ thinkingLimit: 0 });
      expect(answer).toBe('The answer is 42.');
      expect(events.some(({ type }) => type === 'thought-start')).toBe(false);
      expect(result?.thoughtEnd).toBeNull();
    });
  });

  test('without a limit the thought ends where the model ends it', async () => {
    await withServer({ kind, script: SCRIPT }, async ({ reply, server }) => {
      const { thought, result } = await reply({ thinkingLimit: 'unlimited' });
      expect(thought.trim()).toBe(LONG_THOUGHT.join('').trim());
      expect(result?.thoughtEnd).toBe('natural');
      expect(server.asked).toHaveLength(1);
    });
  });
});

test.each([
  ['llama.cpp', 'thinking_budget_tokens', MOST],
  ['vllm', 'thinking_token_budget', MOST],
] as const)('%s is told the limit too, where ours would cut: %s', async (kind, field, budget) => {
  await withServer({ kind, script: SCRIPT }, async ({ reply, server }) => {
    await reply({ thinkingLimit: LIMIT });
    expect(server.asked[0]?.body[field]).toBe(budget);
    await reply({ thinkingLimit: 'unlimited' });
    expect(server.asked.at(-1)?.body).not.toHaveProperty(field);
  });
});

test('NIM is told the limit itself: it waits for the end of a line by its own rule', async () => {
  await withServer({ kind: 'nim', script: SCRIPT }, async ({ reply, server }) => {
    const { result } = await reply({ thinkingLimit: 100 });
    expect(server.asked[0]?.body['nvext']).toEqual({ max_thinking_tokens: 100 });
    expect(result?.thoughtEnd).toBe('soft-limit');
    expect(result?.stats.thoughtTokens).toBeLessThanOrEqual(100 + graceTokens(100));
  });
});

test('a server that passes its budget over in silence is stopped from here all the same', async () => {
  await withServer({ kind: 'nim', script: SCRIPT, ignoresBudget: true }, async ({ reply }) => {
    const { result, answer, notices } = await reply({ thinkingLimit: LIMIT });
    expect(result?.stats.thoughtTokens).toBeLessThanOrEqual(MOST);
    expect(answer).toBe('The answer is 42.');
    expect(notices).toEqual([expect.stringMatching(/kept from here/)]);
  });
});

test('a budget that the server refuses is left out, at once and from then on', async () => {
  await withServer(
    { kind: 'vllm', script: SCRIPT, hasNoBudget: true },
    async ({ reply, server }) => {
      expect((await reply()).answer).toBe('The answer is 42.');
      const chats = () => server.asked.filter(({ path }) => path === '/v1/chat/completions');
      expect(chats().map(({ body }) => 'thinking_token_budget' in body)).toEqual([true, false]);
      await reply();
      expect(chats()).toHaveLength(3);
    },
  );
});

test('thoughts between tags in the text are read like those in a field of their own', async () => {
  for (const kind of ['vllm', 'sglang', 'llama.cpp'] as const) {
    await withServer({ kind, script: SCRIPT, isInline: true }, async ({ reply }) => {
      const { thought, answer, result } = await reply({ thinkingLimit: LIMIT });
      expect(result?.stats.thoughtTokens).toBeLessThanOrEqual(MOST);
      expect(thought).not.toContain('<think>');
      expect(answer).toBe('The answer is 42.');
    });
  }
});

test('a server that takes no beginning is asked again with thinking off, and the reply says so', async () => {
  const options = {
    kind: 'ollama',
    script: SCRIPT,
    ignoresPrefill: true,
    alwaysThinks: false,
  } as const;
  await withServer(options, async ({ reply, server }) => {
    const { answer, notices, result } = await reply({ thinkingLimit: LIMIT });
    expect(answer).toBe('The answer is 42.');
    expect(result?.stats.thoughtTokens).toBeLessThanOrEqual(MOST);
    expect(server.asked.length).toBeGreaterThan(1);
    expect(notices).toHaveLength(1);
  });
});

test('a model that will not stop thinking ends in a sentence, not in a thought without end', async () => {
  const options = {
    kind: 'ollama',
    script: SCRIPT,
    ignoresPrefill: true,
    alwaysThinks: true,
  } as const;
  await withServer(options, async ({ reply }) => {
    const { error, thought, answer } = await reply({ thinkingLimit: LIMIT });
    expect(error).toMatchObject({
      code: 'server',
      message: expect.stringMatching(/think again/) as unknown,
    });
    expect(thought.trim().split(' ').length).toBeLessThanOrEqual(MOST);
    expect(answer).toBe('');
  });
});

test('a sentence that closes the thought is shown as put in, and the server reads it', async () => {
  await withServer({ kind: 'llama.cpp', script: SCRIPT }, async ({ reply, server }) => {
    const { events, answer } = await reply({ closingSentence: 'Time is up.' });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'token', injected: true, text: '\nTime is up.' }),
    );
    expect(server.asked.at(-1)?.body['prompt']).toMatch(/done\.\nTime is up\.\n<\/think>\n\n$/);
    expect(answer).toBe('The answer is 42.');
  });
});

test('“Answer now” closes the thought', async () => {
  await withServer({ kind: 'llama.cpp', script: SCRIPT, paceMs: 2 }, async ({ reply }) => {
    let thought = 0;
    const done = await reply({ thinkingLimit: 'unlimited' }, (event, run) => {
      if (event.type === 'token' && event.channel === 'thought' && (thought += 1) === 5)
        run.answerNow();
    });
    expect(done.result?.thoughtEnd).toBe('answer-now');
    expect(done.result?.stats.thoughtTokens).toBeLessThan(20);
    expect(done.answer).toBe('The answer is 42.');
  });
});

test('an effort is a word of its own beside the limit, and none where thinking is off', async () => {
  await withServer(
    { kind: 'ollama', script: SCRIPT },
    async ({ reply, server }) => {
      await reply({ thinkingLimit: LIMIT });
      expect(server.asked[0]?.body['reasoning_effort']).toBe('low');
      server.asked.length = 0;
      await reply({ thinkingLimit: 0 });
      expect(server.asked[0]?.body['reasoning_effort']).toBe('none');
    },
    { target: { effort: 'low' } },
  );
});
