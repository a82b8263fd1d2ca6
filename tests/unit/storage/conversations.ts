/** Conversations, a channel and a clock for the tests of storage. */
import { appendMessage, EMPTY_TREE } from '../../../src/core/chat/conversation-tree';
import { replyWith } from '../../replies';
import { exportAsJsonFiles } from '../../../src/storage/export-conversations';
import type { StoredConversation } from '../../../src/storage/stored-conversation';
import type { StorageChange, TabChannel } from '../../../src/storage/tab-channel';

/** A conversation of one question and its finished answer. */
export function conversationOf(
  id: string,
  { question = 'How much is 2 + 2?', answer = '4', updatedAt = 1000, title = 'A sum' } = {},
): StoredConversation {
  let tree = appendMessage(EMPTY_TREE, {
    id: `${id}-q`,
    createdAt: updatedAt,
    role: 'user',
    text: question,
  });
  tree = appendMessage(tree, {
    id: `${id}-a`,
    createdAt: updatedAt,
    role: 'assistant',
    reply: { ...replyWith(128, answer), finish: 'end' },
  });
  return {
    id,
    title,
    isNamed: false,
    createdAt: 1000,
    updatedAt,
    systemPrompt: '',
    thinkingLimit: 128,
    tree,
  };
}

/** Text of the one file that these conversations are exported to. */
export async function exportedJson(conversations: readonly StoredConversation[]): Promise<string> {
  const files = await exportAsJsonFiles(conversations, 0);
  if (files.length !== 1) throw new Error(`${files.length} files`);
  return files.flat().join('');
}

/** The channels of tabs that hear each other, as BroadcastChannel does: not oneself. */
export class TestChannels {
  readonly #listeners = new Map<TabChannel, Set<(change: StorageChange) => void>>();

  open(): TabChannel {
    const own = new Set<(change: StorageChange) => void>();
    const channel: TabChannel = {
      post: (change) => {
        for (const [other, listeners] of this.#listeners) {
          if (other !== channel) for (const listener of listeners) listener(change);
        }
      },
      listen: (listener) => {
        own.add(listener);
        return () => own.delete(listener);
      },
      close: () => this.#listeners.delete(channel),
    };
    this.#listeners.set(channel, own);
    return channel;
  }
}
