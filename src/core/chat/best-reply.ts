/** Which of several replies to one question is the best by its reward. Pure. */
import { branchesAt, nodeOf, type ConversationTree, type NodeId } from './conversation-tree';

interface ScoredReply {
  readonly id: NodeId;
  /** Null: it did not come to its end, or could not be scored. */
  readonly reward: number | null;
}

/** The replies beside `id`, itself too, in the order they were written. */
export function scoredReplies(tree: ConversationTree, id: NodeId): readonly ScoredReply[] {
  return branchesAt(tree, id).ids.flatMap((one) => {
    const node = nodeOf(tree, one);
    return node.role === 'assistant' ? [{ id: one, reward: node.reply.reward ?? null }] : [];
  });
}

/** The one of `ids` with the highest reward, of equals the first; null where none was scored. */
export function bestReply(tree: ConversationTree, ids: readonly NodeId[]): NodeId | null {
  let best: { readonly id: NodeId; readonly reward: number } | null = null;
  for (const id of ids) {
    const node = nodeOf(tree, id);
    const reward = node.role === 'assistant' ? (node.reply.reward ?? null) : null;
    if (reward !== null && (best === null || reward > best.reward)) best = { id, reward };
  }
  return best?.id ?? null;
}
