// The reply being written: one write a frame, and the same content however the events are batched.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyReply } from '../../../src/core/chat/reply';
import type { EngineEvent } from '../../../src/protocol/engine-api';
import { LiveReply } from '../../../src/state/live-reply.svelte';

function token(channel: 'thought' | 'answer', text: string, injected = false): EngineEvent {
  return { type: 'token', id: 1, text, channel, injected, ms: 1 };
}

const EVENTS: readonly EngineEvent[] = [
  { type: 'prefill', done: 4, total: 8, reused: 0 },
  { type: 'prefill', done: 8, total: 8, reused: 0 },
  { type: 'thought-start', limit: 16 },
  token('thought', 'two'),
  token('thought', ' and'),
  token('thought', ' three.'),
  token('thought', ' Enough.', true),
  { type: 'thought-end', reason: 'soft-limit', tokens: 3, ms: 30 },
  token('answer', 'So '),
  { type: 'tool-call', call: { name: 'calculator', arguments: { expression: '2+3' } } },
  { type: 'tool-result', name: 'calculator', content: '5', isError: false },
  token('answer', 'five'),
  token('answer', '.'),
];

/** A live reply whose frames come only when told. */
function withFrames() {
  const frames: (() => void)[] = [];
  const live = new LiveReply(emptyReply(16), {
    schedule: (write) => frames.push(write),
    now: () => 0,
  });
  return { live, frames };
}

test('however events are batched, the view after the last frame is the same', () => {
  const whole = withFrames();
  whole.live.take(EVENTS);
  whole.frames.forEach((write) => write());
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 20 }), (sizes) => {
      const { live, frames } = withFrames();
      let at = 0;
      for (const size of sizes) {
        live.take(EVENTS.slice(at, at + size));
        at += size;
        if (size % 2 === 0) frames.splice(0).forEach((write) => write());
      }
      live.take(EVENTS.slice(at));
      frames.splice(0).forEach((write) => write());
      expect(live.view).toEqual(whole.live.view);
    }),
  );
});

test('many batches within a frame are one write', () => {
  const { live, frames } = withFrames();
  const before = live.view;
  for (const event of EVENTS) live.take([event]);
  expect(frames).toHaveLength(1);
  expect(live.view).toBe(before);
  frames[0]?.();
  expect(live.view.reply.parts.at(-1)).toEqual({ kind: 'answer', text: 'five.' });
});

test('keeps thought, injected text, answer, call and result in the order they came', () => {
  const { live, frames } = withFrames();
  live.take(EVENTS);
  frames[0]?.();
  expect(live.view.reply.parts).toEqual([
    {
      kind: 'thought',
      text: 'two and three. Enough.',
      injected: [{ start: 14, end: 22 }],
      end: 'soft-limit',
      tokens: 3,
      ms: 30,
    },
    { kind: 'answer', text: 'So ' },
    { kind: 'call', call: { name: 'calculator', arguments: { expression: '2+3' } } },
    { kind: 'result', name: 'calculator', content: '5', isError: false },
    { kind: 'answer', text: 'five.' },
  ]);
});

test('a thought after a tool is a thought of its own, and the meter counts both', () => {
  const { live, frames } = withFrames();
  live.take([
    ...EVENTS.slice(0, 11),
    { type: 'thought-start', limit: 16 },
    token('thought', 'five'),
    token('thought', ' then'),
  ]);
  frames[0]?.();
  const { reply, thoughtTokens } = live.view;
  expect(reply.parts.map(({ kind }) => kind)).toEqual([
    'thought',
    'answer',
    'call',
    'result',
    'thought',
  ]);
  expect(thoughtTokens).toBe(5);
});

test('a failure keeps all of it, the call that was not run too', () => {
  const { live } = withFrames();
  live.take(EVENTS.slice(0, 10));
  const reply = live.fail('The engine died.');
  expect(reply).toMatchObject({ finish: 'failed', problem: 'The engine died.' });
  expect(reply.parts.map(({ kind }) => kind)).toEqual(['thought', 'answer', 'call']);
});
