// Exports of other programs come in with branches, thoughts, tools and system prompts; what cannot is counted and said.
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { activePath, type ConversationNode } from '../../../src/core/chat/conversation-tree';
import { ConversationStore } from '../../../src/storage/conversation-store';
import { importConversations, textsOfFile } from '../../../src/storage/import-conversations';
import { problemsInWords, type ImportReport } from '../../../src/storage/import-report';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { readConversation } from '../../../src/storage/read-conversation';
import type { StoredConversation } from '../../../src/storage/stored-conversation';
import { TestChannels } from './conversations';

const FIXTURES = new URL('../../fixtures/foreign/', import.meta.url);

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
const newId = (): string => `new-${(ids += 1)}`;

function importJson(value: unknown, store = openStore()): Promise<ImportReport> {
  const json = typeof value === 'string' ? value : JSON.stringify(value);
  return importConversations(json, store, newId);
}

async function fixture(name: string): Promise<string> {
  return readFile(new URL(`${name}.json`, FIXTURES), 'utf8');
}

/** One line for each message: who, and the pieces of what they wrote. */
function lines(nodes: readonly ConversationNode[]): string[] {
  return nodes.map((node) => {
    if (node.role !== 'assistant') return `${node.role}: ${node.text}`;
    const parts = node.reply.parts.map((part) => {
      if (part.kind === 'call')
        return `call ${part.call.name}(${JSON.stringify(part.call.arguments)})`;
      return part.kind === 'result'
        ? `result ${part.name}: ${part.content}`
        : `${part.kind}: ${part.text}`;
    });
    return `reply: ${parts.join(' | ')}`;
  });
}

function onlyOne(report: ImportReport): StoredConversation {
  const [conversation] = report.added;
  if (conversation === undefined || report.added.length !== 1)
    throw new Error(`${report.added.length} chats came in`);
  return conversation;
}

describe('ChatGPT', () => {
  it('conversations.json: the shown branch, the other one, thoughts, tools, instructions', async () => {
    const report = await importJson(await fixture('chatgpt'));
    const chat = onlyOne(report);
    expect(chat).toMatchObject({
      id: '6c0ffee0-0000-4000-8000-000000000001',
      title: 'Tides and pictures',
      createdAt: 1760000000250,
      updatedAt: 1760000300500,
      systemPrompt: 'I teach at a school.\n\nAnswer in one sentence.',
    });
    expect(lines(activePath(chat.tree))).toEqual([
      'user: Why is there a tide?',
      'reply: thought: Looking for a cause\nThe moon pulls. | call python({"code":"24 / 2"}) | ' +
        'result python: 12 | answer: The moon, about every 12 hours.',
      'user: Thanks',
    ]);
    const question = chat.tree.nodes['u1'];
    expect(question?.children).toHaveLength(2);
    expect(lines(Object.values(chat.tree.nodes))).toContain('reply: answer: Because of the wind.');
    expect(report.problems).toEqual([
      '1 chat has no message.',
      '2 pieces from ChatGPT were left out (pictures, files, unknown kinds).',
    ]);
  });

  it('comes in once, however often it is imported', async () => {
    const store = openStore();
    await importJson(await fixture('chatgpt'), store);
    expect(await importJson(await fixture('chatgpt'), store)).toMatchObject({
      added: [],
      unchanged: 1,
    });
  });

  it('one chat alone, as browser extensions save it', async () => {
    const [chat] = JSON.parse(await fixture('chatgpt')) as unknown[];
    expect(onlyOne(await importJson(chat)).title).toBe('Tides and pictures');
  });

  it('the zip of many files, deflated or not', async () => {
    const [chat] = JSON.parse(await fixture('chatgpt')) as Record<string, unknown>[];
    const other = { ...chat, id: 'second', conversation_id: 'second', title: 'Second' };
    for (const method of ['deflate-raw', null] as const) {
      const archive = await zip(
        {
          'user.json': '{"id":"user"}',
          'export/conversations-001.json': JSON.stringify([other]),
          'export/conversations-000.json': JSON.stringify([chat]),
          'chat.html': '<html></html>',
        },
        method,
      );
      const texts = await textsOfFile(archive);
      const titles: string[] = [];
      for (const text of texts) titles.push(onlyOne(await importJson(text)).title);
      expect(titles).toEqual(['Tides and pictures', 'Second']);
    }
  });

  it('an archive that is cut off, or has no chats, is refused with a sentence', async () => {
    const archive = await zip({ 'conversations.json': '[]' }, 'deflate-raw');
    await expect(textsOfFile(archive.slice(0, archive.size - 30))).rejects.toMatchObject({
      message: 'The file was not imported: the archive is cut off; download it again.',
    });
    await expect(textsOfFile(await zip({ 'a.txt': 'x' }, null))).rejects.toMatchObject({
      message: 'The file was not imported: the archive has no JSON file in it.',
    });
  });
});

