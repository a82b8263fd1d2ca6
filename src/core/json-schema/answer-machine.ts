/**
 * Owns the reading of an answer byte by byte against a grammar: where it may stand, what may follow, when it is whole, and
 * the fewest tokens to its end. Each state is made once and remembers where each byte led, so a state that is met again
 * costs a look-up. Owns no vocabulary (token-mask.ts).
 */
import { LeastTokens, type GrammarNode, type TextCosts } from './grammar';
import {
  STRING_END,
  STRING_REFUSED,
  stringBytesLeft,
  stringCharacters,
  stringStep,
} from './string-body';

/** Blanks after a line's end: eight levels of two, and of small models none that run on. */
const MAX_INDENT = 16;

/** One part that is being read, and what follows it. */
interface Frame {
  readonly id: number;
  readonly node: GrammarNode;
  /** Place within the part: a count, or of a number its text so far. */
  readonly place: number | string;
  readonly next: Frame | null;
  /** Fewest tokens from here to the end of the answer. */
  readonly least: number;
}

/** All that the answer can be at one point. */
export interface AnswerState {
  readonly id: number;
  /** The answer may end here. */
  readonly isWhole: boolean;
  /** Fewest tokens to a whole answer. */
  readonly least: number;
  /** Parts of which the next byte may be. */
  readonly leaves: readonly Frame[];
  /** By byte: the state it leads to, null for none; undefined where it has not been tried. */
  readonly after: (AnswerState | null | undefined)[];
}

/** A state that is inside a string and nothing else, between two characters. */
export interface InsideString {
  /** Characters that may still come. */
  readonly room: number;
  /** Characters that must still come. */
  readonly missing: number;
  /** Fewest tokens behind them, the closing quote's among them. */
  readonly least: number;
}

/** A set of places that is being gathered. */
interface Gathered {
  readonly leaves: Map<number, Frame>;
  readonly seen: Set<number>;
  isWhole: boolean;
}

export class AnswerMachine {
  readonly start: AnswerState;
  readonly #least: LeastTokens;
  readonly #nodeIds = new Map<GrammarNode, number>();
  readonly #frames = new Map<string, Frame>();
  readonly #states = new Map<string, AnswerState>();

  constructor(grammar: GrammarNode, costs: TextCosts) {
    this.#least = new LeastTokens(grammar, costs);
    const gathered = gathering();
    this.#expand(this.#frame(grammar, 0, null), gathered);
    this.start = this.#stateOf(gathered);
  }

  /** The state after one more byte; null when no answer has it there. */
  step(state: AnswerState, byte: number): AnswerState | null {
    const known = state.after[byte];
    if (known !== undefined) return known;
    const gathered = gathering();
    for (const leaf of state.leaves) this.#consume(leaf, byte, gathered);
    const isNone = gathered.leaves.size === 0 && !gathered.isWhole;
    const next = isNone ? null : this.#stateOf(gathered);
    state.after[byte] = next;
    return next;
  }

  /** The state after more bytes; null when no answer has them there. */
  read(from: AnswerState, bytes: Iterable<number>): AnswerState | null {
    let state: AnswerState | null = from;
    for (const byte of bytes) {
      state = this.step(state, byte);
      if (state === null) return null;
    }
    return state;
  }

  /** What may follow inside a string; null where the answer stands elsewhere, or may. */
  insideString({ leaves, isWhole }: AnswerState): InsideString | null {
    const [leaf, other] = leaves;
    if (leaf === undefined || other !== undefined || isWhole || leaf.node.kind !== 'string')
      return null;
    const count = stringCharacters(Number(leaf.place));
    if (count === null) return null;
    const { min, max } = leaf.node;
    return {
      room: max === null ? Infinity : max - count,
      missing: Math.max(0, min - count),
      least: 1 + (leaf.next?.least ?? 0),
    };
  }

