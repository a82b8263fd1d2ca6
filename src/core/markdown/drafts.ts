/** Blocks while they are read: open, growing, changeable. Owns no syntax. */
import type { OpenFormula } from './formulas';
import type { Alignment } from './syntax-tree';

interface DraftBase {
  parent: Draft | null;
  children: Draft[];
  isOpen: boolean;
  startLine: number;
  /** The last line with something of this block. */
  endLine: number;
}

export interface ListMarker {
  /** `-`, `+` or `*`; `.` or `)` after a number. */
  readonly sign: string;
  readonly number: number | null;
}

export interface ListDraft extends DraftBase, ListMarker {
  readonly kind: 'list';
}

export interface ItemDraft extends DraftBase {
  readonly kind: 'item';
  /** As it was written: `42.` */
  readonly marker: string;
  /** Columns from the container's to the content of the item. */
  readonly contentColumns: number;
}

export interface ParagraphDraft extends DraftBase {
  readonly kind: 'paragraph';
  readonly lines: string[];
  formula: OpenFormula | null;
}

export interface CodeDraft extends DraftBase {
  readonly kind: 'code';
  /** The opening fence; '' for code that is set in. */
  readonly fence: string;
  readonly fenceColumns: number;
  readonly info: string;
  readonly lines: string[];
  /** True until the line of the opening fence has been taken. */
  isFresh: boolean;
}

export interface TableDraft extends DraftBase {
  readonly kind: 'table';
  readonly header: readonly string[];
  readonly alignments: readonly Alignment[];
  readonly rows: string[];
  /** True until the line of dashes has been taken. */
  isFresh: boolean;
}

export type Draft =
  | ({ readonly kind: 'document' | 'rule' } & DraftBase)
  | ({ readonly kind: 'quote' } & DraftBase)
  | ({
      readonly kind: 'heading';
      readonly level: number;
      readonly text: string;
      readonly raw: string;
    } & DraftBase)
  | ListDraft
  | ItemDraft
  | ParagraphDraft
  | CodeDraft
  | TableDraft;

export function isContainer(draft: Draft): boolean {
  return (
    draft.kind === 'document' ||
    draft.kind === 'quote' ||
    draft.kind === 'list' ||
    draft.kind === 'item'
  );
}
