/**
 * Owns the calculator tool: reads an arithmetic expression and computes it exactly. No eval, no
 * names, no functions.
 */
import {
  add,
  CalculationError,
  divide,
  formatFraction,
  type Fraction,
  MAX_DIGITS,
  multiply,
  negate,
  parseDecimal,
  power,
  subtract,
} from './fraction';
import { cutText } from '../text/letters';

/** Longest expression read, in characters. */
export const MAX_EXPRESSION_CHARS = 500;
/** Deepest nesting of parentheses and signs, so that the parser can't overflow the stack. */
const MAX_DEPTH = 50;

/** Signs that people and models write for the plain ones. */
const SYNONYMS: Readonly<Record<string, string>> = {
  '×': '*',
  '·': '*',
  '÷': '/',
  '−': '-',
  '–': '-',
};

type Token =
  | { readonly kind: 'number'; readonly value: Fraction }
  | { readonly kind: 'sign'; readonly sign: string };

function tokenise(expression: string): Token[] {
  const plain = expression
    .replace(/[×·÷−–]/g, (sign) => SYNONYMS[sign] ?? sign)
    .replace(/\*\*/g, '^');
  const tokens: Token[] = [];
  // Thousands commas only between groups of three digits.
  const pattern = /\s*(?:(\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d*)?|\.\d+)|([-+*/^()]))/y;
  let at = 0;
  while (plain.slice(at).trim() !== '') {
    pattern.lastIndex = at;
    const match = pattern.exec(plain);
    if (match === null) {
      const rest = plain.slice(at).trimStart();
      throw new CalculationError(
        `cannot read "${cutText(rest, 12)}"; use numbers and + - * / ^ ( )`,
      );
    }
    const [text, numeral, sign = ''] = match;
    if (numeral !== undefined) {
      if (numeral.length > MAX_DIGITS)
        throw new CalculationError(`a number has more than ${MAX_DIGITS} digits`);
      tokens.push({ kind: 'number', value: parseDecimal(numeral.replaceAll(',', '')) });
    } else tokens.push({ kind: 'sign', sign });
    at += text.length;
  }
  return tokens;
}

/**
 * Recursive descent: sum > product > sign > power > atom; ^ binds to the right and before a sign
 * (−2^2 = −4).
 */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Fraction {
    const value = this.#sum();
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) {
      throw new CalculationError(
        rest.kind === 'sign'
          ? `unexpected "${rest.sign}"`
          : 'an operator is missing between numbers',
      );
    }
    return value;
  }

  #take(...signs: readonly string[]): string | null {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || !signs.includes(token.sign)) return null;
    this.#at += 1;
    return token.sign;
  }

  #sum(): Fraction {
    let value = this.#product();
    for (let sign = this.#take('+', '-'); sign !== null; sign = this.#take('+', '-')) {
      value = sign === '+' ? add(value, this.#product()) : subtract(value, this.#product());
    }
    return value;
  }

  #product(): Fraction {
    let value = this.#signed();
    for (let sign = this.#take('*', '/'); sign !== null; sign = this.#take('*', '/')) {
      value = sign === '*' ? multiply(value, this.#signed()) : divide(value, this.#signed());
    }
    return value;
  }

  #signed(): Fraction {
    const sign = this.#take('+', '-');
    if (sign === null) return this.#power();
    return this.#deeper(() => (sign === '-' ? negate(this.#signed()) : this.#signed()));
  }

  #power(): Fraction {
    const base = this.#atom();
    return this.#take('^') === null ? base : this.#deeper(() => power(base, this.#signed()));
  }

  #atom(): Fraction {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new CalculationError('the expression ends too early');
    if (token.kind === 'number') {
      this.#at += 1;
      return token.value;
    }
    if (this.#take('(') === null) throw new CalculationError(`unexpected "${token.sign}"`);
    const value = this.#deeper(() => this.#sum());
    if (this.#take(')') === null) throw new CalculationError('a closing parenthesis is missing');
    return value;
  }

  #deeper(read: () => Fraction): Fraction {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new CalculationError(`nested more than ${MAX_DEPTH} deep`);
    const value = read();
    this.#depth -= 1;
    return value;
  }
}

/**
 * Value of an expression of numbers, + - * / ^ and parentheses, as text: exact, decimals rounded at
 * ten. `× · ÷ −` and `**` are read too, and thousands commas. CalculationError says what can't be
 * read or computed.
 */
export function calculate(expression: string): string {
  if (expression.length > MAX_EXPRESSION_CHARS) {
    throw new CalculationError(
      `the expression has ${expression.length} characters; at most ${MAX_EXPRESSION_CHARS} are read`,
    );
  }
  const tokens = tokenise(expression);
  if (tokens.length === 0) throw new CalculationError('the expression is empty');
  return formatFraction(new Parser(tokens).parse());
}