  #idOf(node: GrammarNode): number {
    const known = this.#nodeIds.get(node);
    if (known !== undefined) return known;
    this.#nodeIds.set(node, this.#nodeIds.size);
    return this.#nodeIds.size - 1;
  }

  /** The one frame of this place; the same again where it is asked again. */
  #frame(node: GrammarNode, place: number | string, next: Frame | null): Frame {
    const key = `${this.#idOf(node)} ${place} ${next?.id ?? ''}`;
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const least = this.#leastFrom(node, place) + (next?.least ?? 0);
    const frame: Frame = { id: this.#frames.size, node, place, next, least };
    this.#frames.set(key, frame);
    return frame;
  }

  /** A part from its beginning. */
  #begin(node: GrammarNode, next: Frame | null): Frame {
    return this.#frame(node, node.kind === 'number' ? '' : 0, next);
  }

  #leastFrom(node: GrammarNode, place: number | string): number {
    const at = Number(place);
    switch (node.kind) {
      case 'text':
        return this.#least.ofText(node.bytes, at);
      case 'string':
        return stringBytesLeft(at, node);
      case 'number':
        return node.range.leastMore(String(place));
      case 'sequence':
        return node.parts.slice(at).reduce((sum, part) => sum + this.#least.of(part), 0);
      case 'repeat': {
        if (at === 0) return this.#least.of(node);
        const missing = Math.max(0, node.min - at);
        return missing === 0 ? 0 : missing * this.#least.of(node.more);
      }
      case 'gap':
      case 'choice':
      case 'named':
        return this.#least.of(node);
    }
  }

  #stateOf({ leaves, isWhole }: Gathered): AnswerState {
    const ids = [...leaves.keys()].sort((a, b) => a - b);
    const key = `${isWhole ? 'whole' : ''} ${ids.join(' ')}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const frames = [...leaves.values()];
    const state: AnswerState = {
      id: this.#states.size,
      isWhole,
      least: isWhole ? 0 : Math.min(...frames.map(({ least }) => least)),
      leaves: frames,
      after: [],
    };
    this.#states.set(key, state);
    return state;
  }

  /** Goes down to the parts of which the next byte may be. */
  #expand(frame: Frame | null, into: Gathered): void {
    if (frame === null) {
      into.isWhole = true;
      return;
    }
    if (into.seen.has(frame.id)) return;
    into.seen.add(frame.id);
    const { node, place, next } = frame;
    switch (node.kind) {
      case 'text':
      case 'string':
        into.leaves.set(frame.id, frame);
        return;
      case 'gap':
        into.leaves.set(frame.id, frame);
        this.#expand(next, into);
        return;
      case 'number':
        into.leaves.set(frame.id, frame);
        if (frame.least === (next?.least ?? 0)) this.#expand(next, into);
        return;
      case 'sequence': {
        const at = Number(place);
        const part = node.parts[at];
        if (part === undefined) return this.#expand(next, into);
        const rest = at + 1 < node.parts.length ? this.#frame(node, at + 1, next) : next;
        return this.#expand(this.#begin(part, rest), into);
      }
      case 'choice':
        for (const option of node.options) this.#expand(this.#begin(option, next), into);
        return;
      case 'repeat': {
        const count = Number(place);
        if (count >= node.min) this.#expand(next, into);
        if (node.max !== null && count >= node.max) return;
        // Without a largest number all counts beyond the least are the same place.
        const more = node.max === null ? Math.min(count + 1, node.min) : count + 1;
        const rest = this.#frame(node, more, next);
        return this.#expand(this.#begin(count === 0 ? node.item : node.more, rest), into);
      }
      case 'named':
        if (node.target !== null) this.#expand(this.#begin(node.target, next), into);
        return;
    }
  }

  #consume(leaf: Frame, byte: number, into: Gathered): void {
    const { node, place, next } = leaf;
    switch (node.kind) {
      case 'text': {
        const at = Number(place);
        if (node.bytes[at] !== byte) return;
        return this.#expand(
          at + 1 < node.bytes.length ? this.#frame(node, at + 1, next) : next,
          into,
        );
      }
      case 'gap': {
        const at = Number(place);
        if (byte === 0x0a && at === 0) return this.#expand(this.#frame(node, 1, next), into);
        if (byte !== 0x20) return;
        if (at === 0) return this.#expand(next, into);
        if (at <= MAX_INDENT) this.#expand(this.#frame(node, at + 1, next), into);
        return;
      }
      case 'string': {
        const after = stringStep(Number(place), byte, node);
        if (after === STRING_REFUSED) return;
        return this.#expand(after === STRING_END ? next : this.#frame(node, after, next), into);
      }
      case 'number': {
        const text = `${place}${String.fromCharCode(byte)}`;
        if (Number.isFinite(node.range.leastMore(text)))
          this.#expand(this.#frame(node, text, next), into);
        return;
      }
      case 'sequence':
      case 'choice':
      case 'repeat':
      case 'named':
        throw new RangeError(`a ${node.kind} reads no byte`);
    }
  }
}

function gathering(): Gathered {
  return { leaves: new Map(), seen: new Set(), isWhole: false };
}
