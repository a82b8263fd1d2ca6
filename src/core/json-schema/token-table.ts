/**
 * Owns a vocabulary sorted by bytes, so that what tokens begin with in common is read once, and the tokens among them that
 * may stand in a JSON string as they are: most of a vocabulary. Owns no tokenizer.
 */
import type { TextCosts } from './grammar';
import { plainCharacters } from './string-body';

/** The bytes of a token's text; null for one that is no text: a tag, an unused id. */
export type BytesOfId = (id: number) => Uint8Array | null;

interface Entry {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** One letter a byte: strings compare as their bytes do. */
  readonly letters: string;
}

function lettersOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Tokens in the order of their bytes. */
export interface SortedTokens {
  readonly ids: Int32Array;
  readonly bytes: Uint8Array;
  /** Where each one's bytes begin; one entry more than ids. */
  readonly starts: Int32Array;
  /** Bytes that each token shares with the one before it. */
  readonly shared: Uint16Array;
}

function sortedTokens(entries: readonly Entry[]): SortedTokens {
  const starts = new Int32Array(entries.length + 1);
  const shared = new Uint16Array(entries.length);
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + entry.bytes.length, 0));
  let at = 0;
  let before = new Uint8Array();
  entries.forEach((entry, index) => {
    let common = 0;
    while (common < entry.bytes.length && entry.bytes[common] === before[common]) common += 1;
    shared[index] = common;
    starts[index] = at;
    bytes.set(entry.bytes, at);
    at += entry.bytes.length;
    before = new Uint8Array(entry.bytes);
  });
  starts[entries.length] = at;
  return { ids: Int32Array.from(entries, ({ id }) => id), bytes, starts, shared };
}

export class TokenTable {
  readonly all: SortedTokens;
  /** Those that mean something in a JSON string, or are no whole characters. */
  readonly special: SortedTokens;
  /** The others, with their characters. */
  readonly plainIds: Int32Array;
  readonly plainCharacters: Uint16Array;
  readonly #byId = new Map<number, Uint8Array>();
  readonly #byLetters: ReadonlySet<string>;
  readonly #longest: number;

  constructor(vocabSize: number, bytesOf: BytesOfId) {
    const entries: Entry[] = [];
    for (let id = 0; id < vocabSize; id += 1) {
      const bytes = bytesOf(id);
      if (bytes === null || bytes.length === 0) continue;
      entries.push({ id, bytes, letters: lettersOf(bytes) });
      this.#byId.set(id, bytes);
    }
    entries.sort((a, b) => (a.letters < b.letters ? -1 : a.letters > b.letters ? 1 : a.id - b.id));
    this.#byLetters = new Set(entries.map(({ letters }) => letters));
    this.#longest = entries.reduce((longest, { bytes }) => Math.max(longest, bytes.length), 0);
    this.all = sortedTokens(entries);
    const plainIds: number[] = [];
    const characters: number[] = [];
    const special = entries.filter(({ id, bytes }) => {
      const count = plainCharacters(bytes);
      if (count === null) return true;
      plainIds.push(id);
      characters.push(count);
      return false;
    });
    this.special = sortedTokens(special);
    this.plainIds = Int32Array.from(plainIds);
    this.plainCharacters = Uint16Array.from(characters);
  }

  /** Bytes of a token; null for one that is no text. */
  bytesOf(id: number): Uint8Array | null {
    return this.#byId.get(id) ?? null;
  }

  /** Fewest tokens of this vocabulary from each place in a text to its end; Infinity where it cannot be written. */
  readonly costs: TextCosts = (bytes) => {
    const letters = lettersOf(bytes);
    const costs = new Float64Array(letters.length + 1).fill(Infinity);
    costs[letters.length] = 0;
    for (let from = letters.length - 1; from >= 0; from -= 1) {
      const most = Math.min(letters.length, from + this.#longest);
      for (let to = from + 1; to <= most; to += 1) {
        if (this.#byLetters.has(letters.slice(from, to)))
          costs[from] = Math.min(costs[from] ?? Infinity, 1 + (costs[to] ?? Infinity));
      }
    }
    return costs;
  };

  /** Characters among these that no token stands for by itself. */
  lacks(wanted: string): string[] {
    return Array.from(wanted).filter((letter) => !this.#byLetters.has(letter));
  }
}