describe('llama.cpp’s page', () => {
  it('branches, the system prompt, thoughts, tools, attached texts', async () => {
    const report = await importJson(await fixture('llama-cpp'));
    const chat = onlyOne(report);
    expect(chat).toMatchObject({
      title: 'Two readings',
      systemPrompt: 'Be brief.',
      updatedAt: 1760000300000,
    });
    expect(lines(activePath(chat.tree))).toEqual([
      'user: What does the file say?\n\nnotes.txt\nhigh water at noon',
      'reply: thought: I need the clock. | call clock({"zone":"UTC"}) | result clock: 11:00 | ' +
        'answer: High water is in an hour.',
    ]);
    expect(lines(Object.values(chat.tree.nodes))).toContain('reply: answer: Nothing.');
    expect(report.problems).toEqual([
      '1 piece from llama.cpp’s page was left out (pictures, files, unknown kinds).',
    ]);
  });

  it('one chat alone, and what its page before wrote', async () => {
    const [chat] = JSON.parse(await fixture('llama-cpp')) as {
      conv: Record<string, unknown>;
      messages: unknown[];
    }[];
    expect(onlyOne(await importJson(chat)).title).toBe('Two readings');
    const older = {
      id: 'conv-1760000000000',
      lastModified: 1760000009000,
      currNode: 1760000002000,
      name: 'Older',
      messages: [
        { id: 1760000000000, type: 'root', role: 'system', content: '', parent: -1, children: [] },
        {
          ...{
            id: 1760000001000,
            type: 'text',
            role: 'user',
            content: 'Hi',
            timestamp: 1760000001000,
          },
          parent: 1760000000000,
          children: [1760000002000],
        },
        {
          ...{ id: 1760000002000, type: 'text', role: 'assistant', timestamp: 1760000002000 },
          content: '<think>Greet.</think>Hello',
          parent: 1760000001000,
          children: [],
        },
      ],
    };
    expect(lines(activePath(onlyOne(await importJson(older)).tree))).toEqual([
      'user: Hi',
      'reply: thought: Greet. | answer: Hello',
    ]);
  });
});

describe('Open WebUI', () => {
  it('branches, the system prompt, thoughts and tools in the text, errors', async () => {
    const report = await importJson(await fixture('open-webui'));
    const chat = onlyOne(report);
    expect(chat).toMatchObject({
      title: 'A sum, twice',
      systemPrompt: 'You are a careful tutor.',
      createdAt: 1760000000000,
    });
    expect(lines(activePath(chat.tree))).toEqual([
      'user: 2 < 3?',
      'reply: thought: 2 < 3, says the\nnumber line </details> as text | answer: I check it. | ' +
        'call calculator({"expression":"3 - 2"}) | result calculator: 1 | answer: Yes.',
      'user: Sure?',
      'reply: thought: Again. | answer: Quite sure.',
    ]);
    expect(chat.tree.nodes['r1']).toMatchObject({
      reply: { finish: 'failed', problem: 'Model not found', parts: [] },
    });
    expect(report.problems).toEqual([
      '1 piece from Open WebUI was left out (pictures, files, unknown kinds).',
    ]);
  });
});

describe('many problems', () => {
  it('are said as the first five and a number', () => {
    const said = problemsInWords(Array.from({ length: 12 }, (_, at) => `No ${at}.`));
    expect(said).toBe('No 0. No 1. No 2. No 3. No 4. There are 7 more of such problems.');
    expect(problemsInWords(['One.'])).toBe('One.');
  });
});

describe('what is not read', () => {
  it.each([
    ['Claude', [{ uuid: 'x', name: 'A', chat_messages: [] }]],
    ['LibreChat', { conversationId: 'x', title: 'A', messages: [] }],
    ['LM Studio', { name: 'A', messages: [{ versions: [], currentlySelected: 0 }] }],
  ])('an export of %s is named', async (name, value) => {
    await expect(importJson(value)).rejects.toMatchObject({
      message: `The file was not imported: it is an export of ${name}, which is not read here.`,
    });
  });
});

