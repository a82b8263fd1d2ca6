// Whatever the app lets a person type, or a model write, it keeps, exports and imports again.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyReply, type ReplyPart, type ReplyStats } from '../../../src/core/chat/reply';
import type { ConversationStore } from '../../../src/storage/conversation-store';
import { exportAsJsonFiles } from '../../../src/storage/export-conversations';
import { conversationFiles, numberedName } from '../../../src/storage/export-files';
import { entryProblem, fitReply } from '../../../src/storage/fit-entry';
import { importConversations } from '../../../src/storage/import-conversations';
import { readReply } from '../../../src/storage/read-reply';
import { LIMITS, type StoredConversation } from '../../../src/storage/stored-conversation';
import { conversationOf } from '../storage/conversations';
import { makeApp } from './make-app';

type App = ReturnType<typeof makeApp>;

/** Texts of any length about a limit, of letters of any width. */
function textAbout(limit: number): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .tuple(
        fc.constantFrom('x', '🎉', '👩‍👩‍👧‍👦', 'e\u0301', '\u0000', '"', '\uD83D', ' ', '\n', '語'),
        fc.integer({ min: -3, max: 3 }),
      )
      .map(([unit, more]) => unit.repeat(limit + 3).slice(0, limit + more)),
  );
}

type Edit = (app: App) => Promise<void> | void;

