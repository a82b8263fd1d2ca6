import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addMessage,
  appendMessage,
  editMessage,
  EMPTY_TREE,
  type ConversationTree,
} from '../../../src/core/chat/conversation-tree';
import type { ThoughtEnd } from '../../../src/core/budget/thinking-limit';
import { emptyReply, type ReplyPart } from '../../../src/core/chat/reply';
import { begunParts } from '../../../src/core/chat/reply-parts';
import { ConversationStore } from '../../../src/storage/conversation-store';
import { exportAsMarkdown, fileNameOf } from '../../../src/storage/export-conversations';
import { importConversations } from '../../../src/storage/import-conversations';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { LIMITS, type StoredConversation } from '../../../src/storage/stored-conversation';
import { conversationOf, exportedJson, TestChannels } from './conversations';

function openStore(): ConversationStore {
  return new ConversationStore({
    backing: new MemoryBacking(),
    channel: new TestChannels().open(),
    now: () => 1,
    onNotice: (sentence) => {
      throw new Error(sentence);
    },
  });
}

let ids = 0;
function newId(): string {
  ids += 1;
  return `new-${ids}`;
}

/** Trees of any shape: each message hangs under one before it, or is a first one. */
const ENDS: readonly (ThoughtEnd | null)[] = [null, 'natural', 'hard-limit', 'called'];

const replyParts: fc.Arbitrary<readonly ReplyPart[]> = fc.array(
  fc.oneof(
    fc
      .record({
        text: fc.string(),
        cut: fc.nat(),
        end: fc.constantFrom(...ENDS),
        tokens: fc.option(fc.nat(), { nil: null }),
        ms: fc.double({ min: 0, max: 1e9, noNaN: true }),
      })
      .map(({ cut, ...thought }): ReplyPart => {
        const start = cut % (thought.text.length + 1);
        return { kind: 'thought', injected: [{ start, end: thought.text.length }], ...thought };
      }),
    fc.string().map((text): ReplyPart => ({ kind: 'answer', text })),
    fc.string().map((text): ReplyPart => ({ kind: 'notice', text })),
    fc
      .record({ name: fc.string(), arguments: fc.dictionary(fc.string(), fc.string()) })
      .map((call): ReplyPart => ({ kind: 'call', call })),
    fc
      .record({ name: fc.string(), content: fc.string(), isError: fc.boolean() })
      .map((result): ReplyPart => ({ kind: 'result', ...result })),
  ),
  { maxLength: 8 },
);

const trees: fc.Arbitrary<ConversationTree> = fc
  .array(
    fc.record({ under: fc.nat(), text: fc.string(), isReply: fc.boolean(), parts: replyParts }),
    {
      maxLength: 12,
    },
  )
  .map((messages) => {
    let tree = EMPTY_TREE;
    messages.forEach(({ under, text, isReply, parts }, index) => {
      const parent = under % (index + 1) === index ? null : `m${under % (index + 1)}`;
      const links = { id: `m${index}`, createdAt: index };
      tree = addMessage(
        tree,
        parent,
        isReply
          ? { ...links, role: 'assistant', reply: { ...emptyReply('unlimited'), parts } }
          : { ...links, role: 'user', text },
      );
    });
    return tree;
  });

