// Kinds of faults that users of such apps reported: each is drawn from a grammar of its inputs.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlOf, partsOf, textOf } from './shown';

const word = fc.constantFrom('width', 'then', 'so', 'area', 'Größe', 'value', 'мир');
const letter = fc.constantFrom('a', 'b', 'x', 'y', 'n', 'π', 'r');
const number = fc.oneof(fc.nat(999).map(String), fc.constantFrom('3.5', '1,000', '10²'));
const MARKS = /<(?:em|strong|del)>/;

describe('stars between operands', () => {
  const group = fc.tuple(letter, number).map(([a, b]) => `(${a}+${b})`);
  const operand = fc.oneof(
    letter,
    number,
    word,
    group,
    number.map((n) => `${n}!`),
    fc.tuple(number, letter).map((pair) => pair.join('')),
  );
  const product = fc.array(operand, { minLength: 2, maxLength: 6 }).map((all) => all.join('*'));
  const power = fc
    .array(fc.oneof(letter, fc.nat(99).map(String)), { minLength: 2, maxLength: 4 })
    .map((all) => all.join('**'));
  const sum = fc
    .array(fc.oneof(product, power), { minLength: 1, maxLength: 3 })
    .map((all) => all.join(' + '));

  it('stay, in products and powers', () => {
    fc.assert(
      fc.property(fc.tuple(word, sum, word, sum), (parts) => {
        const source = parts.join(' ');
        expect(textOf(htmlOf(source))).toBe(source);
        expect(htmlOf(source)).not.toMatch(MARKS);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['5! = 5*4*3*2*1', '2**10 and 3**4', 'a*b*c', '(a)*(b)*(c)', 'V = l*w*h', '**2*3**'])(
    '%s',
    (source) => {
      expect(textOf(htmlOf(source))).toBe(source.replaceAll(/^\*\*|(?<=3)\*\*$/g, ''));
      expect(htmlOf(source)).not.toContain('<em>');
    },
  );

  it('still mark words', () => {
    const mark = fc.constantFrom('*', '**', '***', '_', '__', '~~');
    fc.assert(
      fc.property(word, mark, word, sum, (before, sign, inner, after) => {
        const html = htmlOf(`${before} ${sign}${inner}${sign} ${after}`);
        expect(html).toMatch(MARKS);
        expect(textOf(html)).toBe(`${before} ${inner} ${after}`);
      }),
    );
  });

  it.each([
    ['**T**ransformer', '<strong>T</strong>ransformer'],
    ['*T*ransformer', '<em>T</em>ransformer'],
    ['wieder**sehen**', 'wieder<strong>sehen</strong>'],
    ['**Step 1**(optional)', '<strong>Step 1</strong>(optional)'],
    ['"*Hamlet*"', '&quot;<em>Hamlet</em>&quot;'],
    ['**foo*bar*baz**', '<strong>foo*bar*baz</strong>'],
  ])('%s is marked', (source, html) => {
    expect(htmlOf(source)).toBe(`<p>${html}</p>\n`);
  });
});

describe('marks of nothing', () => {
  const marker = fc.oneof(
    fc.nat(999_999_999).map((n) => `${n}.`),
    fc.nat(9999).map((n) => `${n})`),
    fc.constantFrom('-', '+', '*', '#', '##', '######', '>'),
  );

  it('are text: numbers and list markers without text', () => {
    fc.assert(
      fc.property(marker, fc.constantFrom('', ' ', '\n', '\n\n', '  \n'), (mark, end) => {
        expect(htmlOf(mark + end)).toMatch(/^<p>[^<]+<\/p>\n$/);
        expect(textOf(htmlOf(mark + end))).toBe(mark);
      }),
    );
  });

  it('are text before and after other blocks', () => {
    const number = fc.nat(9999).map((n) => `${n}.`);
    fc.assert(
      fc.property(word, number, word, (before, mark, after) => {
        expect(partsOf(htmlOf(`${before}:\n\n${mark}\n\n${after}`), 'p')).toEqual([
          `${before}:`,
          mark,
          after,
        ]);
        expect(partsOf(htmlOf(`- ${before}\n- ${mark}`), 'li')).toEqual([before, mark]);
        expect(partsOf(htmlOf(`> ${mark}`), 'p')).toEqual([mark]);
      }),
    );
  });

  it('are items where the list has others', () => {
    expect(partsOf(htmlOf('1. a\n2.\n3. c'), 'li')).toEqual(['a', '', 'c']);
  });
});

describe('tildes', () => {
  it('are text, one by one', () => {
    const part = fc.oneof(number, word);
    const range = fc.tuple(part, part).map(([from, to]) => `${from}~${to}`);
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 5 }), (ranges) => {
        const source = `It takes ${ranges.join(' min, ~')} or ~5~.`;
        expect(textOf(htmlOf(source))).toBe(source);
        expect(htmlOf(source)).not.toContain('<del>');
      }),
    );
  });

  it('strike out, two by two', () => {
    expect(htmlOf('~~old~~ new')).toContain('<del>old</del> new');
    expect(htmlOf('10~~20 or 30~~40')).not.toContain('<del>');
  });
});

