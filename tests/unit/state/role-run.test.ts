// A reply that is drafted, checked and mended, on an engine that answers from a script.
import { describe, expect, test } from 'vitest';
import { growReply, type RoleEvent } from '../../../src/core/chat/grow-reply';
import { answerOf, rolesOf } from '../../../src/core/chat/reply-parts';
import type { ReplyPart } from '../../../src/core/chat/reply';
import { EngineError } from '../../../src/core/errors';
import type { Engine, Generation } from '../../../src/engine/engine';
import type {
  EngineEvent,
  GenerateRequest,
  GenerateResult,
  LoadedModel,
} from '../../../src/protocol/engine-api';
import { NO_ROLES, RolesMode } from '../../../src/state/roles/roles-mode.svelte';
import { runRoles } from '../../../src/state/roles/role-run';
import { readReply } from '../../../src/storage/read-reply';
import { makeApp, until } from './make-app';

const PROMPTS = { draft: 'You write.', feedback: 'You check.', edit: 'You mend.' };
const REQUEST: GenerateRequest = {
  id: 'reply-1',
  messages: [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi.' },
    { role: 'user', content: 'What is 3 + 4?' },
  ],
  thinkingLimit: 32,
  closingSentence: '',
  maxAnswerTokens: 100,
  sampling: { temperature: 0.2, topK: 40, topP: 0.95, minP: 0.1, repetitionPenalty: 1, seed: 1 },
  stopStrings: [],
  tools: ['calculator'],
  candidates: 0,
};

/** Answers by role; a request named in `hangs` runs until it is stopped, one in `full` has no room. */
class ScriptedEngine implements Pick<Engine, 'generate'> {
  readonly requests: GenerateRequest[] = [];
  hangs = '';
  full = '';
  /** What the reward graph gives a reply; absent: there is none. */
  reward?: (text: string) => number;

  constructor(private readonly says: (role: string, at: number) => string) {}

