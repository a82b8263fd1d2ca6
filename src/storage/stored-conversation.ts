/** What is kept of a conversation, and the limits it is held to. Plain JSON data; the state layer's Conversation fits. */
import type { ThinkingLimit } from '../core/budget/thinking-limit';
import type { ConversationTree } from '../core/chat/conversation-tree';

export interface StoredConversation {
  readonly id: string;
  readonly title: string;
  /** True once a person has chosen the title. */
  readonly isNamed: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly systemPrompt: string;
  /** JSON text of the schema that answers are held to; '' or absent: any text. */
  readonly answerSchema?: string;
  readonly thinkingLimit: ThinkingLimit;
  readonly tree: ConversationTree;
}

/** What a list shows. */
export type StoredSummary = Pick<StoredConversation, 'id' | 'title' | 'createdAt' | 'updatedAt'>;

/** The record in the database: the conversation and two counters that no clock can turn back. */
export interface ConversationRecord {
  readonly conversation: StoredConversation;
  /** Grows by one with each write; tells a tab that another one has written in between. */
  readonly revision: number;
}

export interface SummaryRecord {
  readonly summary: StoredSummary;
  /** Place in the list, highest first: larger than all others whenever the conversation moves on. */
  readonly order: number;
}

/** Far above what a person writes, far below what stops a page. Texts in UTF-16 units. */
export const LIMITS = {
  titleLength: 200,
  systemPromptLength: 100_000,
  answerSchemaLength: 100_000,
  textLength: 1_000_000,
  /** Names of tools and devices. */
  nameLength: 100,
  problemLength: 10_000,
  /** Files that go with one question, and the length of their names. */
  files: 8,
  fileNameLength: 255,
  /** Messages that may be written into a chat, and that are read: two tabs' chats may become one (merge-conversations.ts). */
  messagesEntered: 10_000,
  messages: 20_000,
  /** All texts of a chat that may be written on: so that its file stays below `fileBytes`, even if JSON escapes each unit. */
  conversationLength: 8_000_000,
  /** Of a reply as it was kept before it was a list of parts. */
  toolSteps: 100,
  replyParts: 2000,
  injectedRanges: 1000,
  /** Arguments of one call; none of ours has more than one. */
  callArguments: 50,
  /** Tokens, milliseconds, rates. */
  figure: 1e12,
  conversations: 100_000,
  /** Size of an imported file: years of another program's chats are more than 100 MiB. */
  fileBytes: 256 * 1024 * 1024,
  /** Brackets within brackets; our own export has 11. */
  jsonDepth: 64,
} as const;
