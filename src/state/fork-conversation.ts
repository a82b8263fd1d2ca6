/** Owns how a conversation up to one of its messages becomes another one. Pure. */
import { t } from '../core/language/translate';
import {
  appendMessage,
  EMPTY_TREE,
  pathTo,
  type ConversationNode,
  type NewMessage,
  type NodeId,
} from '../core/chat/conversation-tree';
import { fitTitle } from '../storage/fit-entry';
import type { Conversation } from './conversation';

function copyOf(node: ConversationNode, id: NodeId): NewMessage {
  const { createdAt } = node;
  return node.role === 'assistant'
    ? { id, createdAt, role: node.role, reply: node.reply }
    : {
        id,
        createdAt,
        role: node.role,
        text: node.text,
        ...(node.files === undefined ? {} : { files: node.files }),
      };
}

/** A new conversation with the messages from the first down to `last`, without branches, and with ids of its own. */
export function forkConversation(
  conversation: Conversation,
  last: NodeId,
  make: { readonly newId: () => string; readonly now: () => number },
): Conversation {
  const now = make.now();
  return {
    ...conversation,
    id: make.newId(),
    title: fitTitle(t('Fork of {title}', { title: conversation.title })),
    isNamed: true,
    createdAt: now,
    updatedAt: now,
    tree: pathTo(conversation.tree, last).reduce(
      (tree, node) => appendMessage(tree, copyOf(node, make.newId())),
      EMPTY_TREE,
    ),
  };
}
