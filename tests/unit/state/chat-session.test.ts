// The chat session on the fake engine: every way a reply can begin, end and branch.
import { describe, expect, test } from 'vitest';
import {
  activeLeaf,
  type AssistantNode,
  type TextNode,
} from '../../../src/core/chat/conversation-tree';
import type { ReplyContent, ThoughtPart } from '../../../src/core/chat/reply';
import { answerOf, thoughtsOf, withResults } from '../../../src/core/chat/reply-parts';
import { graceTokens } from '../../../src/core/budget/thinking-limit';
import { readReply } from '../../../src/storage/read-reply';
import { makeApp, until } from './make-app';

type App = ReturnType<typeof makeApp>;

function replyOf({ chat }: App): AssistantNode {
  const last = chat.path.at(-1);
  if (last?.role !== 'assistant') throw new Error('the conversation does not end in a reply');
  return last;
}

function textOf(reply: ReplyContent | undefined): string {
  return answerOf(reply?.parts ?? []);
}

function thoughtOf({ parts }: ReplyContent): ThoughtPart | undefined {
  return thoughtsOf(parts)[0];
}

function kindsOf({ parts }: ReplyContent): readonly string[] {
  return parts.map(({ kind }) => kind);
}

function questionOf({ chat }: App): TextNode {
  const node = chat.path.at(-2);
  if (node?.role !== 'user') throw new Error('there is no question before the reply');
  return node;
}

describe('sending', () => {
  test('a message gets a thought, an answer, figures and a title', async () => {
    const app = makeApp('thinks');
    app.chat.draft = '  What is 23 + 58?  ';
    await app.chat.send();
    const { reply } = replyOf(app);
    expect(questionOf(app).text).toBe('What is 23 + 58?');
    expect(thoughtOf(reply)?.text).toContain('units: 3 + 8 = 11');
    expect(thoughtOf(reply)?.end).toBe('natural');
    expect(textOf(reply)).toBe('23 + 58 = **81**');
    expect(reply.finish).toBe('end');
    expect(reply.stats?.answerTokens).toBeGreaterThan(0);
    expect(app.chat.conversation.title).toBe('What is 23 + 58?');
    expect(app.chat.draft).toBe('');
    expect(app.chat.isBusy).toBe(false);
    expect(app.chat.memory?.tokens).toBeGreaterThan(0);
  });

  test('each reply says which model wrote it, and which went on with what another had begun', async () => {
    const app = makeApp('streams');
    await app.chat.send('What is 2 + 3?');
    expect(replyOf(app).reply.writer).toBe('Tidepool');
    app.current.title = 'Lagoon';
    await app.chat.send('What is 4 + 5?');
    const { id, reply } = replyOf(app);
    expect(reply.writer).toBe('Lagoon');
    app.current.title = 'Tidepool';
    await app.chat.continueReply(id);
    await app.chat.continueReply(id);
    expect(replyOf(app).reply.writer).toBe('Lagoon, then Tidepool');
    const first = app.chat.path[1];
    expect(first?.role === 'assistant' && first.reply.writer).toBe('Tidepool');
    await until(() => app.kept.length > 0, 'something kept');
    expect(readReply(JSON.parse(JSON.stringify(replyOf(app).reply)), 'reply').writer).toBe(
      'Lagoon, then Tidepool',
    );
  });

  test('a blank message is not sent', async () => {
    const app = makeApp('thinks');
    app.chat.draft = ' \n ';
    expect(app.chat.canSend).toBe(false);
    await app.chat.send();
    expect(app.chat.path).toHaveLength(0);
  });

  test('a message of emoji alone is sent and titled', async () => {
    const app = makeApp('thinks');
    await app.chat.send('🦀🌊');
    expect(app.chat.conversation.title).toBe('🦀🌊');
    expect(replyOf(app).reply.finish).toBe('end');
  });

  test('a message that is too long goes back into the box with a remedy, and the chat works on', async () => {
    const app = makeApp('thinks');
    const long = 'word '.repeat(4000);
    app.chat.draft = long;
    await app.chat.send();
    expect(app.chat.path).toHaveLength(0);
    expect(app.chat.draft).toBe(long);
    expect(app.chat.sendProblem?.message).toContain('2048');
    expect(app.chat.sendProblem?.remedy).not.toBe('');
    await app.chat.send('What is 23 + 58?');
    expect(app.chat.sendProblem).toBeNull();
    expect(replyOf(app).reply.finish).toBe('end');
  });

  test('a second message while a reply runs is not sent', async () => {
    const app = makeApp('thinks');
    const first = app.chat.send('one');
    await app.chat.send('two');
    await first;
    expect(app.chat.path).toHaveLength(2);
  });
});

