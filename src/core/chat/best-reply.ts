/** Which of several replies to one question is the best by their rewards and their agreement. Pure. */
import { branchesAt, nodeOf, type ConversationTree, type NodeId } from './conversation-tree';
import { answerOf } from './reply-parts';
import { chancesOf, heaviest, votedKey } from './weigh-answers';

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

/**
 * The best of `ids`: of the answer that weighs most, where each reply weighs its chance of being the best, the one with the
 * highest reward (of equals the first). A reward alone is easily fooled, and agreement is not (LOG.md, best of N). Null where
 * none was scored.
 */
export function bestReply(tree: ConversationTree, ids: readonly NodeId[]): NodeId | null {
  const scored = ids.flatMap((id) => {
    const node = nodeOf(tree, id);
    const reward = node.role === 'assistant' ? (node.reply.reward ?? null) : null;
    if (node.role !== 'assistant' || reward === null) return [];
    return [{ id, reward, key: votedKey(answerOf(node.reply.parts)) }];
  });
  const at = heaviest(
    scored.map(({ key }) => key),
    chancesOf(scored.map(({ reward }) => reward)),
  );
  const agreeing = scored.filter(({ key }) => key === scored[at]?.key);
  const most = Math.max(...agreeing.map(({ reward }) => reward));
  return agreeing.find(({ reward }) => reward === most)?.id ?? null;
}
