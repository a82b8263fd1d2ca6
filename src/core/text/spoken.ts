/** Owns what of a Markdown text is said aloud, in pieces short enough for a voice. Pure. */
import { createSentenceSegmenter } from './sentences';
import { cutText } from './letters';

/** Voices of some browsers stop by themselves in longer pieces. In UTF-16 units. */
const LONGEST_PIECE = 220;

/** The words without their marks; code and formulas by name, because signs read aloud are noise. */
function wordsOfMarkdown(markdown: string): string {
  return markdown
    .replaceAll(/^(`{3,}|~{3,})[^]*?(?:^\1[`~]*\s*$|(?![^]))/gm, ' A piece of code. ')
    .replaceAll(/\$\$[^]*?\$\$|\\\[[^]*?\\\]/g, ' A formula. ')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/`([^`]*)`/g, '$1')
    .replaceAll(/^\s{0,3}(?:#{1,6}|>|[-*+]|\d+[.)])\s+/gm, '')
    .replaceAll(/^\s*\|?[\s:|-]{3,}\|?\s*$/gm, '')
    .replaceAll(/\*{1,3}|_{2,3}|~~/g, '')
    .replaceAll('|', ', ')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();
}

/** A sentence in pieces that end at a word. */
function piecesOf(sentence: string): string[] {
  const pieces: string[] = [];
  for (let rest = sentence.trim(); rest !== '';) {
    const cut = cutText(rest, LONGEST_PIECE);
    const word = cut.length < rest.length ? cut.search(/\s\S*$/) : -1;
    const piece = word > 0 ? cut.slice(0, word) : cut;
    pieces.push(piece.trim());
    rest = rest.slice(piece.length).trimStart();
  }
  return pieces;
}

/** What is said, piece by piece. */
export function spokenPieces(markdown: string): readonly string[] {
  const sentences = createSentenceSegmenter();
  const text = wordsOfMarkdown(markdown);
  const said = [...sentences.push(text), sentences.flush()];
  return said.flatMap(piecesOf).filter((piece) => /[\p{L}\p{N}]/u.test(piece));
}