  generate(
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Generation {
    this.requests.push(request);
    const role = request.messages[0]?.content ?? '';
    const text = this.says(role, this.requests.length);
    let stop = (): void => {};
    const done = new Promise<GenerateResult>((resolve, reject) => {
      const end = (finish: GenerateResult['finish']): void =>
        resolve({
          finish,
          thoughtEnd: null,
          stats: {
            promptTokens: 10,
            reusedTokens: 0,
            prefillMs: 10,
            timeToFirstTokenMs: 12,
            thoughtTokens: 1,
            thoughtMs: 5,
            answerTokens: 2,
            decodeMs: 30,
            decodeTokensPerSecond: 100,
            prefillTokensPerSecond: 1000,
            device: 'wasm',
          },
          memory: null,
          ...(this.reward === undefined || request.isScored !== true
            ? {}
            : { reward: this.reward(text) }),
        });
      stop = () => end('stopped');
      if (role === this.full) {
        reject(new EngineError('prompt-too-long', 'Too long.', 'Shorten it.'));
        return;
      }
      const token = { type: 'token', id: 1, injected: false, ms: 1 } as const;
      onEvents([
        { ...token, text: 'Step.', channel: 'thought' },
        { ...token, text, channel: 'answer' },
      ]);
      if (role !== this.hangs) end('end');
    });
    return { id: request.id, done, stop: () => stop(), answerNow: () => {}, step: () => {} };
  }
}

function gather(): {
  parts: () => readonly ReplyPart[];
  take: (events: readonly (EngineEvent | RoleEvent)[]) => void;
} {
  let parts: readonly ReplyPart[] = [];
  return { parts: () => parts, take: (events) => void (parts = events.reduce(growReply, parts)) };
}

const faulty = (role: string): string =>
  role === PROMPTS.draft ? 'It is 8.' : role === PROMPTS.edit ? 'It is 7.' : 'The answer is wrong.';

describe('a run', () => {
  test('shows each step, ends in the edit, and adds its figures up', async () => {
    const engine = new ScriptedEngine(faulty);
    const { parts, take } = gather();
    const plan = { drafts: 1, feedbacks: 2 };
    const result = await runRoles(engine, REQUEST, [], PROMPTS, plan, take).done;
    expect(rolesOf(parts()).map(({ role, text, isDone }) => [role, text, isDone])).toEqual([
      ['draft', 'It is 8.', true],
      ['feedback', 'The answer is wrong.', true],
      ['feedback', 'The answer is wrong.', true],
      ['edit', 'It is 7.', true],
    ]);
    expect(answerOf(parts())).toBe('It is 7.');
    expect(result.finish).toBe('end');
    expect(result.stats).toMatchObject({ promptTokens: 40, answerTokens: 8, decodeMs: 120 });
    // The limit holds for each role; tools and the chat before are not for them.
    expect(engine.requests.every(({ thinkingLimit }) => thinkingLimit === 32)).toBe(true);
    expect(engine.requests.every(({ tools }) => tools.length === 0)).toBe(true);
    expect(engine.requests[0]?.messages.map(({ content }) => content)).toEqual([
      'You write.',
      'What is 3 + 4?',
    ]);
    expect(engine.requests[3]?.messages[1]?.content).toContain('Feedback:\nThe answer is wrong.');
    // The same seed twice would be the same feedback twice.
    expect(new Set(engine.requests.map(({ sampling }) => sampling.seed)).size).toBeGreaterThan(2);
  });

  test('where the model scores its replies, drafts and edits are scored and weighed, feedback is not', async () => {
    const engine = new ScriptedEngine((role, at) =>
      role === PROMPTS.feedback ? 'Nothing is wrong.' : `It is ${at}.`,
    );
    engine.reward = (text) => (text === 'It is 3.' ? 2 : -1);
    const { parts, take } = gather();
    await runRoles(engine, REQUEST, [], PROMPTS, { drafts: 3, feedbacks: 1 }, take).done;
    expect(rolesOf(parts()).map(({ role, reward }) => [role, reward])).toEqual([
      ['draft', -1],
      ['feedback', undefined],
      ['draft', 2],
      ['feedback', undefined],
      ['draft', -1],
      ['feedback', undefined],
    ]);
    expect(answerOf(parts())).toBe('It is 3.');
  });

  test('stopped in mid-step keeps what was written, and goes on from there', async () => {
    const engine = new ScriptedEngine(faulty);
    engine.hangs = PROMPTS.feedback;
    const { parts, take } = gather();
    const plan = { drafts: 1, feedbacks: 1 };
    const run = runRoles(engine, REQUEST, [], PROMPTS, plan, take);
    await until(() => rolesOf(parts()).length === 2, 'the feedback');
    run.stop();
    expect((await run.done).finish).toBe('stopped');
    expect(rolesOf(parts()).map(({ isDone }) => isDone)).toEqual([true, false]);
    expect(answerOf(parts())).toBe('');
    engine.hangs = '';
    await runRoles(engine, REQUEST, parts(), PROMPTS, plan, take).done;
    expect(engine.requests.map(({ messages }) => messages[0]?.content)).toEqual([
      PROMPTS.draft,
      PROMPTS.feedback,
      PROMPTS.feedback,
      PROMPTS.edit,
    ]);
    expect(rolesOf(parts()).map(({ isDone }) => isDone)).toEqual([true, true, true]);
    expect(answerOf(parts())).toBe('It is 7.');
  });

  test('a step without room lets the draft stand; a question without room is told', async () => {
    const engine = new ScriptedEngine(faulty);
    engine.full = PROMPTS.feedback;
    const { parts, take } = gather();
    const plan = { drafts: 1, feedbacks: 1 };
    const result = await runRoles(engine, REQUEST, [], PROMPTS, plan, take).done;
    expect(result.finish).toBe('context-full');
    expect(answerOf(parts())).toBe('It is 8.');
    engine.full = PROMPTS.draft;
    const refused = runRoles(engine, REQUEST, [], PROMPTS, plan, () => {});
    await expect(refused.done).rejects.toMatchObject({ code: 'prompt-too-long' });
  });

  test('a model without roles answers by itself, and says so', async () => {
    const engine = new ScriptedEngine(() => 'Seven.');
    const { parts, take } = gather();
    const mode = new RolesMode(() => ({}) as LoadedModel);
    await mode.generate(engine, REQUEST, [], take).done;
    expect(parts()[0]).toEqual({ kind: 'notice', text: NO_ROLES });
    expect(answerOf(parts())).toBe('Seven.');
    expect(engine.requests[0]?.messages).toHaveLength(3);
  });
});

test('in a chat the steps are kept and read again, and the next question sees the answer alone', async () => {
  const app = makeApp('thinks');
  app.chat.way = new RolesMode(() => ({ roles: PROMPTS }) as LoadedModel);
  await app.chat.send('What is 23 + 58?');
  const reply = app.chat.path.at(-1);
  if (reply?.role !== 'assistant') throw new Error('no reply');
  expect(rolesOf(reply.reply.parts).map(({ role }) => role)).toEqual(['draft', 'feedback', 'edit']);
  expect(reply.reply.finish).toBe('end');
  expect(readReply(JSON.parse(JSON.stringify(reply.reply)), 'reply')).toEqual(reply.reply);
  const next = app.chat.promptWith('And 1 more?', []);
  expect(next.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  expect(next[1]?.content).toBe(answerOf(reply.reply.parts));
});
