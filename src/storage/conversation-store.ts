/** Conversations that are kept: list, load, save, delete with undo, search. Owns no format of files and no page. */
import { EngineError } from '../core/errors';
import type { Backing, Transaction } from './backing';
import { mergeConversations } from './merge-conversations';
import { readConversation, readSummary } from './read-conversation';
import { readInteger, readObject, ValueProblem } from './read-value';
import { searchableTexts, snippetAround, wordsOf, type SearchHit } from './search-texts';
import type {
  ConversationRecord,
  StoredConversation,
  StoredSummary,
  SummaryRecord,
} from './stored-conversation';
import type { AsideValue } from './stored-aside';
import type { StorageChange, TabChannel } from './tab-channel';

/** A deleted conversation can be brought back for this long. In ms. */
export const UNDO_WINDOW_MS = 60_000;

/** The database could run for centuries before a counter reaches this. */
const LAST_COUNT = Number.MAX_SAFE_INTEGER;

export interface ConversationStoreOptions {
  readonly backing: Backing;
  readonly channel: TabChannel;
  /** Milliseconds since 1970; it may jump. Only the undo window and the dates that people read use it. */
  readonly now: () => number;
  /** A sentence for the person: a record could not be read and was set aside. */
  readonly onNotice: (sentence: string) => void;
}

interface TrashRecord {
  readonly record: unknown;
  readonly deletedAt: number;
}

interface WaitingSave {
  conversation: StoredConversation;
  readonly done: Promise<void>;
}

function readRecord(value: unknown): ConversationRecord {
  const record = readObject(value, 'record');
  return {
    conversation: readConversation(record['conversation']),
    revision: readInteger(record['revision'], 'revision', 0, LAST_COUNT),
  };
}

function readSummaryRecord(value: unknown): SummaryRecord {
  const record = readObject(value, 'summary record');
  return {
    summary: readSummary(record['summary']),
    order: readInteger(record['order'], 'order', 0, LAST_COUNT),
  };
}

/** `read(value)`, or null when the value is not what it should be. */
function readOrNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  try {
    return read(value);
  } catch (error) {
    if (error instanceof ValueProblem) return null;
    throw error;
  }
}

function summaryOf({ id, title, createdAt, updatedAt }: StoredConversation): StoredSummary {
  return { id, title, createdAt, updatedAt };
}

export class ConversationStore {
  readonly #backing: Backing;
  readonly #channel: TabChannel;
  readonly #now: () => number;
  readonly #onNotice: (sentence: string) => void;
  /** Revision of each conversation that this tab has read or written whole: what is newer came from another tab. */
  readonly #known = new Map<string, number>();
  readonly #waiting = new Map<string, WaitingSave>();
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor({ backing, channel, now, onNotice }: ConversationStoreOptions) {
    this.#backing = backing;
    this.#channel = channel;
    this.#now = now;
    this.#onNotice = onNotice;
  }