describe('emphasis beside punctuation of Chinese, Japanese and Korean', () => {
  const inner = fc.constantFrom(
    '重要：',
    '「引用」',
    '（注）',
    '“引用”',
    '(강조)',
    'テスト。',
    '注意！',
    '《书》',
    '注意',
    'API：',
  );
  const side = fc.constantFrom('请', 'テ', 'を', '는', '，', '、', '（', '。', 'ー', '中文', '');
  const mark = fc.constantFrom('**', '*', '***', '~~');

  it('marks what it stands around', () => {
    fc.assert(
      fc.property(side, mark, inner, side, (before, sign, text, after) => {
        const html = htmlOf(before + sign + text + sign + after);
        expect(textOf(html)).toBe(before + text + after);
        expect(html).toMatch(MARKS);
      }),
      { numRuns: 500 },
    );
  });
});

describe('addresses beside punctuation of Chinese, Japanese and Korean', () => {
  it('end before it', () => {
    const address = fc.constantFrom(
      'https://example.com/a',
      'https://example.com',
      'http://a.example/b?c=d&e=f',
      'https://ja.wikipedia.org/wiki/日本',
      'https://a.example/b_(c)',
    );
    const stop = fc.constantFrom(
      '。',
      '，',
      '、',
      '）',
      '」',
      '！',
      '？',
      '：',
      '；',
      '】',
      '》',
      '”',
    );
    fc.assert(
      fc.property(address, stop, fc.constantFrom('次の文です', ' a', ''), (link, end, rest) => {
        expect(partsOf(htmlOf(`見${link}${end}${rest}`), 'a')).toEqual([link]);
        expect(partsOf(htmlOf(`（${link}${end}${rest}`), 'a')).toEqual([link]);
      }),
    );
  });

  it.each([
    ['https://example.comを見て', 'https://example.com'],
    ['**https://example.com/a**、', 'https://example.com/a'],
    ['(https://example.com/a).', 'https://example.com/a'],
    ['see www.example.com, or', 'www.example.com'],
    ['mail to a.b@example.com.', 'a.b@example.com'],
  ])('%s', (source, link) => {
    expect(partsOf(htmlOf(source), 'a')).toEqual([link]);
  });
});