describe('the thinking limit', () => {
  test('off gives an answer without a thought', async () => {
    const app = makeApp('thinks');
    app.chat.setThinkingLimit(0);
    await app.chat.send('hi');
    expect(thoughtOf(replyOf(app).reply)).toBeUndefined();
    expect(textOf(replyOf(app).reply)).not.toBe('');
  });

  test.each([16, 32, 64])('of %i is kept within its grace', async (limit) => {
    const app = makeApp('cut');
    app.chat.setThinkingLimit(limit);
    await app.chat.send('hi');
    const { reply } = replyOf(app);
    const used = reply.stats?.thoughtTokens ?? 0;
    expect(used).toBeGreaterThanOrEqual(limit);
    expect(used).toBeLessThanOrEqual(limit + graceTokens(limit));
    expect(['soft-limit', 'hard-limit']).toContain(thoughtOf(reply)?.end);
    expect(textOf(reply)).not.toBe('');
  });

  test('belongs to the conversation, and is what the next new chat begins with', async () => {
    const app = makeApp('thinks');
    app.chat.setThinkingLimit(32);
    await app.chat.send('hi');
    const first = app.chat.conversation;
    app.chat.startNew();
    expect(app.chat.conversation.thinkingLimit).toBe(32);
    app.chat.setThinkingLimit('unlimited');
    app.chat.open(first);
    expect(app.chat.conversation.thinkingLimit).toBe(32);
  });

  test('marks the closing sentence it puts in', async () => {
    const app = makeApp('cut');
    app.settings.change({ closingSentence: 'Time is up.' });
    app.chat.setThinkingLimit(16);
    await app.chat.send('hi');
    const thought = thoughtOf(replyOf(app).reply);
    const marked = thought?.injected.map(({ start, end }) => thought.text.slice(start, end));
    expect(marked?.join('')).toContain('Time is up.');
  });
});

describe('a running reply', () => {
  test('stops, is kept as far as it came, and goes on when asked', async () => {
    const app = makeApp('streams');
    const sent = app.chat.send('hi');
    await until(() => textOf(app.chat.live?.reply.view.reply).length > 20, 'some answer');
    app.chat.stop();
    await sent;
    const stopped = replyOf(app);
    expect(stopped.reply.finish).toBe('stopped');
    await app.chat.continueReply(stopped.id);
    const whole = replyOf(app);
    expect(whole.id).toBe(stopped.id);
    expect(whole.reply.finish).toBe('end');
    expect(textOf(whole.reply).startsWith(textOf(stopped.reply))).toBe(true);
    expect(textOf(whole.reply)).toContain('adds* to itself.');
    expect(textOf(whole.reply).match(/A hybrid keeps/g)).toHaveLength(1);
  });

  test('is kept at least once a second while it is written', async () => {
    const app = makeApp('streams', undefined, 50);
    await app.chat.send('hi');
    const written = app.kept.map(({ at, conversation }) => {
      const last = activeLeaf(conversation.tree);
      return { at, length: last?.role === 'assistant' ? textOf(last.reply).length : 0 };
    });
    const midReply = written.filter(({ length }) => length > 0);
    expect(midReply.length).toBeGreaterThan(2);
    for (const [index, { at, length }] of midReply.entries()) {
      const before = midReply[index - 1];
      if (before === undefined) continue;
      expect(length).toBeGreaterThanOrEqual(before.length);
      expect(at - before.at).toBeLessThan(1000);
    }
  });

  test('"answer now" ends the thought and the answer follows', async () => {
    const app = makeApp('cut');
    app.chat.setThinkingLimit('unlimited');
    const sent = app.chat.send('hi');
    await until(() => (app.chat.live?.reply.view.thoughtTokens ?? 0) > 3, 'some thought');
    app.chat.answerNow();
    await sent;
    expect(thoughtOf(replyOf(app).reply)?.end).toBe('answer-now');
    expect(textOf(replyOf(app).reply)).not.toBe('');
  });

  test('waits for a model that loads, and can be stopped while it waits', async () => {
    const app = makeApp('slow-load');
    const sent = app.chat.send('hi');
    expect(app.chat.isBusy).toBe(true);
    app.chat.stop();
    await sent;
    expect(replyOf(app).reply.finish).toBe('stopped');
    expect(app.chat.isBusy).toBe(false);
  });

  test('ends in its own conversation when another is opened', async () => {
    const app = makeApp('streams');
    const sent = app.chat.send('hi');
    await until(() => textOf(app.chat.live?.reply.view.reply).length > 0, 'some answer');
    const { id } = app.chat.conversation;
    app.chat.startNew();
    const second = app.chat.send('and here?');
    await Promise.all([sent, second]);
    expect(app.chat.path).toHaveLength(2);
    expect(replyOf(app).reply.finish).toBe('end');
    await app.store.settled();
    const left = await app.list.read(id);
    const nodes = Object.values(left?.tree.nodes ?? {});
    const reply = nodes.find((node) => node.role === 'assistant');
    expect(reply?.role === 'assistant' && reply.reply.finish).toBe('stopped');
  });

  test('keeps what the dead engine wrote, says so, and answers again after the rebuild', async () => {
    const app = makeApp('dies');
    await app.chat.send('a story');
    const dead = replyOf(app);
    expect(dead.reply.finish).toBe('failed');
    expect(textOf(dead.reply)).toContain('A fox found');
    expect(dead.reply.problem).toContain('engine');
    expect(app.chat.memory).toBeNull();
    await until(() => app.status.phase === 'ready', 'the rebuild');
    await app.chat.regenerate(dead.id);
    expect(replyOf(app).reply.finish).toBe('end');
    expect(app.chat.branches(replyOf(app).id)).toEqual({ count: 2, index: 1 });
  });

  test('shows its tool steps in order', async () => {
    const app = makeApp('tools');
    app.settings.change({ tools: ['calculator', 'clock'] });
    await app.chat.send('417 × 96, and the time?');
    const steps = withResults(replyOf(app).reply.parts);
    expect([...steps].map(([{ call }, result]) => [call.name, result?.content])).toEqual([
      ['calculator', '40032'],
      ['clock', '09:15'],
    ]);
    app.settings.change({ tools: [] });
    await app.chat.regenerate(replyOf(app).id);
    expect(kindsOf(replyOf(app).reply)).toEqual(['thought', 'answer']);
  });
});

