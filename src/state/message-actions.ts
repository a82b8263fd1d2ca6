/** Owns what a person can do with one message of the open chat: edit an answer, delete with undo, fork. */
import { t } from '../core/language/translate';
import { activePath, addMessage, nodeOf, type NodeId } from '../core/chat/conversation-tree';
import { editReply } from '../core/chat/edited-reply';
import { putBack, takeOut, type RemovedBranch } from '../core/chat/removed-branch';
import type { AppState } from './app-context';
import type { ChatSession } from './chat-session.svelte';
import type { Conversation } from './conversation';
import { forkConversation } from './fork-conversation';
import { removeChat } from './remove-chat';

type Parts = Pick<AppState, 'chat' | 'list' | 'notices'>;

/** Puts the answer as a person wrote it beside the reply `id`. False: refused, `chat.sendProblem` says why. */
export function editAnswer(chat: ChatSession, id: NodeId, text: string): boolean {
  const before = chat.rewrite((tree, { newId, now }) => {
    const node = nodeOf(tree, id);
    if (node.role !== 'assistant') throw new RangeError(`message ${id} is no reply`);
    const reply = editReply(node.reply, text);
    if (reply === node.reply) return tree;
    const edited = { id: newId(), createdAt: now(), role: node.role, reply };
    return addMessage(tree, node.parent, edited);
  }, text);
  return before !== null;
}

/** Deletes a message with all that follows it, in all branches, and offers to undo it. */
export async function deleteMessage(app: Parts, id: NodeId): Promise<void> {
  const { chat, notices } = app;
  const { conversation } = chat;
  const { tree, removed } = takeOut(conversation.tree, id);
  // A chat without messages is none.
  if (tree.roots.length === 0) return removeChat(app, conversation);
  if (chat.rewrite(() => tree) === null) return;
  const others = Object.keys(removed.nodes).length - 1;
  notices.show(deletedInWords(others), {
    action: { label: t('Undo'), run: () => void undoDelete(app, conversation.id, removed) },
  });
}

function deletedInWords(others: number): string {
  if (others === 0) return t('The message is deleted.');
  return others === 1
    ? t('The message and the one after it are deleted.')
    : t('The message and the {others} after it are deleted.', { others });
}

/** Brings a message back, also into a chat that is not open any more. */
async function undoDelete(app: Parts, chatId: string, removed: RemovedBranch): Promise<void> {
  const { chat, list, notices } = app;
  const isOpen = chat.conversation.id === chatId;
  if (isOpen && chat.isBusy) {
    notices.show(t('A reply is being written. Bring the message back when it has ended.'), {
      tone: 'trouble',
      action: { label: t('Undo'), run: () => void undoDelete(app, chatId, removed) },
    });
    return;
  }
  const conversation = isOpen ? chat.conversation : await list.read(chatId);
  const tree = conversation === null ? null : putBack(conversation.tree, removed);
  if (conversation === null || tree === null) {
    notices.show(t('The message could not be brought back: what it stood under is gone.'), {
      tone: 'trouble',
    });
  } else if (isOpen) chat.rewrite(() => tree);
  else list.keep({ ...conversation, tree });
}

/** Makes a chat that came with a link one's own, and opens it. */
export function adoptChat(
  { chat, list }: Pick<Parts, 'chat' | 'list'>,
  shared: Conversation,
): void {
  const last = activePath(shared.tree).at(-1);
  if (last === undefined) return;
  const own = { ...forkConversation(shared, last.id, chat.makers), title: shared.title };
  list.keep(own);
  chat.open(own);
}

/** Opens a new chat with the messages down to `id`; the old one stays as it is. */
export function forkChat({ chat, list, notices }: Parts, id: NodeId): void {
  const before = chat.conversation;
  const fork = forkConversation(before, id, chat.makers);
  list.keep(fork);
  chat.open(fork);
  notices.show(
    t('This is a new chat. “{title}” is in the list as it was.', { title: before.title }),
  );
}
