import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { EngineEvent, EventBatch } from '../../../src/protocol/engine-api';
import { EventOutbox } from '../../../workers/event-outbox';

const FRAME_MS = 16;

function token(id: number): EngineEvent {
  return { type: 'token', id, text: 'a', channel: 'answer', injected: false, entropy: 0, ms: 1 };
}

const PROGRESS: EngineEvent = { type: 'prefill', done: 5, total: 5, reused: 0 };

let batches: EventBatch[] = [];
let outbox = new EventOutbox({ postMessage: () => {} });
beforeEach(() => {
  vi.useFakeTimers();
  batches = [];
  outbox = new EventOutbox({ postMessage: (batch) => batches.push(batch) });
});
afterEach(() => {
  vi.useRealTimers();
});

it('sends at most one batch a frame, with all that came', () => {
  outbox.push(PROGRESS);
  outbox.push(PROGRESS);
  outbox.push(PROGRESS);
  expect(batches.map(({ events }) => events.length)).toEqual([1]);
  vi.advanceTimersByTime(FRAME_MS);
  expect(batches.map(({ events }) => events.length)).toEqual([1, 2]);
  expect(batches.map(({ sequence }) => sequence)).toEqual([0, 1]);
});

it('lets the first token wait for no frame, and the next ones do', () => {
  outbox.push(PROGRESS);
  outbox.push(token(1));
  expect(batches.flatMap(({ events }) => events).at(-1)).toEqual(token(1));
  outbox.push(token(2));
  outbox.push(token(3));
  expect(batches).toHaveLength(2);
  vi.advanceTimersByTime(FRAME_MS);
  expect(batches.at(-1)?.events).toEqual([token(2), token(3)]);
});

it('sends what waits with the end, in one batch and no more after it', () => {
  outbox.push(PROGRESS);
  outbox.push(PROGRESS);
  outbox.close();
  vi.advanceTimersByTime(10 * FRAME_MS);
  expect(batches).toHaveLength(2);
  expect(batches.at(-1)).toMatchObject({ isLast: true, events: [PROGRESS] });
});