describe('a reply of several rounds', () => {
  const asked = '417 × 96, and half of it?';
  const ROUNDS = [
    ...['thought', 'answer', 'call', 'result'],
    ...['thought', 'answer', 'call', 'result'],
    'answer',
  ];

  function ready(): App {
    const app = makeApp('rounds');
    app.settings.change({ tools: ['calculator'] });
    return app;
  }

  test('keeps its parts in the order they came, and counts over all its thoughts', async () => {
    const app = ready();
    await app.chat.send(asked);
    const { reply } = replyOf(app);
    expect(kindsOf(reply)).toEqual(ROUNDS);
    const tokens = thoughtsOf(reply.parts).map((thought) => thought.tokens ?? 0);
    expect(tokens).toHaveLength(2);
    expect(Math.min(...tokens)).toBeGreaterThan(3);
    expect(reply.stats?.thoughtTokens).toBe((tokens[0] ?? 0) + (tokens[1] ?? 0));
    expect(textOf(reply)).toBe(
      'First the product.\n\nThen its half.\n\n417 × 96 is **40032**, and half of it is **20016**.',
    );
  });

  test.each(ROUNDS.map((kind, at) => [at, kind] as const))(
    'stopped in part %i (%s), it goes on and comes to the same',
    async (at) => {
      const whole = ready();
      await whole.chat.send(asked);
      const app = ready();
      const sent = app.chat.send(asked);
      await until(() => {
        const parts = app.chat.live?.reply.reply.parts ?? [];
        const last = parts.at(-1);
        return parts.length > at && (last === undefined || !('text' in last) || last.text !== '');
      }, `part ${at}`);
      app.chat.stop();
      await sent;
      await app.chat.continueReply(replyOf(app).id);
      const { reply } = replyOf(app);
      // A call that was stopped before it ran is asked again, and stands there as not run.
      const notRun = [...withResults(reply.parts)].filter(([, result]) => result === null);
      const parts = reply.parts.filter((part) => !notRun.some(([call]) => call === part));
      expect(parts.map(({ kind }) => kind)).toEqual(ROUNDS);
      expect(textOf({ ...reply, parts })).toBe(textOf(replyOf(whole).reply));
      expect(thoughtsOf(parts).map(({ text }) => text)).toEqual(
        thoughtsOf(replyOf(whole).reply.parts).map(({ text }) => text),
      );
      expect(reply.finish).toBe('end');
    },
  );
});

describe('branches', () => {
  test('an edit is a second question, and both stay', async () => {
    const app = makeApp('thinks');
    await app.chat.send('first');
    await app.chat.edit(questionOf(app).id, 'second');
    expect(questionOf(app).text).toBe('second');
    expect(app.chat.branches(questionOf(app).id)).toEqual({ count: 2, index: 1 });
    app.chat.switchBranch(questionOf(app).id, -1);
    expect(questionOf(app).text).toBe('first');
    app.chat.switchBranch(questionOf(app).id, -1);
    expect(questionOf(app).text).toBe('first');
  });
});

describe('announcements', () => {
  test('are whole sentences, and the end of the answer is among them', async () => {
    const app = makeApp('dies');
    app.chat.setThinkingLimit(0);
    const said: string[] = [];
    const sent = app.chat.send('a story');
    await until(() => {
      const now = app.chat.announcement;
      if (now !== '' && said.at(-1) !== now) said.push(now);
      return !app.chat.isBusy;
    }, 'the end of the reply');
    await sent;
    expect(said[0]).toBe('A fox found a red kite in the reeds.');
  });
});

describe('drafts', () => {
  test('survive a reload, each with its conversation', async () => {
    const app = makeApp('thinks');
    app.chat.draft = 'half a thou';
    await app.drafts.flush();
    const again = makeApp('thinks', app.backing);
    await again.chat.loadDraft();
    expect(again.chat.draft).toBe('half a thou');
    await again.chat.send();
    again.chat.draft = 'and th';
    const { conversation } = again.chat;
    again.chat.startNew();
    await again.chat.loadDraft();
    expect(again.chat.draft).toBe('');
    again.chat.open(conversation);
    await until(() => again.chat.draft !== '', 'the draft of the first chat');
    expect(again.chat.draft).toBe('and th');
  });
});