  /** Newest first, by the order of writing, which a jump of the clock does not change. */
  async list(): Promise<readonly StoredSummary[]> {
    const { found, damaged } = await this.#backing.run(
      ['conversations', 'summaries'],
      'readonly',
      async (transaction) => {
        const entries: SummaryRecord[] = [];
        const without: string[] = [];
        for (const id of await transaction.keys('conversations')) {
          const record = readOrNull(await transaction.get('summaries', id), readSummaryRecord);
          if (record?.summary.id === id) entries.push(record);
          else without.push(id);
        }
        return { found: entries, damaged: without };
      },
    );
    const repaired: SummaryRecord[] = [];
    for (const id of damaged) {
      const record = await this.#repairSummary(id);
      if (record !== null) repaired.push(record);
    }
    return [...found, ...repaired].sort((a, b) => b.order - a.order).map(({ summary }) => summary);
  }

  /** The conversation, or null when there is none or it could not be read (it is then set aside, with a notice). */
  async load(id: string): Promise<StoredConversation | null> {
    await this.#lastWrite;
    const value = await this.#backing.run(['conversations'], 'readonly', (transaction) =>
      transaction.get('conversations', id),
    );
    if (value === undefined) return null;
    try {
      const { conversation, revision } = readRecord(value);
      this.#known.set(id, revision);
      return conversation;
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      await this.#setAside(id, error.message);
      return null;
    }
  }

  /**
   * Keeps a conversation. Settles when it is written; while one save of it waits, a later one takes its place. What another
   * tab has written to the same conversation in between is merged, never overwritten.
   * @throws EngineError `storage`, with nothing changed.
   */
  save(conversation: StoredConversation): Promise<void> {
    const waiting = this.#waiting.get(conversation.id);
    if (waiting !== undefined) {
      waiting.conversation = conversation;
      return waiting.done;
    }
    const done = this.#write(async () => {
      const newest = this.#waiting.get(conversation.id)?.conversation ?? conversation;
      this.#waiting.delete(conversation.id);
      await this.#saveNow(newest);
    });
    this.#waiting.set(conversation.id, { conversation, done });
    return done;
  }

  /** Moves a conversation to where `restore` finds it for a minute. Nothing happens when there is none. */
  delete(id: string): Promise<void> {
    return this.#write(async () => {
      await this.#backing.run(
        ['conversations', 'summaries', 'trash'],
        'readwrite',
        async (transaction) => {
          await this.#emptyOldTrash(transaction);
          const record = await transaction.get('conversations', id);
          if (record === undefined) return;
          const trash: TrashRecord = { record, deletedAt: this.#now() };
          transaction.put('trash', id, trash);
          transaction.delete('conversations', id);
          transaction.delete('summaries', id);
        },
      );
      this.#known.delete(id);
      this.#post({ type: 'deleted', id });
    });
  }

  /** Brings a deleted conversation back; null when it is too late. */
  async restore(id: string): Promise<StoredConversation | null> {
    const record = await this.#write(() =>
      this.#backing.run(['trash'], 'readonly', async (transaction) => {
        const trash = await transaction.get('trash', id);
        return trash === undefined ? undefined : readObject(trash, 'trash')['record'];
      }),
    );
    const restored = readOrNull(record, readRecord);
    if (restored === null) return null;
    await this.save(restored.conversation);
    return restored.conversation;
  }

  /** Deletes every conversation at once, also those in the undo window and those set aside. */
  deleteAll(): Promise<void> {
    return this.#write(async () => {
      await this.#backing.run(
        ['conversations', 'summaries', 'trash', 'aside', 'drafts'],
        'readwrite',
        (transaction) => {
          transaction.clear('conversations');
          transaction.clear('summaries');
          transaction.clear('trash');
          transaction.clear('aside');
          transaction.clear('drafts');
        },
      );
      this.#known.clear();
      this.#post({ type: 'many' });
    });
  }

  /** Every conversation that can be read, one after the other, newest first: for export. */
  async *all(): AsyncGenerator<StoredConversation> {
    for (const { id } of await this.list()) {
      const conversation = await this.load(id);
      if (conversation !== null) yield conversation;
    }
  }

  /**
   * Conversations whose title and texts have every word of `query`, whatever its case; newest first. Ends early when
   * `signal` is aborted, with what was found until then.
   */
  async search(query: string, signal?: AbortSignal): Promise<readonly SearchHit[]> {
    const words = wordsOf(query);
    const hits: SearchHit[] = [];
    if (words.length === 0) return hits;
    for (const summary of await this.list()) {
      if (signal?.aborted === true) break;
      const value = await this.#backing.run(['conversations'], 'readonly', (transaction) =>
        transaction.get('conversations', summary.id),
      );
      const record = readOrNull(value, readRecord);
      if (record === null) continue;
      const hit = snippetAround(searchableTexts(record.conversation), words);
      if (hit !== null) hits.push({ summary, ...hit });
    }
    return hits;
  }

  /** Called when another tab has changed what is kept. Returns unsubscribe. */
  onChange(listener: (change: StorageChange) => void): () => void {
    return this.#channel.listen(listener);
  }

  /** Settles when all that was to be written is written or has failed. */
  async settled(): Promise<void> {
    await this.#lastWrite;
  }

  close(): void {
    this.#channel.close();
    this.#backing.close();
  }

  /** One write follows the other, so that a delete never overtakes the save before it. */
  #write<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lastWrite.then(work);
    this.#lastWrite = result.catch(() => undefined); // The caller of `result` hears of it.
    return result;
  }

  async #saveNow(conversation: StoredConversation): Promise<void> {
    const { id } = conversation;
    const checked = checkOwn(conversation);
    const { revision, isMerged } = await this.#backing.run(
      ['conversations', 'summaries', 'trash', 'settings'],
      'readwrite',
      async (transaction) => {
        const before = readOrNull(await transaction.get('conversations', id), readRecord);
        const isForeign = before !== null && this.#known.get(id) !== before.revision;
        const merged = isForeign ? mergeConversations(checked, before.conversation) : checked;
        const next: ConversationRecord = {
          conversation: merged,
          revision: (before?.revision ?? 0) + 1,
        };
        const order = await nextOrder(transaction, merged, before?.conversation ?? null);
        const summary: SummaryRecord = { summary: summaryOf(merged), order };
        transaction.put('conversations', id, next);
        transaction.put('summaries', id, summary);
        transaction.delete('trash', id);
        return { revision: next.revision, isMerged: isForeign };
      },
    );
    // After a merge this tab does not hold the other's messages: until it loads them, each save has to merge again.
    if (!isMerged) this.#known.set(id, revision);
    this.#post({ type: 'saved', id });
  }

  async #repairSummary(id: string): Promise<SummaryRecord | null> {
    const conversation = await this.load(id);
    if (conversation === null) return null;
    return this.#backing.run(['summaries'], 'readwrite', (transaction) => {
      const record: SummaryRecord = { summary: summaryOf(conversation), order: 0 };
      transaction.put('summaries', id, record);
      return record;
    });
  }

  async #setAside(id: string, reason: string): Promise<void> {
    await this.#backing.run(
      ['conversations', 'summaries', 'aside'],
      'readwrite',
      async (transaction) => {
        const value = await transaction.get('conversations', id);
        const record: AsideValue = { reason, keptAt: this.#now(), value };
        transaction.put('aside', `${id}-${this.#now()}`, record);
        transaction.delete('conversations', id);
        transaction.delete('summaries', id);
      },
    );
    this.#onNotice(
      `One saved chat could not be read and was set aside (${reason}). All others are here.`,
    );
  }

  async #emptyOldTrash(transaction: Transaction): Promise<void> {
    for (const id of await transaction.keys('trash')) {
      const trash = readObject(await transaction.get('trash', id), 'trash');
      const deletedAt = trash['deletedAt'];
      // A clock that went back gives a negative age: as old as one that is past.
      const ageMs = typeof deletedAt === 'number' ? this.#now() - deletedAt : Infinity;
      if (Math.abs(ageMs) > UNDO_WINDOW_MS) transaction.delete('trash', id);
    }
  }

  #post(change: StorageChange): void {
    this.#channel.post(change);
  }
}

