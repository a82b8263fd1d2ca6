/** Which program a file comes from, and its chats as conversations; what is not read is counted and said. */
import type { StoredConversation } from '../stored-conversation';
import { LIMITS } from '../stored-conversation';
import { conversationOfForeign, TooManyMessages, type ForeignChat } from './foreign-chat';
import { isJson, textAt, type Json } from './foreign-values';
import { isChatgptChat, readChatgptChat } from './read-chatgpt';
import { isLlamaCppChat, readLlamaCppChat } from './read-llama-cpp';
import { isOpenWebuiChat, readOpenWebuiChat } from './read-open-webui';

interface Format {
  readonly name: string;
  readonly isOne: (value: unknown) => value is Json;
  readonly read: (value: Json) => ForeignChat;
}

const FORMATS: readonly Format[] = [
  { name: 'ChatGPT', isOne: isChatgptChat, read: readChatgptChat },
  { name: 'llama.cpp’s page', isOne: isLlamaCppChat, read: readLlamaCppChat },
  { name: 'Open WebUI', isOne: isOpenWebuiChat, read: readOpenWebuiChat },
];

/** Programs whose exports are known by their look and not read. */
const UNREAD: readonly { readonly name: string; readonly looksSo: (value: Json) => boolean }[] = [
  { name: 'Claude', looksSo: (value) => Array.isArray(value['chat_messages']) },
  { name: 'LibreChat', looksSo: (value) => 'conversationId' in value && 'messages' in value },
  { name: 'Gemini (Takeout)', looksSo: (value) => 'titleUrl' in value && 'products' in value },
  {
    name: 'LM Studio',
    looksSo: ({ messages }) =>
      Array.isArray(messages) && messages.some((one) => isJson(one) && 'versions' in one),
  },
];

export interface ForeignChats {
  readonly conversations: readonly StoredConversation[];
  /** A sentence for each thing that was left out. */
  readonly problems: readonly string[];
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * The chats in what another program exported; a sentence's end ("it is an export of …") when it is known and not read; null
 * when it is nothing known.
 */
export function readForeign(value: unknown, newId: () => string): ForeignChats | string | null {
  const chats: readonly unknown[] = Array.isArray(value) ? value : [value];
  const format = FORMATS.find(({ isOne }) => chats.some(isOne));
  if (format === undefined) {
    const known = UNREAD.find(({ looksSo }) => chats.some((chat) => isJson(chat) && looksSo(chat)));
    return known === undefined ? null : `it is an export of ${known.name}, which is not read here`;
  }
  const conversations: StoredConversation[] = [];
  const problems: string[] = [];
  let unread = 0;
  let leftOut = 0;
  let empty = 0;
  for (const chat of chats) {
    if (!format.isOne(chat)) {
      unread += 1;
      continue;
    }
    const foreign = format.read(chat);
    try {
      const conversation = conversationOfForeign(foreign, newId);
      if (conversation === null) empty += 1;
      else conversations.push(conversation);
      leftOut += foreign.leftOut;
    } catch (error) {
      if (!(error instanceof TooManyMessages)) throw error;
      problems.push(
        `“${textAt(chat, 'title') || foreign.title}” has more than ${LIMITS.messages} messages and was left out.`,
      );
    }
  }
  if (unread > 0) problems.push(`${countOf(unread, 'entry is', 'entries are')} no chat.`);
  if (empty > 0) problems.push(`${countOf(empty, 'chat has', 'chats have')} no message.`);
  if (leftOut > 0) {
    const pieces = countOf(leftOut, 'piece', 'pieces');
    const were = leftOut === 1 ? 'was' : 'were';
    problems.push(
      `${pieces} from ${format.name} ${were} left out (pictures, files, unknown kinds).`,
    );
  }
  return { conversations, problems };
}
