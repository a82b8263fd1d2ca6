import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { activePath, appendMessage, EMPTY_TREE } from '../../../../src/core/chat/conversation-tree';
import { begunReply, toPromptMessages } from '../../../../src/core/chat/prompt-assembly';
import { emptyReply, type ReplyContent, type ReplyPart } from '../../../../src/core/chat/reply';

const ASKED = appendMessage(EMPTY_TREE, { id: 'u1', createdAt: 1, role: 'user', text: '12 * 3?' });
const CALL = { name: 'calculator', arguments: { expression: '12 * 3' } };

/** The messages of a question and this reply. */
function messagesWith(reply: ReplyContent, systemPrompt = ''): unknown[] {
  const tree = appendMessage(ASKED, { id: 'a1', createdAt: 2, role: 'assistant', reply });
  return toPromptMessages(activePath(tree), systemPrompt);
}

const call = (expression: string): ReplyPart => ({
  kind: 'call',
  call: { name: 'calculator', arguments: { expression } },
});
const result = (content: string, isError = false): ReplyPart => ({
  kind: 'result',
  name: 'calculator',
  content,
  isError,
});
const said = (text: string): ReplyPart => ({ kind: 'answer', text });
const thought = (text: string): ReplyPart => ({
  kind: 'thought',
  text,
  injected: [],
  end: 'natural',
  tokens: 4,
  ms: 1,
});

function replyOf(...parts: ReplyPart[]): ReplyContent {
  return { ...emptyReply(64), parts };
}

describe('prompt messages', () => {
  test('tool steps become calls and results; thoughts stay out', () => {
    const reply = replyOf(
      thought('I need the calculator.'),
      said('I reckon.'),
      call('12 * 3'),
      result('36'),
      thought('So.'),
      said('It is 36.'),
    );
    expect(messagesWith(reply, ' ')).toEqual([
      { role: 'user', content: '12 * 3?' },
      { role: 'assistant', content: 'I reckon.', toolCalls: [CALL] },
      { role: 'tool', content: '36' },
      { role: 'assistant', content: 'It is 36.' },
    ]);
  });

  test('two calls of one turn stay one turn, as the model wrote it', () => {
    const reply = replyOf(call('12 * 3'), call('1 + 1'), result('36'), result('2'), said('Done.'));
    expect(messagesWith(reply).slice(1)).toMatchObject([
      { role: 'assistant', toolCalls: [CALL, { arguments: { expression: '1 + 1' } }] },
      { role: 'tool', content: '36' },
      { role: 'tool', content: '2' },
      { role: 'assistant', content: 'Done.' },
    ]);
  });

  test('a reply to come adds nothing; the system prompt stands first', () => {
    expect(messagesWith(emptyReply(64), 'Be brief.')).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: '12 * 3?' },
    ]);
  });

  test('a call whose result never came is left out', () => {
    expect(messagesWith(replyOf(call('12 * 3'), said('Hm.'))).slice(1)).toEqual([
      { role: 'assistant', content: 'Hm.' },
    ]);
    expect(messagesWith(replyOf(call('12 * 3'))).slice(1)).toEqual([]);
  });

  test('a call that could not be read leaves the text around it', () => {
    const unread: ReplyPart = { kind: 'result', name: 'unknown', content: 'Error', isError: true };
    const reply = replyOf(said('Let me see.'), unread, said('It is 36.'));
    expect(messagesWith(reply).slice(1)).toEqual([
      { role: 'assistant', content: 'Let me see.\n\nIt is 36.' },
    ]);
  });
});

describe('roles', () => {
  const NOTHING: readonly ReplyContent[] = [emptyReply(64), replyOf(thought('Hm'))];

  test.each(NOTHING)('a reply that never began joins the questions around it', (reply) => {
    let tree = appendMessage(ASKED, { id: 'a1', createdAt: 2, role: 'assistant', reply });
    tree = appendMessage(tree, { id: 'u2', createdAt: 3, role: 'user', text: 'And 13 * 3?' });
    expect(toPromptMessages(activePath(tree), '')).toEqual([
      { role: 'user', content: '12 * 3?\n\nAnd 13 * 3?' },
    ]);
  });

  test('alternate, whatever was stopped or left out', () => {
    const reply = fc.oneof(
      fc.constantFrom(...NOTHING),
      fc.constant(replyOf(said('36'))),
      fc.constant(replyOf(thought('a'), call('1'), result('1'), said('1'))),
      fc.constant(replyOf(said('b'), call('1'))),
    );
    fc.assert(
      fc.property(fc.array(fc.option(reply, { nil: null }), { maxLength: 12 }), (turns) => {
        let tree = EMPTY_TREE;
        turns.forEach((turn, at) => {
          const links = { id: `n${at}`, createdAt: at };
          tree = appendMessage(
            tree,
            turn === null
              ? { ...links, role: 'user', text: `question ${at}` }
              : { ...links, role: 'assistant', reply: turn },
          );
        });
        const messages = toPromptMessages(activePath(tree), '');
        messages.forEach((message, at) => {
          const next = messages[at + 1];
          if (message.role === 'user') expect(next?.role).not.toBe('user');
          if (message.role === 'assistant' && message.toolCalls === undefined)
            expect(next === undefined ? null : [next.role, 'toolCalls' in next]).not.toEqual([
              'assistant',
              false,
            ]);
        });
        // Nothing that was asked is lost.
        const asked = turns.flatMap((turn, at) => (turn === null ? [`question ${at}`] : []));
        const read = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
        expect(read.join('\n\n')).toBe(asked.join('\n\n'));
      }),
    );
  });
});

describe('a reply that goes on', () => {
  test('gives its finished rounds with their thoughts, and the last one open', () => {
    const reply = replyOf(
      thought('A tool.'),
      said('I reckon.'),
      call('12 * 3'),
      result('36'),
      thought('So it'),
    );
    expect(begunReply(reply)).toEqual({
      messages: [
        { role: 'assistant', content: 'I reckon.', toolCalls: [CALL], thought: 'A tool.' },
        { role: 'tool', content: '36' },
      ],
      continueFrom: { thought: 'So it', answer: '' },
      thoughtTokens: 4,
    });
  });

  test('begins a turn where none was begun', () => {
    expect(begunReply(replyOf(call('12 * 3'), result('36'))).continueFrom).toBeNull();
    expect(begunReply(emptyReply(64))).toEqual({
      messages: [],
      continueFrom: null,
      thoughtTokens: 0,
    });
  });
});
