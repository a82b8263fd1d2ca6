/** How each kind of block begins, in the order in which CommonMark tries them. Owns neither going on nor closing. */
import { DEEPEST_NESTING } from './answer-rules';
import type { Draft, ItemDraft, ListDraft, TableDraft } from './drafts';
import type { LineCursor } from './line-cursor';
import { draftBase, type OpenBlocks } from './open-blocks';
import { readAlignments, splitRow } from './table-rows';

const CODE_COLUMNS = 4;
const HEADING = /^(#{1,6})(?:[ \t]+|$)/;
const FENCE = /^(?:(`{3,})([^`]*)|(~{3,})(.*))$/;
const SETEXT = /^(?:=+|-+)[ \t]*$/;
const RULE = /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/;
const LIST_MARKER = /^(?:([-+*])|(\d{1,9})([.)]))(?=[ \t]|$)/;

type Start = (open: OpenBlocks, container: Draft, cursor: LineCursor) => Draft | null;

/** The block that begins here inside `container`, made and opened; null where the rest of the line is text. */
export const startBlock: Start = (open, container, cursor) => {
  if (cursor.isBlank) return null;
  const starts = cursor.indent >= CODE_COLUMNS ? [startIndentedCode] : STARTS;
  for (const start of starts) {
    const draft = start(open, container, cursor);
    if (draft !== null) return draft;
  }
  return null;
};

function isTooDeep(container: Draft): boolean {
  let depth = 0;
  for (let at: Draft | null = container; at !== null; at = at.parent)
    if (at.kind === 'quote' || at.kind === 'item') depth += 1;
  return depth >= DEEPEST_NESTING;
}

const startQuote: Start = (open, container, cursor) => {
  if (cursor.line[cursor.nextOffset] !== '>' || isTooDeep(container)) return null;
  cursor.skipBlanks();
  cursor.skipCharacters(1);
  if (cursor.isBlankAt(0)) cursor.skipColumns(1);
  return open.add(container, { kind: 'quote', ...draftBase(null, open.lineNumber) });
};

const startHeading: Start = (open, container, cursor) => {
  const raw = cursor.text;
  const match = HEADING.exec(raw);
  if (match === null) return null;
  const text = raw
    .slice(match[0].length)
    .replace(/^#+[ \t]*$/, '')
    .replace(/[ \t]+#+[ \t]*$/, '')
    .trimEnd();
  return open.add(container, {
    kind: 'heading',
    ...draftBase(null, open.lineNumber),
    level: match[1]?.length ?? 1,
    text,
    raw: raw.trimEnd(),
  });
};

const startFence: Start = (open, container, cursor) => {
  const match = FENCE.exec(cursor.text);
  if (match === null) return null;
  return open.add(container, {
    kind: 'code',
    ...draftBase(null, open.lineNumber),
    fence: match[1] ?? match[3] ?? '',
    fenceColumns: cursor.indent,
    info: (match[2] ?? match[4] ?? '').trim(),
    lines: [],
    isFresh: true,
  });
};

/** The line before, with the dashes of this one, is the head of a table. */
const startTable: Start = (open, container, cursor) => {
  if (container.kind !== 'paragraph') return null;
  const head = container.lines.at(-1) ?? '';
  const alignments = readAlignments(cursor.text, head);
  if (alignments === null) return null;
  const table: TableDraft = {
    kind: 'table',
    ...draftBase(null, open.lineNumber - 1),
    header: splitRow(head),
    alignments,
    rows: [],
    isFresh: true,
  };
  container.lines.pop();
  container.endLine -= 1;
  const parent = container.parent ?? open.document;
  if (container.lines.length === 0) {
    open.close(parent);
    parent.children.pop();
  }
  return open.add(parent, table);
};

/** A line of `=` or `-` makes the paragraph above it a heading. */
const startSetext: Start = (open, container, cursor) => {
  if (container.kind !== 'paragraph' || !SETEXT.test(cursor.text)) return null;
  const parent = container.parent ?? open.document;
  open.close(parent);
  parent.children.pop();
  const text = container.lines.join('\n').trimEnd();
  return open.add(parent, {
    kind: 'heading',
    ...draftBase(null, container.startLine),
    endLine: open.lineNumber,
    level: cursor.text.startsWith('=') ? 1 : 2,
    text,
    raw: text,
  });
};

const startRule: Start = (open, container, cursor) =>
  RULE.test(cursor.text)
    ? open.add(container, { kind: 'rule', ...draftBase(null, open.lineNumber) })
    : null;

const startItem: Start = (open, container, cursor) => {
  const text = cursor.text;
  const match = LIST_MARKER.exec(text);
  if (match === null || isTooDeep(container)) return null;
  const [marker, bullet, digits, delimiter] = match;
  const number = digits === undefined ? null : Number(digits);
  const isEmpty = text.slice(marker.length).trim() === '';
  if (container.kind === 'paragraph' && (isEmpty || (number !== null && number !== 1))) return null;
  const indent = cursor.indent;
  cursor.skipBlanks();
  cursor.skipCharacters(marker.length);
  const blanks = cursor.indent;
  // Five blanks or more are one, and then code that is set in.
  const taken = isEmpty || blanks > CODE_COLUMNS ? 1 : blanks;
  cursor.skipColumns(taken);

  const sign = bullet ?? delimiter ?? '';
  const isSame =
    container.kind === 'list' &&
    container.sign === sign &&
    (container.number === null) === (number === null);
  const list = isSame
    ? container
    : open.add<ListDraft>(container, {
        kind: 'list',
        ...draftBase(null, open.lineNumber),
        sign,
        number,
      });
  return open.add<ItemDraft>(list, {
    kind: 'item',
    ...draftBase(null, open.lineNumber),
    marker,
    contentColumns: indent + marker.length + taken,
  });
};

const startIndentedCode: Start = (open, container, cursor) => {
  if (open.tip.kind === 'paragraph' || container.kind === 'table') return null;
  cursor.skipColumns(CODE_COLUMNS);
  return open.add(container, {
    kind: 'code',
    ...draftBase(null, open.lineNumber),
    fence: '',
    fenceColumns: 0,
    info: '',
    lines: [],
    isFresh: false,
  });
};

const STARTS: readonly Start[] = [
  startQuote,
  startHeading,
  startFence,
  startTable,
  startSetext,
  startRule,
  startItem,
];
