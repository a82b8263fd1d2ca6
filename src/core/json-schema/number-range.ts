/**
 * Owns the writing of a number within bounds, digit by digit: which beginnings can still become one, and how many
 * characters that takes at least. Decimal arithmetic in whole numbers, so that no bound is missed by rounding.
 */

/** Beyond so many digits a double no longer tells neighbours apart, and a bound would be met only by the text. */
const MAX_DIGITS = 15;
/** Digits after the point where no bound asks for more. */
const FRACTION_DIGITS = 6;
const MAX_FRACTION_DIGITS = 12;

export interface NumberBounds {
  readonly isInteger: boolean;
  /** null: none. */
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly exclusiveMinimum: number | null;
  readonly exclusiveMaximum: number | null;
}

const power = (exponent: number): bigint => 10n ** BigInt(exponent);

/** Digits after the point in a number's shortest text. */
function decimalsOf(value: number): number {
  const [, fraction = '', exponent = '0'] =
    /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
}

/** `value` · 10^scale as a whole number, rounded up or down where it has more digits. */
function scaled(value: number, scale: number, rounding: 'up' | 'down'): bigint {
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  const shift = scale + Number(exponent) - fraction.length;
  const digits = BigInt(sign + whole + fraction);
  if (shift >= 0) return digits * power(shift);
  const divisor = power(-shift);
  // BigInt division rounds to zero.
  const quotient = digits / divisor;
  const isExact = quotient * divisor === digits;
  if (isExact) return quotient;
  if (rounding === 'up') return digits > 0n ? quotient + 1n : quotient;
  return digits < 0n ? quotient - 1n : quotient;
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** True when a multiple of `step` lies in both intervals; all are ≥ 0. */
function hasMultiple(
  step: bigint,
  [from, to]: readonly [bigint, bigint],
  [low, high]: readonly [bigint, bigint],
): boolean {
  const first = ((larger(from, low) + step - 1n) / step) * step;
  return first <= smaller(to, high);
}

/** Numbers without exponent: `-`, digits without a leading zero, and behind a point at most `scale` digits. */
export class NumberRange {
  /** Digits after the point. */
  readonly #scale: number;
  /** Bounds times 10^scale, both included. */
  readonly #low: bigint;
  readonly #high: bigint;
  readonly #known = new Map<string, number>();

  constructor({ isInteger, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: NumberBounds) {
    const bounds = [minimum, maximum, exclusiveMinimum, exclusiveMaximum].filter(
      (bound) => bound !== null,
    );
    this.#scale = isInteger
      ? 0
      : Math.min(MAX_FRACTION_DIGITS, Math.max(FRACTION_DIGITS, ...bounds.map(decimalsOf)));
    const most = power(MAX_DIGITS + this.#scale);
    let low = -most;
    let high = most;
    if (minimum !== null) low = larger(low, scaled(minimum, this.#scale, 'up'));
    if (maximum !== null) high = smaller(high, scaled(maximum, this.#scale, 'down'));
    if (exclusiveMinimum !== null)
      low = larger(low, scaled(exclusiveMinimum, this.#scale, 'down') + 1n);
    if (exclusiveMaximum !== null)
      high = smaller(high, scaled(exclusiveMaximum, this.#scale, 'up') - 1n);
    this.#low = low;
    this.#high = high;
  }

  /** Fewest characters that make `begun` a number within the bounds; 0 when it is one, Infinity when it cannot be. */
  leastMore(begun: string): number {
    const known = this.#known.get(begun);
    if (known !== undefined) return known;
    const least = this.#leastMore(begun);
    this.#known.set(begun, least);
    return least;
  }

  #leastMore(begun: string): number {
    if (begun === '' || begun === '-') {
      const first = Array.from(begun === '' ? '-0123456789' : '0123456789');
      return 1 + Math.min(...first.map((char) => this.leastMore(begun + char)));
    }
    const match = /^(-?)(0|[1-9]\d*)(?:(\.)(\d*))?$/.exec(begun);
    if (match === null) return Infinity;
    const [, sign, whole = '', point, fraction = ''] = match;
    const bounds: readonly [bigint, bigint] =
      sign === '-' ? [larger(0n, -this.#high), -this.#low] : [larger(0n, this.#low), this.#high];
    if (bounds[0] > bounds[1]) return Infinity;
    return point === undefined
      ? this.#leastOfWhole(whole, bounds)
      : this.#leastOfFraction(whole, fraction, bounds);
  }

  /** The digits before the point go on, or a point follows. */
  #leastOfWhole(whole: string, bounds: readonly [bigint, bigint]): number {
    const one = power(this.#scale);
    let least = Infinity;
    const mostMore = whole === '0' ? 0 : MAX_DIGITS - whole.length;
    for (let more = 0; more <= mostMore && more < least; more += 1) {
      const from = BigInt(whole) * power(more);
      const to = (BigInt(whole) + 1n) * power(more);
      if (hasMultiple(one, [from * one, (to - 1n) * one], bounds)) return Math.min(least, more);
      const mostDecimals = Math.min(this.#scale, MAX_DIGITS - whole.length - more);
      for (
        let decimals = 1;
        decimals <= mostDecimals && more + 1 + decimals < least;
        decimals += 1
      ) {
        const step = power(this.#scale - decimals);
        if (hasMultiple(step, [from * one, to * one - 1n], bounds)) least = more + 1 + decimals;
      }
    }
    return least;
  }

  #leastOfFraction(whole: string, fraction: string, bounds: readonly [bigint, bigint]): number {
    const mostDecimals = Math.min(this.#scale, MAX_DIGITS - whole.length);
    if (fraction.length > mostDecimals) return Infinity;
    const width = power(this.#scale - fraction.length);
    const from = BigInt(whole + fraction) * width;
    for (let decimals = Math.max(1, fraction.length); decimals <= mostDecimals; decimals += 1) {
      const step = power(this.#scale - decimals);
      if (hasMultiple(step, [from, from + width - 1n], bounds)) return decimals - fraction.length;
    }
    return Infinity;
  }
}
