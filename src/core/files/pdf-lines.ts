/** Owns the way from the pieces of a PDF page to its lines and paragraphs. Pure: the pieces come from a PDF reader. */

/** A piece of text as a page has it, in the order of reading. */
export interface PdfPiece {
  readonly text: string;
  /** From the page's lower edge, in points. */
  readonly y: number;
  /** Of its letters, in points; 0 where not told. */
  readonly height: number;
  /** A line ends after it. */
  readonly endsLine: boolean;
}

/** Lines further apart than so many times their letters' height belong to two paragraphs. */
const PARAGRAPH_GAP = 1.9;

interface Line {
  readonly text: string;
  readonly y: number;
  readonly height: number;
}

function linesOf(pieces: readonly PdfPiece[]): Line[] {
  const lines: Line[] = [];
  let text = '';
  let y: number | null = null;
  let height = 0;
  const end = (): void => {
    if (text.trim() !== '') lines.push({ text: text.trim(), y: y ?? 0, height });
    text = '';
    y = null;
    height = 0;
  };
  for (const piece of pieces) {
    text += piece.text;
    if (piece.text.trim() !== '') {
      y ??= piece.y;
      height = Math.max(height, piece.height);
    }
    if (piece.endsLine) end();
  }
  end();
  return lines;
}

/** The text of a page: a line each, words that a hyphen parts at a line's end joined, a blank line between paragraphs. */
export function pdfText(pieces: readonly PdfPiece[]): string {
  let text = '';
  let before: Line | null = null;
  for (const line of linesOf(pieces)) {
    if (before === null) text = line.text;
    else if (Math.abs(before.y - line.y) > PARAGRAPH_GAP * Math.max(before.height, line.height, 1))
      text += `\n\n${line.text}`;
    else if (/\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(line.text))
      text = text.slice(0, -1) + line.text;
    else text += `\n${line.text}`;
    before = line;
  }
  return text;
}
