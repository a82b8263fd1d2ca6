// An answer while it is written: what is settled stays, and no mark shows that will mean something.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import realOutputs from '../../fixtures/real-outputs.json' with { type: 'json' };
import { readBlocks } from '../../../src/core/markdown/read-blocks';
import { GrowingMarkdown, renderBlocks } from '../../../src/ui/markdown/render-blocks';
import { htmlWithin, textOf } from './shown';

/** Words as a reader sees them: only letters and signs, whatever stands between. */
function seen(blocks: readonly { readonly html: string }[]): string {
  return textOf(htmlWithin(blocks.map(({ html }) => ({ html: `${html} ` }))))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const word = fc.constantFrom('pool', 'tide', 'rises', 'Größe', '水', 'salt,', 'sea.', '42', 'a-b');
const words = fc.array(word, { minLength: 1, maxLength: 4 }).map((all) => all.join(' '));
const inline = fc.oneof(
  { weight: 3, arbitrary: words },
  words.map((text) => `**${text}**`),
  words.map((text) => `*${text}*`),
  words.map((text) => `***${text}***`),
  words.map((text) => `~~${text}~~`),
  words.map((text) => `\`${text}\``),
  words.map((text) => `[${text}](https://sea.example/a_b)`),
  words.map((text) => `**${text} \`code\` *${text}* end**`),
  fc.constantFrom(
    '$x^2 + 1$',
    '$x$',
    '\\(a < b\\)',
    '$\\alpha$',
    '$2x + 3$',
    'AT&amp;T',
    '&copy;',
    'a<br>b',
  ),
  fc.constantFrom('5$', '$5', '2 * 3', 'f(x)'),
);
const line = fc.array(inline, { minLength: 1, maxLength: 4 }).map((all) => all.join(' '));
const block = fc.oneof(
  line,
  fc.tuple(line, line).map((all) => all.join('\n')),
  line.map((text) => `## ${text}`),
  line.map((text) => `> ${text}`),
  fc
    .array(line, { minLength: 1, maxLength: 3 })
    .map((all) => all.map((text) => `- ${text}`).join('\n')),
  fc
    .array(line, { minLength: 1, maxLength: 3 })
    .map((all) => all.map((text, at) => `${at + 1}. ${text}`).join('\n')),
  fc.constantFrom(
    '```js\nlet a = 1;\n\nlet b;\n```',
    '$$\nx = 1\n$$',
    '\\[\n\\frac{1}{2}\n\\]',
    '| a | b |\n| - | :-: |\n| 1 | **2** |',
    '---',
  ),
);
const answer = fc.array(block, { minLength: 1, maxLength: 5 }).map((all) => all.join('\n\n'));

describe('a growing answer', () => {
  it('shows at every character a beginning of what it shows at its end', () => {
    fc.assert(
      fc.property(answer, (source) => {
        const growing = new GrowingMarkdown();
        const whole = seen(renderBlocks(source));
        for (let end = 1; end <= source.length; end += 1) {
          const text = seen(growing.update(source.slice(0, end), true));
          if (!whole.startsWith(text))
            expect({ source, end, text }).toEqual({ source, end, text: whole });
        }
        expect(growing.update(source)).toEqual(renderBlocks(source));
      }),
      { numRuns: 100, examples: [['1. $5 ~~pool~~ 5$\n2. **pool `code` *pool* end**']] },
    );
  });

  it('is not far behind what has been written', () => {
    fc.assert(
      fc.property(words, words, (first, second) => {
        const source = `${first} **${second} and more`;
        expect(seen(renderBlocks(source.replace('**', '')))).toBe(
          seen(new GrowingMarkdown().update(source, true)),
        );
      }),
    );
  });

  it.each([
    ['**bold', '<p><strong>bold</strong></p>\n'],
    ['**bold*', '<p><strong>bold</strong></p>\n'],
    ['*a **b', '<p><em>a <strong>b</strong></em></p>\n'],
    ['so $x^2 +', '<p>so </p>\n'],
    ['costs $5 and', '<p>costs $5 and</p>\n'],
    ['Use $HOME', '<p>Use $HOME</p>\n'],
    ['see [the te', '<p>see the te</p>\n'],
    ['see [it](https://a.exa', '<p>see it</p>\n'],
    ['an `x = ', '<p>an <code>x =</code></p>\n'],
    [
      '$$\nx = \\frac{1',
      '<div class="maths-block"><span class="maths-source">x = \\frac{1</span></div>\n',
    ],
    ['line\n-', '<p>line</p>\n'],
    ['| a | b |\n| -', ''],
    ['![alt](https', ''],
  ])('%j is mended or held back', (source, html) => {
    const blocks = new GrowingMarkdown().update(source, true);
    expect(htmlWithin(blocks)).toBe(html);
  });

  it('is read only from its last block on', () => {
    const source = `${'- item\n'.repeat(20)}\n${'word '.repeat(50)}\n\nThe end`;
    const { settled, starts } = readBlocks(source);
    expect(settled).toBe(2);
    expect(source.slice(starts[2])).toBe('The end');
  });
});

describe('real outputs', () => {
  it('are enough', () => {
    expect(realOutputs.outputs.length).toBeGreaterThanOrEqual(40);
  });

  it.each(realOutputs.outputs.map(({ from, text }) => [from, text]))(
    '%s: streamed as whole, and nothing settled changes',
    (_from, text) => {
      const growing = new GrowingMarkdown();
      let before: readonly { readonly html: string }[] = [];
      for (let end = 1; end <= text.length; end += 1) {
        const prefix = text.slice(0, end);
        const { settled } = readBlocks(prefix);
        const blocks = growing.update(prefix, true);
        expect(blocks.slice(0, before.length)).toEqual(before);
        before = blocks.slice(0, settled);
      }
      expect(growing.update(text)).toEqual(renderBlocks(text));
    },
  );
});

describe('a hostile answer', () => {
  const SIZE = 60_000;
  const repeated = (part: string): string => part.repeat(Math.ceil(SIZE / part.length));

  // Each of these takes minutes where the time grows with the square of the length.
  it.each([
    '*a ',
    '**a',
    '*a_',
    '_a*',
    '`',
    '``a`',
    '[',
    '![',
    '[a](',
    '[a](<',
    '[a](b "',
    '](',
    '$a ',
    '$$a',
    '\\(',
    '\\(a',
    '\\[a',
    '<a',
    '<https://',
    '&a',
    'a@',
    'a@b.',
    'https://a.b(',
    '~~a',
    '> ',
    '- ',
    '* a\n',
    '1. ',
    '|',
    '| a |\n|-|\n',
    '\\begin{align}',
    '$$\n',
    '```\n',
    '#',
    '# a\n',
    '\n',
    ' ',
    '\t',
    '***a** ',
    'a**b',
    '*a**b ',
    '[[a](b)](c)',
    '$5 and ',
  ])('of %j takes time in proportion to its length', (part) => {
    const start = performance.now();
    renderBlocks(repeated(part));
    new GrowingMarkdown().update(repeated(part), true);
    expect(performance.now() - start).toBeLessThan(4000);
  });
});
