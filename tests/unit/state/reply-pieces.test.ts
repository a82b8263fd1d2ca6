import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growReply, type ReplyEvent } from '../../../src/core/chat/grow-reply';
import { answerOf, thoughtTokensOf } from '../../../src/core/chat/reply-parts';
import type { ReplyPart } from '../../../src/core/chat/reply';
import { replyPieces } from '../../../src/state/reply-pieces';

const call = (expression: string): ReplyEvent => ({
  type: 'tool-call',
  call: { name: 'calculator', arguments: { expression } },
});
const result = (content: string, name = 'calculator', isError = false): ReplyEvent => ({
  type: 'tool-result',
  name,
  content,
  isError,
});
const say = (text: string): ReplyEvent => ({
  type: 'token',
  text,
  channel: 'answer',
  injected: false,
});

function partsOf(events: readonly ReplyEvent[]): readonly ReplyPart[] {
  return events.reduce<readonly ReplyPart[]>(growReply, []);
}

describe('the pieces of a reply', () => {
  it('have each result beside its call, wherever it came', () => {
    const pieces = replyPieces(
      partsOf([call('1'), say('and '), call('2'), result('one'), result('two')]),
    );
    expect(pieces.map((piece) => (piece.kind === 'steps' ? piece.steps : piece.kind))).toEqual([
      [{ name: 'calculator', given: ['1'], result: 'one', isError: false }],
      'answer',
      [{ name: 'calculator', given: ['2'], result: 'two', isError: false }],
    ]);
  });

  it('show a call that was not run, a result without a call, and a notice', () => {
    const pieces = replyPieces(
      partsOf([
        result('Error: unread', 'unknown', true),
        call('3'),
        { type: 'notice', text: 'It stops here.' },
      ]),
    );
    expect(pieces).toEqual([
      {
        kind: 'steps',
        steps: [
          { name: 'unknown', given: [], result: 'Error: unread', isError: true },
          { name: 'calculator', given: ['3'], result: null, isError: false },
        ],
      },
      { kind: 'notice', text: 'It stops here.' },
    ]);
  });

  it('lose nothing and change no order, whatever comes', () => {
    const event = fc.oneof(
      fc.constant<ReplyEvent>({ type: 'thought-start' }),
      fc
        .constantFrom<'thought' | 'answer'>('thought', 'answer')
        .chain((channel) =>
          fc
            .record({ text: fc.constantFrom('a', ' b', ''), injected: fc.boolean() })
            .map((token): ReplyEvent => ({ type: 'token', channel, ...token })),
        ),
      fc.constantFrom(call('1'), call('2'), result('1'), result('2', 'clock')),
      fc.constant<ReplyEvent>({ type: 'notice', text: 'n' }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), (events) => {
        const parts = partsOf(events);
        const pieces = replyPieces(parts);
        const said = events.flatMap((one) =>
          one.type === 'token' && one.channel === 'answer' ? [one.text] : [],
        );
        expect(answerOf(parts).replaceAll(/\s/g, '')).toBe(said.join('').replaceAll(/\s/g, ''));
        const calls = events.filter(({ type }) => type === 'tool-call').length;
        const steps = pieces.flatMap((piece) => (piece.kind === 'steps' ? piece.steps : []));
        expect(steps.filter(({ given }) => given.length > 0)).toHaveLength(calls);
        const results = events.flatMap((one) => (one.type === 'tool-result' ? [one.content] : []));
        expect(steps.flatMap((step) => step.result ?? []).sort()).toEqual(results.sort());
        const thoughts = pieces.filter((piece) => piece.kind === 'thought');
        const sampled = events.filter(
          (one) => one.type === 'token' && one.channel === 'thought' && !one.injected,
        ).length;
        expect(thoughtTokensOf(parts)).toBe(sampled);
        expect(thoughts.at(-1)?.tokensSoFar ?? 0).toBe(sampled);
        expect(thoughts.filter(({ isLast }) => isLast)).toHaveLength(Math.min(1, thoughts.length));
      }),
    );
  });
});
