/** The blocks as the HTML that CommonMark's examples are written in, to hold the reader against them. */
import { readInlines } from '../../../src/core/markdown/read-inlines';
import { unescaped } from '../../../src/core/markdown/addresses';
import type { Block, Leaf } from '../../../src/core/markdown/syntax-tree';
import { escapeHtml } from '../../../src/ui/markdown/escape-html';

function href(address: string): string {
  return escapeHtml(
    encodeURI(address.replaceAll(/%(?![\da-f]{2})/gi, '%25')).replaceAll(
      /%25(?=[\da-f]{2})/gi,
      '%',
    ),
  );
}

/** The names in CommonMark's examples; a browser knows them all. */
const NAMED: Readonly<Record<string, string>> = {
  '&AElig;': 'Æ',
  '&Dcaron;': 'Ď',
  '&frac34;': '¾',
  '&HilbertSpace;': 'ℋ',
  '&DifferentialD;': 'ⅆ',
  '&ClockwiseContourIntegral;': '∲',
  '&ngE;': '≧̸',
  '&ouml;': 'ö',
  '&auml;': 'ä',
};

function decoded(entity: string): string {
  return NAMED[entity] ?? unescaped(entity);
}

/** HTML without what two writers may do differently: breaks of lines between tags, quotes, titles of links. */
export function plainSpecHtml(html: string): string {
  return html
    .replaceAll('<br />\n', '\n')
    .replaceAll(/ title="[^"]*"/g, '')
    .replaceAll('<hr />', '<hr>')
    .replaceAll(/(<img [^>]*?) ?\/>/g, '$1>')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll(/\n+(?=<\/?(?:p|ul|ol|li|blockquote|pre|h\d|hr)\b)/g, '')
    .replaceAll(/(<\/?(?:p|ul|ol|li|blockquote|pre|h\d|hr)>)\n+/g, '$1')
    .replaceAll(/<a href="([^"]*)"/g, (link) => link.replaceAll('&amp;', '&'));
}

function inlineHtml(leaf: Leaf): string {
  return readInlines(leaf)
    .map((inline) => {
      switch (inline.kind) {
        case 'text':
          return escapeHtml(inline.text);
        case 'entity':
          return escapeHtml(decoded(inline.raw));
        case 'code':
          return `<code>${escapeHtml(inline.text)}</code>`;
        case 'break':
          return '\n';
        case 'maths':
          return `<math>${escapeHtml(inline.tex)}</math>`;
        case 'image':
          return `<img src="${href(inline.address)}" alt="${escapeHtml(inline.alt)}">`;
        case 'open':
          return `<${inline.mark}>`;
        case 'close':
          return `</${inline.mark}>`;
        case 'openLink':
          return `<a href="${href(inline.address)}">`;
        case 'closeLink':
          return '</a>';
      }
    })
    .join('');
}

export function specHtml(blocks: readonly Block[], isTight = false): string {
  return blocks
    .map((block): string => {
      switch (block.kind) {
        case 'paragraph':
          return isTight ? `${inlineHtml(block.leaf)}\n` : `<p>${inlineHtml(block.leaf)}</p>\n`;
        case 'heading':
          return `<h${block.level}>${inlineHtml(block.leaf)}</h${block.level}>\n`;
        case 'code': {
          const language = unescaped(block.info).split(/\s/)[0] ?? '';
          const name = language === '' ? '' : ` class="language-${escapeHtml(language)}"`;
          return `<pre><code${name}>${escapeHtml(block.text === '' ? '' : `${block.text}\n`)}</code></pre>\n`;
        }
        case 'rule':
          return '<hr>\n';
        case 'quote':
          return `<blockquote>\n${specHtml(block.children)}</blockquote>\n`;
        case 'list': {
          const tag = block.start === null ? 'ul' : 'ol';
          const start = block.start === null || block.start === 1 ? '' : ` start="${block.start}"`;
          const items = block.items.map(
            ({ children }) => `<li>${specHtml(children, block.isTight)}</li>\n`,
          );
          return `<${tag}${start}>\n${items.join('')}</${tag}>\n`;
        }
        case 'table':
          return '<table></table>';
      }
    })
    .join('');
}
