/** Owns which tokens of a vocabulary may come next in an answer, and how many must follow each. */
import type { AnswerMachine, AnswerState } from './answer-machine';
import type { SortedTokens, TokenTable } from './token-table';

/** Masks that are kept, for what comes round again. */
const KEPT_MASKS = 64;

/** Tokens that may come next; inside a string without those that are plain text there, and for each of them the fewest that must follow it. */
interface Mask {
  readonly ids: Int32Array;
  readonly least: Uint16Array;
}

const MOST_LEAST = 0xffff;

export class TokenMask {
  readonly #table: TokenTable;
  readonly #machine: AnswerMachine;
  /** By id of the state, the one used last at the end. */
  readonly #masks = new Map<number, Mask>();

  constructor(table: TokenTable, machine: AnswerMachine) {
    this.#table = table;
    this.#machine = machine;
  }

  /** Calls `allow` with each token after which the answer can still be ended with `tokensLeft` - 1 tokens. */
  forEach(state: AnswerState, tokensLeft: number, allow: (id: number) => void): void {
    const inside = this.#machine.insideString(state);
    if (inside !== null) {
      // Most tokens only add characters: their number tells all.
      const { plainIds, plainCharacters } = this.#table;
      for (let i = 0; i < plainIds.length; i += 1) {
        const characters = plainCharacters[i] ?? 0;
        if (characters > inside.room) continue;
        if (inside.least + Math.max(0, inside.missing - characters) < tokensLeft)
          allow(plainIds[i] ?? 0);
      }
    }
    const { ids, least } = this.#maskOf(state, inside === null ? 'all' : 'special');
    for (let i = 0; i < ids.length; i += 1)
      if ((least[i] ?? MOST_LEAST) < tokensLeft) allow(ids[i] ?? 0);
  }

  #maskOf(state: AnswerState, tokens: 'all' | 'special'): Mask {
    const known = this.#masks.get(state.id);
    if (known !== undefined) {
      this.#masks.delete(state.id);
      this.#masks.set(state.id, known);
      return known;
    }
    const mask = this.#compute(state, this.#table[tokens]);
    this.#masks.set(state.id, mask);
    for (const oldest of this.#masks.keys()) {
      if (this.#masks.size <= KEPT_MASKS) break;
      this.#masks.delete(oldest);
    }
    return mask;
  }

  #compute(from: AnswerState, { ids, starts, bytes, shared }: SortedTokens): Mask {
    const found: number[] = [];
    const least: number[] = [];
    /** States after the first bytes of the token at hand. */
    const path: AnswerState[] = [from];
    // Place of the byte that no answer has there; tokens that share it are out as well.
    let deadAt = Infinity;
    for (let index = 0; index < ids.length; index += 1) {
      const common = shared[index] ?? 0;
      if (common > deadAt) continue;
      deadAt = Infinity;
      const start = starts[index] ?? 0;
      const length = (starts[index + 1] ?? 0) - start;
      let state: AnswerState | null = path[common] ?? null;
      for (let at = common; at < length && state !== null; at += 1) {
        state = this.#machine.step(state, bytes[start + at] ?? 0);
        if (state === null) deadAt = at;
        else path[at + 1] = state;
      }
      if (state === null) continue;
      found.push(ids[index] ?? 0);
      least.push(Math.min(state.least, MOST_LEAST));
    }
    return { ids: Int32Array.from(found), least: Uint16Array.from(least) };
  }
}
