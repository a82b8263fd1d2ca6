/** Rows of GitHub's tables. Owns no blocks. */
import type { Alignment } from './syntax-tree';

const DASHES = /^(:?)-+(:?)$/;

/** The cells of a row: cut at each `|` that has no backslash before it. */
export function splitRow(line: string): string[] {
  const cells: string[] = [];
  let cell = '';
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === '\\' && line[at + 1] === '|') {
      cell += '|';
      at += 1;
    } else if (character === '\\') {
      cell += line.slice(at, at + 2);
      at += 1;
    } else if (character === '|') {
      cells.push(cell.trim());
      cell = '';
    } else cell += character;
  }
  if (cell.trim() !== '') cells.push(cell.trim());
  if (/^[ \t]*\|/.test(line)) cells.shift();
  return cells;
}

/** The alignments that a row of dashes gives, when it has as many cells as the head above it; else null. */
export function readAlignments(line: string, head: string): Alignment[] | null {
  if (!/^[ \t:|-]+$/.test(line) || !(line.includes('|') || head.includes('|'))) return null;
  const cells = splitRow(line);
  if (cells.length === 0 || cells.length !== splitRow(head).length) return null;
  const alignments: Alignment[] = [];
  for (const cell of cells) {
    const match = DASHES.exec(cell);
    if (match === null) return null;
    const [, left, right] = match;
    alignments.push(
      left === ':' ? (right === ':' ? 'center' : 'left') : right === ':' ? 'right' : null,
    );
  }
  return alignments;
}
