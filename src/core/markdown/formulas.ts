/** Where formulas begin and end: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, `\begin{align}…\end{align}`. Owns no typesetting. */
import {
  canCloseDollar,
  canOpenDollar,
  isEscapedBracket,
  LONGEST_FORMULA,
  readsAsProse,
} from './answer-rules';
import { characterAt, characterBefore } from './characters';

/** Environments that stand without dollars around them. */
const ENVIRONMENT =
  /\\begin\{((?:equation|align|alignat|gather)\*?|aligned|gathered|split|cases|[pbvBV]?matrix|array)\}/y;
/** What can be, or can hide, an opener or a closer. */
const PARTS = /`+|\$+|\\end\{[a-z]+\*?\}|\\[\s\S]|\\$/gi;
const HAS_CONTENT = /[\p{L}\p{N}]/u;

/** Index of the closer, from `from` up to `until`; -1 where there is none. */
function indexOfCloser(text: string, closer: string, from: number, until: number): number {
  PARTS.lastIndex = from;
  for (let part = PARTS.exec(text); part !== null; part = PARTS.exec(text)) {
    if (part.index > until) return -1;
    if (part[0] === closer) return part.index;
  }
  return -1;
}

function environmentAt(text: string, at: number): string | null {
  ENVIRONMENT.lastIndex = at;
  return ENVIRONMENT.exec(text)?.[1] ?? null;
}

function isLineStart(text: string, at: number): boolean {
  return /(?:^|\n)[ \t]*$/.test(text.slice(Math.max(0, at - 80), at));
}

export interface Formula {
  /** Where it ends in the text. */
  readonly end: number;
  readonly tex: string;
  readonly isDisplay: boolean;
  /** False where its closer has not been written yet. */
  readonly isWhole: boolean;
}

interface Opening {
  readonly contentFrom: number;
  readonly closer: string;
  readonly isDisplay: boolean;
}

/** A formula other than `$…$` that opens at `at`. */
function openingAt(text: string, at: number): Opening | null {
  if (text[at] === '$') {
    const isPair = text[at + 1] === '$' && text[at + 2] !== '$' && text[at - 1] !== '$';
    if (!isPair) return null;
    return { contentFrom: at + 2, closer: '$$', isDisplay: isLineStart(text, at) };
  }
  if (text[at + 1] === '(') return { contentFrom: at + 2, closer: '\\)', isDisplay: false };
  if (text[at + 1] === '[') return { contentFrom: at + 2, closer: '\\]', isDisplay: true };
  const name = isLineStart(text, at) ? environmentAt(text, at) : null;
  return name === null ? null : { contentFrom: at, closer: `\\end{${name}}`, isDisplay: true };
}

/** Finds the formulas of one text; remembers where it has looked for a closer, so that a whole text takes linear time. */
export class FormulaFinder {
  readonly #text: string;
  readonly #isGrowing: boolean;
  /** Up to where each closer is known to be missing. */
  readonly #missing = new Map<string, number>();

  constructor(text: string, isGrowing: boolean) {
    this.#text = text;
    this.#isGrowing = isGrowing;
  }

  /** The formula that opens at `at`, where a dollar or a backslash stands. */
  at(at: number): Formula | null {
    const text = this.#text;
    const opening = openingAt(text, at);
    if (opening === null) return text[at] === '$' ? this.#single(at) : null;
    const { contentFrom, closer, isDisplay } = opening;
    const close = this.#closerFrom(closer, contentFrom);
    if (close < 0) return this.#isGrowing ? this.#unfinished(at, opening) : null;
    const isEnvironment = contentFrom === at;
    const end = close + closer.length;
    const content = text.slice(contentFrom, isEnvironment ? end : close);
    if (!HAS_CONTENT.test(content) || content.length > LONGEST_FORMULA) return null;
    if (closer === '$$' && readsAsProse(isDisplay ? content.trim() : content)) return null;
    const isWithin = closer === '\\]' && !isLineStart(text, at);
    if (isWithin && isEscapedBracket(content, text.slice(end, end + 1))) return null;
    const spansLines = content.trim().includes('\n') || /^[ \t]*\n/.test(content);
    return {
      end,
      tex: content.trim(),
      isDisplay: isDisplay || (closer === '$$' && spansLines),
      isWhole: true,
    };
  }

  #closerFrom(closer: string, from: number): number {
    const until = from + LONGEST_FORMULA;
    const known = this.#missing.get(closer) ?? 0;
    if (known >= until) return -1;
    const close = indexOfCloser(this.#text, closer, Math.max(from, known), until);
    if (close < 0) this.#missing.set(closer, this.#text.length <= until ? Infinity : until);
    return close;
  }

  /** `$…$` on one line. */
  #single(at: number): Formula | null {
    const text = this.#text;
    const from = at + 1;
    if (text[at - 1] === '$') return null;
    if (from === text.length) return this.#isGrowing ? this.#held(from) : null;
    const before = characterBefore(text, at);
    if (!canOpenDollar(before, characterAt(text, from), text.slice(from, from + 40))) return null;
    for (let close = from; close - from <= LONGEST_FORMULA; close += 1) {
      const character = text[close];
      if (character === undefined) return this.#isGrowing ? this.#held(from) : null;
      if (character === '\n') return null;
      if (character === '\\') {
        close += 1;
        // A formula of the other kind: this dollar stood alone.
        if (/[()[\]]/.test(text.charAt(close))) return null;
      } else if (character === '$') {
        const content = text.slice(from, close);
        if (!canCloseDollar(content, text.slice(close + 1, close + 6))) return null;
        if (readsAsProse(content)) return null;
        return { end: close + 1, tex: content.trim(), isDisplay: false, isWhole: true };
      }
    }
    return null;
  }

  /** While it grows, a formula on its own lines shows its source; one within a line is held back until it is whole. */
  #unfinished(at: number, { contentFrom, isDisplay }: Opening): Formula | null {
    const content = this.#text.slice(contentFrom);
    if (content.length > LONGEST_FORMULA || readsAsProse(content.trim())) return null;
    const isHeld = !isDisplay || !isLineStart(this.#text, at);
    if (isHeld && content.includes('\n')) return null;
    // Of a closer that is half written nothing shows.
    const tex = isHeld ? '' : content.replace(/(?:\\|\$|\\end?\{?[a-z]*\*?)$/, '').trim();
    return { end: this.#text.length, tex, isDisplay, isWhole: false };
  }

  /** A text after one dollar is held back only while it can be a formula: money and names of a shell soon cannot. */
  #held(from: number): Formula | null {
    const content = this.#text.slice(from);
    const isShort = content.length <= LONGEST_HELD;
    const canBe = SOURCE_OF_FORMULA.test(content) && !PROSE_SO_FAR.test(content);
    return isShort && canBe
      ? { end: this.#text.length, tex: '', isDisplay: false, isWhole: false }
      : null;
  }
}

/** In UTF-16 units; a line of text or so. */
const LONGEST_HELD = 120;
const SOURCE_OF_FORMULA =
  /^(?:\p{L}(?![\p{L}\p{N}])|\d*\p{L}?\s?[\\^_({=+<>|-])|^\d*[.,]?\d*\p{L}?\s?$/u;
const PROSE_SO_FAR = /^[^\\^_{}]*\s\p{L}{2,}\s/u;

/** A display formula that a line opened and did not close. */
export interface OpenFormula {
  readonly closer: string;
  /** The opener stood alone on its line, so blank lines may follow. */
  readonly isAlone: boolean;
}

const OPENER = /`+|\\begin\{[a-z]+\*?\}|\\[\s\S]|\$+/gi;