describe('display formulas', () => {
  const body = fc.constantFrom(
    'E = mc^2',
    '\\begin{aligned}\na &= b\\\\\n&= c\n\\end{aligned}',
    'x\n= 1',
    '- b\n+ c',
    '> 0',
    '# 3',
    '1. x',
    '\\frac{1}{2}',
    'a\n---\nb',
  );
  const pair = fc.constantFrom(['$$', '$$'], ['\\[', '\\]']);
  const inset = fc.constantFrom('', '  ', '   ');
  const gap = fc.constantFrom('', '\n', ' ');
  const points = fc.constantFrom('', ',', '.', ';', ':', '!', '，', '。');
  const plain = (tex: string): string => tex.replaceAll(/\s+/g, ' ').trim();

  it('are typeset whatever opens them, with what follows kept', () => {
    const before = fc.constantFrom('', 'Thus:\n\n', 'Thus\n', 'Text ends here:\n');
    const after = fc.constantFrom('', '\nwhere it is', ' where it is', '\n\nNext.');
    fc.assert(
      fc.property(
        fc.tuple(before, inset, pair, gap, body, gap, points, after),
        ([start, blanks, [open, close], left, tex, right, point, end]) => {
          const html = htmlOf(
            `${start}${blanks}${open}${left}${tex}${right}${close}${point}${end}`,
          );
          expect(partsOf(html, '.maths').map(plain)).toEqual([plain(tex)]);
          expect(html).toContain('class="maths-block"');
          expect(textOf(html)).not.toMatch(/\$\$|\\\[|\\\]/);
          const text = plain(textOf(html.replaceAll(/<\/?(?:p|div)[^>]*>/g, ' ')));
          if (point !== '') expect(text).toContain(`${plain(tex)}${point}`);
          expect(text.endsWith(plain(end))).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    '- Thus:\n  $$\n  x\n  = y\n  $$\n- next',
    '> \\[\n> x\n> = y\n> \\]',
    '\\begin{align}\nx\n&= y\n\\end{align}',
    '$$\nx\n\n= y\n$$',
  ])('%j holds one', (source) => {
    expect(partsOf(htmlOf(source), '.maths')).toHaveLength(1);
    expect(htmlOf(source)).toContain('maths-block');
  });

  it('without a close are text, and what follows is not theirs', () => {
    const html = htmlOf('$$\nnever closed\n\n- a\n- b');
    expect(partsOf(html, 'li')).toEqual(['a', 'b']);
    expect(html).not.toContain('maths');
  });
});

describe('dollars of money and of a shell beside formulas', () => {
  const money = fc.constantFrom(
    '5$',
    '10$,',
    '$5',
    '$10.50',
    'US$7',
    '$1,000',
    '$5-$10',
    '5 $',
    '$3/$4',
  );
  const shell = fc.constantFrom(
    '$HOME/$USER',
    '$HOME',
    '${A}/${B}',
    '$PATH:$HOME',
    '"$@"',
    '$1',
    '$(ls)',
  );
  const tex = fc.constantFrom(
    'x^2+1',
    'x',
    'a < b',
    '\\alpha',
    'n!',
    '5',
    '2x + 3',
    '\\text{if } x',
    "f'(x)",
  );
  const piece = fc.oneof(
    money.map((text) => ({ text, tex: null })),
    shell.map((text) => ({ text, tex: null })),
    word.map((text) => ({ text, tex: null })),
    fc
      .tuple(tex, fc.constantFrom('', ',', '.', ')', '-th', 'th'))
      .map(([formula, end]) => ({ text: `$${formula}$${end}`, tex: formula })),
    tex.map((formula) => ({ text: `\\(${formula}\\)`, tex: formula })),
  );

  it('are text, and only formulas are typeset', () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), (pieces) => {
        const source = `So ${pieces.map(({ text }) => text).join(' and ')}.`;
        const html = htmlOf(source);
        expect(partsOf(html, '.maths')).toEqual(
          pieces.flatMap(({ tex: formula }) => formula ?? []),
        );
        const text = pieces.map(({ text: whole, tex: formula }) =>
          formula === null ? whole : whole.replaceAll(/^\$|\$(?=\D*$)|^\\\(|\\\)$/g, ''),
        );
        expect(textOf(html)).toBe(`So ${text.join(' and ')}.`);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    'It costs 5$, 10$ or 20$.',
    'Use $HOME/$USER',
    'from $5 to 10$',
    'US$5 and A$6',
    'echo $$ and $$',
    '$5/month or 50$/year',
    'It is $$$ expensive $$$',
    'escaped \\[1\\] and \\[note\\]',
  ])('%s', (source) => {
    expect(htmlOf(source)).not.toContain('maths');
  });

  it.each([
    ['设$x$为整数', ['x']],
    ['224$\\times$224', ['\\times']],
    ['the $n$th and $k$s', ['n', 'k']],
    ['costs $5 for $x^2$', ['x^2']],
  ])('%s', (source, formulas) => {
    expect(partsOf(htmlOf(source), '.maths')).toEqual(formulas);
  });
});

describe('breaks', () => {
  it('are where lines end, in any text', () => {
    const line = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '));
    const lines = fc.array(line, { minLength: 1, maxLength: 5 });
    const end = fc.constantFrom('\n', ' \n', '  \n', '\\\n');
    fc.assert(
      fc.property(lines, end, fc.constantFrom('', '> ', '- '), (all, sign, mark) => {
        const [first = '', ...others] = all;
        const inset = mark === '> ' ? '> ' : ' '.repeat(mark.length);
        const source = [mark + first, ...others.map((text) => inset + text)].join(sign);
        expect(textOf(htmlOf(source)).trim()).toBe(all.join('\n'));
      }),
    );
  });

  it('are where a bare tag stands, and no other tag is one', () => {
    const bare = fc.constantFrom('<br>', '<br/>', '<br />', '<BR>', '<Br  />');
    const other = fc.constantFrom(
      '<br class="x">',
      '</br>',
      '<br onclick=x>',
      '<brr>',
      '<b>',
      '< br>',
      '<br',
    );
    fc.assert(
      fc.property(bare, other, (tag, text) => {
        const cell = `x${tag}y ${text} z`;
        for (const source of [cell, `| a |\n|---|\n| ${cell} |`, `- ${cell}`, `**${cell}**`])
          expect(textOf(htmlOf(source))).toContain(`x\ny ${text} z`);
        expect(partsOf(htmlOf(`\`${tag}\``), 'code')).toEqual([tag]);
      }),
    );
  });
});

describe('fences', () => {
  const fence = fc.constantFrom('```', '````', '~~~', '~~~~~');
  const marker = fc.constantFrom('', '- ', '1. ', '10) ', '> ', '  ', '- - ', '> - ', '- > ');
  const line = fc.constantFrom(
    'code',
    '',
    'more code',
    '  ```x',
    '    ```',
    '    ~~~',
    '# no',
    '- no',
    '``',
  );

  it('hold all up to their close, after any marker', () => {
    fc.assert(
      fc.property(marker, fence, fc.array(line, { maxLength: 6 }), (start, mark, lines) => {
        // What goes on with the containers: a quote's sign, and blanks for a list's.
        const inset = start.replaceAll(/[^>]/g, ' ');
        const inside = [...lines, mark].map((text) => `${inset}${text}`);
        const html = htmlOf([`${start}${mark}`, ...inside, '', 'After *it*.'].join('\n'));
        expect(partsOf(html, 'code')).toEqual([lines.map((text) => `${text}\n`).join('') || '\n']);
        expect(html).toContain('<p>After <em>it</em>.</p>');
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    [
      '1. ```\n   a\n   ```\n\nText\n\n```\ncode\n\nmore code\n```\n\nend',
      ['a\n', 'code\n\nmore code\n'],
    ],
    [
      '```python\ndef f():\n    ```\n    x\n    ```\n\n    return 1\n```\n\nAfter',
      ['def f():\n    ```\n    x\n    ```\n\n    return 1\n'],
    ],
  ])('%j', (source, codes) => {
    expect(partsOf(htmlOf(source), 'code')).toEqual(codes);
  });
});
