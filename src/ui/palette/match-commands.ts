/** Owns which commands answer to what is typed, and in which order. Pure. */

export interface Command {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  /** A second line, searched too. */
  readonly detail?: string;
  /** Keys that do the same. */
  readonly keys?: readonly string[];
  readonly run: () => void;
}

/** The same letters whatever their case and accents. */
function plain(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

/** How well a word stands in a text: at its beginning, at a word's beginning, inside, letter by letter, or not (0). */
function wordScore(word: string, text: string): number {
  if (text.startsWith(word)) return 8;
  const at = text.indexOf(word);
  if (at > 0) return /[\p{L}\p{N}]/u.test(text.charAt(at - 1)) ? 3 : 6;
  let from = 0;
  for (const letter of word) {
    const next = text.indexOf(letter, from);
    if (next < 0) return 0;
    from = next + 1;
  }
  // Letters that lie far apart are chance.
  return word.length > 1 && from - text.indexOf(word.charAt(0)) <= 3 * word.length ? 1 : 0;
}

function score({ label, group, detail = '' }: Command, words: readonly string[]): number {
  const [name, around] = [plain(label), plain(`${group} ${detail}`)];
  let sum = 0;
  for (const word of words) {
    const own = Math.max(2 * wordScore(word, name), around.includes(word) ? 1 : 0);
    if (own === 0) return 0;
    sum += own;
  }
  return sum;
}

/**
 * The commands that have every word of the query, best first, at most `most`; those that fit equally well stay in their
 * order, and so do all for a blank query.
 */
export function matchCommands(
  commands: readonly Command[],
  query: string,
  most: number,
): readonly Command[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return commands.slice(0, most);
  return commands
    .map((command) => ({ command, score: score(command, words) }))
    .filter((found) => found.score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ command }) => command);
}
