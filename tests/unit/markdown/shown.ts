/** What a reader sees of an answer: the text of its HTML, and which parts of it are typeset, code or marked. */
import { renderBlocks } from '../../../src/ui/markdown/render-blocks';

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

/** HTML without directions of text, which have a test of their own. */
export function htmlWithin(blocks: readonly { readonly html: string }[]): string {
  return blocks.map(({ html }) => html.replaceAll(/ dir="(?:auto|ltr)"/g, '')).join('');
}

export function htmlOf(source: string): string {
  return htmlWithin(renderBlocks(source));
}

/** Text of HTML of ours; a break is a new line, and what only separates tags is nothing. */
export function textOf(html: string): string {
  return html
    .replaceAll(/<div class="code-bar".*?<\/div>/g, '')
    .replaceAll(/(?<=>)\n/g, '')
    .replaceAll(/<br>/g, '\n')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}

/** The texts of all elements of this tag or, with a dot, this class. */
export function partsOf(html: string, what: string): string[] {
  const pattern = what.startsWith('.')
    ? new RegExp(`<(\\w+) class="${what.slice(1)}"[^>]*>(.*?)</\\1>`, 'gs')
    : new RegExp(`<(${what})(?: [^>]*)?>(.*?)</\\1>`, 'gs');
  return [...html.matchAll(pattern)].map(([, , inner = '']) => textOf(inner));
}
