/**
 * Owns what was seen of a model's routers: the last tokens with the experts they went to, and how often each expert was
 * chosen, in all and by kind of word. Pure; counts, and owns no drawing.
 */
import { beginsWord, kindOfWord, WORD_KINDS, type WordKind } from './word-kinds';

/** What one router chose for one token. */
export interface TokenChoice {
  readonly experts: readonly number[];
  readonly weights: readonly number[];
}

export interface RoutedToken {
  readonly position: number;
  readonly text: string;
  readonly choices: ReadonlyMap<number, TokenChoice>;
}

/** One layer's experts over all tokens seen. */
export interface LayerLoad {
  readonly layer: number;
  readonly experts: number;
  /** (experts): tokens that went to each. */
  readonly counts: readonly number[];
  /** The same, of the words of each kind; only whole words are told apart. */
  readonly byKind: Readonly<Record<WordKind, readonly number[]>>;
}

export interface RouterView {
  readonly tokens: number;
  /** The last of them, oldest first. */
  readonly recent: readonly RoutedToken[];
  readonly loads: readonly LayerLoad[];
  /** Tokens of each kind. */
  readonly kinds: Readonly<Record<WordKind, number>>;
}

/** The part of the engine's step that is counted. */
export interface SeenStep {
  readonly position: number;
  readonly texts: readonly string[];
  readonly layers: readonly {
    readonly layer: number;
    readonly chosen: number;
    readonly experts: ArrayLike<number>;
    readonly weights: ArrayLike<number>;
  }[];
}

/** Tokens kept for the picture of single ones: what fits a phone's width twice over. */
const KEPT_TOKENS = 96;

type Counts = Record<WordKind, Float64Array>;

function emptyCounts(experts: number): Counts {
  return {
    digits: new Float64Array(experts),
    names: new Float64Array(experts),
    verbs: new Float64Array(experts),
    other: new Float64Array(experts),
  };
}

export class RouterTrace {
  readonly #counts: ReadonlyMap<number, { readonly all: Float64Array; readonly kinds: Counts }>;
  readonly #kinds: Record<WordKind, number> = { digits: 0, names: 0, verbs: 0, other: 0 };
  #tokens = 0;
  #recent: RoutedToken[] = [];
  /** Tokens of the word that is not at its end yet. */
  #word: RoutedToken[] = [];

  /** Layers with a router, each with its number of experts. */
  constructor(routers: readonly { readonly layer: number; readonly experts: number }[]) {
    this.#counts = new Map(
      routers.map(({ layer, experts }) => [
        layer,
        { all: new Float64Array(experts), kinds: emptyCounts(experts) },
      ]),
    );
  }

  /** Counts a step's tokens; layers and experts that were not named at the beginning are passed over. */
  take({ position, texts, layers }: SeenStep): void {
    texts.forEach((text, at) => {
      const choices = new Map<number, TokenChoice>();
      for (const { layer, chosen, experts, weights } of layers) {
        const row = (values: ArrayLike<number>): number[] =>
          Array.from({ length: chosen }, (_, place) => values[at * chosen + place] ?? NaN);
        choices.set(layer, { experts: row(experts), weights: row(weights) });
      }
      this.#takeToken({ position: position + 1 - texts.length + at, text, choices });
    });
  }

  #takeToken(token: RoutedToken): void {
    this.#tokens += 1;
    this.#recent = [...this.#recent.slice(1 - KEPT_TOKENS), token];
    for (const [layer, { experts }] of token.choices) {
      const counts = this.#counts.get(layer)?.all;
      for (const expert of experts)
        if (counts !== undefined && expert >= 0 && expert < counts.length)
          counts[expert] = (counts[expert] ?? 0) + 1;
    }
    if (beginsWord(token.text)) this.#endWord();
    this.#word.push(token);
  }

  /** The pieces of a word are of the kind that the whole of it is. */
  #endWord(): void {
    if (this.#word.length === 0) return;
    const text = this.#word.map((piece) => piece.text).join('');
    const kind = kindOfWord(text);
    for (const { choices } of this.#word) {
      this.#kinds[kind] += 1;
      for (const [layer, { experts }] of choices) {
        const counts = this.#counts.get(layer)?.kinds[kind];
        for (const expert of experts)
          if (counts !== undefined && expert >= 0 && expert < counts.length)
            counts[expert] = (counts[expert] ?? 0) + 1;
      }
    }
    this.#word = [];
  }

  /** What has been seen; later steps leave it alone. A word that is not at its end is of no kind yet. */
  view(): RouterView {
    return {
      tokens: this.#tokens,
      recent: this.#recent,
      kinds: { ...this.#kinds },
      loads: [...this.#counts].map(([layer, { all, kinds }]) => ({
        layer,
        experts: all.length,
        counts: [...all],
        byKind: {
          digits: [...kinds.digits],
          names: [...kinds.names],
          verbs: [...kinds.verbs],
          other: [...kinds.other],
        },
      })),
    };
  }
}

/** Largest share over the even one: 1 when all experts are chosen alike, experts / chosen at most. NaN of no token. */
export function largestLoad(counts: readonly number[]): number {
  const sum = counts.reduce((total, count) => total + count, 0);
  return sum === 0 ? NaN : (Math.max(...counts) * counts.length) / sum;
}

/**
 * (experts, kinds), row-major: how much likelier a word of the kind is to go to the expert than a token at large is; 1: no
 * preference. NaN where either was not seen.
 */
export function kindPreferences({ counts, byKind }: LayerLoad): Float64Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const sums = WORD_KINDS.map((kind) => byKind[kind].reduce((sum, count) => sum + count, 0));
  const preferences = new Float64Array(counts.length * WORD_KINDS.length);
  counts.forEach((count, expert) =>
    WORD_KINDS.forEach((kind, at) => {
      const share = (byKind[kind][expert] ?? 0) / (sums[at] ?? 0);
      preferences[expert * WORD_KINDS.length + at] = share / (count / total);
    }),
  );
  return preferences;
}

/** The expert chosen most often; null of no token. */
export function busiestExpert({ counts }: LayerLoad): number | null {
  const most = Math.max(...counts);
  return most > 0 ? counts.indexOf(most) : null;
}
