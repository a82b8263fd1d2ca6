// A schema is sent in the words of each server, and an answer that is no JSON all the same is told.
import { expect, test } from 'vitest';
import { withServer } from './ask-server';

const schema = { type: 'object', properties: { a: { type: 'integer' } } } as const;

test('a server is asked for JSON of the schema, and offered no tools', async () => {
  const script = { thought: [], answer: ['{"a"', ': 1}'] };
  await withServer({ kind: 'llama.cpp', script }, async ({ reply, server }) => {
    const { events } = await reply({
      answerSchema: schema,
      thinkingLimit: 0,
      tools: ['calculator'],
    });
    const body: Record<string, unknown> = server.asked.at(-1)?.body ?? {};
    expect(body['response_format']).toMatchObject({ type: 'json_schema', json_schema: { schema } });
    expect(body['tools']).toBeUndefined();
    expect(events.some((event) => event.type === 'notice')).toBe(false);
  });
});

test('where it writes something else, the reply says so', async () => {
  const script = { thought: [], answer: ['Of ', 'course!'] };
  await withServer({ kind: 'transformers', script }, async ({ reply }) => {
    const { events } = await reply({ answerSchema: schema, thinkingLimit: 0 });
    expect(events.filter((event) => event.type === 'notice').at(-1)).toMatchObject({
      text: expect.stringContaining('does not hold its answers to a schema') as unknown,
    });
  });
});

test('after a closed thought the schema goes along', async () => {
  const script = { thought: Array.from({ length: 90 }, () => 'hm '), answer: ['{"a": 1}'] };
  await withServer({ kind: 'vllm', script, hasNoBudget: true }, async ({ reply, server }) => {
    await reply({ answerSchema: schema, thinkingLimit: 16 });
    expect(server.asked.at(-1)).toMatchObject({
      path: '/v1/completions',
      body: { structured_outputs: { json: schema } },
    });
  });
});