/** What a person can do, by the functions that the page calls. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  textAbout(LIMITS.titleLength).map(
    (title): Edit =>
      (app) =>
        app.chat.rename(title),
  ),
  textAbout(LIMITS.titleLength).map(
    (title): Edit =>
      (app) =>
        app.list.rename(app.chat.conversation.id, title),
  ),
  textAbout(LIMITS.systemPromptLength).map(
    (text): Edit =>
      (app) =>
        app.chat.setSystemPrompt(text),
  ),
  fc
    .oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.constant('What is 2 + 3?'))
    .map((text): Edit => async (app) => {
      app.chat.draft = text;
      await app.chat.send();
    }),
  fc.string({ maxLength: 50 }).map((text): Edit => async (app) => {
    const question = app.chat.path.findLast(({ role }) => role === 'user');
    if (question !== undefined) await app.chat.edit(question.id, text);
  }),
  fc.constant<Edit>(async (app) => {
    const reply = app.chat.path.findLast(({ role }) => role === 'assistant');
    if (reply !== undefined) await app.chat.regenerate(reply.id);
  }),
  fc.constantFrom(-1, 1).map((offset): Edit => (app) => {
    const [first] = app.chat.path;
    if (first !== undefined) app.chat.switchBranch(first.id, offset);
  }),
);

async function throughFile(conversation: StoredConversation): Promise<StoredConversation | null> {
  const [file = [], ...others] = await exportAsJsonFiles([conversation], 0);
  expect(others).toEqual([]);
  const store: ConversationStore = makeApp('thinks').store;
  const report = await importConversations(file.join(''), store, () => 'another');
  expect(report.problems).toEqual([]);
  return store.load(conversation.id);
}

describe('what is typed', () => {
  test('random edits are kept, read, exported and imported as they stand on the page', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), async (edits) => {
        const app = makeApp('thinks');
        await app.chat.send('the first question');
        for (const run of edits) {
          await run(app);
          await app.store.settled();
          // Renamed from the list, the open chat learns of it when it is opened again.
          const kept = await app.list.read(app.chat.conversation.id);
          if (kept !== null) app.chat.open(kept);
        }
        expect(app.problems).toEqual([]);
        const shown = app.chat.conversation;
        expect(await makeApp('thinks', app.backing).store.load(shown.id)).toEqual(shown);
        expect(await throughFile(shown)).toEqual(shown);
      }),
      { numRuns: 25 },
    );
  });

  test('a chat renamed to 201 letters goes on, and is all there after a reload', async () => {
    const app = makeApp('thinks');
    await app.chat.send('one');
    app.chat.rename('n'.repeat(201));
    await app.chat.send('two');
    await app.store.settled();
    expect(app.problems).toEqual([]);
    const again = await makeApp('thinks', app.backing).store.load(app.chat.conversation.id);
    expect(again?.title).toBe('n'.repeat(200));
    expect(Object.keys(again?.tree.nodes ?? {})).toHaveLength(4);
  });

  test('a draft beyond the limit is kept as far as one goes, a message is refused with its text in the box', async () => {
    const app = makeApp('thinks');
    const long = 'word '.repeat(LIMITS.textLength / 5 + 1);
    app.chat.draft = long;
    expect(app.chat.draft).toHaveLength(LIMITS.textLength);
    await app.drafts.flush();
    expect(await makeApp('thinks', app.backing).drafts.load('new')).toHaveLength(LIMITS.textLength);
    app.chat.draft = '';
    await app.chat.send(`x${long}`);
    expect(app.chat.sendProblem?.message).toContain('the most is 1,000,000');
    expect(app.chat.draft).not.toBe('');
    expect(app.chat.path).toEqual([]);
  });
});

describe('what a chat can take', () => {
  test('ends before what can be read, with a sentence that says what to do', () => {
    const conversation = conversationOf('a');
    const full = (count: number): StoredConversation => ({
      ...conversation,
      tree: {
        ...conversation.tree,
        nodes: Object.fromEntries(
          Array.from({ length: count }, (_, at) => [
            `n${at}`,
            {
              ...{ id: `n${at}`, parent: null, children: [], activeChild: null, createdAt: 1 },
              ...{ role: 'user', text: '' },
            } as const,
          ]),
        ),
      },
    });
    expect(entryProblem(full(LIMITS.messagesEntered - 2), 'x')).toBeNull();
    expect(entryProblem(full(LIMITS.messagesEntered - 1), 'x')?.remedy).toBe('Start a new chat.');
    expect(LIMITS.messagesEntered).toBeLessThan(LIMITS.messages);
    const long = conversationOf('a', { question: 'x'.repeat(LIMITS.conversationLength) });
    expect(entryProblem(long, 'x')?.remedy).toBe('Start a new chat.');
    // Even where JSON writes six characters for each.
    expect(LIMITS.conversationLength * 6).toBeLessThan(LIMITS.fileBytes);
  });
});

describe('what a model, a tool or an error writes', () => {
  const text = fc.string();
  const problem = fc.oneof(fc.string(), fc.constant('🎉'.repeat(LIMITS.problemLength)));
  const name = fc.oneof(fc.string(), fc.constant('n🎉'.repeat(80)));
  const part: fc.Arbitrary<ReplyPart> = fc.oneof(
    fc.record({ kind: fc.constant('answer' as const), text }),
    fc.record({
      kind: fc.constant('thought' as const),
      text,
      injected: fc.array(fc.constant({ start: 0, end: 0 }), { maxLength: 3 }),
      end: fc.constantFrom(null, 'natural' as const),
      tokens: fc.constantFrom(null, 3),
      ms: fc.nat(),
    }),
    fc.record({
      kind: fc.constant('call' as const),
      call: fc.record({
        name,
        arguments: fc.dictionary(fc.string(), text, { maxKeys: 60, size: 'medium' }),
      }),
    }),
    fc.record({ kind: fc.constant('result' as const), name, content: text, isError: fc.boolean() }),
  );
  const figure = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -1, 5));
  const stats: fc.Arbitrary<ReplyStats> = fc.record({
    ...{
      promptTokens: figure,
      reusedTokens: figure,
      prefillMs: figure,
      timeToFirstTokenMs: figure,
    },
    ...{ thoughtTokens: figure, thoughtMs: figure, answerTokens: figure, decodeMs: figure },
    ...{ decodeTokensPerSecond: figure, prefillTokensPerSecond: figure, device: name },
  });

  test('is read again as it was kept', () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        stats,
        problem,
        fc.constantFrom(1, 1, LIMITS.replyParts),
        (parts, figures, words, times) => {
          const reply = fitReply({
            ...emptyReply(128),
            parts: Array.from({ length: times }, () => parts.slice(0, times === 1 ? 6 : 2)).flat(),
            stats: figures,
            problem: words,
          });
          const kept: unknown = JSON.parse(JSON.stringify(reply));
          expect(readReply(kept, 'reply')).toEqual(reply);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('many chats', () => {
  test('go to as many files as it takes for each to be read again', async () => {
    const chats = ['a', 'b', 'c', 'd', 'e'].map((id) => conversationOf(id));
    const length = JSON.stringify(chats[0]).length;
    const head = { format: 'tidepool-conversations', version: 2 };
    const files = await conversationFiles(chats, head, head, length * 2);
    expect(files).toHaveLength(3);
    const { store } = makeApp('thinks');
    for (const file of files) await importConversations(file.join(''), store, () => 'x');
    for (const chat of chats) expect(await store.load(chat.id)).toEqual(chat);
    expect(await conversationFiles([], head, head)).toHaveLength(1);
    expect(numberedName('chats.json', 1, 3)).toBe('chats-2-of-3.json');
    expect(numberedName('chats.json', 0, 1)).toBe('chats.json');
  });
});
