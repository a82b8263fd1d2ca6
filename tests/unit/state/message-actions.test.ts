// What a person does with single messages: edit an answer, delete with undo, fork; and two models that answer one question.
import { describe, expect, test } from 'vitest';
import { nodeOf } from '../../../src/core/chat/conversation-tree';
import type { AssistantNode } from '../../../src/core/chat/conversation-tree';
import { EngineError } from '../../../src/core/errors';
import { answerOf, thoughtsOf } from '../../../src/core/chat/reply-parts';
import { createFakeEngine } from '../../../src/engine/fake-engine';
import type { Author } from '../../../src/state/author';
import { deleteMessage, editAnswer, forkChat } from '../../../src/state/message-actions';
import { Notices } from '../../../src/state/notices.svelte';
import { exportAsMarkdown } from '../../../src/storage/export-conversations';
import { readConversation } from '../../../src/storage/read-conversation';
import { makeApp, until } from './make-app';

function makeParts(scenario: Parameters<typeof makeApp>[0]) {
  return { ...makeApp(scenario), notices: new Notices() };
}

type Parts = ReturnType<typeof makeParts>;

function lastReply({ chat }: Pick<Parts, 'chat'>): AssistantNode {
  const last = chat.path.at(-1);
  if (last?.role !== 'assistant') throw new Error('the conversation does not end in a reply');
  return last;
}

function answers({ chat }: Pick<Parts, 'chat'>): readonly string[] {
  return chat.path.map((node) =>
    node.role === 'assistant' ? answerOf(node.reply.parts) : node.text,
  );
}

function undoOf({ notices }: Parts): () => void {
  const run = notices.items.at(-1)?.action?.run;
  if (run === undefined) throw new Error('nothing is offered');
  return run;
}

describe('an edited answer', () => {
  test('stands beside the old one without its figures, and is what the next reply reads', async () => {
    const app = makeParts('thinks');
    await app.chat.send('What is 23 + 58?');
    const old = lastReply(app);
    expect(editAnswer(app.chat, old.id, '  It is 82.  ')).toBe(true);
    const { id, reply } = lastReply(app);
    expect(app.chat.branches(id)).toEqual({ count: 2, index: 1 });
    expect(answerOf(reply.parts)).toBe('It is 82.');
    expect(thoughtsOf(reply.parts)).toEqual(thoughtsOf(old.reply.parts));
    expect(reply).toMatchObject({ isEdited: true, stats: null, finish: 'end', writer: 'Tidepool' });
    expect(nodeOf(app.chat.conversation.tree, old.id)).toMatchObject({ reply: old.reply });

    const asked: string[][] = [];
    const generate = app.engine.generate.bind(app.engine);
    app.engine.generate = (request, onEvents) => {
      asked.push(request.messages.map(({ content }) => content));
      return generate(request, onEvents);
    };
    await app.chat.send('Are you sure?');
    expect(asked).toEqual([['What is 23 + 58?', 'It is 82.', 'Are you sure?']]);
  });

  test('is kept, exported as edited, and read again', async () => {
    const app = makeParts('thinks');
    await app.chat.send('What is 23 + 58?');
    editAnswer(app.chat, lastReply(app).id, 'It is 82.');
    const read = readConversation(JSON.parse(JSON.stringify(app.chat.conversation)));
    expect(read).toEqual(app.chat.conversation);
    expect(app.kept.at(-1)?.conversation).toEqual(app.chat.conversation);
    expect(exportAsMarkdown([read])).toContain('## Tidepool, edited\n');
  });

  test('keeps calls and results; the same words are no edit', async () => {
    const app = makeParts('rounds');
    app.settings.change({ tools: ['calculator'] });
    await app.chat.send('417 × 96, and half of it?');
    const old = lastReply(app);
    editAnswer(app.chat, old.id, answerOf(old.reply.parts));
    expect(lastReply(app).id).toBe(old.id);
    editAnswer(app.chat, old.id, 'Forty thousand and thirty-two.');
    const kinds = lastReply(app).reply.parts.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'answer')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'call')).toHaveLength(2);
    expect(kinds.filter((kind) => kind === 'result')).toHaveLength(2);
  });

  test('of two million letters is refused with a sentence', async () => {
    const app = makeParts('thinks');
    await app.chat.send('What is 23 + 58?');
    const { id } = lastReply(app);
    expect(editAnswer(app.chat, id, 'x'.repeat(2_000_000))).toBe(false);
    expect(app.chat.sendProblem?.remedy).not.toBe('');
    expect(lastReply(app).id).toBe(id);
  });
});

