/**
 * Owns calls as Python writes them, the way of LFM2: `[calculator(expression='12 * 3'), clock()]`. Reading and writing;
 * never throws on junk.
 */
import type { ToolCall } from '../chat/prompt-message';

const NAME = /[\w.-]{1,64}/y;
/** What may follow the quote that ends a text; any other quote stands inside it. */
const AFTER_TEXT = /^\s*(?:[,)\]}:]|$)/;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** Reads one list of calls from the front; a position that only moves on. */
class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    this.#skipBlanks();
    return this.#at >= this.#text.length;
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }

  /** True, and past it, where `mark` comes next. */
  take(mark: string): boolean {
    this.#skipBlanks();
    if (!this.#text.startsWith(mark, this.#at)) return false;
    this.#at += mark.length;
    return true;
  }

  name(): string | null {
    this.#skipBlanks();
    NAME.lastIndex = this.#at;
    const found = NAME.exec(this.#text)?.[0];
    if (found === undefined) return null;
    this.#at += found.length;
    return found;
  }

  /** A text without its quotes, or anything else as it stands up to the next comma or closing mark. */
  value(): string | null {
    this.#skipBlanks();
    const quote = this.#text.charAt(this.#at);
    return quote === "'" || quote === '"' ? this.#quoted(quote) : this.#plain();
  }

  #quoted(quote: string): string | null {
    let value = '';
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      const char = this.#text.charAt(at);
      if (char === '\\') {
        at += 1;
        const next = this.#text.charAt(at);
        value += ESCAPES[next] ?? next;
      } else if (char === quote && AFTER_TEXT.test(this.#text.slice(at + 1))) {
        this.#at = at + 1;
        return value;
      } else value += char;
    }
    return null;
  }

  #plain(): string | null {
    const start = this.#at;
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (char === "'" || char === '"') {
        if (this.#quoted(char) === null) return null;
        continue;
      }
      if (depth === 0 && (char === ',' || char === ')')) break;
      if ('([{'.includes(char)) depth += 1;
      if (')]}'.includes(char)) depth -= 1;
      this.#at += 1;
    }
    const value = this.#text.slice(start, this.#at).trim();
    return value === '' || depth !== 0 ? null : value;
  }
}

function readCall(reader: Reader): ToolCall | null {
  const name = reader.name();
  if (name === null || !reader.take('(')) return null;
  const values = new Map<string, string>();
  while (!reader.take(')')) {
    if (values.size > 0 && !reader.take(',')) return null;
    const parameter = reader.name();
    if (parameter === null || !reader.take('=')) return null;
    const value = reader.value();
    if (value === null) return null;
    values.set(parameter, value);
  }
  return { name, arguments: Object.fromEntries(values) };
}

/** The calls of a list, or of one call without brackets; none when one of them cannot be read. */
export function readPythonCalls(text: string): readonly ToolCall[] {
  const reader = new Reader(text);
  const isList = reader.take('[');
  const calls: ToolCall[] = [];
  do {
    const call = readCall(reader);
    if (call === null) return [];
    calls.push(call);
  } while (isList && reader.take(','));
  // A list that was cut off after a whole call is taken.
  if (isList) reader.take(']');
  return reader.isAtEnd ? calls : [];
}

/** As the templates of LFM2.5 write them. */
export function writePythonCalls(calls: readonly ToolCall[]): string {
  const written = calls.map((call) => {
    const values = Object.entries(call.arguments).map(
      ([name, value]) => `${name}='${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n')}'`,
    );
    return `${call.name}(${values.join(', ')})`;
  });
  return `[${written.join(', ')}]`;
}
