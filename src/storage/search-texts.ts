/** Finding words in a conversation's title and texts. Pure. */
import type { StoredConversation, StoredSummary } from './stored-conversation';

export interface SearchHit {
  readonly summary: StoredSummary;
  /** Words around the first match in the texts; the title when only that has them. */
  readonly snippet: string;
  /** Place of the match in `snippet`, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** Letters shown before and after a match. */
const AROUND = 40;

/** The same letters whatever their case; one UTF-16 unit stays one, so that places in both texts agree. */
function fold(text: string): string {
  const lower = text.toLowerCase();
  return lower.length === text.length
    ? lower
    : text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The words of a query, folded; empty for a blank one. */
export function wordsOf(query: string): readonly string[] {
  return fold(query).split(/\s+/).filter(Boolean);
}

/** The title, then every question, answer and thought, in the order of writing. */
export function searchableTexts({ title, tree }: StoredConversation): readonly string[] {
  const texts = Object.values(tree.nodes)
    .sort((a, b) => a.createdAt - b.createdAt)
    .flatMap((node) =>
      node.role === 'assistant'
        ? node.reply.parts.flatMap((part) =>
            part.kind === 'answer' || part.kind === 'thought' ? [part.text] : [],
          )
        : [node.text],
    );
  return [title, ...texts];
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
  const lower = folded[index] ?? '';
  const word = words.find((candidate) => lower.includes(candidate)) ?? '';
  const at = lower.indexOf(word);
  const from = Math.max(0, at - AROUND);
  const to = Math.min(text.length, at + word.length + AROUND);
  const before = from > 0 ? '…' : '';
  const snippet = `${before}${text.slice(from, to).replaceAll(/\s/g, ' ')}${to < text.length ? '…' : ''}`;
  const start = before.length + at - from;
  return { snippet, start, end: start + word.length };
}
