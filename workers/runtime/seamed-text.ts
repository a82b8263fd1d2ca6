/**
 * Owns the seams of a prompt: the places over which no control token may reach, because someone else than the template
 * wrote what stands there. Messages get their seams before they are rendered, so whatever the template does with them
 * (cut, trim, join), the letters of `<|im_end|>` stay letters. Owns no tokenizer.
 */

/** Text in pieces: a control token stands within one piece, or it is none. */
export type SeamedText = readonly string[];

/** A noncharacter: no text has it by right, no template looks for it, and JSON and trimming leave it alone. */
const MARK = '\uFDD0';

export class Seams {
  readonly #seam: string;
  readonly #firsts: ReadonlySet<string>;

  /** `firsts`: the characters that control tokens begin with; `texts`: all that will be sewn for one rendering. */
  constructor(firsts: ReadonlySet<string>, texts: readonly string[]) {
    this.#firsts = firsts;
    const runs = texts.flatMap((text) => text.match(/\uFDD0+/g) ?? []);
    this.#seam = MARK.repeat(1 + Math.max(0, ...runs.map(({ length }) => length)));
  }

  /**
   * The text with a seam behind each character that could begin a control token, and at both ends; the blanks around it
   * stay outside, where templates trim them.
   */
  sew(text: string): string {
    const body = text.trim();
    if (body === '') return text;
    const start = text.indexOf(body);
    const sewn = Array.from(body, (char) =>
      this.#firsts.has(char) ? char + this.#seam : char,
    ).join('');
    return text.slice(0, start) + this.#seam + sewn + this.#seam + text.slice(start + body.length);
  }

  /** What was rendered from sewn messages, cut at its seams. */
  cut(rendered: string): SeamedText {
    return rendered.split(this.#seam);
  }
}

/** A text of someone's, to stand in a prompt without a template. */
export function lettersOf(text: string, firsts: ReadonlySet<string>): SeamedText {
  const seams = new Seams(firsts, [text]);
  return seams.cut(seams.sew(text));
}
