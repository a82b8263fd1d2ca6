/**
 * What of a text that grows cannot be shown yet, because its next characters decide what it is: the last line while it is
 * nothing but marks, the number of a list, the line of a fence, the head of a table. Owns no marks within a line
 * (`read-inlines.ts`).
 */

const ONLY_MARKS = /^[ \t]*(?:(?:[-+*>]|\d{1,9}[.)])[ \t]+)*[-+*_=#>`~|:$\\[\] \t]*$/;
/** A number alone on its line. */
const NUMBER = /^[ \t>]*(?:[-+*][ \t]+)*\d{1,9}[.)]?$/;
const FENCE = /^[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(?:`{3,}[^`]*|~{3,}.*)$/;
const ROW = /^[ \t>]*\|/;
const DASHES = /^[ \t>]*\|?[ \t:|-]*$/;

function lineBefore(
  source: string,
  end: number,
): { readonly start: number; readonly text: string } {
  const start = source.lastIndexOf('\n', end - 1) + 1;
  return { start, text: source.slice(start, end) };
}

/** Where the rows that end at `end` begin, when they may be the head of a table without its dashes; else `end`. */
function startOfHead(source: string, end: number): number {
  const last = lineBefore(source, source.endsWith('\n') ? end - 1 : end);
  const before = last.start > 0 ? lineBefore(source, last.start - 1) : null;
  const isSecond = before !== null && ROW.test(before.text);
  if (ROW.test(last.text) && !isSecond) return last.start;
  if (source.endsWith('\n') || !isSecond || !DASHES.test(last.text)) return end;
  const above = before.start > 0 ? lineBefore(source, before.start - 1) : null;
  return above !== null && ROW.test(above.text) ? end : before.start;
}

/** The text without what is half written at its end. */
export function withoutHalfWritten(source: string): string {
  const { start, text } = lineBefore(source, source.length);
  const isHeld = text !== '' && (ONLY_MARKS.test(text) || FENCE.test(text) || NUMBER.test(text));
  const end = Math.min(isHeld ? start : source.length, startOfHead(source, source.length));
  return source.slice(0, end);
}
