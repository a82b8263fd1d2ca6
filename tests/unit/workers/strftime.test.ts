import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../../../workers/runtime/hub';
import { strftime } from '../../../workers/runtime/strftime';

const CODES = 'aAbBcCdDeFgGhHIjklmMnpPrRSTuUVwWxXyYzs%'.split('');

/** What `date` of this machine writes, in UTC and the C locale; null where there is no GNU date. */
function gnuDate(date: Date, format: string): string | null {
  try {
    return execFileSync('date', ['-u', '-d', `@${date.getTime() / 1000}`, `+${format}|`], {
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).replace(/\|\n$/, '');
  } catch {
    return null;
  }
}

describe('strftime', () => {
  it('writes each code of the C locale', () => {
    const date = new Date(2026, 2, 5, 9, 7, 3);
    expect(strftime(date, '%A, %-d %B %Y %S %p')).toBe('Thursday, 5 March 2026 03 AM');
    expect(strftime(date, '%a %b %e %H:%M:%S, day %j, week %V, %I %p')).toBe(
      'Thu Mar  5 09:07:03, day 064, week 10, 09 AM',
    );
    expect(strftime(date, '%d/%m/%y %% %-H %_H %^a %Q %')).toBe('05/03/26 % 9  9 THU %Q %');
    expect(strftime(new Date(2026, 0, 1, 0, 5), '%-I:%M %p %U %W %G-W%V')).toBe(
      '12:05 AM 00 00 2026-W01',
    );
    expect(strftime(new Date(2027, 0, 3), '%G-W%V-%u')).toBe('2026-W53-7');
  });

  it('leaves no code, on any day', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(1970, 0, 2), max: new Date(2099, 0, 1), noInvalidDate: true }),
        fc.array(fc.constantFrom(...CODES), { minLength: 1 }),
        (date, codes) => {
          for (const code of codes) {
            const text = strftime(date, `%${code}`);
            expect(text).not.toBe(`%${code}`);
            expect(text).not.toBe('');
          }
        },
      ),
    );
  });

  it.runIf(gnuDate(new Date(0), '%Y') === '1970' && new Date(0).getTimezoneOffset() === 0)(
    'writes what GNU date writes',
    () => {
      const codes = CODES.filter((code) => !'kl'.includes(code));
      fc.assert(
        fc.property(fc.integer({ min: 86_400, max: 4_000_000_000 }), (seconds) => {
          const date = new Date(seconds * 1000);
          const format = codes.map((code) => `%${code}`).join('|');
          expect(strftime(date, format)).toBe(gnuDate(date, format));
        }),
        { numRuns: 25 },
      );
    },
  );

  it('is what a template gets for strftime_now, and a template may ask whether there is one', () => {
    const vocab = Object.fromEntries(
      Array.from({ length: 95 }, (_, at) => [String.fromCharCode(32 + at), at]),
    );
    const tokenizer = createTokenizer(
      {
        version: '1.0',
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: null,
        post_processor: null,
        decoder: null,
        model: { type: 'BPE', vocab, merges: [] },
      },
      {
        tokenizer_class: 'PreTrainedTokenizerFast',
        chat_template:
          "{% if strftime_now is defined %}{{ strftime_now('%A, %-d %B %Y %p') }}{% endif %}",
      },
    );
    const text = tokenizer
      .render([{ role: 'user', content: 'Hi' }], {
        tools: [],
        enableThinking: false,
        addGenerationPrompt: false,
      })
      .join('');
    expect(text).toMatch(/^\w+day, \d{1,2} [A-Z][a-z]+ \d{4} [AP]M$/);
  });
});
