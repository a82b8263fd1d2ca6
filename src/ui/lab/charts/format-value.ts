/** How plain numbers of the lab are written: three figures, a real minus sign, powers of ten where they are needed. */
import { plural, t } from '../../../core/language/translate';
import { formatFixed } from '../../../core/units';

/** "0", "0.042", "−1.37", "12.5", "3.2e−5", "∞"; "–" when not a number. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size === 0) return '0';
  const text =
    size < 0.001 || size >= 1e6
      ? size.toExponential(1).replace('e-', 'e−').replace('e+', 'e')
      : size < 1
        ? size.toPrecision(2)
        : size < 100
          ? size.toPrecision(3)
          : String(Math.round(size));
  return value < 0 ? `−${text}` : text;
}

/** "12.5 %"; "<0.1 %" for the rest of what is there. */
export function formatShare(share: number): string {
  if (Number.isNaN(share)) return '–';
  if (share > 0 && share < 0.001) return `<${formatFixed(0.1, 1)} %`;
  const percent = Math.abs(share) * 100;
  return `${share < 0 ? '−' : ''}${formatFixed(percent, percent < 10 ? 1 : 0)} %`;
}

/** "1 token", "12.5 tokens", "over 10,000 tokens". */
export function formatTokens(tokens: number): string {
  if (tokens > 10_000) return t('over 10,000 tokens');
  const text =
    tokens < 10 && !Number.isInteger(tokens) ? formatFixed(tokens, 1) : String(Math.round(tokens));
  return plural(text === '1' ? 1 : 2, '1 token', '{tokens} tokens', { tokens: text });
}

/** A token's text as one visible word: blanks and line ends shown. */
export function showToken(text: string): string {
  if (text === '') return '∅';
  return text.replaceAll('\n', '↵').replaceAll('\t', '⇥').replace(/^ /, '␣').replace(/ $/, '␣');
}

/** Four to six round byte counts from 0 up to `most`: steps of a power of two. */
export function byteTicks(most: number): number[] {
  let step = 2 ** Math.floor(Math.log2(Math.max(most, 1)));
  while (most / step < 4) step /= 2;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, at) => at * step);
}