describe('export and import', () => {
  it('gives every conversation back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(trees, fc.string({ maxLength: LIMITS.titleLength }), async (tree, title) => {
        const conversation: StoredConversation = { ...conversationOf('a'), title, tree };
        const store = openStore();
        const report = await importConversations(await exportedJson([conversation]), store, newId);
        expect(report).toEqual({ added: [conversation], unchanged: 0, problems: [] });
        expect(await store.load('a')).toEqual(conversation);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the order of the list', async () => {
    const store = openStore();
    await importConversations(
      await exportedJson([conversationOf('b'), conversationOf('a')]),
      store,
      newId,
    );
    expect((await store.list()).map(({ id }) => id)).toEqual(['b', 'a']);
  });

  it('adds nothing twice, and overwrites nothing', async () => {
    const store = openStore();
    await store.save(conversationOf('a', { answer: 'mine' }));
    await store.save(conversationOf('b'));
    const file = await exportedJson([
      conversationOf('a', { answer: 'theirs' }),
      conversationOf('b'),
    ]);
    const report = await importConversations(file, store, () => 'fresh');
    expect(report.unchanged).toBe(1);
    expect(report.added.map(({ id }) => id)).toEqual(['fresh']);
    expect(await store.load('a')).toEqual(conversationOf('a', { answer: 'mine' }));
  });

  const good = { format: 'tidepool-conversations', version: 2, conversations: [] };

  it.each([
    ['no JSON at all', '<!doctype html>', 'it is not JSON'],
    ['a list', '[]', 'it holds no conversations'],
    ['another format', '{"format":"other"}', 'it is not of the format "tidepool-conversations"'],
    [
      'a newer version',
      JSON.stringify({ ...good, version: 3 }),
      'its version should be a number from 1 to 2, but is 3; a newer',
    ],
    [
      'no conversations',
      JSON.stringify({ ...good, conversations: {} }),
      'it holds no list of conversations',
    ],
    [
      'too many',
      JSON.stringify({ ...good, conversations: Array(100_001).fill(0) }),
      'it holds 100001 conversations, and the most is 100000',
    ],
    [
      'too deep',
      `{"a":${'['.repeat(100_000)}`,
      'its data lies 100001 levels deep, and the most is 64',
    ],
    ['too large', ' '.repeat(LIMITS.fileBytes + 1), 'it has 257 MiB, and the most is 256 MiB'],
  ])('refuses %s with a sentence', async (_what, file, sentence) => {
    await expect(importConversations(file, openStore(), newId)).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining(`The file was not imported: ${sentence}`) as string,
    });
  });

  const base = conversationOf('a');
  const question = base.tree.nodes['a-q'];
  const withNodes = (nodes: Record<string, unknown>) => ({
    ...base,
    tree: { ...base.tree, nodes: { ...base.tree.nodes, ...nodes } },
  });

  it.each([
    [
      'a title that is a number',
      { ...base, title: 5 },
      'conversation 1.title should be a text of at most 200 characters, but is 5',
    ],
    [
      'an id with a path',
      { ...base, id: '../x' },
      'conversation 1.id should be an id of 1 to 64 letters, digits or hyphens, but is "../x"',
    ],
    [
      'a time that is none',
      { ...base, createdAt: null },
      'conversation 1.createdAt should be a number from 0',
    ],
    [
      'a negative limit',
      { ...base, thinkingLimit: -1 },
      'conversation 1.thinkingLimit should be a number from 0',
    ],
    ['no tree', { ...base, tree: null }, 'conversation 1.tree should be an object, but is null'],
    [
      'an unknown role',
      withNodes({ 'a-q': { ...question, role: 'root' } }),
      'role should be one of user, system, assistant, but is "root"',
    ],
    [
      'a child that is not there',
      withNodes({ 'a-q': { ...question, children: ['ghost'], activeChild: 'ghost' } }),
      'should be a list of messages that exist, but is "ghost"',
    ],
    [
      'a child with another parent',
      { ...base, tree: { ...base.tree, roots: ['a-q', 'a-a'] } },
      'the parent of message a-a should be null, but is "a-q"',
    ],
    [
      'a child twice',
      withNodes({ 'a-q': { ...question, children: ['a-a', 'a-a'] } }),
      'should be a list without doubles',
    ],
    [
      'no active child',
      withNodes({ 'a-q': { ...question, activeChild: null } }),
      'the active one of conversation 1.tree.nodes.a-q.children should be one of them, but is null',
    ],
    [
      'a ring',
      withNodes({
        x: {
          id: 'x',
          role: 'user',
          text: '',
          createdAt: 0,
          parent: 'y',
          children: ['y'],
          activeChild: 'y',
        },
        y: {
          id: 'y',
          role: 'user',
          text: '',
          createdAt: 0,
          parent: 'x',
          children: ['x'],
          activeChild: 'x',
        },
      }),
      'should be 2 messages, those under its roots, but is 4',
    ],
    [
      'a node under another key',
      withNodes({ other: question }),
      'should be its key "other", but is "a-q"',
    ],
    [
      'a key that is no id',
      {
        ...base,
        tree: { ...base.tree, nodes: JSON.parse('{"__proto__":{"polluted":true}}') as unknown },
      },
      'a key of conversation 1.tree.nodes should be an id',
    ],
  ])('leaves out %s and says where', async (_what, broken, sentence) => {
    const store = openStore();
    const file = JSON.stringify({ ...good, conversations: [broken, conversationOf('fine')] });
    const report = await importConversations(file, store, newId);
    expect(report.problems).toEqual([expect.stringContaining(sentence)]);
    expect((await store.list()).map(({ id }) => id)).toEqual(['fine']);
    expect({}).not.toHaveProperty('polluted');
  });

  it('drops fields it does not know', async () => {
    const store = openStore();
    const file = JSON.stringify({ ...good, conversations: [{ ...base, onload: 'alert(1)' }] });
    await importConversations(file, store, newId);
    expect(await store.load('a')).toEqual(base);
  });

  it('never stops on any JSON with other than a plain error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const file = JSON.stringify({ ...good, conversations: [value] });
        const report = await importConversations(file, openStore(), newId);
        expect(report.problems).toHaveLength(1);
      }),
    );
  });
});

