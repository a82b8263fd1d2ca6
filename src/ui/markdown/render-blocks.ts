/** Markdown of a model to HTML, block by block, so that a growing text is read only at its end. Pure: owns no DOM. */
import { withoutHalfWritten } from '../../core/markdown/half-written';
import { readBlocks } from '../../core/markdown/read-blocks';
import { sanitiseHtml } from './trusted-html';
import { writeBlock } from './write-html';

/** One block at the top level: a paragraph, a list, a code block… */
export interface RenderedBlock {
  /** Stays the same while the text grows: the block's place among the blocks, from 0. */
  readonly key: string;
  /** Sanitised HTML of the block. */
  readonly html: string;
}

interface OrderedBlock {
  readonly html: string;
  /** Level of the last heading so far. */
  readonly lastLevel: number;
}

/**
 * Raises headings that skip a level (`####` after `#`), as a screen reader's outline needs it. Our own HTML holds no `<`
 * but that of tags, so the tags can be found by their text.
 */
function orderHeadings(html: string, levelBefore: number): OrderedBlock {
  let lastLevel = levelBefore;
  const ordered = html.replaceAll(
    /<(\/?)h([2-6])(?=[ >])/g,
    (_tag, slash: string, level: string) => {
      if (slash === '') lastLevel = Math.min(Number(level), lastLevel + 1);
      return `<${slash}h${lastLevel}`;
    },
  );
  return { html: ordered, lastLevel };
}

/** Level of the page's own heading, above all of the reply's. */
const PAGE_LEVEL = 1;

interface KeptBlock {
  readonly block: RenderedBlock;
  readonly lastLevel: number;
}

/**
 * How many blocks of `source` from `from` on stay as they are, should the text go on after all: a last line of marks alone
 * ends a quote, and goes on with it once a letter follows (`> quote`, `*`, then `*word`).
 */
function settledBefore(source: string, from: number): number {
  const decided = withoutHalfWritten(source);
  if (decided.length === source.length) return Infinity;
  return decided.length <= from ? 0 : readBlocks(decided.slice(from), true).settled;
}

/** A text that grows: blocks that are settled are rendered once and kept, only the rest is read again. */
export class GrowingMarkdown {
  #kept: readonly KeptBlock[] = [];
  /** The text of the kept blocks. */
  #keptText = '';

  /**
   * The blocks of `source`. Of a text that is not growing they are the same as `renderBlocks(source)`, whatever texts were
   * given before; at the end of one that is, marks that are half written are mended or held back.
   */
  update(source: string, isGrowing = false): readonly RenderedBlock[] {
    const lines = source.replaceAll(/\r\n?/g, '\n').replaceAll('\0', '\ufffd');
    const text = isGrowing ? withoutHalfWritten(lines) : lines;
    if (!text.startsWith(this.#keptText)) {
      this.#kept = [];
      this.#keptText = '';
    }
    const from = this.#keptText.length;
    const { blocks, starts, settled } = readBlocks(text.slice(from), isGrowing);
    const rendered = [...this.#kept];
    for (const block of blocks) {
      const levelBefore = rendered.at(-1)?.lastLevel ?? PAGE_LEVEL;
      const { html, lastLevel } = orderHeadings(sanitiseHtml(writeBlock(block)), levelBefore);
      rendered.push({ block: { key: String(rendered.length), html }, lastLevel });
    }
    const safe = isGrowing ? settled : Math.min(settled, settledBefore(lines, from));
    this.#keptText = text.slice(0, from + (starts[safe] ?? 0));
    this.#kept = rendered.slice(0, this.#kept.length + safe);
    return rendered.map(({ block }) => block);
  }
}

/** The blocks of a whole text, in order. Every prefix of the text gives the same settled blocks. */
export function renderBlocks(source: string): readonly RenderedBlock[] {
  return new GrowingMarkdown().update(source);
}
