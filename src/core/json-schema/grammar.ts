/**
 * Owns the parts that an answer of a given form is made of, and the fewest tokens that each part takes. Pure data; owns no
 * schema (read-schema.ts) and no reading of an answer (answer-machine.ts).
 */
import type { NumberRange } from './number-range';

export type GrammarNode =
  /** Exactly these bytes; never none. */
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  /** Nothing, a space, or a new line with its indent. */
  | { readonly kind: 'gap' }
  /** A JSON string with so many characters; `max` null: any number. */
  | { readonly kind: 'string'; readonly min: number; readonly max: number | null }
  | { readonly kind: 'number'; readonly range: NumberRange }
  | { readonly kind: 'sequence'; readonly parts: readonly GrammarNode[] }
  | { readonly kind: 'choice'; readonly options: readonly GrammarNode[] }
  | RepeatNode
  | NamedNode;

/** `item`, then `more` (a separator and an item) as often as wished; `min` is at least 1, `max` null: any number. */
export interface RepeatNode {
  readonly kind: 'repeat';
  readonly item: GrammarNode;
  readonly more: GrammarNode;
  readonly min: number;
  readonly max: number | null;
}

/** A part that others name, and that may stand within itself; `target` is set once, while the grammar is made. */
export interface NamedNode {
  readonly kind: 'named';
  target: GrammarNode | null;
}

export function textNode(text: string): GrammarNode {
  return { kind: 'text', bytes: new TextEncoder().encode(text) };
}

export function sequenceOf(...parts: readonly GrammarNode[]): GrammarNode {
  return { kind: 'sequence', parts };
}

export function choiceOf(options: readonly GrammarNode[]): GrammarNode {
  const [only] = options;
  return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
}

/** Fewest tokens from each place in a text to its end: (bytes + 1), the last 0. */
export type TextCosts = (bytes: Uint8Array) => ArrayLike<number>;

/** One token for each byte: what any tokenizer with all bytes can do. */
export const bytewiseCosts: TextCosts = ({ length }) =>
  Uint16Array.from({ length: length + 1 }, (_, at) => length - at);

/** Knows the fewest tokens of each part of a grammar; Infinity for one that has no end. */
export class LeastTokens {
  readonly #costs: TextCosts;
  readonly #texts = new Map<Uint8Array, ArrayLike<number>>();
  readonly #named = new Map<NamedNode, number>();
  /** Set once the named parts are known. */
  #known: Map<GrammarNode, number> | null = null;

  constructor(root: GrammarNode, costs: TextCosts) {
    this.#costs = costs;
    const named = new Set<NamedNode>();
    collectNamed(root, named, new Set());
    for (const node of named) this.#named.set(node, Infinity);
    // Parts name each other in circles: what is known of one lowers the others, until nothing changes.
    for (let isChanged = true; isChanged;) {
      isChanged = false;
      for (const node of named) {
        const tokens = node.target === null ? Infinity : this.of(node.target);
        if (tokens >= (this.#named.get(node) ?? Infinity)) continue;
        this.#named.set(node, tokens);
        isChanged = true;
      }
    }
    this.#known = new Map();
  }

  /** Fewest tokens of the whole part. */
  of(node: GrammarNode): number {
    const known = this.#known?.get(node);
    if (known !== undefined) return known;
    const tokens = this.#count(node);
    this.#known?.set(node, tokens);
    return tokens;
  }

  /** Fewest tokens of a text from this place on. */
  ofText(bytes: Uint8Array, from: number): number {
    let costs = this.#texts.get(bytes);
    if (costs === undefined) {
      costs = this.#costs(bytes);
      this.#texts.set(bytes, costs);
    }
    return costs[from] ?? 0;
  }

  #count(node: GrammarNode): number {
    switch (node.kind) {
      case 'text':
        return this.ofText(node.bytes, 0);
      case 'gap':
        return 0;
      case 'string':
        return node.min + 2;
      case 'number':
        return node.range.leastMore('');
      case 'sequence':
        return node.parts.reduce((sum, part) => sum + this.of(part), 0);
      case 'choice':
        return Math.min(Infinity, ...node.options.map((option) => this.of(option)));
      case 'repeat':
        return this.of(node.item) + (node.min - 1) * (node.min > 1 ? this.of(node.more) : 0);
      case 'named':
        return this.#named.get(node) ?? Infinity;
    }
  }
}

function collectNamed(node: GrammarNode, named: Set<NamedNode>, seen: Set<GrammarNode>): void {
  const waiting: GrammarNode[] = [node];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    switch (next.kind) {
      case 'sequence':
        waiting.push(...next.parts);
        break;
      case 'choice':
        waiting.push(...next.options);
        break;
      case 'repeat':
        waiting.push(next.item, next.more);
        break;
      case 'named':
        named.add(next);
        if (next.target !== null) waiting.push(next.target);
        break;
      case 'text':
      case 'gap':
      case 'string':
      case 'number':
        break;
    }
  }
}