describe('a file of the time when a reply had one thought and one answer', () => {
  /** As version 1 wrote it. */
  function oldFile(toolSteps: readonly unknown[], thought: string | null, answer: string): string {
    const stats = {
      promptTokens: 9,
      reusedTokens: 0,
      prefillMs: 1,
      timeToFirstTokenMs: 2,
      thoughtTokens: 30,
      thoughtMs: 40,
      answerTokens: 5,
      decodeMs: 50,
      decodeTokensPerSecond: 6,
      prefillTokensPerSecond: 7,
      device: 'wasm',
    };
    const reply = {
      thought,
      injected: thought === null ? [] : [{ start: 0, end: 1 }],
      thoughtLimit: 64,
      thoughtEnd: thought === null ? null : 'natural',
      answer,
      toolSteps,
      stats,
      finish: 'end',
      problem: '',
    };
    const links = { children: [], activeChild: null, createdAt: 1 };
    const nodes = {
      q: {
        ...links,
        id: 'q',
        parent: null,
        role: 'user',
        text: 'Hi',
        children: ['r'],
        activeChild: 'r',
      },
      r: { ...links, id: 'r', parent: 'q', role: 'assistant', reply },
    };
    const conversation = { ...conversationOf('a'), tree: { nodes, roots: ['q'], activeRoot: 'q' } };
    const file = {
      format: 'tidepool-conversations',
      version: 1,
      exportedAt: '',
      conversations: [conversation],
    };
    return JSON.stringify(file);
  }

  async function partsOf(file: string): Promise<readonly ReplyPart[]> {
    const { added, problems } = await importConversations(file, openStore(), newId);
    expect(problems).toEqual([]);
    const node = added[0]?.tree.nodes['r'];
    return node?.role === 'assistant' ? node.reply.parts : [];
  }

  it('is read, each in its place', async () => {
    const call = { name: 'calculator', arguments: { expression: '6 * 7' } };
    const steps = [
      { textBefore: 'Let me see.', call, result: '42', isError: false },
      { textBefore: '', call, result: null, isError: false },
    ];
    expect(await partsOf(oldFile(steps, 'six', '**42**'))).toEqual([
      {
        kind: 'thought',
        text: 'six',
        injected: [{ start: 0, end: 1 }],
        end: 'natural',
        tokens: 30,
        ms: 40,
      },
      { kind: 'answer', text: 'Let me see.' },
      { kind: 'call', call },
      { kind: 'result', name: 'calculator', content: '42', isError: false },
      { kind: 'call', call },
      { kind: 'answer', text: '**42**' },
    ]);
  });

  it('keeps every text there was', async () => {
    const text = fc.string();
    const step = fc.record({
      textBefore: text,
      call: fc.record({ name: text, arguments: fc.dictionary(text, text) }),
      result: fc.option(text, { nil: null }),
      isError: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 5 }),
        fc.option(fc.string({ minLength: 1 }), { nil: null }),
        text,
        async (steps, thought, answer) => {
          const parts = await partsOf(oldFile(steps, thought, answer));
          const said = parts.flatMap((part) => (part.kind === 'answer' ? [part.text] : []));
          const before = [...steps.map(({ textBefore }) => textBefore), answer];
          expect(said).toEqual(before.filter((one) => one !== ''));
          const results = parts.flatMap((part) => (part.kind === 'result' ? [part.content] : []));
          expect(results).toEqual(steps.flatMap(({ result }) => result ?? []));
          expect(parts.some(({ kind }) => kind === 'thought')).toBe(thought !== null);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('Markdown export', () => {
  it('reads as the active branch', () => {
    let tree = appendMessage(EMPTY_TREE, {
      id: 'q',
      createdAt: 0,
      role: 'user',
      text: 'first try',
    });
    tree = editMessage(tree, 'q', { id: 'q2', createdAt: 1, text: 'What is 6 * 7?' });
    tree = appendMessage(tree, {
      id: 'r',
      createdAt: 2,
      role: 'assistant',
      reply: {
        ...emptyReply(64),
        parts: [
          ...begunParts({ thought: 'six\nsevens', answer: 'Let me see.' }),
          { kind: 'call', call: { name: 'calculator', arguments: { expression: '6 * 7' } } },
          { kind: 'result', name: 'calculator', content: '42 ```', isError: false },
          ...begunParts({ thought: 'so', answer: '**42**' }),
          { kind: 'call', call: { name: 'clock', arguments: {} } },
          { kind: 'notice', text: 'It stops here.' },
        ],
      },
    });
    const conversation = {
      ...conversationOf('a'),
      createdAt: 0,
      systemPrompt: 'Be brief.',
      title: 'A\nsum',
      tree,
    };
    expect(exportAsMarkdown([conversation])).toBe(
      `# A sum

Begun 1970-01-01T00:00:00.000Z

## System

Be brief.

## You

What is 6 * 7?

## Tidepool

> Thought:
> six
> sevens

Let me see.

\`\`\`\`
calculator(expression = 6 * 7)
42 \`\`\`
\`\`\`\`

> Thought:
> so

**42**

\`\`\`
clock()
(not run)
\`\`\`

(It stops here.)
`,
    );
  });

  it('separates conversations', () => {
    expect(
      exportAsMarkdown([conversationOf('a'), conversationOf('b')]).match(/^---$/gm),
    ).toHaveLength(1);
  });
});

describe('fileNameOf', () => {
  it.each([
    ['A sum: 2 + 2?', 'A-sum-2-2.json'],
    ['../../etc/passwd', 'etc-passwd.json'],
    ['Éléphant 象', 'Éléphant-象.json'],
    ['???', 'chat.json'],
  ])('%j', (title, name) => {
    expect(fileNameOf(title, 'json')).toBe(name);
  });
});
