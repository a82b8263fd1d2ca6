// What an address may bring into the message box: cut, cleaned, and nothing else of the address touched.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressAfterLaunch, readLaunch, SHARED_TEXT_LIMIT } from '../../../src/core/launch';

const launch = (query: string) => readLaunch(new URLSearchParams(query));

test('a plain start asks nothing', () => {
  expect(launch('')).toEqual({ draft: null, isCut: false, open: null, files: null });
  expect(launch('model=micro&text=%20&open=settings').open).toBeNull();
  expect(launch('model=micro&text=%20').draft).toBeNull();
});

test('a shared page comes with its title and address, each once', () => {
  expect(
    launch('title=Tides&text=Why+is+there+a+tide%3F&url=https%3A%2F%2Fsea.example').draft,
  ).toBe('Explain this:\nTides\nWhy is there a tide?\nhttps://sea.example');
  expect(launch('title=same&text=same').draft).toBe('Explain this:\nsame');
});

test('what is too long is cut, between characters, and said', () => {
  const { draft, isCut } = launch(
    `text=${'x'.repeat(SHARED_TEXT_LIMIT - 1)}${encodeURIComponent('🌊🌊')}`,
  );
  expect(isCut).toBe(true);
  expect(draft).toBe(`Explain this:\n${'x'.repeat(SHARED_TEXT_LIMIT - 1)}`);
});

test('whatever an address holds, the text is short, well-formed and without hidden marks', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(100), (part, times) => {
      const text = part.repeat(times);
      const title = part;
      const { draft } = readLaunch(new URLSearchParams({ text, title }));
      if (draft === null) return;
      expect(draft.length).toBeLessThanOrEqual(SHARED_TEXT_LIMIT + 'Explain this:\n'.length);
      expect(draft.isWellFormed()).toBe(true);
      expect(draft).not.toMatch(/(?![\n\t])\p{Cc}|[\u202E\u2066\u200B\r]/u);
    }),
    { numRuns: 50 },
  );
});

test('the address loses what was read and keeps the rest', () => {
  const after = addressAfterLaunch(
    new URL('https://host.example/app/?model=micro&text=a&title=b&url=c&open=lab&shared=2#/chat/1'),
  );
  expect(after).toBe('/app/?model=micro#/chat/1');
  expect(addressAfterLaunch(new URL('https://host.example/?text=a'))).toBe('/');
});
