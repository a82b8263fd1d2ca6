// @vitest-environment jsdom
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import hostile from '../../fixtures/hostile-outputs.json' with { type: 'json' };
import { GrowingMarkdown, renderBlocks } from '../../../src/ui/markdown/render-blocks';
import { showBlock } from '../../../src/ui/markdown/show-block';
import { sanitiseHtml } from '../../../src/ui/markdown/trusted-html';

/** What may stand in the page, told anew here, so that a hole in the list of the code is not a hole in the test. */
const TAGS = new Set(
  'P BR HR H2 H3 H4 H5 H6 STRONG EM DEL CODE PRE BLOCKQUOTE UL OL LI TABLE THEAD TBODY TR TH TD A DIV SPAN BUTTON'.split(
    ' ',
  ),
);
const ATTRIBUTES = new Set([
  'href',
  'rel',
  'target',
  'start',
  'class',
  'scope',
  'tabindex',
  'role',
  'aria-label',
  'type',
  'dir',
]);
const SCHEMES = new Set(['http:', 'https:', 'mailto:']);

/** What a browser's parser makes of the HTML, and what in it should not be there. */
function dangersIn(html: string): string[] {
  const dangers: string[] = [];
  // A fragment has no place for <body> and its like, and drops comments' kin: those are looked for in the text.
  for (const [tag, name = ''] of html.matchAll(/<[/!?]?([^\s>]*)/g)) {
    if (!TAGS.has(name.toUpperCase())) dangers.push(tag);
  }
  const template = document.createElement('template');
  template.innerHTML = `<div>${html}</div>`;
  if (template.content.childNodes.length !== 1) dangers.push('it closes what it did not open');
  for (const element of template.content.querySelectorAll('*')) {
    if (!TAGS.has(element.tagName)) dangers.push(`<${element.tagName}>`);
    for (const { name, value } of element.attributes) {
      if (!ATTRIBUTES.has(name)) dangers.push(`${name}="${value}"`);
    }
    const href = element.getAttribute('href');
    if (href !== null) {
      const url = new URL(href);
      if (!SCHEMES.has(url.protocol) || url.username !== '') dangers.push(`href="${href}"`);
      if (element.getAttribute('rel') !== 'noopener noreferrer nofollow') {
        dangers.push('a link without rel');
      }
      if (element.getAttribute('target') !== '_blank') dangers.push('a link without target');
    }
  }
  return dangers;
}

function render(source: string): string {
  return renderBlocks(source)
    .map(({ html }) => html)
    .join('');
}

describe('hostile outputs', () => {
  it('are at least 60', () => {
    expect(hostile.length).toBeGreaterThanOrEqual(60);
  });

  it.each(hostile.map(({ name, text }) => [name, text]))(
    '%s: nothing dangerous is left',
    (_name, text) => {
      expect(dangersIn(render(text))).toEqual([]);
    },
  );

  it.each(hostile.filter(({ text }) => text.length < 400).map(({ name, text }) => [name, text]))(
    '%s: neither while it streams',
    (_name, text) => {
      const growing = new GrowingMarkdown();
      for (let end = 1; end <= text.length; end += 4) {
        const tail = growing.update(text.slice(0, end)).at(-1);
        expect(dangersIn(tail?.html ?? '')).toEqual([]);
      }
    },
  );

  it('take no time that grows out of hand', () => {
    for (const { name, text } of hostile) {
      const start = performance.now();
      render(text);
      // A rule that backtracks would take minutes.
      expect(performance.now() - start, name).toBeLessThan(5000);
    }
  });

  it('show tags as text', () => {
    const element = document.createElement('div');
    showBlock(element, render('a <script>x</script> <img src=x onerror=y>'));
    expect(element.textContent.trim()).toBe('a <script>x</script> <img src=x onerror=y>');
  });

  it('show what an image and a refused link would have been', () => {
    const element = document.createElement('div');
    showBlock(element, render('![a cat](https://evil.invalid/x.png) [click](javascript:run)'));
    expect(element.textContent.trim()).toBe(
      'Image not loaded: a cat (https://evil.invalid/x.png) click (javascript:run)',
    );
  });

  it('tell where a link leads when its text says otherwise', () => {
    expect(render('[https://bank.example/login](https://evil.invalid/login)')).toContain(
      '</a> <span class="link-host" dir="ltr">(evil.invalid)</span>',
    );
    expect(
      render('[www.bank.example](https://bank.example/a) [plain words](https://evil.invalid)'),
    ).not.toContain('link-host');
  });
});

describe('sanitiseHtml', () => {
  const html = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '<',
          '>',
          '"',
          "'",
          '=',
          '/',
          ' ',
          '\n',
          '\0',
          '<!--',
          '-->',
          '<p>',
          '</p>',
          '<script>',
          '</script>',
          '<svg>',
          '<math>',
          '<a href="https://a.b">',
          '<a href="javascript:x">',
          '<img src=x onerror=y>',
          '<span class="maths">',
          '<span onclick="x">',
          '</div>',
          '<table>',
          '<td>',
          '</table>',
          '<style>',
          '<template>',
          '<div style="x">',
          '<p ',
          'class="a"',
          '<br>',
          '<br/>',
          '<P>',
          '<textarea>',
          '<title>',
          '<noscript>',
          '&lt;',
          '<![CDATA[',
        ),
        fc.string({ maxLength: 5 }),
      ),
      { maxLength: 25 },
    )
    .map((parts) => parts.join(''));

  it('lets nothing dangerous through, whatever it is given', () => {
    fc.assert(
      fc.property(html, (text) => {
        expect(dangersIn(sanitiseHtml(text))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(html, (text) => {
        const once = sanitiseHtml(text);
        expect(sanitiseHtml(once)).toBe(once);
      }),
    );
  });

  it('loses no letter of what it does not know', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[xyz<>/!"= -]{0,40}$/), (text) => {
        expect(sanitiseHtml(text).replaceAll('&lt;', '<')).toBe(text);
      }),
    );
  });
});