/** A mapping as ChatGPT's, of any shape: rings, lost parents, empty and unknown messages. */
const message = fc.record({
  author: fc.record({ role: fc.constantFrom('user', 'assistant', 'tool', 'system', 'critic') }),
  create_time: fc.oneof(fc.constant(null), fc.double({ noNaN: true, min: -1, max: 1e10 })),
  content: fc.record({
    content_type: fc.constantFrom('text', 'code', 'thoughts', 'execution_output', 'new'),
    parts: fc.array(fc.oneof(fc.string(), fc.constant({}), fc.constant(null)), { maxLength: 3 }),
    text: fc.string(),
    thoughts: fc.array(fc.record({ summary: fc.string(), content: fc.string() }), { maxLength: 2 }),
  }),
  recipient: fc.constantFrom('all', 'python'),
});
const mapping = fc
  .array(fc.record({ message: fc.option(message, { freq: 5 }), parent: fc.option(fc.nat(14)) }), {
    maxLength: 14,
  })
  .map((nodes) =>
    Object.fromEntries(
      nodes.map((node, at) => [
        `n${at}`,
        { ...node, id: `n${at}`, parent: node.parent === null ? null : `n${node.parent}` },
      ]),
    ),
  );

describe('any tree of another program', () => {
  it('becomes a conversation that is kept and read again, or is said to be empty', async () => {
    await fc.assert(
      fc.asyncProperty(mapping, fc.string(), async (nodes, title) => {
        const chat = { id: 'a', title, mapping: nodes, current_node: 'n3' };
        const { added, problems } = await importJson([chat]);
        if (added.length === 0) expect(problems).toContain('1 chat has no message.');
        for (const conversation of added) {
          expect(readConversation(conversation)).toEqual(conversation);
          expect(activePath(conversation.tree).length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('any value at all is imported or refused with a sentence', async () => {
    const inner = fc.oneof(fc.anything({ maxDepth: 3 }), fc.constant({ messages: [] }));
    const shape = fc.oneof(
      fc.jsonValue(),
      fc.record({ mapping: fc.dictionary(fc.string(), inner) }),
      fc.record({ conv: fc.dictionary(fc.string(), inner), messages: fc.array(inner) }),
      fc.record({ chat: fc.record({ history: fc.record({ messages: fc.object() }) }) }),
    );
    await fc.assert(
      fc.asyncProperty(shape, async (value) => {
        const json = JSON.stringify(value, (_key, one: unknown) =>
          typeof one === 'bigint' ? String(one) : one,
        );
        try {
          await importJson(json);
        } catch (error) {
          expect(error).toMatchObject({
            code: 'storage',
            message: expect.stringMatching(/^The file was not imported: .+\.$/) as string,
          });
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** A zip archive of these files. */
async function zip(
  files: Readonly<Record<string, string>>,
  method: 'deflate-raw' | null,
): Promise<Blob> {
  const encoder = new TextEncoder();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const plain = encoder.encode(text);
    const packed =
      method === null
        ? plain
        : new Uint8Array(
            await new Response(
              new Blob([plain]).stream().pipeThrough(new CompressionStream(method)),
            ).arrayBuffer(),
          );
    const label = encoder.encode(name);
    const shared = new DataView(new ArrayBuffer(26));
    shared.setUint16(0, 20, true);
    shared.setUint16(4, method === null ? 0 : 8, true);
    shared.setUint32(14, packed.length, true);
    shared.setUint32(18, plain.length, true);
    shared.setUint16(22, label.length, true);
    const common = new Uint8Array(shared.buffer);
    const local = [encoder.encode('PK\u0003\u0004'), common, label, packed];
    const tail = new DataView(new ArrayBuffer(14));
    tail.setUint32(10, at, true);
    directory.push(
      ...[encoder.encode('PK\u0001\u0002'), new Uint8Array([20, 0]), common],
      ...[new Uint8Array(tail.buffer), label],
    );
    pieces.push(...local);
    at += local.reduce((sum, piece) => sum + piece.length, 0);
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(10, Object.keys(files).length, true);
  end.setUint32(
    12,
    directory.reduce((sum, piece) => sum + piece.length, 0),
    true,
  );
  end.setUint32(16, at, true);
  return new Blob([...pieces, ...directory, new Uint8Array(end.buffer)]);
}
