/** Addresses as links write them: `(address "title")`, `<address>`. Owns no policy about where a link may lead. */

/** Longer titles and addresses are no link, so that looking for their ends takes a bounded time. In UTF-16 units. */
const LONGEST_PART = 2500;

const ESCAPED =
  /\\([!-/:-@[-`{-~])|&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp|copy));/g;
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
};

function characterOf(code: number): string {
  return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)
    ? '\ufffd'
    : String.fromCodePoint(code);
}

/** Without backslashes before punctuation, and with the entities that addresses need read. */
export function unescaped(text: string): string {
  return text.replace(
    ESCAPED,
    (_whole, mark?: string, decimal?: string, hex?: string, name?: string) =>
      mark ??
      (decimal !== undefined
        ? characterOf(Number(decimal))
        : hex !== undefined
          ? characterOf(Number.parseInt(hex, 16))
          : (NAMED[name ?? ''] ?? '')),
  );
}

export interface LinkTail {
  readonly address: string;
  readonly end: number;
}

const POINTED = /<((?:[^<>\n\\]|\\.)*)>/y;
const TITLE = /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'|\((?:[^()\\]|\\[\s\S])*\)/y;
const BLANKS = /[ \t]*\n?[ \t]*/y;

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}

/** End of an address without `<>`: no blanks, and each bracket with its partner. */
function endOfPlain(text: string, at: number): number {
  let depth = 0;
  let end = at;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code <= 0x20 || code === 0x7f) break;
    const character = text[end];
    if (character === '\\' && /[!-/:-@[-`{-~]/.test(text.charAt(end + 1))) end += 1;
    else if (character === '(') {
      depth += 1;
      if (depth > 32) return -1;
    } else if (character === ')') {
      if (depth === 0) break;
      depth -= 1;
    }
  }
  return depth === 0 ? end : -1;
}

/** Reads `(address "title")` at `at`. */
export function readLinkTail(source: string, at: number): LinkTail | null {
  if (source[at] !== '(') return null;
  const text = source.length > at + LONGEST_PART ? source.slice(0, at + LONGEST_PART) : source;
  let end = skip(BLANKS, text, at + 1);
  const from = end;
  let raw: string;
  if (text[end] === '<') {
    POINTED.lastIndex = end;
    const match = POINTED.exec(text);
    if (match === null) return null;
    raw = match[1] ?? '';
    end += match[0].length;
  } else {
    end = endOfPlain(text, end);
    if (end < 0) return null;
    raw = text.slice(from, end);
  }
  const beforeTitle = end;
  end = skip(BLANKS, text, end);
  if (end > beforeTitle) end = skip(BLANKS, text, skip(TITLE, text, end));
  return text[end] === ')' ? { address: unescaped(raw), end: end + 1 } : null;
}

const POINTED_ADDRESS = /<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*)>/y;
const POINTED_MAIL =
  /<([a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*)>/y;

export interface PointedAddress {
  readonly text: string;
  readonly address: string;
  readonly end: number;
}

/** Reads `<https://a.example>` or `<name@a.example>` at `at`. */
export function readPointedAddress(text: string, at: number): PointedAddress | null {
  POINTED_ADDRESS.lastIndex = at;
  POINTED_MAIL.lastIndex = at;
  const address = POINTED_ADDRESS.exec(text);
  const match = address ?? POINTED_MAIL.exec(text);
  if (match?.[1] === undefined) return null;
  return {
    text: match[1],
    address: address === null ? `mailto:${match[1]}` : match[1],
    end: at + match[0].length,
  };
}

const LOCAL_PART = /[\w.+-]{1,64}$/;
const MAIL_HOST = /@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![\w-]|@)/y;

/** The first bare mail address in `text` from `from` on. */
export function findBareMail(text: string, from: number): { start: number; end: number } | null {
  for (let at = text.indexOf('@', from); at >= 0; at = text.indexOf('@', at + 1)) {
    const local = LOCAL_PART.exec(text.slice(Math.max(from, at - 64), at))?.[0];
    MAIL_HOST.lastIndex = at;
    const host = local === undefined ? undefined : MAIL_HOST.exec(text)?.[0];
    if (local !== undefined && host !== undefined)
      return { start: at - local.length, end: at + host.length };
  }
  return null;
}
