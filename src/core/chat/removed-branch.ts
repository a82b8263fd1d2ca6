/** Owns taking a message out of a conversation with all below it, so that it can be put back. Pure. */
import {
  branchesAt,
  nodeOf,
  removeMessage,
  switchBranch,
  type ConversationNode,
  type ConversationTree,
  type NodeId,
} from './conversation-tree';

/** A message with all below it, and where it stood. */
export interface RemovedBranch {
  readonly id: NodeId;
  readonly parent: NodeId | null;
  /** Place among its siblings, from 0. */
  readonly index: number;
  readonly nodes: Readonly<Record<NodeId, ConversationNode>>;
}

/** The tree without `id` and all below it, and what was taken out. */
export function takeOut(
  tree: ConversationTree,
  id: NodeId,
): { readonly tree: ConversationTree; readonly removed: RemovedBranch } {
  const { parent } = nodeOf(tree, id);
  const { index } = branchesAt(tree, id);
  const rest = removeMessage(tree, id);
  const nodes = Object.fromEntries(
    Object.entries(tree.nodes).filter(([key]) => !Object.hasOwn(rest.nodes, key)),
  );
  return { tree: rest, removed: { id, parent, index, nodes } };
}

/** The tree with what was taken out, shown again; null where the message that it stood under is gone as well. */
export function putBack(tree: ConversationTree, removed: RemovedBranch): ConversationTree | null {
  const { id, parent, index, nodes } = removed;
  const isHere = Object.hasOwn(tree.nodes, id);
  if (isHere || (parent !== null && !Object.hasOwn(tree.nodes, parent))) return null;
  const all = { ...tree.nodes, ...nodes };
  if (parent === null) {
    const roots = tree.roots.toSpliced(index, 0, id);
    return switchBranch({ ...tree, nodes: all, roots }, id);
  }
  const above = nodeOf(tree, parent);
  const children = above.children.toSpliced(index, 0, id);
  return switchBranch({ ...tree, nodes: { ...all, [parent]: { ...above, children } } }, id);
}
