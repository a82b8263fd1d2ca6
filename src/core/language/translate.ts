/**
 * Owns the sentences of the page in the language that was chosen: the English sentence is the key, so English needs no
 * table. One language at a time for a whole thread, since nearly every line of the page asks for it. Loads no table.
 */

export const LANGUAGES = ['en', 'es', 'de'] as const;
export type LanguageCode = (typeof LANGUAGES)[number];

/** A sentence with {blanks}; two of them where a number decides. */
export type Wording = string | { readonly one: string; readonly other: string };

/** What a language says. */
export interface Words {
  /** By the English sentence that `t` or `plural` is given. */
  readonly page: Readonly<Record<string, Wording>>;
  /** Of a sentence that was made in English away from the page; itself where it is not known. */
  readonly said: (sentence: string) => string;
}

/** What stands in a blank. Numbers are written as the language does, without marks between thousands. */
export type Blanks = Readonly<Record<string, string | number>>;

const ENGLISH: Words = { page: {}, said: (sentence) => sentence };

let code: LanguageCode = 'en';
let words = ENGLISH;
let numbers = numbersOf('en');
let rules = new Intl.PluralRules('en');
let noteRead = (): void => {};

function numbersOf(language: LanguageCode): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { useGrouping: false, maximumFractionDigits: 20 });
}

/** From now on sentences are in this language. English takes no table. */
export function speak(language: LanguageCode, says: Words = ENGLISH): void {
  code = language;
  words = says;
  numbers = numbersOf(language);
  rules = new Intl.PluralRules(language);
}

/** Called whenever the language is asked for, so that what shows it can notice a change. */
export function onLanguageRead(callback: () => void): void {
  noteRead = callback;
}

/** The language of the page, for `Intl`. */
export function language(): LanguageCode {
  noteRead();
  return code;
}

function fill(wording: string, blanks: Blanks): string {
  return wording.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = blanks[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? numbers.format(value) : value;
  });
}

/** The sentence in the page's language. A sentence that the table lacks stays English. */
export function t(sentence: string, blanks: Blanks = {}): string {
  noteRead();
  const wording = words.page[sentence] ?? sentence;
  return fill(typeof wording === 'string' ? wording : wording.other, blanks);
}

/** The sentence for this many; the blank {count} is their number unless `blanks` has it written otherwise. */
export function plural(count: number, one: string, other: string, blanks: Blanks = {}): string {
  noteRead();
  const wording = words.page[other] ?? { one, other };
  const isOne = rules.select(count) === 'one';
  const chosen = typeof wording === 'string' ? wording : isOne ? wording.one : wording.other;
  return fill(chosen, { count, ...blanks });
}

/**
 * What was said in English away from the page (an error of the engine's thread, a model's note in the registry), in the
 * page's language where the table knows it.
 */
export function said(sentence: string): string {
  noteRead();
  return words.said(sentence);
}
