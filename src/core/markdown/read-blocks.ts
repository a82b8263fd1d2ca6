/**
 * Reads the blocks of Markdown line by line: CommonMark's own way (open containers that a line goes on with, closes or adds
 * to), GitHub's tables and tasks, and formulas that span lines. No block waits for a later one: no raw HTML, no addresses
 * by name. What differs from CommonMark stands in `answer-rules.ts`. Owns no pieces of text (`read-inlines.ts`).
 */
import { startBlock } from './block-starts';
import { finished } from './finish-blocks';
import { goesOnAfterBlank, openFormulaAfter } from './formulas';
import { LineCursor } from './line-cursor';
import { isContainer, type Draft, type ParagraphDraft } from './drafts';
import { draftBase, OpenBlocks } from './open-blocks';
import type { Block } from './syntax-tree';

const CODE_COLUMNS = 4;
/** A close has at most three blanks before it and nothing but blanks behind. */
const FENCE_CLOSE = /^(?:`{3,}|~{3,})(?=[ \t]*$)/;

export interface ReadBlocks {
  readonly blocks: readonly Block[];
  /** Where each block begins in the text. */
  readonly starts: readonly number[];
  /** How many of the blocks no later text can change: about all before the last that begins on a line with an end. */
  readonly settled: number;
}

class BlockReader extends OpenBlocks {
  readLine(line: string): void {
    const cursor = new LineCursor(line);
    const matched = this.#matchOpen(cursor);
    if (matched === null) return;
    let container = matched;
    const isAllMatched = container === this.tip;
    const isLeaf =
      container.kind === 'code' || (container.kind === 'paragraph' && container.formula !== null);
    if (!isLeaf) {
      for (;;) {
        const started = startBlock(this, container, cursor);
        if (started === null) break;
        container = started;
        if (!isContainer(container)) break;
      }
    }
    const isLazy = container === matched && !isAllMatched && !cursor.isBlank;
    if (isLazy && this.tip.kind === 'paragraph') this.#addToParagraph(this.tip, cursor);
    else this.#addRest(container, cursor);
  }

  /** Goes through the open blocks as far as the line goes on with them; null where the line was the end of a fence. */
  #matchOpen(cursor: LineCursor): Draft | null {
    let container = this.document;
    for (;;) {
      const child = container.children.at(-1);
      if (child?.isOpen !== true) return container;
      const match = this.#goesOn(child, cursor);
      if (match === 'closed') return null;
      if (match === 'no') return container;
      container = child;
    }
  }

  #goesOn(draft: Draft, cursor: LineCursor): 'yes' | 'no' | 'closed' {
    switch (draft.kind) {
      case 'quote': {
        if (cursor.indent >= CODE_COLUMNS || cursor.line[cursor.nextOffset] !== '>') return 'no';
        cursor.skipBlanks();
        cursor.skipCharacters(1);
        if (cursor.isBlankAt(0)) cursor.skipColumns(1);
        draft.endLine = this.lineNumber;
        return 'yes';
      }
      case 'item': {
        if (cursor.isBlank) {
          if (draft.children.length === 0) return 'no';
          cursor.skipBlanks();
        } else if (cursor.indent >= draft.contentColumns) {
          cursor.skipColumns(draft.contentColumns);
        } else return 'no';
        return 'yes';
      }
      case 'code': {
        if (draft.fence === '') {
          if (cursor.indent >= CODE_COLUMNS) cursor.skipColumns(CODE_COLUMNS);
          else if (cursor.isBlank) cursor.skipBlanks();
          else return 'no';
          return 'yes';
        }
        const close =
          cursor.indent < CODE_COLUMNS ? (FENCE_CLOSE.exec(cursor.text)?.[0] ?? '') : '';
        if (close.startsWith(draft.fence)) {
          draft.endLine = this.lineNumber;
          this.close(draft);
          draft.isOpen = false;
          this.tip = draft.parent ?? this.document;
          return 'closed';
        }
        for (let left = draft.fenceColumns; left > 0 && cursor.isBlankAt(0); left -= 1)
          cursor.skipColumns(1);
        return 'yes';
      }
      case 'paragraph': {
        if (cursor.isBlank) return draft.formula?.isAlone === true ? 'yes' : 'no';
        if (draft.formula !== null && draft.lines.at(-1) === '')
          return goesOnAfterBlank(cursor.text) ? 'yes' : 'no';
        return 'yes';
      }
      case 'table':
        return cursor.isBlank ? 'no' : 'yes';
      case 'heading':
      case 'rule':
        return 'no';
      case 'list':
      case 'document':
        return 'yes';
    }
  }

  #addRest(container: Draft, cursor: LineCursor): void {
    this.close(container);
    if (container.kind === 'code') {
      if (!container.isFresh) container.lines.push(cursor.takeRest());
      if (!cursor.isBlank || container.fence !== '') container.endLine = this.lineNumber;
      container.isFresh = false;
    } else if (container.kind === 'paragraph') this.#addToParagraph(container, cursor);
    else if (container.kind === 'table') {
      if (!container.isFresh) container.rows.push(cursor.text);
      container.isFresh = false;
      container.endLine = this.lineNumber;
    } else if (isContainer(container) && !cursor.isBlank) {
      const paragraph: ParagraphDraft = {
        kind: 'paragraph',
        ...draftBase(null, this.lineNumber),
        lines: [],
        formula: null,
      };
      this.#addToParagraph(this.add(container, paragraph), cursor);
    }
  }

  #addToParagraph(paragraph: ParagraphDraft, cursor: LineCursor): void {
    cursor.skipBlanks();
    const line = cursor.takeRest();
    paragraph.lines.push(line);
    if (line === '') return;
    paragraph.formula = openFormulaAfter(line, paragraph.formula);
    paragraph.endLine = this.lineNumber;
  }
}

/** A letter ends a list or code that is set in, where a mark, a digit or a blank may go on with it. */
const ENDS_ANY = /^\p{L}/u;

/** Whether a line that is not whole, and that begins another block for now, can still become part of this one. */
function isOver(draft: Draft, line: number, text: string): boolean {
  const isAfterBlank = line - draft.endLine > 1;
  switch (draft.kind) {
    case 'heading':
    case 'rule':
      return true;
    case 'code':
      return draft.fence !== '' || ENDS_ANY.test(text);
    case 'list':
      return ENDS_ANY.test(text);
    case 'paragraph':
      return isAfterBlank && draft.formula === null;
    case 'quote':
    case 'table':
      return isAfterBlank;
    case 'document':
    case 'item':
      return false;
  }
}

/**
 * The blocks of `source`, whose lines end with `\n` alone.
 * @param isGrowing more text may follow: the last leaf then says so
 */
export function readBlocks(source: string, isGrowing = false): ReadBlocks {
  const reader = new BlockReader();
  const lineStarts: number[] = [];
  let wholeLines = 0;
  for (let from = 0; from < source.length;) {
    const end = source.indexOf('\n', from);
    lineStarts.push(from);
    reader.readLine(source.slice(from, end < 0 ? source.length : end));
    reader.lineNumber += 1;
    if (end >= 0) wholeLines = reader.lineNumber;
    from = end < 0 ? source.length : end + 1;
  }
  const drafts = reader.document.children;
  // What makes a table is its second line.
  const isBegun = ({ kind, startLine }: Draft): boolean =>
    startLine + (kind === 'table' ? 1 : 0) < wholeLines;
  let settled = Math.max(0, drafts.findLastIndex(isBegun));
  const [before, next] = [drafts[settled], drafts[settled + 1]];
  if (before !== undefined && isBegun(before) && next?.startLine === wholeLines) {
    if (isOver(before, wholeLines, source.slice(lineStarts[wholeLines]))) settled += 1;
  }
  return {
    blocks: drafts.map((draft) => finished(draft, isGrowing && draft === drafts.at(-1))),
    starts: drafts.map(({ startLine }) => lineStarts[startLine] ?? 0),
    settled,
  };
}
