// The race and the long read on the micro model in Node: bytes to the number, made states as read ones, facts placed.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  kvBytesPerToken,
  FLOAT32_WIDTHS,
  stateBytesAt,
} from '../../../src/core/memory/state-memory';
import type { DistanceEvent } from '../../../src/protocol/distance-api';
import { chunkAfter, readLong, TokenSource } from '../../../workers/distance/long-read';
import { makeStates, repeatRows } from '../../../workers/distance/made-states';
import { openRunner, type Runner } from '../../../workers/distance/open-runner';
import { race } from '../../../workers/distance/race';
import { runDistance } from '../../../workers/distance/run-distance';
import { liveStateCount } from '../../../workers/runtime/layer-states';
import { MICRO_URL, nodeHost } from '../workers/model-host';

const MICRO = { id: 'micro', modelUrl: MICRO_URL };
const turn = (): Promise<void> => Promise.resolve();

function recorder() {
  const events: DistanceEvent[] = [];
  return { events, host: { post: (event: DistanceEvent) => void events.push(event), turn } };
}

describe('rows that are repeated', () => {
  it('stand head by head, the last of them cut', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    // Two heads of two rows of two bytes.
    expect([...repeatRows(bytes, 2, 2, 3, 2)]).toEqual([1, 2, 3, 4, 1, 2, 5, 6, 7, 8, 5, 6]);
  });
});

describe('the source of a long read', () => {
  const encode = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));

  it('gives the whole text with each fact at its place, whatever the portions', () => {
    const needle = (after: number, sentence: string) => ({
      after,
      sentence,
      question: '?',
      expected: '1',
    });
    const needles = [needle(0, 'A'), needle(12, 'B')];
    for (const portion of [1, 3, 7, 100]) {
      const source = new TokenSource('Eight.\n\nEight.\n\nEight.', needles, encode);
      let text = '';
      const seen: number[] = [];
      for (let ids = source.next(portion); ids.length > 0; ids = source.next(portion)) {
        text += String.fromCharCode(...ids);
        seen.push(source.needlesGiven);
        expect(source.needlesGiven).toBe(
          (text.includes('A\n\n') ? 1 : 0) + (text.includes('B\n\n') ? 1 : 0),
        );
      }
      expect(text).toBe('A\n\nEight.\n\nEight.\n\nB\n\nEight.');
      expect(seen.at(-1)).toBe(2);
    }
  });

  it('reads fewer tokens at once the more it has to look back on', () => {
    expect(chunkAfter(0)).toBe(256);
    expect(chunkAfter(100_000)).toBeLessThan(24);
    expect(chunkAfter(10 ** 9)).toBe(1);
  });
});

describe('on the micro model', () => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await openRunner(MICRO, 'wasm', nodeHost());
  }, 120_000);
  afterAll(() => runner.session.dispose());

  it('is opened for a longer context than its config names', () => {
    expect(runner.spec.maxPositions).toBeGreaterThan(100_000);
    expect(runner.opened.trainedContext).toBeLessThan(10_000);
  });

  it('made states have the type, size and step of read ones', async () => {
    const { session } = runner;
    const ids = Array.from({ length: 24 }, (_, i) => 5 + i);
    const short = (await session.step(ids.slice(0, 8), session.emptyStates())).states;
    const read = (await session.step(ids, session.emptyStates())).states;
    const made = await makeStates(session, short, 24);
    expect(made.bytes).toEqual(read.bytes);
    for (const name of read.names) {
      expect(made.tensor(name).dims).toEqual(read.tensor(name).dims);
      expect(made.tensor(name).type).toBe(read.tensor(name).type);
    }
    const step = await session.step([7], made);
    expect(step.states.tokens).toBe(25);
    expect(step.logits.every(Number.isFinite)).toBe(true);
    for (const states of [short, read, made, step.states]) states.release();
  });

  it('races in turns, reads up to the border and makes beyond it, to the byte', async () => {
    const { events, host } = recorder();
    const request = { contexts: [32, 64, 128], readUpTo: 64, rounds: 2, steps: 2 };
    const before = liveStateCount();
    await race([runner], request, host);
    expect(liveStateCount()).toBe(before);
    const points = events.flatMap((event) => (event.type === 'point' ? [event.point] : []));
    const last = new Map(points.map((one) => [`${one.context} ${one.states}`, one]));
    expect([...last.keys()]).toEqual(['32 read', '64 read', '64 made', '128 made']);
    const perToken = kvBytesPerToken(runner.spec, 4);
    const constant = stateBytesAt(runner.spec, 0, FLOAT32_WIDTHS, 'kernel-1').total;
    for (const point of last.values()) {
      expect(point.ms.length).toBe(4);
      expect(point.kvBytes).toBe(point.context * perToken);
      expect(point.constantBytes).toBe(constant);
    }
  });

  it('reads a text with flat states and a cache that grows by the token, and asks on the way', async () => {
    const { events, host } = recorder();
    const before = liveStateCount();
    await readLong(
      runner,
      {
        text: 'The crab walks over the sand.\n\n'.repeat(60),
        tokens: 200,
        needles: [
          {
            after: 0,
            sentence: 'Anna has 42 points.',
            question: 'How many points does Anna have?',
            expected: '42',
          },
        ],
        checkpoints: [64, 128],
        answerTokens: 4,
      },
      host,
    );
    expect(liveStateCount()).toBe(before);
    const points = events.flatMap((event) => (event.type === 'reading' ? [event.point] : []));
    const perToken = kvBytesPerToken(runner.spec, 4);
    for (const point of points) expect(point.kvBytes).toBe(point.tokens * perToken);
    expect(new Set(points.map(({ ssmBytes }) => ssmBytes)).size).toBe(1);
    expect(points.at(-1)?.tokens).toBe(200);
    const asked = events.flatMap((event) => (event.type === 'answers' ? [event.tokens] : []));
    expect(asked).toEqual([64, 128, 200]);
  });

  it('says of a model that is not there what is missing, and lets go of the rest', async () => {
    const { events, host } = recorder();
    const modelUrl = new URL(`file://${fileURLToPath(new URL('nowhere/', MICRO_URL))}`).href;
    await runDistance(
      {
        type: 'race',
        models: [{ id: 'nowhere', modelUrl }],
        device: 'wasm',
        contexts: [32],
        readUpTo: 32,
        rounds: 1,
        steps: 1,
      },
      nodeHost(),
      host,
    );
    const last = events.at(-1);
    expect(last?.type).toBe('failed');
    if (last?.type === 'failed') expect(last.error.remedy).not.toBe('');
  });
});
