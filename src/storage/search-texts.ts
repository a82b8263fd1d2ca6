/** Finding words in a conversation's title and texts, whatever form their letters are stored in. Pure. */
import { letterEnd, letterStart } from '../core/text/letters';
import type { StoredConversation, StoredSummary } from './stored-conversation';

export interface SearchHit {
  readonly summary: StoredSummary;
  /** Words around the first match in the texts; the title when only that has them. */
  readonly snippet: string;
  /** Place of the match in `snippet`, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** UTF-16 units shown before and after a match, to the next whole letter. */
const AROUND = 40;

/**
 * What the same word may be written with and without: accents, Hebrew points, Arabic vowel signs and the stroke that draws words
 * out, and what is not seen at all (soft hyphens, joiners, marks of direction, variation selectors).
 */
const WRITTEN_OR_NOT =
  /[\u0300-\u036F\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u064B-\u065F\u0670\u0640]|\p{Default_Ignorable_Code_Point}/gu;

/**
 * The same letters whatever their case, width and Unicode form: compatibility decomposition, without what may be left out,
 * folded by way of the upper case (ß as ss, ς as σ, dotless ı as i).
 */
function fold(text: string): string {
  // Most texts, and most of the time: nothing but the case of ASCII.
  if (/^[\t-~]*$/.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .toUpperCase()
    .normalize('NFKD')
    .replace(WRITTEN_OR_NOT, '')
    .toLowerCase()
    .replaceAll('ς', 'σ');
}

/** The words of a query, folded; empty for a blank one. */
export function wordsOf(query: string): readonly string[] {
  return fold(query).split(/\s+/).filter(Boolean);
}

/** The title, then every question with its files, answer and thought, in the order of writing. */
export function searchableTexts({ title, tree }: StoredConversation): readonly string[] {
  const texts = Object.values(tree.nodes)
    .sort((a, b) => a.createdAt - b.createdAt)
    .flatMap((node) =>
      node.role === 'assistant'
        ? node.reply.parts.flatMap((part) =>
            part.kind === 'answer' || part.kind === 'thought'
              ? [part.text]
              : part.kind === 'role'
                ? [part.thought, part.text]
                : [],
          )
        : [node.text, ...(node.files ?? []).flatMap(({ name, text }) => [name, text])],
    );
  return [title, ...texts];
}

/** Where the folded `word` stands in `text` as it is written, in whole letters; null where it does not. */
function placeOf(
  text: string,
  word: string,
): { readonly from: number; readonly to: number } | null {
  let folded = '';
  /** Where the piece that each unit of `folded` came from begins in `text`. */
  const origin: number[] = [];
  // A character and the marks on it are folded together, as they are in the whole text.
  for (const { 0: piece, index } of text.matchAll(/[^]\p{M}*/gu)) {
    const part = fold(piece);
    origin.push(...Array.from({ length: part.length }, () => index));
    folded += part;
  }
  const at = folded.indexOf(word);
  if (at < 0) return null;
  const from = origin[at] ?? 0;
  const last = origin[at + word.length - 1] ?? from;
  return { from: letterStart(text, from), to: letterEnd(text, last + 1) };
}

/** Where the words are, when every one of them is in some text; null when one is in none. The first text is the title. */
export function snippetAround(
  texts: readonly string[],
  words: readonly string[],
): Pick<SearchHit, 'snippet' | 'start' | 'end'> | null {
  const folded = texts.map(fold);
  if (!words.every((word) => folded.some((text) => text.includes(word)))) return null;
  const inTexts = folded.findIndex(
    (text, index) => index > 0 && words.some((word) => text.includes(word)),
  );
  const index = Math.max(0, inTexts);
  const text = texts[index] ?? '';
  const word = words.find((candidate) => (folded[index] ?? '').includes(candidate)) ?? '';
  const place = placeOf(text, word) ?? { from: 0, to: 0 };
  const from = letterStart(text, Math.max(0, place.from - AROUND));
  const to = letterEnd(text, Math.min(text.length, place.to + AROUND));
  const before = from > 0 ? '…' : '';
  const snippet = `${before}${text.slice(from, to).replaceAll(/\s/g, ' ')}${to < text.length ? '…' : ''}`;
  const start = before.length + place.from - from;
  return { snippet, start, end: start + place.to - place.from };
}
