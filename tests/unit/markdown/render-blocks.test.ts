import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrowingMarkdown, renderBlocks } from '../../../src/ui/markdown/render-blocks';
import { htmlOf } from './shown';

/** Pieces of Markdown that begin, end or continue blocks, in any order. */
const pieces = fc
  .array(
    fc.constantFrom(
      'word ',
      '**bold** ',
      '*',
      '_',
      '`',
      '``',
      '```\n',
      '```js\n',
      '~~~\n',
      '\n',
      '\n\n',
      '\n \n',
      '- item\n',
      '  - inner\n',
      '1. one\n',
      '> quote\n',
      '# Title\n',
      '---\n',
      '===\n',
      '| a | b |\n',
      '| - | - |\n',
      '    code\n',
      '$$\n',
      '$$x$$\n',
      '\\[\n',
      '\\]\n',
      '$x^2$ ',
      '[a](https://a.example) ',
      '![i](https://i.example/x.png) ',
      '<b>',
      '</div>\n',
      '<!--',
      '\r\n',
      '&amp; ',
      '\\',
      '[r]: https://r.example\n',
      '- [x] done\n',
      '\t',
      'é',
      '𝒳',
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

describe('renderBlocks', () => {
  it('gives the same for a text that grew by characters as for the whole', () => {
    fc.assert(
      fc.property(pieces, (source) => {
        const growing = new GrowingMarkdown();
        for (let end = 0; end < source.length; end += 1) growing.update(source.slice(0, end));
        expect(growing.update(source)).toEqual(renderBlocks(source));
      }),
      { numRuns: 150 },
    );
  });

  it('keeps a star that becomes a word in the quote that it goes on with', () => {
    const source = '> quote\nword\n*word';
    const growing = new GrowingMarkdown();
    for (let end = 0; end < source.length; end += 1) growing.update(source.slice(0, end));
    expect(growing.update(source)).toEqual(renderBlocks(source));
    expect(renderBlocks(source)).toHaveLength(1);
  });

  it('never changes a block but the last while the text grows', () => {
    fc.assert(
      fc.property(pieces, fc.nat(), (source, cut) => {
        const prefix = source.slice(0, cut % (source.length + 1)).replace(/\r$/, '');
        // As it is shown while it grows: a last line of marks alone, which the next letter may make a word, is held back.
        const before = new GrowingMarkdown().update(prefix, true).slice(0, -1);
        expect(renderBlocks(source).slice(0, before.length)).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  it('starts anew when the text is another one', () => {
    const growing = new GrowingMarkdown();
    growing.update('one\n\ntwo\n\nthree');
    expect(growing.update('four\n\ntwo\n\n')).toEqual(renderBlocks('four\n\ntwo\n\n'));
    expect(growing.update('')).toEqual([]);
  });

  it('keeps the very objects of settled blocks, so that nothing shows them again', () => {
    const growing = new GrowingMarkdown();
    const [first] = growing.update('one\n\ntw');
    expect(growing.update('one\n\ntwo')[0]).toBe(first);
  });

  it('keeps the words of any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{3,8}$/), { minLength: 1, maxLength: 12 }),
        pieces,
        (words, noise) => {
          const html = htmlOf(`${noise.replaceAll(/[[\]!()]/g, '')}\n\n${words.join('\n\n')}\n`);
          for (const word of words) expect(html).toContain(word);
        },
      ),
    );
  });
});

describe('Markdown to HTML', () => {
  it.each([
    ['# One', '<h2>One</h2>\n'],
    ['###### Six', '<h2>Six</h2>\n'],
    [
      '## A\n#### B\n### C\n# D\n## E',
      '<h2>A</h2>\n<h3>B</h3>\n<h4>C</h4>\n<h2>D</h2>\n<h3>E</h3>\n',
    ],
    [
      'a **b** *c* ~~d~~ `e<f`',
      '<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e&lt;f</code></p>\n',
    ],
    ['3. x\n4. y', '<ol start="3">\n<li>x</li>\n<li>y</li>\n</ol>\n'],
    ['> q', '<blockquote>\n<p>q</p>\n</blockquote>\n'],
    [
      '- [ ] a',
      '<ul>\n<li><span class="task" role="img" aria-label="to do">☐</span> a</li>\n</ul>\n',
    ],
    ['AT&T &lt; &copy; 1 < 2', '<p>AT&amp;T &lt; &copy; 1 &lt; 2</p>\n'],
    ['costs $5 and $10', '<p>costs $5 and $10</p>\n'],
    ['$5-$10', '<p>$5-$10</p>\n'],
    ['so $a<b$.', '<p>so <span class="maths">a&lt;b</span>.</p>\n'],
    [
      '\\(x\\) and $$y$$ here',
      '<p><span class="maths">x</span> and <span class="maths">y</span> here</p>\n',
    ],
    ['$$\nx = 1\n$$', '<div class="maths-block"><span class="maths">x = 1</span></div>\n'],
    ['\\[ x \\]', '<div class="maths-block"><span class="maths">x</span></div>\n'],
    ['$$\nnever closed', '<p>$$<br>\nnever closed</p>\n'],
    ['`$x$`', '<p><code>$x$</code></p>\n'],
    [
      '[r]: https://r.example "t"\n\n[r]',
      '<p>[r]: <a href="https://r.example/" rel="noopener noreferrer nofollow" target="_blank">https://r.example</a> &quot;t&quot;</p>\n<p>[r]</p>\n',
    ],
  ])('%j', (source, html) => {
    expect(htmlOf(source)).toBe(html);
  });

  it('names the language of code and keeps its text', () => {
    expect(htmlOf('```C++ main.cpp\na < b\n```')).toBe(
      '<div class="code-block" role="group" aria-label="Code"><div class="code-bar"><span class="code-language">c++</span>' +
        '<button type="button" class="copy-code">Copy</button></div>' +
        '<pre tabindex="0"><code class="language-cpp">a &lt; b\n</code></pre></div>\n',
    );
  });

  it('writes a table that can scroll', () => {
    const html = htmlOf('| a | b |\n| :- | -: |\n| 1 | `2` |');
    expect(html).toContain(
      '<div class="table-scroll" role="group" aria-label="Table" tabindex="0"><table>',
    );
    expect(html).toContain(
      '<th class="align-left" scope="col">a</th><th class="align-right" scope="col">b</th>',
    );
    expect(html).toContain(
      '<td class="align-left">1</td><td class="align-right"><code>2</code></td>',
    );
  });

  it('shows thousands of nested quotes and lists instead of failing', () => {
    const quotes = htmlOf('>'.repeat(20_000));
    expect(quotes.match(/<blockquote>/g)?.length ?? 0).toBeLessThanOrEqual(50);
    expect(htmlOf(`${'> '.repeat(20_000)}end`)).toContain('&gt; end</p>');
    expect(htmlOf(`${'- '.repeat(3000)}end`)).toContain('- - end</li>');
  });

  it('gives each block at the top level the direction of its first letters, and code its own', () => {
    const source =
      'שלום `abc`\n\n# עולם\n\n> ציטוט\n\n- פריט\n\n1. פריט\n\n| א |\n|---|\n| ב |\n\n```\nx\n```\n\n$$x$$';
    const html = renderBlocks(source).map((block) => block.html);
    expect(html.slice(0, 5).every((block) => /^<\w+ dir="auto">/.test(block))).toBe(true);
    expect(html[0]).toContain('<code dir="ltr">');
    expect(html[5]).toContain('<table dir="auto">');
    expect(html[6]).toMatch(/^<div class="code-block" dir="ltr"/);
    expect(html[7]).toMatch(/^<div class="maths-block" dir="ltr"/);
    // A direction within a list or quote would hide its letters from the one around it.
    expect(html.slice(2, 6).every((block) => block.split('dir="auto"').length === 2)).toBe(true);
  });
});
