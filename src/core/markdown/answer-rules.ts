/**
 * What an answer of a model means where CommonMark and GitHub's tables, tasks, strikes and links do not say so, or say what
 * nobody who writes an answer means. One sentence a rule; `docs/markdown.md` lists the same sentences with an example
 * each. Owns no reading: `read-blocks.ts` and `read-inlines.ts` ask here.
 */
import { isCjk, isNumber, isPunctuation, isSpace, isSpacedWord } from './characters';

/** 1. Tags are text, but for a bare `<br>`, which breaks the line. */
export const BARE_BREAK = /<br[ \t]*\/?>/iy;

/** 2. A line that ends is a line that ends: there is no soft break. (The reader of pieces knows one kind of break.) */

/** 3. No address is named in one place and used in another: `[name]: address` is text, so that no block needs a later one. */

/** 4. Quotes and lists nest as deep as anyone writes them; deeper marks are text. */
export const DEEPEST_NESTING = 50;

/** 5. A mark that marks nothing is text: `42.`, `-`, `#` and `>` with nothing behind them. (`read-blocks.ts`, at the close.) */

export interface MarkSides {
  readonly canOpen: boolean;
  readonly canClose: boolean;
  /** It stands where an operator may, so it closes only a run of its own length: `**a*b*c**` is bold with two stars in it. */
  readonly isBetweenOperands: boolean;
}

const NO_MARK: MarkSides = { canOpen: false, canClose: false, isBetweenOperands: false };

