import { afterEach, describe, expect, it } from 'vitest';
import { languageOfTag, preferredLanguage } from '../../../src/core/language/load-language';
import { recogniserOf } from '../../../src/core/language/recognise';
import { plural, said, speak, t } from '../../../src/core/language/translate';
import { formatBytes, formatCount, formatDuration, formatMoment } from '../../../src/core/units';

afterEach(() => speak('en'));

const words = {
  page: {
    Send: 'Senden',
    '{a} of {b}': '{b} hat {a}',
    '{count} chats': { one: '{count} Chat', other: '{count} Chats' },
  },
  said: recogniserOf({
    'It ended.': 'Es ist zu Ende.',
    '{1} broke: {2}': '{2} – {1} ist zerbrochen',
    'no room': 'kein Platz',
  }),
};

describe('t', () => {
  it('is the English sentence without a table', () => {
    expect(t('{a} of {b}', { a: 1, b: 'x' })).toBe('1 of x');
    expect(plural(1, 'one message', '{count} messages')).toBe('one message');
    expect(plural(0, 'one message', '{count} messages')).toBe('0 messages');
  });

  it('finds the wording, fills its blanks in its order, and writes numbers as the language does', () => {
    speak('de', words);
    expect(t('Send')).toBe('Senden');
    expect(t('{a} of {b}', { a: 1.5, b: 'x' })).toBe('x hat 1,5');
    expect(plural(1, '{count} chat', '{count} chats')).toBe('1 Chat');
    expect(plural(2, '{count} chat', '{count} chats')).toBe('2 Chats');
  });

  it('stays English where the table lacks the sentence', () => {
    speak('de', words);
    expect(t('Stop')).toBe('Stop');
    expect(plural(1, '{count} key', '{count} keys')).toBe('1 key');
  });

  it('leaves a blank that nothing fills, and what looks like one in a filling', () => {
    expect(t('{a} of {b}', { a: '{b}', b: 2 })).toBe('{b} of 2');
    expect(t('{a}')).toBe('{a}');
  });
});

describe('said', () => {
  it('knows a sentence whole or by its form, and what stands in its blanks', () => {
    speak('de', words);
    expect(said('It ended.')).toBe('Es ist zu Ende.');
    expect(said('x.json broke: no room')).toBe('kein Platz – x.json ist zerbrochen');
    expect(said('Something else.')).toBe('Something else.');
  });

  it('is the sentence itself in English', () => {
    expect(said('It ended.')).toBe('It ended.');
  });
});

describe('languages', () => {
  it('reads tags and takes the first that the page speaks', () => {
    expect(languageOfTag('de-AT')).toBe('de');
    expect(languageOfTag('fr')).toBeNull();
    expect(languageOfTag(null)).toBeNull();
    expect(preferredLanguage(['fr-CH', 'es-MX', 'de'])).toBe('es');
    expect(preferredLanguage([])).toBe('en');
  });

  it('numbers and dates are written as the language does', () => {
    speak('de', words);
    expect(formatCount(12_345)).toBe('12.345');
    expect(formatBytes(1.5 * 2 ** 20)).toBe('1,50 MiB');
    expect(formatDuration(2100)).toBe('2,1 s');
    expect(formatMoment(Date.UTC(2026, 10, 28, 12))).toContain('2026');
    speak('en');
    expect(formatCount(12_345)).toBe('12,345');
  });
});
