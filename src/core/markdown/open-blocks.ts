/** The blocks that are open between two lines, each inside the one before. Owns no syntax. */
import { isContainer, type Draft } from './drafts';

/** What every open block has, at first. */
export function draftBase(
  parent: Draft | null,
  line: number,
): {
  parent: Draft | null;
  children: Draft[];
  isOpen: boolean;
  startLine: number;
  endLine: number;
} {
  return { parent, children: [], isOpen: true, startLine: line, endLine: line };
}

export class OpenBlocks {
  readonly document: Draft = { kind: 'document', ...draftBase(null, 0) };
  /** The deepest open block. */
  tip: Draft = this.document;
  lineNumber = 0;

  /** Opens a block in the nearest open block around `container` that can hold it. */
  add<D extends Draft>(container: Draft, child: D): D {
    let parent = container;
    while (!isContainer(parent) || (parent.kind === 'list') !== (child.kind === 'item')) {
      if (parent.parent === null) break;
      parent = parent.parent;
    }
    this.close(parent);
    parent.children.push(child);
    child.parent = parent;
    this.tip = child;
    return child;
  }

  /** Closes what is open inside `ancestor`. */
  close(ancestor: Draft): void {
    while (this.tip !== ancestor && this.tip.parent !== null) {
      this.tip.isOpen = false;
      this.tip = this.tip.parent;
    }
  }
}
