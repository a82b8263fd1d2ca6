// A word is found in whatever Unicode form, case or width it was written and is asked for.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { snippetAround, wordsOf } from '../../../src/storage/search-texts';

function marked(text: string, query: string): string | null {
  const hit = snippetAround(['title', text], wordsOf(query));
  return hit === null ? null : hit.snippet.slice(hit.start, hit.end);
}

const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const;
const WORDS = [
  ...[
    'café',
    'Ångström',
    'Žižek',
    'straße',
    'ΟΔΟΣ',
    'İstanbul',
    'ﬁnal',
    'ＡＢＣ',
    '한국어',
    'ガギグ',
  ],
  ...['Việt', 'हिन्दी', 'שָׁלוֹם', 'مُحَمَّد', 'Ёлка', 'ﷲ', '①', 'ǅ', 'ᾳ', '𝐇𝐞𝐥𝐥𝐨', 'Ⅳ', 'ŉ'],
];

describe('search', () => {
  test('every form of a word finds every other, in every case', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...WORDS),
        fc.constantFrom(...FORMS),
        fc.constantFrom(...FORMS),
        fc.constantFrom('as it is', 'upper', 'lower'),
        (word, stored, asked, letterCase) => {
          const query = word.normalize(asked);
          const cased =
            letterCase === 'upper'
              ? query.toUpperCase()
              : letterCase === 'lower'
                ? query.toLowerCase()
                : query;
          const text = `before ${word.normalize(stored)} after`;
          expect(marked(text, cased), `${cased} in ${text}`).toBe(word.normalize(stored));
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ['cafe', 'a café here', 'café'],
    ['STRASSE', 'Straße', 'Straße'],
    ['strasse', 'STRASSE', 'STRASSE'],
    ['ς', 'ΣΟΦΟΣ', 'Σ'],
    ['istanbul', 'İSTANBUL', 'İSTANBUL'],
    ['coop', 'co\u00adop', 'co\u00adop'],
    ['שלום', 'שָׁלוֹם עולם', 'שָׁלוֹם'],
    ['abc', 'ＡＢＣ', 'ＡＢＣ'],
    ['❤', 'I ❤️ tides', '❤️'],
  ])('%s is found in %s', (query, text, found) => {
    expect(marked(text, query)).toBe(found);
  });

  test('what is not there is not found, and marks alone ask for nothing', () => {
    expect(marked('a café here', 'cafés')).toBeNull();
    expect(wordsOf(' \u0301 \u200d ')).toEqual([]);
  });

  test('any text is found by any of its words, and the mark lies inside the snippet', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.nat(29),
        (words, pick) => {
          const text = words.join(' ');
          const word = words[pick % words.length] ?? '';
          const asked = wordsOf(word);
          if (asked.length === 0) return;
          const hit = snippetAround(['', text], asked);
          expect(hit).not.toBeNull();
          if (hit === null) return;
          expect(hit.start).toBeGreaterThanOrEqual(0);
          expect(hit.end).toBeGreaterThan(hit.start);
          expect(hit.end).toBeLessThanOrEqual(hit.snippet.length);
          const [first = ''] = asked;
          expect(wordsOf(hit.snippet.slice(hit.start, hit.end)).join(' ')).toContain(first);
        },
      ),
      { numRuns: 500 },
    );
  });
});