/**
 * The display formula that is open after `line`: until its closer or a blank line its lines are no lists, quotes or
 * headings, whatever they begin with.
 */
export function openFormulaAfter(line: string, before: OpenFormula | null): OpenFormula | null {
  let open = before;
  let from = 0;
  for (;;) {
    if (open !== null) {
      const close = indexOfCloser(line, open.closer, from, Infinity);
      if (close < 0) return open;
      from = close + open.closer.length;
      open = null;
    }
    OPENER.lastIndex = from;
    const part = OPENER.exec(line);
    if (part === null) return null;
    const [mark] = part;
    from = part.index + mark.length;
    if (mark.startsWith('`')) {
      const close = new RegExp(`(?<!\`)${mark}(?!\`)`, 'g');
      close.lastIndex = from;
      const end = close.exec(line);
      if (end !== null) from = end.index + mark.length;
      continue;
    }
    const opening =
      mark === '$$' || mark === '\\[' || mark.length > 2 ? openingAt(line, part.index) : null;
    if (opening === null) continue;
    const rest = line.slice(from);
    if (indexOfCloser(rest, opening.closer, 0, Infinity) < 0 && readsAsProse(rest.trim())) continue;
    open = { closer: opening.closer, isAlone: line.trim() === mark };
  }
}

const BEGINS_BLOCK = /^(?:#{1,6}[ \t]|`{3}|~{3}|>|[-*+][ \t]|\d{1,9}[.)][ \t])/;
const WORDS = /(?:(?<![\\\p{L}])\p{L}{3,}[^\p{L}\\{}^_=]+){2}/u;

/** Whether an open formula goes on after a blank line with this line: not where a block begins or words follow. */
export function goesOnAfterBlank(line: string): boolean {
  return !BEGINS_BLOCK.test(line) && !WORDS.test(line);
}
