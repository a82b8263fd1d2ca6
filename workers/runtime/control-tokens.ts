/** Owns which tokens of a tokenizer steer a model, and the encoding in which only the template can write them. */
import type { SeamedText } from './seamed-text';

/** An entry of tokenizer.json's `added_tokens`, as far as it matters here. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

/**
 * Tags of thoughts and calls are added tokens, but often not special ones. Words and runs of blanks that a tokenizer adds
 * for brevity mean no more than their letters.
 */
function isControl({ content, special }: AddedToken): boolean {
  return content !== '' && (special === true || /^[<[{(|].*[>\]})|]$/s.test(content));
}

type Part = { readonly token: AddedToken } | { readonly text: string };

export class ControlTokens {
  /** The characters that control tokens begin with. */
  readonly firsts: ReadonlySet<string>;
  readonly #encode: (text: string) => number[];
  readonly #byContent: ReadonlyMap<string, AddedToken>;
  readonly #ids: ReadonlySet<number>;
  readonly #pattern: RegExp | null;

  /** `encode` is the tokenizer's own, which takes the letters of a control token for it, wherever they stand. */
  constructor(added: readonly AddedToken[], encode: (text: string) => number[]) {
    const control = added.filter(isControl);
    this.#encode = encode;
    this.#byContent = new Map(control.map((token) => [token.content, token]));
    this.#ids = new Set(control.map(({ id }) => id));
    this.firsts = new Set(control.flatMap(({ content }) => Array.from(content).slice(0, 1)));
    // The longest first: where one begins another, the tokenizer takes the longer.
    const contents = [...this.#byContent.keys()].sort((a, b) => b.length - a.length);
    this.#pattern =
      contents.length === 0 ? null : new RegExp(contents.map(escapePattern).join('|'), 'g');
  }

  /** Ids of the text, with exactly the control tokens that stand within its pieces. */
  encode(text: SeamedText): number[] {
    const parts = this.#partsOf(text);
    const written = parts.flatMap((part) => ('token' in part ? [part.token.id] : []));
    const ids = this.#encode(text.join(''));
    const found = ids.filter((id) => this.#ids.has(id));
    if (found.length === written.length && found.every((id, at) => id === written[at])) return ids;
    return parts.flatMap((part, at) => {
      if ('token' in part) return [part.token.id];
      const before = parts[at - 1];
      const after = parts[at + 1];
      let letters = part.text;
      if (before !== undefined && 'token' in before && before.token.rstrip === true)
        letters = letters.trimStart();
      if (after !== undefined && 'token' in after && after.token.lstrip === true)
        letters = letters.trimEnd();
      return this.#letterIds(letters, at === 0);
    });
  }

  /** The text as control tokens and what stands between them. */
  #partsOf(text: SeamedText): readonly Part[] {
    const parts: Part[] = [];
    let letters = '';
    const endLetters = (): void => {
      if (letters !== '') parts.push({ text: letters });
      letters = '';
    };
    for (const piece of text) {
      let at = 0;
      for (const match of this.#pattern === null ? [] : piece.matchAll(this.#pattern)) {
        const token = this.#byContent.get(match[0]);
        if (token === undefined) continue;
        letters += piece.slice(at, match.index);
        endLetters();
        parts.push({ token });
        at = match.index + match[0].length;
      }
      letters += piece.slice(at);
    }
    endLetters();
    return parts;
  }

  /** Ids of letters among which are those of control tokens: each is cut behind its first. */
  #letterIds(text: string, isFirst: boolean): number[] {
    const ids: number[] = [];
    let rest = text;
    let isStart = isFirst;
    while (rest !== '') {
      const match = this.#pattern === null ? null : firstMatch(this.#pattern, rest);
      const [first = ''] = Array.from(match?.[0] ?? '');
      const end = match === null ? rest.length : match.index + first.length;
      ids.push(...this.#plainIds(rest.slice(0, end), isStart));
      rest = rest.slice(end);
      isStart = false;
    }
    return ids;
  }

  /** A tokenizer that makes a control token of its letters all the same gets them one by one. */
  #plainIds(text: string, isFirst: boolean): number[] {
    const ids = this.#encodeInside(text, isFirst);
    if (!ids.some((id) => this.#ids.has(id))) return ids;
    return Array.from(text)
      .flatMap((char) => this.#encodeInside(char, false))
      .filter((id) => !this.#ids.has(id));
  }

  /** Behind a control token, so that a tokenizer that puts a blank before a text puts none here. */
  #encodeInside(text: string, isFirst: boolean): number[] {
    const [guard] = this.#byContent.values();
    if (isFirst || guard === undefined || guard.rstrip === true) return this.#encode(text);
    const [first, ...ids] = this.#encode(guard.content + text);
    return first === guard.id ? ids : this.#encode(text);
  }
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function firstMatch(pattern: RegExp, text: string): RegExpExecArray | null {
  pattern.lastIndex = 0;
  return pattern.exec(text);
}
