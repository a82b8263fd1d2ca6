/** Blocks that were read, made into the tree that is shown: tight lists, tasks, and marks of nothing as text. */
import type { Draft, ItemDraft, ListDraft, TableDraft } from './drafts';
import type { Block, Leaf, ListItem } from './syntax-tree';
import { splitRow } from './table-rows';

const TASK = /^\[([ xX])\][ \t]+(?=\S)/;

/** @param isLast nothing follows the block, and the text still grows */
export function finished(draft: Draft, isLast: boolean): Block {
  const isGrowing = isLast && draft.isOpen;
  const marks = marksOfNothing(draft);
  if (marks !== null) return { kind: 'paragraph', leaf: { text: marks, isGrowing } };
  switch (draft.kind) {
    case 'paragraph':
      return { kind: 'paragraph', leaf: { text: draft.lines.join('\n').trimEnd(), isGrowing } };
    case 'heading':
      return { kind: 'heading', level: draft.level, leaf: { text: draft.text, isGrowing } };
    case 'code': {
      const text = draft.lines.join('\n');
      // Code that is set in ends with its last line that is not blank.
      return {
        kind: 'code',
        info: draft.info,
        text: draft.fence === '' ? text.replace(/(?:\n[ \t]*)+$/, '') : text,
      };
    }
    case 'rule':
      return { kind: 'rule' };
    case 'list':
      return finishedList(draft, isLast);
    case 'table':
      return finishedTable(draft, isGrowing);
    case 'quote':
    case 'item':
    case 'document':
      return { kind: 'quote', children: finishedAll(draft, isLast) };
  }
}

function finishedAll(draft: Draft, isLast: boolean): Block[] {
  return draft.children.map((child) => finished(child, isLast && child === draft.children.at(-1)));
}

/** The source of a block that is nothing but marks; null where it holds anything. */
function marksOfNothing(draft: Draft): string | null {
  if (draft.kind === 'heading') return draft.text === '' ? draft.raw : null;
  if (draft.kind === 'quote') return draft.children.length === 0 ? '>' : null;
  if (draft.kind !== 'list') return null;
  const marks: string[] = [];
  for (const item of draft.children) {
    if (item.kind !== 'item' || item.children.length > 0) return null;
    marks.push(item.marker);
  }
  return marks.join('\n');
}

/** Last line with something in it; the blank lines behind a list belong to nothing. */
function endOf(draft: Draft): number {
  const last = draft.children.at(-1);
  return draft.kind === 'quote' || last === undefined ? draft.endLine : endOf(last);
}

/** Whether a blank line stands between two of these. */
function hasGap(drafts: readonly Draft[]): boolean {
  return drafts.some((draft, index) => {
    const next = drafts[index + 1];
    return next !== undefined && endOf(draft) + 1 < next.startLine;
  });
}

function finishedList(list: ListDraft, isLast: boolean): Block {
  const items = list.children.filter((child): child is ItemDraft => child.kind === 'item');
  return {
    kind: 'list',
    start: list.number,
    isTight: !hasGap(items) && !items.some((item) => hasGap(item.children)),
    items: items.map((item) => finishedItem(item, isLast && item === items.at(-1))),
  };
}

function finishedItem(item: ItemDraft, isLast: boolean): ListItem {
  const children = finishedAll(item, isLast);
  const [first, ...others] = children;
  const task = first?.kind === 'paragraph' ? TASK.exec(first.leaf.text) : null;
  if (first?.kind !== 'paragraph' || task === null) return { isDone: null, children };
  const leaf: Leaf = { ...first.leaf, text: first.leaf.text.slice(task[0].length) };
  return { isDone: task[1] !== ' ', children: [{ kind: 'paragraph', leaf }, ...others] };
}

function finishedTable(table: TableDraft, isGrowing: boolean): Block {
  const columns = table.alignments.length;
  const toLeaf = (text: string): Leaf => ({ text, isGrowing: false });
  return {
    kind: 'table',
    alignments: table.alignments,
    header: table.header.map(toLeaf),
    rows: table.rows.map((line, row) => {
      const cells = splitRow(line).map(toLeaf);
      const last = cells.at(-1);
      if (isGrowing && row === table.rows.length - 1 && last !== undefined)
        cells[cells.length - 1] = { ...last, isGrowing };
      while (cells.length < columns) cells.push(toLeaf(''));
      return cells.slice(0, columns);
    }),
  };
}
