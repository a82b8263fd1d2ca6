/**
 * Owns where a text may be cut: between letters as a person sees them, never inside a surrogate pair, a letter with its marks,
 * a joined emoji or a flag. Every place that shortens a text for people asks here. Places are UTF-16 units.
 */

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** True where a letter surely begins: between two ASCII characters, except CR LF. Some other marks join what follows. */
function isSureStart(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code < 0x80 && code !== 0x0a && text.charCodeAt(at - 1) < 0x80;
}

/** The letter that has the unit at `at`, 0 ≤ at < text.length: where it begins and where it ends. */
function letterAt(text: string, at: number): { readonly start: number; readonly end: number } {
  // Only what lies between two sure starts is segmented: a text may have a million units.
  let from = at;
  while (from > 0 && !isSureStart(text, from)) from -= 1;
  let to = at + 1;
  while (to < text.length && !isSureStart(text, to)) to += 1;
  const found = segmenter.segment(text.slice(from, to)).containing(at - from);
  const start = from + (found?.index ?? 0);
  return { start, end: start + (found?.segment.length ?? 1) };
}

/** The last place at or before `at` where no letter is cut. */
export function letterStart(text: string, at: number): number {
  if (at <= 0) return 0;
  return at >= text.length ? text.length : letterAt(text, at).start;
}

/** The first place at or after `at` where no letter is cut. */
export function letterEnd(text: string, at: number): number {
  const start = letterStart(text, at);
  return start >= at ? start : letterAt(text, start).end;
}

/**
 * The beginning of `text` in whole letters, at most `most` units. Where one letter is longer than that (hundreds of marks on
 * one base), what fits of it in whole characters.
 */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = letterStart(text, most);
  if (end > 0) return text.slice(0, end);
  const isHalf = /[\uD800-\uDBFF]/.test(text.charAt(most - 1));
  return text.slice(0, isHalf ? most - 1 : most);
}

/** The same with an ellipsis in the place of what is left out; at most `most` units with it. */
export function shortenText(text: string, most: number): string {
  return text.length <= most ? text : `${cutText(text, most - 1)}…`;
}

/** How many letters a person would count. */
export function countLetters(text: string): number {
  if (/^[\u0020-\u007e\n\t]*$/.test(text)) return text.length;
  return Array.from(segmenter.segment(text)).length;
}