/** A conversation that could not be read back is refused now, while its text is still on screen. */
function checkOwn(conversation: StoredConversation): StoredConversation {
  try {
    return readConversation(conversation);
  } catch (cause) {
    if (!(cause instanceof ValueProblem)) throw cause;
    throw new EngineError(
      'storage',
      `This chat cannot be saved: ${cause.message}. It stays on screen.`,
      'Export it, or start a new chat.',
      { cause },
    );
  }
}

/** The highest order given so far. Lies with the settings, because it outlives every conversation. */
const ORDER_KEY = 'highest-order';

/** A conversation that moved on goes to the top; one that was only renamed stays where it is. */
async function nextOrder(
  transaction: Transaction,
  conversation: StoredConversation,
  before: StoredConversation | null,
): Promise<number> {
  const own = readOrNull(await transaction.get('summaries', conversation.id), readSummaryRecord);
  if (own !== null && before?.updatedAt === conversation.updatedAt) return own.order;
  const kept = await transaction.get('settings', ORDER_KEY);
  const highest = readOrNull(kept, (value) => readInteger(value, 'order', 0, LAST_COUNT)) ?? 0;
  if (own !== null && own.order >= highest) return own.order;
  transaction.put('settings', ORDER_KEY, highest + 1);
  return highest + 1;
}
