// A chat to the text of a link and back, whatever is in it and whatever becomes of it on its way.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  activePath,
  appendMessage,
  EMPTY_TREE,
  regenerateReply,
} from '../../../src/core/chat/conversation-tree';
import type { ReplyContent, ReplyPart } from '../../../src/core/chat/reply';
import { decodeChat, encodeChat, MAX_LINK_CHARACTERS } from '../../../src/storage/shared-chat';
import { LIMITS, type StoredConversation } from '../../../src/storage/stored-conversation';
import { conversationOf } from './conversations';

const ALL = { hasThoughts: true, hasSystemPrompt: true };
const STATS = {
  promptTokens: 5,
  reusedTokens: 0,
  prefillMs: 1,
  timeToFirstTokenMs: 2,
  thoughtTokens: 3,
  thoughtMs: 4,
  answerTokens: 5,
  decodeMs: 6,
  decodeTokensPerSecond: 7,
  prefillTokensPerSecond: 8,
  device: 'server localhost:8080',
};

const texts = fc.string({ unit: 'grapheme', maxLength: 60 });
const parts: fc.Arbitrary<ReplyPart> = fc.oneof(
  fc.record({ kind: fc.constant('answer' as const), text: texts }),
  texts.map((text) => ({
    kind: 'thought' as const,
    text,
    injected: [{ start: 0, end: text.length }],
    end: 'natural' as const,
    tokens: text.length,
    ms: 12.5,
  })),
  texts.map((expression) => ({
    kind: 'call' as const,
    call: { name: 'calculator', arguments: { expression } },
  })),
  texts.map((content) => ({
    kind: 'result' as const,
    name: 'calculator',
    content,
    isError: content === '',
  })),
);
const replies: fc.Arbitrary<ReplyContent> = fc.record(
  {
    parts: fc.array(parts, { maxLength: 5 }),
    thoughtLimit: fc.constantFrom(0, 64, 'unlimited' as const),
    stats: fc.constantFrom(null, STATS),
    finish: fc.constantFrom('end' as const, 'stopped' as const, 'failed' as const, null),
    problem: fc.constantFrom('', 'localhost:8080 is gone.'),
    writer: texts,
    isEdited: fc.constant(true as const),
  },
  { requiredKeys: ['parts', 'thoughtLimit', 'stats', 'finish', 'problem'] },
);
const chats: fc.Arbitrary<StoredConversation> = fc
  .record({
    title: texts,
    systemPrompt: texts,
    turns: fc.array(fc.tuple(texts, replies), { minLength: 1, maxLength: 4 }),
  })
  .map(({ title, systemPrompt, turns }) => ({
    ...conversationOf('c'),
    title,
    systemPrompt,
    tree: turns.reduce((tree, [text, reply], at) => {
      const links = { createdAt: at };
      const files = [{ name: 'a.txt', text, share: 0.5, tokens: 3 }];
      const question = { ...links, id: `q${at}`, role: 'user' as const, text };
      const asked = appendMessage(tree, at % 2 === 0 ? question : { ...question, files });
      return appendMessage(asked, { ...links, id: `a${at}`, role: 'assistant', reply });
    }, EMPTY_TREE),
  }));

/** What is read of a chat. */
function contentOf({ tree }: StoredConversation) {
  return activePath(tree).map((node) =>
    node.role === 'assistant' ? node.reply : [node.text, node.files],
  );
}

async function decoded(code: string): Promise<StoredConversation> {
  const read = await decodeChat(code);
  if ('broken' in read) throw new Error(read.broken);
  return read;
}

describe('a chat in a link', () => {
  test('comes back as it was, but for its figures and problems', async () => {
    await fc.assert(
      fc.asyncProperty(chats, async (chat) => {
        const code = await encodeChat(chat, ALL);
        expect(code).toMatch(/^1\.[\w-]*$/);
        const back = await decoded(code);
        expect(back).toMatchObject({ title: chat.title, systemPrompt: chat.systemPrompt });
        expect(contentOf(back)).toEqual(
          contentOf(chat).map((content) =>
            'parts' in content ? { ...content, stats: null, problem: '' } : content,
          ),
        );
        expect(JSON.stringify(back)).not.toContain('localhost');
      }),
      { numRuns: 60 },
    );
  });

  test('with one letter changed, left out or added is found out', async () => {
    const code = await encodeChat(conversationOf('c'), ALL);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: code.length - 1 }),
        fc.constantFrom('change', 'cut', 'add'),
        fc.constantFrom('A', 'b', '9', '_', '%', ' '),
        async (at, how, letter) => {
          const broken =
            how === 'change'
              ? code.slice(0, at) + letter + code.slice(at + 1)
              : how === 'cut'
                ? code.slice(0, at)
                : code.slice(0, at) + letter + code.slice(at);
          const read = await decodeChat(broken);
          // The last letter of base64 may carry bits that mean nothing.
          if (!('broken' in read)) expect(contentOf(read)).toEqual(contentOf(conversationOf('c')));
          else expect(read.broken).not.toBe('');
        },
      ),
      { numRuns: 200 },
    );
    expect(await decodeChat(code.slice(0, -4))).toHaveProperty('broken');
  });

  test('leaves out other branches, and thoughts and the system prompt where that is wished', async () => {
    const chat = { ...conversationOf('c', { answer: 'the old one' }), systemPrompt: 'secret' };
    const tree = regenerateReply(chat.tree, 'c-a', { id: 'x', createdAt: 0, thoughtLimit: 8 });
    const code = await encodeChat(
      { ...chat, tree },
      { hasThoughts: false, hasSystemPrompt: false },
    );
    const text = JSON.stringify(await decoded(code));
    expect(text).not.toContain('secret');
    expect(text).not.toContain('the old one');
  });

  test('is refused where it unpacks to more than any chat of a link', async () => {
    const answer = 'ä'.repeat(LIMITS.textLength);
    const many = await encodeChat(conversationOf('c', { answer, question: answer }), ALL);
    expect(many.length).toBeLessThan(MAX_LINK_CHARACTERS);
    const read = await decodeChat(many);
    expect('broken' in read && read.broken).toBe('it was cut short or mistyped on its way');
  });

  test.each([
    ['', 'it is of a form that this Tidepool does not know'],
    ['2.abc', 'it is of a form that this Tidepool does not know'],
    ['1.', 'it was cut short or mistyped on its way'],
    ['1.AAAA', 'it was cut short or mistyped on its way'],
  ])('%j says what is wrong', async (code, broken) => {
    expect(await decodeChat(code)).toEqual({ broken });
  });

  test('of more characters than any that was made here is not even unpacked', async () => {
    const read = await decodeChat(`1.${'A'.repeat(MAX_LINK_CHARACTERS)}`);
    expect(read).toEqual({ broken: 'it has more than 16000 characters' });
  });

  test.each([
    ['not even JSON', 'it holds no chat'],
    ['[]', 'the chat should be an object, but is a list of 0'],
    ['{"messages":[]}', 'messages should be a list of some, but is a list of 0'],
    ['{"messages":[{"role":"tool"}]}', 'messages[0].role'],
  ])('that holds %s says so', async (text, broken) => {
    const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate'));
    const bytes = Buffer.from(await new Response(packed).arrayBuffer());
    const read = await decodeChat(`1.${bytes.toString('base64url')}`);
    expect('broken' in read ? read.broken : '').toContain(broken);
  });
});
