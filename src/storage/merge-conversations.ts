/** Two versions of one conversation, written by two tabs, to one that has the messages of both. Pure. */
import type { ConversationNode, NodeId } from '../core/chat/conversation-tree';
import type { ReplyContent } from '../core/chat/reply';
import type { StoredConversation } from './stored-conversation';

function union(ours: readonly NodeId[], theirs: readonly NodeId[]): readonly NodeId[] {
  const known = new Set(ours);
  return [...ours, ...theirs.filter((id) => !known.has(id))];
}

function writtenLength({ parts }: ReplyContent): number {
  return parts.reduce((sum, part) => sum + 1 + ('text' in part ? part.text.length : 0), 0);
}

/** A finished reply before one that is not, else the longer. */
function mergeReply(ours: ReplyContent, theirs: ReplyContent): ReplyContent {
  if ((ours.finish === null) !== (theirs.finish === null))
    return ours.finish === null ? theirs : ours;
  return writtenLength(theirs) > writtenLength(ours) ? theirs : ours;
}

function mergeNode(ours: ConversationNode, theirs: ConversationNode): ConversationNode {
  const links = {
    children: union(ours.children, theirs.children),
    activeChild: ours.activeChild ?? theirs.activeChild,
  };
  return ours.role === 'assistant' && theirs.role === 'assistant'
    ? { ...ours, ...links, reply: mergeReply(ours.reply, theirs.reply) }
    : { ...ours, ...links };
}

/**
 * `ours` with all messages of `theirs`; where both chose (title, active branch, limit), ours stands, but a title that a
 * person has given is never lost to one that was made. A message that only one tab removed comes back: better than one lost.
 */
export function mergeConversations(
  ours: StoredConversation,
  theirs: StoredConversation,
): StoredConversation {
  const nodes: Record<NodeId, ConversationNode> = { ...theirs.tree.nodes };
  for (const node of Object.values(ours.tree.nodes)) {
    const other = Object.hasOwn(theirs.tree.nodes, node.id)
      ? theirs.tree.nodes[node.id]
      : undefined;
    nodes[node.id] = other === undefined ? node : mergeNode(node, other);
  }
  const isTitleTheirs = theirs.isNamed && !ours.isNamed;
  return {
    ...ours,
    ...(isTitleTheirs ? { title: theirs.title, isNamed: true } : {}),
    createdAt: Math.min(ours.createdAt, theirs.createdAt),
    updatedAt: Math.max(ours.updatedAt, theirs.updatedAt),
    tree: {
      nodes,
      roots: union(ours.tree.roots, theirs.tree.roots),
      activeRoot: ours.tree.activeRoot ?? theirs.tree.activeRoot,
    },
  };
}
