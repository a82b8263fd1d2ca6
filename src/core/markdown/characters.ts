/** Kinds of characters that decide what a mark beside them means. Owns no rule. */

const SPACE = /^\s/u;
const PUNCTUATION = /^[\p{P}\p{S}]/u;
const WORD = /^[\p{L}\p{N}\p{M}]/u;
const NUMBER = /^\p{N}/u;
/** Letters, syllables and signs of Chinese, Japanese and Korean, with their punctuation and the full-width forms. */
const CJK =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u2e80-\u303f\u30fc\u31c0-\u33ff\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/u;
const VARIATION = /^[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;

/** The code point before `at`, without variation selectors; '' at the start. */
export function characterBefore(text: string, at: number): string {
  let end = at;
  for (;;) {
    const unit = text.charCodeAt(end - 1);
    const start = unit >= 0xdc00 && unit <= 0xdfff ? end - 2 : end - 1;
    const character = text.slice(Math.max(0, start), end);
    if (!VARIATION.test(character)) return character;
    end = start;
  }
}

/** The code point at `at`; '' at the end. */
export function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

/** Blanks of any script, and the ends of a text. */
export function isSpace(character: string): boolean {
  return character === '' || SPACE.test(character);
}

export function isPunctuation(character: string): boolean {
  return PUNCTUATION.test(character);
}

export function isCjk(character: string): boolean {
  return CJK.test(character);
}

export function isNumber(character: string): boolean {
  return NUMBER.test(character);
}

/** A letter or digit of a script that sets blanks between words. */
export function isSpacedWord(character: string): boolean {
  return WORD.test(character) && !CJK.test(character);
}
