/** The blocks of Markdown as HTML of this app, all text escaped. Pure: owns no DOM and no reading. */
import { t } from '../../core/language/translate';
import { readInlines, plainText } from '../../core/markdown/read-inlines';
import { unescaped } from '../../core/markdown/addresses';
import type { Block, Inline, Leaf, ListItem } from '../../core/markdown/syntax-tree';
import { escapeHtml } from './escape-html';
import { hiddenHost, safeHref } from './safe-link';

/** Deeper marks than anyone writes are left out; their text stays. */
const DEEPEST_MARKS = 30;

/** Punctuation that stands on the line of a display formula before it. */
const TRAILING_POINTS = /^[,.;:!?，。；：、！？)]+/;

/** Language of a code fence as a class name; '' when it names none we could show. */
function languageOf(info: string): string {
  return /^[\w+#.-]{1,30}/.exec(unescaped(info))?.[0].toLowerCase() ?? '';
}

const LANGUAGE_CLASSES: ReadonlyMap<string, string> = new Map([
  ['c++', 'cpp'],
  ['c#', 'csharp'],
  ['f#', 'fsharp'],
]);

function writeCode(info: string, text: string): string {
  const language = languageOf(info);
  const name = (LANGUAGE_CLASSES.get(language) ?? language).replaceAll(/[^a-z0-9-]/g, '-');
  const className = name === '' ? '' : ` class="language-${name}"`;
  return (
    `<div class="code-block" dir="ltr" role="group" aria-label="${t('Code')}">` +
    `<div class="code-bar"><span class="code-language">${escapeHtml(language || 'text')}</span>` +
    `<button type="button" class="copy-code">${t('Copy')}</button></div>` +
    `<pre tabindex="0"><code${className}>${escapeHtml(text)}\n</code></pre></div>\n`
  );
}

/** Typeset when it is shown; a formula that is not whole shows its source. */
function classOf({ isWhole }: { readonly isWhole: boolean }): string {
  return isWhole ? 'maths' : 'maths-source';
}

const DISPLAY = '<span class="maths-block" dir="ltr">';

/** What ends a link: a note of the host where it leads elsewhere than it says. */
interface OpenLink {
  readonly end: string;
}

function openLink(address: string, text: string): { start: string; link: OpenLink } {
  const safe = safeHref(address);
  // A link that may not be followed still shows where it would have led.
  if (safe === null) {
    const end = ` <span class="link-host" dir="ltr">(${escapeHtml(address)})</span>`;
    return { start: '', link: { end } };
  }
  const host = hiddenHost(text, safe);
  const note =
    host === null ? '' : ` <span class="link-host" dir="ltr">(${escapeHtml(host)})</span>`;
  return {
    start: `<a href="${escapeHtml(safe)}" rel="noopener noreferrer nofollow" target="_blank">`,
    link: { end: `</a>${note}` },
  };
}

function textOfLink(inlines: readonly Inline[], from: number): string {
  let text = '';
  for (let index = from; index < inlines.length; index += 1) {
    const inline = inlines[index];
    if (inline === undefined || inline.kind === 'closeLink') break;
    text += plainText(inline);
  }
  return text;
}

/** The pieces of one leaf, or of a part of it. */
class InlineWriter {
  #html = '';
  #depth = 0;
  readonly #links: OpenLink[] = [];

  write(inlines: readonly Inline[]): string {
    for (let index = 0; index < inlines.length; index += 1) {
      const inline = inlines[index];
      if (inline === undefined) break;
      if (inline.kind === 'maths' && inline.isDisplay) {
        index += this.#writeDisplay(inline, inlines[index + 1], inlines[index + 2]);
      } else if (inline.kind === 'openLink') {
        const { start, link } = openLink(inline.address, textOfLink(inlines, index));
        this.#html += start;
        this.#links.push(link);
      } else this.#writeOne(inline);
    }
    return this.#html;
  }

  #writeOne(inline: Exclude<Inline, { kind: 'openLink' }>): void {
    switch (inline.kind) {
      case 'text':
        this.#html += escapeHtml(inline.text);
        break;
      case 'entity':
        this.#html += inline.raw;
        break;
      case 'code':
        this.#html += `<code dir="ltr">${escapeHtml(inline.text)}</code>`;
        break;
      case 'break':
        this.#html += '<br>\n';
        break;
      case 'maths':
        this.#html += `<span class="${classOf(inline)}" dir="ltr">${escapeHtml(inline.tex)}</span>`;
        break;
      // Never loaded: a request would tell another server what was asked here.
      case 'image': {
        const alt = inline.alt === '' ? t('no description') : inline.alt;
        this.#html += `<span class="image-text">${t('Image not loaded: {alt} ({address})', { alt: escapeHtml(alt), address: escapeHtml(inline.address) })}</span>`;
        break;
      }
      case 'open':
        this.#depth += 1;
        if (this.#depth <= DEEPEST_MARKS) this.#html += `<${inline.mark}>`;
        break;
      case 'close':
        if (this.#depth <= DEEPEST_MARKS) this.#html += `</${inline.mark}>`;
        this.#depth -= 1;
        break;
      case 'closeLink':
        this.#html += this.#links.pop()?.end ?? '';
        break;
    }
  }

  /** A formula on lines of its own takes in the breaks around it and the points behind; returns how many pieces it took. */
  #writeDisplay(
    formula: Extract<Inline, { kind: 'maths' }>,
    next: Inline | undefined,
    second: Inline | undefined,
  ): number {
    this.#html = this.#html.replace(/<br>\n$/, '');
    const points = next?.kind === 'text' ? (TRAILING_POINTS.exec(next.text)?.[0] ?? '') : '';
    const source = `<span class="${classOf(formula)}">${escapeHtml(formula.tex)}</span>`;
    this.#html += `${DISPLAY}${source}${points}</span>`;
    if (next?.kind === 'break') return 1;
    if (next?.kind !== 'text' || points === '') return 0;
    const rest = next.text.slice(points.length);
    if (rest === '' && second?.kind === 'break') return 2;
    this.#html += escapeHtml(rest.trimStart());
    return 1;
  }
}

/** A paragraph; a display formula that is all of it is a block of its own. */
function writeParagraph(leaf: Leaf, direction: string): string {
  const inlines = readInlines(leaf);
  if (inlines.length === 0) return '';
  const [formula, points, ...others] = inlines;
  const isFormula =
    formula?.kind === 'maths' &&
    formula.isDisplay &&
    others.length === 0 &&
    (points === undefined ||
      (points.kind === 'text' && points.text.replace(TRAILING_POINTS, '') === ''));
  const html = new InlineWriter().write(inlines);
  return isFormula
    ? `<div${html.slice('<span'.length, -'</span>'.length)}</div>\n`
    : `<p${direction}>${html}</p>\n`;
}

function writeInlines(leaf: Leaf): string {
  return new InlineWriter().write(readInlines(leaf));
}

function alignAttribute(align: 'center' | 'left' | 'right' | null | undefined): string {
  return align === null || align === undefined ? '' : ` class="align-${align}"`;
}

function writeTable(table: Extract<Block, { kind: 'table' }>, direction: string): string {
  const { alignments, header, rows } = table;
  const head = header
    .map(
      (leaf, at) => `<th${alignAttribute(alignments[at])} scope="col">${writeInlines(leaf)}</th>`,
    )
    .join('');
  const body = rows
    .map((row) => {
      const cells = row.map(
        (leaf, at) => `<td${alignAttribute(alignments[at])}>${writeInlines(leaf)}</td>`,
      );
      return `<tr>${cells.join('')}</tr>`;
    })
    .join('\n');
  return (
    `<div class="table-scroll" role="group" aria-label="${t('Table')}" tabindex="0">` +
    `<table${direction}><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>\n`
  );
}

function writeItem({ isDone, children }: ListItem, isTight: boolean): string {
  const task =
    isDone === null
      ? ''
      : `<span class="task" role="img" aria-label="${isDone ? t('done') : t('to do')}">${isDone ? '☑' : '☐'}</span> `;
  const content = children.map((child) =>
    isTight && child.kind === 'paragraph' ? `${writeInlines(child.leaf)}\n` : writeInner(child),
  );
  const html = content.join('').trimEnd();
  // In a list with gaps the box stands in the paragraph of its text.
  return html.startsWith('<p>')
    ? `<li><p>${task}${html.slice(3)}</li>\n`
    : `<li>${task}${html}</li>\n`;
}

/** A block inside another takes its direction from the outermost. */
function writeInner(block: Block): string {
  return write(block, '');
}

function write(block: Block, direction: string): string {
  switch (block.kind) {
    case 'paragraph':
      return writeParagraph(block.leaf, direction);
    // A reply sits inside a page that has its own h1; `orderHeadings` sees to it that no level is skipped.
    case 'heading': {
      const level = Math.min(6, block.level + 1);
      return `<h${level}${direction}>${writeInlines(block.leaf)}</h${level}>\n`;
    }
    case 'code':
      return writeCode(block.info, block.text);
    case 'rule':
      return '<hr>\n';
    case 'quote':
      return `<blockquote${direction}>\n${block.children.map(writeInner).join('')}</blockquote>\n`;
    case 'list': {
      const tag = block.start === null ? 'ul' : 'ol';
      const start = block.start === null || block.start === 1 ? '' : ` start="${block.start}"`;
      const items = block.items.map((item) => writeItem(item, block.isTight)).join('');
      return `<${tag}${start}${direction}>\n${items}</${tag}>\n`;
    }
    case 'table':
      return writeTable(block, direction);
  }
}

/** HTML of a block at the top level, which finds its own direction from its first letters: `dir="auto"`. */
export function writeBlock(block: Block): string {
  return write(block, ' dir="auto"');
}
