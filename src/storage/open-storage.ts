/** Makes the stores of the page over one database; the only place that wires storage together. */
import { ConnectionStore } from './connection-store';
import { ConversationStore } from './conversation-store';
import { DATABASE_NAME, openDatabase } from './database';
import { DraftStore } from './draft-store';
import { Housekeeping } from './housekeeping';
import type { JudgeStore } from './judge-store';
import type { PromptStore } from './prompt-store';
import { ResilientBacking } from './resilient-backing';
import { SettingsStore } from './settings-store';
import { MemoryBacking } from './memory-backing';
import { openTabChannel, SILENT_CHANNEL } from './tab-channel';

export interface Storage {
  readonly conversations: ConversationStore;
  readonly settings: SettingsStore;
  readonly drafts: DraftStore;
  readonly connections: ConnectionStore;
  readonly housekeeping: Housekeeping;
  /** Fetched when it is asked for. */
  readonly prompts: () => Promise<PromptStore>;
  /** As {@link prompts}. */
  readonly judge: () => Promise<JudgeStore>;
  /** False once chats last only as long as this tab; a notice has said so. */
  isPersistent(): boolean;
}

/**
 * Opens storage; never fails: without a database everything works in memory and `onNotice` gets a sentence that says so.
 * @param onNotice called with a finished sentence for the person, at any later time too.
 * @param isKept false: nothing is read or written, all of it lasts as long as the page, and other tabs hear nothing
 */
export function openStorage(onNotice: (sentence: string) => void, isKept = true): Storage {
  const backing = new ResilientBacking(
    isKept
      ? (onLost) => openDatabase(DATABASE_NAME, onLost)
      : () => Promise.resolve(new MemoryBacking()),
    onNotice,
  );
  const channel = isKept ? openTabChannel() : SILENT_CHANNEL;
  const onProblem = (error: unknown): void => {
    onNotice(error instanceof Error ? error.message : String(error));
  };
  const now = (): number => Date.now();
  const conversations = new ConversationStore({ backing, channel, now, onNotice });
  const settings = new SettingsStore(backing, channel);
  return {
    conversations,
    settings,
    drafts: new DraftStore(backing, onProblem),
    connections: new ConnectionStore(backing),
    housekeeping: new Housekeeping({ backing, channel, conversations, settings, now }),
    prompts: async () => new (await import('./prompt-store')).PromptStore(backing),
    judge: async () => new (await import('./judge-store')).JudgeStore(backing),
    isPersistent: () => isKept && backing.isPersistent,
  };
}
