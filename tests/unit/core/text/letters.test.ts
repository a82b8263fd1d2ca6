// No half characters where text is cut: pairs, joiners, flags, marks, and every place that shortens a text.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLaunch, SHARED_TEXT_LIMIT } from '../../../../src/core/launch';
import {
  countLetters,
  cutText,
  letterEnd,
  letterStart,
  shortenText,
} from '../../../../src/core/text/letters';
import { titleFrom } from '../../../../src/state/conversation';
import { fileNameOf } from '../../../../src/storage/export-conversations';
import { snippetAround, wordsOf } from '../../../../src/storage/search-texts';
import { wrap } from '../../../../src/ui/lab/pictures/svg-parts';

/** Letters of many units, and what lies between them. */
const LETTERS = [
  ...['a', ' ', '\n', '\r\n', 'é', 'e\u0301', 'ä\u0323', '語', '한', '\u1112\u1161\u11ab'],
  ...['🎉', '👩‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '🇩🇪', '🇯🇵', '❤️', '1️⃣', 'क्षि', 'ที่', 'שָׁ', '\u06001', '\u200D'],
] as const;
const letter = fc.constantFrom(...LETTERS);
const anyText = fc.oneof(
  fc.array(letter, { maxLength: 60 }).map((letters) => letters.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);

/** Every place between two letters, as the whole text is segmented. */
function boundaries(text: string): Set<number> {
  const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text);
  return new Set([...Array.from(segments, ({ index }) => index), text.length]);
}

describe('places between letters', () => {
  test('are those of the whole text, however little of it is looked at', () => {
    fc.assert(
      fc.property(anyText, fc.nat(200), (text, place) => {
        const at = Math.min(place, text.length);
        const all = boundaries(text);
        const before = [...all].filter((one) => one <= at);
        const after = [...all].filter((one) => one >= at);
        expect(letterStart(text, at)).toBe(Math.max(...before));
        expect(letterEnd(text, at)).toBe(Math.min(...after));
      }),
      { numRuns: 1000 },
    );
  });

  test('a cut is a beginning in whole letters, as long as fits', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 80 }), (text, most) => {
        const cut = cutText(text, most);
        const fitting = [...boundaries(text)].filter((at) => at <= most);
        expect(text.startsWith(cut)).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(cut.length).toBeGreaterThanOrEqual(Math.max(...fitting));
        if (cut.length > 0 && Math.max(...fitting) > 0) expect(fitting).toContain(cut.length);
        if (text.isWellFormed()) expect(cut.isWellFormed()).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('one letter of a thousand units is cut between characters', () => {
    const tower = `🎉${'\u0301'.repeat(1000)}`;
    expect(cutText(tower, 1)).toBe('');
    expect(cutText(tower, 200)).toHaveLength(200);
    expect(cutText(`x${tower}`, 200)).toBe('x');
  });

  test('letters are counted as a person counts them', () => {
    expect(countLetters('👩‍👩‍👧‍👦🇩🇪e\u0301x')).toBe(4);
    expect(countLetters('two words')).toBe(9);
  });
});

describe('every place that shortens a text', () => {
  /** Each is given a long text without blanks and answers with what is left of it. */
  const PLACES: Readonly<Record<string, (text: string) => string>> = {
    title: (text) => titleFrom(text).replace(/…$/, ''),
    ellipsis: (text) => shortenText(text, 50).replace(/…$/, ''),
    'shared text': (text) =>
      (readLaunch(new URLSearchParams({ text })).draft ?? '').replace('Explain this:\n', ''),
    'line of a picture': (text) => wrap(text, 37)[0] ?? '',
    snippet: (text) => {
      const { snippet = '' } = snippetAround(['', `${text}NEEDLE${text}`], wordsOf('needle')) ?? {};
      return (snippet.split('NEEDLE')[1] ?? '').replace(/…$/, '');
    },
  };
  const joined = fc.constantFrom('🎉', '👩‍👩‍👧‍👦', '👍🏽', '🇩🇪', 'e\u0301', 'क्षि', 'שָׁ', '1️⃣');

  test.each(Object.entries(PLACES))('%s', (_name, shorten) => {
    fc.assert(
      fc.property(joined, fc.nat(12), (letters, offset) => {
        const text = `${'x'.repeat(offset)}${letters.repeat(SHARED_TEXT_LIMIT)}`;
        const left = shorten(text);
        expect(left.length).toBeLessThan(text.length);
        const rest = left.replaceAll(letters, '').replace(/^x*/, '');
        expect(rest).toBe('');
      }),
      { numRuns: 30 },
    );
  });

  test('a snippet begins with a whole letter too, and marks the whole match', () => {
    const text = `${'👩‍👩‍👧‍👦'.repeat(20)}cafe\u0301${'🇩🇪'.repeat(40)}`;
    const hit = snippetAround(['', text], wordsOf('CAFÉ'));
    expect(hit?.snippet).toMatch(/^…(?:👩‍👩‍👧‍👦)+cafe\u0301(?:🇩🇪)+…$/u);
    expect(hit?.snippet.slice(hit.start, hit.end)).toBe('cafe\u0301');
  });

  test('a file name keeps the marks of its letters', () => {
    expect(fileNameOf('हिन्दी में', 'md')).toBe('हिन्दी-में.md');
    expect(fileNameOf('é'.normalize('NFD').repeat(80), 'md').normalize('NFC')).toMatch(/^é+\.md$/);
  });
});
