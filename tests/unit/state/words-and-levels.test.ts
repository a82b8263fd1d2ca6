// The pure parts of the state layer: slider stops, titles, thought pieces, water levels, words for devices.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemoryReport } from '../../../src/protocol/engine-api';
import { titleFrom } from '../../../src/state/conversation';
import { modelDeviceInWords, progressInWords } from '../../../src/state/device-words';
import {
  THINKING_STOPS,
  limitAt,
  limitInWords,
  stopIndex,
  stopsWith,
} from '../../../src/state/thinking-limits';
import { thoughtPieces } from '../../../src/state/thought-pieces';
import { gaugeScale, waterLevels } from '../../../src/state/water-levels';
import { chatOfHash, hashOfChat } from '../../../src/ui/address';

describe('slider stops', () => {
  test('each stop is its own place, and says what it means', () => {
    THINKING_STOPS.forEach((stop, index) => {
      expect(stopIndex(stop)).toBe(index);
      expect(limitAt(index)).toBe(stop);
    });
    expect(limitInWords(0)).toContain('Off');
    expect(limitInWords(64)).toBe('64 tokens at most');
  });

  test('a limit between two stops shows the nearer, a place outside the nearest end', () => {
    expect(limitAt(stopIndex(100))).toBe(128);
    expect(limitAt(stopIndex(90))).toBe(64);
    expect(limitAt(-3)).toBe(0);
    expect(limitAt(99)).toBe('unlimited');
  });
});

describe('slider stops of a model', () => {
  test('are the usual ones, and those besides at which it was measured, in order and each once', () => {
    expect(stopsWith([0, 16, 'unlimited'])).toEqual(THINKING_STOPS);
    const stops = stopsWith([0, 48, 128, 2048, 'unlimited']);
    expect(stops).toHaveLength(THINKING_STOPS.length + 2);
    expect(stops.slice(2, 5)).toEqual([32, 48, 64]);
    expect(stops.slice(-2)).toEqual([2048, 'unlimited']);
    stops.forEach((stop, index) => {
      expect(stopIndex(stop, stops)).toBe(index);
      expect(limitAt(index, stops)).toBe(stop);
    });
  });
});

describe('titles', () => {
  test('are one short line, never empty, and never half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const title = titleFrom(text);
        expect(title).not.toBe('');
        expect(title).not.toMatch(/\n/);
        expect(Array.from(title).length).toBeLessThanOrEqual(49);
        expect(title.isWellFormed()).toBe(true);
      }),
    );
  });

  test('end at a word', () => {
    const long = 'Why do tide pools keep their size while the tide keeps rising and falling?';
    expect(titleFrom(long)).toBe('Why do tide pools keep their size while the…');
  });
});

test('thought pieces joined are the thought, and only what was put in is marked', () => {
  const cuts = fc.array(fc.nat(60), { maxLength: 6 });
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 60 }), cuts, (thought, places) => {
      const sorted = places.map((at) => Math.min(at, thought.length)).sort((a, b) => a - b);
      const injected = [];
      for (let i = 0; i + 1 < sorted.length; i += 2) {
        injected.push({ start: sorted[i] ?? 0, end: sorted[i + 1] ?? 0 });
      }
      const pieces = thoughtPieces(thought, injected);
      expect(pieces.map((piece) => piece.text).join('')).toBe(thought);
    }),
  );
  expect(
    thoughtPieces('ab. Stop.\n', [
      { start: 3, end: 9 },
      { start: 9, end: 10 },
    ]),
  ).toEqual([
    { text: 'ab.', injected: false },
    { text: ' Stop.', injected: true },
    { text: '\n', injected: false },
  ]);
});

describe('water levels', () => {
  const memory: MemoryReport = {
    weightBytes: 1,
    ssmBytes: 3000,
    convBytes: 72,
    kvBytes: 1000,
    kvAllocatedBytes: 4000,
    snapshotBytes: 0,
    snapshotCount: 0,
    tokens: 10,
  };

  test('pool is SSM and conv states; the tide is level at the first token that reaches it', () => {
    const levels = waterLevels(memory);
    expect(levels).toMatchObject({ poolBytes: 3072, tideBytes: 1000, tideBytesPerToken: 100 });
    expect(levels.levelAtTokens).toBe(31);
  });

  test('before the first token nothing is known of the tide', () => {
    const levels = waterLevels({ ...memory, tokens: 0, kvBytes: 0 });
    expect(levels.levelAtTokens).toBeNull();
    expect(levels.tideBytesPerToken).toBe(0);
  });

  test('the scale holds both waters and has a handful of ticks', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 30), fc.nat(2 ** 34), (poolBytes, tideBytes) => {
        const { topBytes, tickBytes } = gaugeScale({ poolBytes, tideBytes });
        expect(topBytes).toBeGreaterThan(Math.max(poolBytes, tideBytes));
        expect(tickBytes.length).toBeGreaterThanOrEqual(4);
        expect(tickBytes.length).toBeLessThanOrEqual(9);
        expect(tickBytes.at(-1)).toBe(topBytes);
      }),
    );
  });
});

test('a kept model is not called a download, and unknown totals are not called bytes', () => {
  const weights = { stage: 'weights', loadedBytes: 1024, totalBytes: 2048 } as const;
  expect(progressInWords({ ...weights, fromCache: false })).toMatch(
    /^Fetching.*1\.00 KiB of 2\.00 KiB/,
  );
  expect(progressInWords({ ...weights, fromCache: true })).toMatch(/^Reading the kept model/);
  expect(progressInWords({ ...weights, totalBytes: 0, fromCache: false })).not.toMatch(/\d/);
  expect(modelDeviceInWords({ device: 'wasm-threads', threads: 4 })).toBe('WASM, 4 threads');
});

test('addresses name a chat and nothing else', () => {
  expect(chatOfHash(hashOfChat('ab-1'))).toBe('ab-1');
  expect(chatOfHash(hashOfChat(null))).toBeNull();
  for (const hash of ['', '#/', '#/chat/', '#/chat/a/b', '#/chat/<x>']) {
    expect(chatOfHash(hash)).toBeNull();
  }
});
