/** The readers that are held beside each other, each with what it needs for GitHub's tables, strikes, links, CJK and maths. */
import MarkdownIt from 'markdown-it';
import { Marked } from 'marked';
import { micromark, type Options } from 'micromark';
import { cjkFriendlyExtension } from 'micromark-extension-cjk-friendly';
import { gfmStrikethroughCjkFriendly } from 'micromark-extension-cjk-friendly-gfm-strikethrough';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { math } from 'micromark-extension-math';
import { readBlocks } from '../../src/core/markdown/read-blocks';
import { writeBlock } from '../../src/ui/markdown/write-html';
import { specHtml } from '../../tests/unit/markdown/spec-html';

export interface Reader {
  readonly name: string;
  /** A module whose bundle is what a page has to load. */
  readonly entry: string;
  /** HTML as an answer shows it. */
  readonly show: (source: string) => string;
  /** HTML as CommonMark's examples write it, raw HTML let through where the reader knows any. */
  readonly spec: (source: string) => string;
}

const marked = new Marked({ gfm: true, breaks: true });
const plainMarked = new Marked({ gfm: false });
const markdownIt = new MarkdownIt({ linkify: true, breaks: true });
const plainMarkdownIt = new MarkdownIt('commonmark');
/** The content of a formula is written as text. */
const noop = (): undefined => undefined;
const micromarkOptions: Options = {
  extensions: [
    gfm({ singleTilde: false }),
    gfmStrikethroughCjkFriendly({ singleTilde: false }),
    cjkFriendlyExtension(),
    math(),
  ],
  htmlExtensions: [
    gfmHtml(),
    {
      // What typesets is KaTeX for all of them; here the source is enough.
      enter: { mathFlow: noop, mathText: noop, mathFlowFenceMeta: noop },
      exit: { mathFlow: noop, mathText: noop },
    },
  ],
};

export const READERS: readonly Reader[] = [
  {
    name: 'this app',
    entry: `export { readBlocks } from '/src/core/markdown/read-blocks.ts';
export { readInlines } from '/src/core/markdown/read-inlines.ts';
export { withoutHalfWritten } from '/src/core/markdown/half-written.ts';`,
    show: (source) => readBlocks(source).blocks.map(writeBlock).join(''),
    spec: (source) => specHtml(readBlocks(source).blocks),
  },
  {
    name: 'marked',
    entry: `export { Marked } from 'marked';`,
    show: (source) => marked.parse(source, { async: false }),
    spec: (source) => plainMarked.parse(source, { async: false }),
  },
  {
    name: 'markdown-it',
    entry: `export { default } from 'markdown-it';`,
    show: (source) => markdownIt.render(source),
    spec: (source) => plainMarkdownIt.render(source),
  },
  {
    name: 'micromark, GFM, maths, CJK-friendly',
    entry: `export { micromark } from 'micromark';
export { gfm, gfmHtml } from 'micromark-extension-gfm';
export { math } from 'micromark-extension-math';
export { cjkFriendlyExtension } from 'micromark-extension-cjk-friendly';
export { gfmStrikethroughCjkFriendly } from 'micromark-extension-cjk-friendly-gfm-strikethrough';`,
    show: (source) => micromark(source, micromarkOptions),
    spec: (source) => micromark(source, { allowDangerousHtml: true, allowDangerousProtocol: true }),
  },
];