describe('a deleted message', () => {
  test('goes with what follows it, and comes back', async () => {
    const app = makeParts('thinks');
    await app.chat.send('one');
    await app.chat.send('two');
    const before = app.chat.conversation.tree;
    const second = app.chat.path[2]?.id ?? '';
    await deleteMessage(app, second);
    expect(answers(app)).toHaveLength(2);
    expect(app.notices.items.at(-1)?.text).toBe('The message and the one after it are deleted.');
    undoOf(app)();
    expect(app.chat.conversation.tree).toEqual(before);
  });

  test('comes back into its own chat when another one is open by then', async () => {
    const app = makeParts('thinks');
    await app.chat.send('one');
    const { conversation } = app.chat;
    await deleteMessage(app, lastReply(app).id);
    expect(answers(app)).toEqual(['one']);
    const undo = undoOf(app);
    app.chat.startNew();
    await app.chat.send('two');
    undo();
    await until(() => app.list.items[0]?.id === conversation.id, 'the other chat kept');
    expect((await app.list.read(conversation.id))?.tree).toEqual(conversation.tree);
    expect(answers(app)[0]).toBe('two');
  });

  test('while a reply is written nothing is deleted, and an undo waits', async () => {
    const app = makeParts('cut');
    await app.chat.send('one');
    await deleteMessage(app, lastReply(app).id);
    const undo = undoOf(app);
    const sending = app.chat.send('two');
    const { tree } = app.chat.conversation;
    undo();
    expect(app.notices.items.at(-1)?.text).toContain('when it has ended');
    await deleteMessage(app, app.chat.path[1]?.id ?? '');
    expect(app.chat.conversation.tree).toBe(tree);
    await sending;
    undoOf(app)();
    expect(app.chat.path).toHaveLength(2);
    expect(app.chat.path[1]?.role).toBe('assistant');
  });

  test('that is the whole chat takes the chat away, and brings it back', async () => {
    const app = makeParts('thinks');
    await app.chat.send('one');
    const { conversation } = app.chat;
    await deleteMessage(app, app.chat.path[0]?.id ?? '');
    expect(app.chat.path).toHaveLength(0);
    expect(await app.list.read(conversation.id)).toBeNull();
    undoOf(app)();
    await until(() => app.chat.path.length === 2, 'the chat is back');
    expect(app.chat.conversation.tree).toEqual(conversation.tree);
  });

  test('leaves a question that can be answered again', async () => {
    const app = makeParts('thinks');
    await app.chat.send('one');
    await deleteMessage(app, lastReply(app).id);
    await app.chat.answer(app.chat.path[0]?.id ?? '');
    expect(lastReply(app).reply.finish).toBe('end');
  });
});

describe('a fork', () => {
  test('takes the files of its questions along', async () => {
    const app = makeParts('thinks');
    const file = { name: 'tides.txt', text: 'High at noon.', share: 1, tokens: 5 };
    await app.chat.send('When is it high?', [file]);
    forkChat(app, lastReply(app).id);
    expect(app.chat.path[0]).toMatchObject({ files: [file] });
  });

  test('is a chat of its own with the messages down to there, and the old one stays', async () => {
    const app = makeParts('thinks');
    await app.chat.send('one');
    await app.chat.regenerate(lastReply(app).id);
    await app.chat.send('two');
    const { conversation } = app.chat;
    forkChat(app, app.chat.path[1]?.id ?? '');
    expect(app.chat.conversation.id).not.toBe(conversation.id);
    expect(app.chat.conversation.title).toBe('Fork of one');
    expect(app.chat.path).toHaveLength(2);
    expect(Object.keys(app.chat.conversation.tree.nodes)).toHaveLength(2);
    expect(lastReply(app).reply.stats).not.toBeNull();
    const old = Object.keys(conversation.tree.nodes);
    expect(app.chat.path.some(({ id }) => old.includes(id))).toBe(false);
    await app.chat.send('three');
    expect(await app.list.read(conversation.id)).toEqual(conversation);
    expect((await app.list.read(app.chat.conversation.id))?.tree).toEqual(
      app.chat.conversation.tree,
    );
  });
});