/** What ends an operand: `)*`, `5!*`, `x²*` (a number), `50%*`. */
const CLOSES_OPERAND = /^[)\]}!%°′″]/;
/** What begins one: `*(`, `*-`. */
const OPENS_OPERAND = /^[([{√\\.+−-]/;
/** A variable, with its factor or without: `x**n`, `2x**n`. */
const ONE_LETTER_BEFORE = /(?:^|[^\p{L}\p{M}])\p{L}$/u;
const ONE_LETTER_AFTER = /^\p{L}(?![\p{L}\p{M}])/u;

/**
 * 6. A star between two operands multiplies and two of them raise to a power: `5*4`, `a*b`, `(a)*(b)`, `x**2`; but
 *    `**T**ransformer` and `wieder**sehen**` are bold.
 */
function isOperator(
  text: string,
  start: number,
  end: number,
  before: string,
  after: string,
): boolean {
  if (isNumber(before) && isNumber(after)) return true;
  const isAfterOperand = isSpacedWord(before) || CLOSES_OPERAND.test(before);
  if (!isAfterOperand) return false;
  if (end - start === 1) return isSpacedWord(after) || OPENS_OPERAND.test(after);
  return (
    end - start === 2 &&
    (isNumber(after) ||
      (isSpacedWord(after) &&
        (isNumber(before) || ONE_LETTER_BEFORE.test(text.slice(Math.max(0, start - 4), start)))))
  );
}

/** 7. Only two tildes strike out, never one: `10~20`. */
function isStrike(mark: string, length: number): boolean {
  return mark !== '~' || length === 2;
}

/**
 * Whether a run of `*`, `_` or `~` from `start` to `end` can open and close what it marks: CommonMark's flanks, with three
 * rules beside them.
 *
 * 8. Beside a Chinese, Japanese or Korean character no blank is needed between a mark and punctuation: `**重要：**请`.
 *    (As in the specification "CJK-friendly emphasis" of tats-u/markdown-cjk-friendly.)
 */
export function sidesOfRun(
  text: string,
  start: number,
  end: number,
  before: string,
  after: string,
): MarkSides {
  const mark = text.charAt(start);
  if (!isStrike(mark, end - start)) return NO_MARK;
  const [isBeforeCjk, isAfterCjk] = [isCjk(before), isCjk(after)];
  const isBeforePoint = isPunctuation(before) && !isBeforeCjk;
  const isAfterPoint = isPunctuation(after) && !isAfterCjk;
  const isLeft =
    !isSpace(after) && (!isAfterPoint || isSpace(before) || isBeforePoint || isBeforeCjk);
  const isRight =
    !isSpace(before) && (!isBeforePoint || isSpace(after) || isAfterPoint || isAfterCjk);
  if (mark === '_')
    return {
      canOpen: isLeft && (!isRight || isPunctuation(before)),
      canClose: isRight && (!isLeft || isPunctuation(after)),
      isBetweenOperands: false,
    };
  const isOperating = isOperator(text, start, end, before, after);
  // What opened before may end inside a word (`*T*ransformer`), but not before a digit or a letter alone.
  const endsBeforeOperand =
    isOperating && (isNumber(after) || ONE_LETTER_AFTER.test(text.slice(end, end + 4)));
  return {
    canOpen: isLeft && !isOperating,
    canClose: isRight && !endsBeforeOperand,
    isBetweenOperands: isOperating,
  };
}

/** A sign that only formulas have. */
const TEX_SIGN = /[\\^_{}]/;
const SIGN = /[\\^_{}=<>≤≥≠≈+×÷·∈→]/;
/** A word of two letters or more between blanks, and no name of a function. */
const PLAIN_WORD =
  /(?:^|\s)(?!(?:mod|sin|cos|tan|log|ln|exp|max|min|gcd|lim)\b)\p{L}{2,}[,.;:]?(?=\s|$)/u;

/** 9. What is written in plain words, or is only amounts, is no formula: `$5 and 10$`, `$5 10$`, `$HOME or USER$`. */
export function readsAsProse(content: string): boolean {
  if (!/\s/.test(content)) return false;
  if (/^[\d.,\s]+$/.test(content)) return true;
  return PLAIN_WORD.test(content) && !(/^\s*\d/.test(content) ? TEX_SIGN : SIGN).test(content);
}

const COMMAND = /^\\[A-Za-z]/;
/** A variable of a shell: `${HOME}`. */
const SHELL_BRACES = /^\{[A-Za-z_]\w*\}(?![$^_])/;
/** Endings that a formula may carry: `$n$th`. */
const ENDING = /^(?:st|nd|rd|th|s)(?![\p{L}\p{N}])/u;

/** 10. A dollar after a letter or digit is money or a name and opens nothing, unless a command follows: `5$`, `US$`, `2$\times$3`. */
export function canOpenDollar(before: string, after: string, rest: string): boolean {
  if (isSpace(after) || after === '$' || SHELL_BRACES.test(rest)) return false;
  return !isSpacedWord(before) || COMMAND.test(rest);
}

/** What formulas never hold: quotes, code, links, bold text and struck text. */
const NEVER_TEX = /["`]|\*\*|~~|\]\(|:\/\//;

/** 11. A dollar before a letter, a digit or `{` begins something, so it ends no formula: `$5-$10`, `$HOME/$USER`; nor does one with a link, code or `"` before it. */
export function canCloseDollar(content: string, rest: string): boolean {
  if (content === '' || isSpace(content.slice(-1))) return false;
  if (COMMAND.test(content)) return true;
  if (NEVER_TEX.test(content)) return false;
  if (content.startsWith('(') && rest.startsWith('(')) return false;
  return !/^[\p{L}\p{N}${]/u.test(rest) || isCjk(rest) || ENDING.test(rest);
}

/** 12. `\[…\]` within a line around a number or a word is a bracket that was escaped, as is one before `(`: `\[1\]`, `\[x\](y)`. */
export function isEscapedBracket(content: string, rest: string): boolean {
  return rest.startsWith('(') || /^(?:[\d\s,–-]+|\p{L}[\p{L}\p{M}]+)$/u.test(content.trim());
}

/** 13. A formula is at most this long; longer ones are shown as they are, for typesetting time grows with them. In UTF-16 units. */
export const LONGEST_FORMULA = 2000;

/** 14. An address in the text ends before a quote or punctuation of Chinese, Japanese or Korean, and before two stars. */
const BARE_ADDRESS =
  /(?:https?:\/\/|www\.)(?:(?!\*\*|[\u3000-\u3004\u3008-\u3020\u3030\u303d\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65])[^\s<>"`“”‘’…])+/iy;
/** `example.com` and then a word of a script without blanks. */
const HOST_THEN_WORD = /^(?:https?:\/\/)?(?:[a-z0-9-]+\.)+[a-z]{2,}(?=[^\p{ASCII}])/iu;

/** Length of the bare address at `at`; 0 where there is none. Its end is GitHub's, with the rule above. */
export function lengthOfBareAddress(text: string, at: number): number {
  BARE_ADDRESS.lastIndex = at;
  let address = BARE_ADDRESS.exec(text)?.[0] ?? '';
  const host = HOST_THEN_WORD.exec(address)?.[0];
  if (host !== undefined && isCjk(address.slice(host.length))) address = host;
  let round = 0;
  let square = 0;
  for (let end = 0; end < address.length; end += 1) {
    const character = address[end];
    if (character === '(') round += 1;
    else if (character === '[') square += 1;
    else if ((character === ')' && --round < 0) || (character === ']' && --square < 0)) {
      address = address.slice(0, end);
    }
  }
  address = address.replace(/(?:&[A-Za-z0-9]{1,31};|[?!.,:;*_~'"|])+$/, '');
  return /^(?:https?:\/\/[^/?#]|www\.[^/?#]+\.[^/?#])/i.test(address) ? address.length : 0;
}
