/** New conversations and their titles. Pure; owns no storage. */
import { EMPTY_TREE } from '../core/chat/conversation-tree';
import { cutText } from '../core/text/letters';
import type { StoredConversation } from '../storage/stored-conversation';

export type Conversation = StoredConversation;

const UNTITLED = 'New chat';
/** Of a title made from the first question: about what the list shows in one line. In UTF-16 units. */
const TITLE_LETTERS = 48;

/** A conversation without messages. */
export function newConversation(
  id: string,
  now: number,
  from: Pick<Conversation, 'systemPrompt' | 'thinkingLimit'>,
): Conversation {
  return {
    id,
    title: UNTITLED,
    isNamed: false,
    createdAt: now,
    updatedAt: now,
    systemPrompt: from.systemPrompt,
    thinkingLimit: from.thinkingLimit,
    tree: EMPTY_TREE,
  };
}

/** A title from the first words of a question; never empty. */
export function titleFrom(question: string): string {
  const line = question.trim().replace(/\s+/g, ' ');
  if (line.length <= TITLE_LETTERS) return line === '' ? UNTITLED : line;
  const cut = cutText(line, TITLE_LETTERS);
  const lastBlank = cut.lastIndexOf(' ');
  return `${lastBlank > TITLE_LETTERS / 2 ? cut.slice(0, lastBlank) : cut}…`;
}
