/**
 * Reads the pieces of a leaf: code, emphasis, links, formulas, breaks. CommonMark's order of precedence; what differs stands
 * in `answer-rules.ts`. At the end of a text that grows, half-written marks are mended (`**bold` is bold) or held back (`[te`),
 * so that no mark shows that will mean something. Takes time linear in the text. Owns no blocks.
 */
import { findBareMail, readLinkTail, readPointedAddress } from './addresses';
import { BARE_BREAK, lengthOfBareAddress, sidesOfRun } from './answer-rules';
import { characterAt, characterBefore, isSpacedWord } from './characters';
import { RunStack, type Run } from './emphasis';
import { FormulaFinder } from './formulas';
import type { Inline, Leaf } from './syntax-tree';

/** A `[` or `![` that may begin a link; pieces from `at` on are its text. */
interface Bracket {
  readonly kind: 'bracket';
  readonly isImage: boolean;
  readonly at: number;
  /** The last run before it. */
  readonly runBefore: Run | null;
  isActive: boolean;
}

/** A bare address, which is none inside another link. */
interface BareLink {
  readonly kind: 'bare';
  readonly text: string;
  readonly address: string;
}

type Piece = Inline | Run | Bracket | BareLink | { readonly kind: 'nothing' };

/** Text without a character that can begin anything. `h` and `w` begin addresses. */
const PLAIN = /(?:[^\n\\`*_~$[\]!<&hHwW]|[hH](?!ttps?:\/\/)|[wW](?!ww\.)|!(?!\[))+/y;
const ENTITY = /&(?:#\d{1,7}|#[Xx][\da-fA-F]{1,6}|[A-Za-z][\dA-Za-z]{1,31});/y;
const ESCAPE = /^[!-/:-@[-`{-~]/;
/** What can still become a bare break or an entity. */
const HALF_TAG = /^<(?:b(?:r(?:[ \t]*\/?)?)?)?$/i;
const HALF_ENTITY = /^&(?:#?[\dA-Za-z]{0,7})?$/;

class InlineReader {
  readonly #text: string;
  readonly #isGrowing: boolean;
  readonly #formulas: FormulaFinder;
  readonly #pieces: Piece[] = [];
  readonly #runs = new RunStack();
  readonly #brackets: Bracket[] = [];
  /** Places of the runs of backticks by their length, the next first; made when the first is met. */
  #backticks: Map<number, number[]> | null = null;
  #at = 0;

  constructor({ text, isGrowing }: Leaf) {
    this.#text = text;
    this.#isGrowing = isGrowing;
    this.#formulas = new FormulaFinder(text, isGrowing);
  }

  read(): Inline[] {
    while (this.#at < this.#text.length) this.#readPiece();
    this.#runs.pair(null);
    if (this.#isGrowing) this.#mendEnd();
    const inlines = flattened(this.#pieces);
    return this.#text.includes('@') ? withMails(inlines) : inlines;
  }

  #readPiece(): void {
    const text = this.#text;
    PLAIN.lastIndex = this.#at;
    const plain = PLAIN.exec(text)?.[0];
    if (plain !== undefined) return this.#takeText(plain, plain.length);
    const character = text.charAt(this.#at);
    switch (character) {
      case '\n':
        return this.#readBreak(1);
      case '\\':
        return this.#readBackslash();
      case '`':
        return this.#readCode();
      case '*':
      case '_':
      case '~':
        return this.#readRun(character);
      case '$':
        return this.#readDollar();
      case '[':
        return this.#openBracket(false, 1);
      case '!':
        return this.#openBracket(true, 2);
      case ']':
        return this.#closeBracket();
      case '<':
        return this.#readPointed();
      case '&':
        return this.#readEntity();
      default:
        return this.#readBareAddress(character);
    }
  }

  #takeText(text: string, length: number): void {
    if (text !== '') this.#pieces.push({ kind: 'text', text });
    this.#at += length;
  }

  /** The blanks around a break belong to it. */
  #readBreak(length: number): void {
    const last = this.#pieces.at(-1);
    if (last?.kind === 'text')
      this.#pieces[this.#pieces.length - 1] = {
        kind: 'text',
        text: last.text.replace(/[ \t]+$/, ''),
      };
    this.#pieces.push({ kind: 'break' });
    this.#at += length;
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
  }

  #readBackslash(): void {
    const next = this.#text.charAt(this.#at + 1);
    if (this.#takeFormula()) return;
    if (next === '\n') this.#readBreak(2);
    else if (next === '' && this.#isGrowing) this.#at += 1;
    else if (ESCAPE.test(next)) this.#takeText(next, 2);
    else this.#takeText('\\', 1);
  }

  #takeFormula(): boolean {
    const formula = this.#formulas.at(this.#at);
    if (formula === null) return false;
    const { tex, isDisplay, isWhole } = formula;
    if (tex !== '') this.#pieces.push({ kind: 'maths', tex, isDisplay, isWhole });
    this.#at = formula.end;
    return true;
  }

  #readDollar(): void {
    if (this.#takeFormula()) return;
    const [dollars = '$'] = /^\$+/.exec(this.#text.slice(this.#at, this.#at + 80)) ?? [];
    // One after the other, so that a formula may begin behind the first; but `$$$` is one thing.
    this.#takeText(dollars.length > 2 ? dollars : '$', dollars.length > 2 ? dollars.length : 1);
  }

  #readCode(): void {
    const text = this.#text;
    const from = this.#at;
    this.#backticks ??= placesOfBackticks(text);
    let end = from;
    while (text[end] === '`') end += 1;
    const length = end - from;
    const places = this.#backticks.get(length) ?? [];
    while ((places[0] ?? Infinity) <= from) places.shift();
    const close = places[0];
    if (close !== undefined) {
      this.#pieces.push({ kind: 'code', text: codeText(text.slice(end, close)) });
      this.#at = close + length;
    } else if (this.#isGrowing && !text.includes('\n', end)) {
      const code = text.slice(end).replace(/`+$/, '');
      if (code !== '') this.#pieces.push({ kind: 'code', text: codeText(code) });
      this.#at = text.length;
    } else this.#takeText(text.slice(from, end), length);
  }

  #readRun(mark: string): void {
    const text = this.#text;
    const from = this.#at;
    let end = from;
    while (text[end] === mark) end += 1;
    this.#at = end;
    // At the end of a text that grows it may be any run; whatever it opened before is closed by `#mendEnd`.
    if (end === text.length && this.#isGrowing) return;
    const sides = sidesOfRun(text, from, end, characterBefore(text, from), characterAt(text, end));
    if (!sides.canOpen && !sides.canClose)
      this.#pieces.push({ kind: 'text', text: text.slice(from, end) });
    else this.#pieces.push(this.#runs.push(mark, end - from, sides));
  }

  #openBracket(isImage: boolean, length: number): void {
    const bracket: Bracket = {
      kind: 'bracket',
      isImage,
      at: this.#pieces.length,
      runBefore: this.#runs.top,
      isActive: true,
    };
    this.#brackets.push(bracket);
    this.#pieces.push(bracket);
    this.#at += length;
  }

  #closeBracket(): void {
    const bracket = this.#brackets.pop();
    const after = this.#at + 1;
    if (bracket === undefined) return this.#takeText(']', 1);
    if (!bracket.isActive) return this.#leaveBracket(bracket);
    const tail = readLinkTail(this.#text, after);
    if (tail === null && !this.#isHalfTail(after)) return this.#leaveBracket(bracket);
    this.#runs.pair(bracket.runBefore);
    this.#runs.drop(bracket.runBefore);
    const inside = this.#pieces.splice(bracket.at).slice(1);
    this.#at = tail?.end ?? this.#text.length;
    if (bracket.isImage) {
      const alt = flattened(inside).map(plainText).join('');
      if (tail !== null) this.#pieces.push({ kind: 'image', address: tail.address, alt });
      return;
    }
    const content = inside.map((piece): Piece =>
      piece.kind === 'bare' ? { kind: 'text', text: piece.text } : piece,
    );
    if (tail === null) this.#pieces.push(...content);
    else {
      this.#pieces.push({ kind: 'openLink', address: tail.address }, ...content, {
        kind: 'closeLink',
      });
      // No link holds another.
      for (let index = this.#brackets.length - 1; index >= 0; index -= 1) {
        const outer = this.#brackets[index];
        if (outer?.isActive !== true) break;
        if (!outer.isImage) outer.isActive = false;
      }
    }
  }

  #leaveBracket(bracket: Bracket): void {
    this.#pieces[bracket.at] = { kind: 'text', text: bracket.isImage ? '![' : '[' };
    this.#takeText(']', 1);
  }

  /** `[text]` or `[text](address` at the end of a text that grows. */
  #isHalfTail(after: number): boolean {
    if (!this.#isGrowing) return false;
    const rest = this.#text.slice(after);
    return rest === '' || (rest.startsWith('(') && rest.length < 2500 && !/[\n)]/.test(rest));
  }

  #readPointed(): void {
    BARE_BREAK.lastIndex = this.#at;
    const tag = BARE_BREAK.exec(this.#text)?.[0];
    if (tag !== undefined) return this.#readBreak(tag.length);
    const pointed = readPointedAddress(this.#text, this.#at);
    if (pointed !== null) {
      const { text, address, end } = pointed;
      this.#pieces.push({ kind: 'bare', text, address });
      this.#at = end;
      return;
    }
    const isHalf = this.#isGrowing && HALF_TAG.test(this.#text.slice(this.#at, this.#at + 40));
    this.#takeText(isHalf ? '' : '<', isHalf ? this.#text.length - this.#at : 1);
  }

  #readEntity(): void {
    ENTITY.lastIndex = this.#at;
    const raw = ENTITY.exec(this.#text)?.[0];
    if (raw !== undefined) {
      this.#pieces.push({ kind: 'entity', raw });
      this.#at += raw.length;
      return;
    }
    const isHalf = this.#isGrowing && HALF_ENTITY.test(this.#text.slice(this.#at, this.#at + 40));
    this.#takeText(isHalf ? '' : '&', isHalf ? this.#text.length - this.#at : 1);
  }

  #readBareAddress(character: string): void {
    const isWithinWord = isSpacedWord(characterBefore(this.#text, this.#at));
    const length = isWithinWord ? 0 : lengthOfBareAddress(this.#text, this.#at);
    if (length === 0) return this.#takeText(character, 1);
    const text = this.#text.slice(this.#at, this.#at + length);
    const address = /^www\./i.test(text) ? `http://${text}` : text;
    this.#pieces.push({ kind: 'bare', text, address });
    this.#at += length;
  }

  /** Closes what the last line opened, and holds back a bracket that may become a link or an image. */
  #mendEnd(): void {
    const lastBreak = this.#pieces.findLastIndex(({ kind }) => kind === 'break');
    const bracket = this.#brackets.findLast(({ isActive }) => isActive);
    if (bracket !== undefined && bracket.at > lastBreak) {
      if (bracket.isImage) this.#pieces.splice(bracket.at);
      else this.#pieces[bracket.at] = { kind: 'nothing' };
    }
    const onLastLine = new Set(this.#pieces.slice(lastBreak + 1));
    const marks = this.#runs.closeAll((run) => onLastLine.has(run));
    this.#pieces.push(...marks.map((mark): Inline => ({ kind: 'close', mark })));
  }
}

function placesOfBackticks(text: string): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    const ofLength = places.get(run.length);
    if (ofLength === undefined) places.set(run.length, [index]);
    else ofLength.push(index);
  }
  return places;
}

function codeText(raw: string): string {
  const text = raw.replaceAll('\n', ' ');
  return /^ .*[^ ].* $/.test(text) || /^ [^ ]+ $/.test(text) ? text.slice(1, -1) : text;
}

/** Runs, brackets and bare addresses as what they turned out to be; texts beside each other as one. */
function flattened(pieces: readonly Piece[]): Inline[] {
  const inlines: Inline[] = [];
  const addText = (text: string): void => {
    const last = inlines.at(-1);
    if (text === '') return;
    if (last?.kind === 'text')
      inlines[inlines.length - 1] = { kind: 'text', text: last.text + text };
    else inlines.push({ kind: 'text', text });
  };
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'nothing':
        break;
      case 'text':
        addText(piece.text);
        break;
      case 'bracket':
        addText(piece.isImage ? '![' : '[');
        break;
      case 'run':
        for (const mark of piece.closes) inlines.push({ kind: 'close', mark });
        addText(piece.mark.repeat(piece.left));
        for (const mark of piece.opens) inlines.push({ kind: 'open', mark });
        break;
      case 'bare':
        inlines.push({ kind: 'openLink', address: piece.address });
        inlines.push({ kind: 'text', text: piece.text });
        inlines.push({ kind: 'closeLink' });
        break;
      default:
        inlines.push(piece);
    }
  }
  return inlines;
}

/** Bare mail addresses outside links become links. */
function withMails(inlines: readonly Inline[]): Inline[] {
  let depth = 0;
  return inlines.flatMap((inline): Inline[] => {
    if (inline.kind === 'openLink') depth += 1;
    else if (inline.kind === 'closeLink') depth -= 1;
    if (inline.kind !== 'text' || depth > 0 || !inline.text.includes('@')) return [inline];
    const parts: Inline[] = [];
    let from = 0;
    for (let mail = findBareMail(inline.text, 0); mail !== null;) {
      const text = inline.text.slice(mail.start, mail.end);
      if (mail.start > from)
        parts.push({ kind: 'text', text: inline.text.slice(from, mail.start) });
      parts.push({ kind: 'openLink', address: `mailto:${text}` }, { kind: 'text', text });
      parts.push({ kind: 'closeLink' });
      from = mail.end;
      mail = findBareMail(inline.text, from);
    }
    if (from < inline.text.length) parts.push({ kind: 'text', text: inline.text.slice(from) });
    return parts;
  });
}

/** What a piece says without its marks. */
export function plainText(inline: Inline): string {
  switch (inline.kind) {
    case 'text':
    case 'code':
      return inline.text;
    case 'entity':
      return inline.raw;
    case 'break':
      return '\n';
    case 'maths':
      return inline.tex;
    case 'image':
      return inline.alt;
    case 'open':
    case 'close':
    case 'openLink':
    case 'closeLink':
      return '';
  }
}

/** The pieces of a leaf, in order. */
export function readInlines(leaf: Leaf): readonly Inline[] {
  return new InlineReader(leaf).read();
}