describe('two models', () => {
  function second(turn: 'beside' | 'after', app: Parts, over: Partial<Author> = {}): Author {
    return {
      turn,
      engine: turn === 'after' ? app.engine : createFakeEngine('tools', 0),
      whenReady: async () => {
        const other = turn === 'after' ? app.engine : null;
        await other?.load({ modelUrl: 'x', device: 'auto' }, () => {});
      },
      place: null,
      writer: () => 'Micro',
      ...over,
    };
  }

  async function ready(app: Parts): Promise<void> {
    await app.status.load();
  }

  test.each(['beside', 'after'] as const)(
    'answer one question (%s): two versions, each with its writer and figures, the first is read',
    async (turn) => {
      const app = makeParts('thinks');
      await ready(app);
      const engine = createFakeEngine('tools', 0);
      await engine.load({ modelUrl: 'x', device: 'auto' }, () => {});
      app.chat.second = second(
        turn,
        app,
        turn === 'beside' ? { engine, whenReady: async () => {} } : {},
      );
      await app.chat.send('What is 23 + 58?');
      await until(() => !app.chat.isBusy, 'both replies');
      const [question, first] = app.chat.path;
      expect(app.chat.path).toHaveLength(2);
      expect(app.chat.besides).toEqual([question?.id]);
      const replies = (question?.children ?? []).map((id) =>
        nodeOf(app.chat.conversation.tree, id),
      );
      expect(replies).toHaveLength(2);
      expect(replies[0]?.id).toBe(first?.id);
      const written = replies.map((node) =>
        node.role === 'assistant'
          ? [node.reply.writer, node.reply.finish, (node.reply.stats?.answerTokens ?? 0) > 0]
          : [],
      );
      expect(written).toEqual([
        ['Tidepool', 'end', true],
        ['Micro', 'end', true],
      ]);
      expect(app.kept.at(-1)?.conversation).toEqual(app.chat.conversation);
      expect(app.problems).toEqual([]);
    },
  );

  test('of two that answer in turn the second begins when the first has ended, and gives the engine back', async () => {
    const app = makeParts('thinks');
    await ready(app);
    const order: string[] = [];
    app.chat.second = second('after', app, {
      whenReady: async () => {
        order.push(`second loads, ${app.chat.live?.id === undefined ? 'none' : 'one'} is written`);
        const first = app.chat.path[1];
        order.push(first?.role === 'assistant' ? String(first.reply.finish) : '');
      },
      release: async () => {
        order.push('released');
      },
    });
    await app.chat.send('one');
    await until(() => order.length === 3, 'the engine is given back');
    expect(order).toEqual(['second loads, one is written', 'end', 'released']);
  });

  test('Stop ends both; what the second writes goes into the chat it was asked in', async () => {
    const app = makeParts('cut');
    await ready(app);
    const engine = createFakeEngine('cut', 5);
    await engine.load({ modelUrl: 'x', device: 'auto' }, () => {});
    app.chat.second = second('beside', app, { engine, whenReady: async () => {} });
    const sending = app.chat.send('one');
    const { id } = app.chat.conversation;
    await until(() => app.chat.path.length === 2, 'the replies have begun');
    app.chat.startNew();
    await sending;
    const chat = await app.list.read(id);
    const replies = Object.values(chat?.tree.nodes ?? {}).filter(
      ({ role }) => role === 'assistant',
    );
    expect(replies.map((node) => node.role === 'assistant' && node.reply.finish)).toEqual([
      'stopped',
      'stopped',
    ]);
    expect(app.chat.path).toHaveLength(0);
    expect(app.chat.isBusy).toBe(false);
  });

  test('when the second cannot be loaded its place says why, and the first has answered', async () => {
    const app = makeParts('thinks');
    await ready(app);
    app.chat.second = second('beside', app, {
      whenReady: () => Promise.reject(new EngineError('out-of-memory', 'No room.', 'Close tabs.')),
    });
    await app.chat.send('one');
    const replies = Object.values(app.chat.conversation.tree.nodes);
    const ends = replies.map((node) => node.role === 'assistant' && node.reply.finish);
    expect(ends).toEqual([false, 'end', 'failed']);
    expect(replies[2]?.role === 'assistant' && replies[2].reply.problem).toBe(
      'No room. Close tabs.',
    );
  });

  test('the second goes on with its own reply, the first with its own, from the same question', async () => {
    const app = makeParts('thinks');
    await ready(app);
    const engine = createFakeEngine('tools', 0);
    await engine.load({ modelUrl: 'x', device: 'auto' }, () => {});
    const asked: string[][] = [];
    const generate = engine.generate.bind(engine);
    engine.generate = (request, onEvents) => {
      asked.push(request.messages.map(({ content }) => content));
      return generate(request, onEvents);
    };
    app.chat.second = second('beside', app, { engine, whenReady: async () => {} });
    await app.chat.send('one');
    await until(() => !app.chat.isBusy, 'both');
    const [, other = ''] = app.chat.path[0]?.children ?? [];
    await app.chat.regenerate(other);
    expect(asked).toEqual([['one'], ['one']]);
    expect(lastReply(app).reply.writer).toBe('Micro');
  });

  test('a chat that was private asks before it goes to a second model on a server', async () => {
    const app = makeParts('thinks');
    await ready(app);
    await app.chat.send('one');
    app.chat.second = second('beside', app, {
      place: 'localhost:8080',
      engine: createFakeEngine('thinks', 0),
      whenReady: () => Promise.reject(new EngineError('server', 'Gone.', 'Start it.')),
    });
    const sending = app.chat.send('two');
    await until(() => app.chat.pendingMove !== null, 'the question');
    expect(app.chat.pendingMove).toMatchObject({ place: 'localhost:8080', messages: 2 });
    app.chat.pendingMove?.decide(false);
    await sending;
    expect(app.chat.path).toHaveLength(2);
  });
});
