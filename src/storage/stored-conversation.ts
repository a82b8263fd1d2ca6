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
  textLength: 1_000_000,
  messages: 10_000,
  /** Of a reply as it was kept before it was a list of parts. */
  toolSteps: 100,
  replyParts: 2000,
  injectedRanges: 1000,
  conversations: 5000,
  /** Size of an imported file. */
  fileBytes: 64 * 1024 * 1024,
  /** Brackets within brackets; our own export has 11. */
  jsonDepth: 32,
} as const;
