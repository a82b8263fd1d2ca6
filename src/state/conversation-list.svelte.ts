/** Owns the list of kept conversations: search, rename, delete with undo, export and import. Reads and writes through a store. */
import type { ConversationStore } from '../storage/conversation-store';
import type { SearchHit } from '../storage/search-texts';
import type { StoredSummary } from '../storage/stored-conversation';
import { fitTitle } from '../storage/fit-entry';
import { joinReports, type ImportReport } from '../storage/import-report';
import type { Conversation } from './conversation';

export type ExportFormat = 'json' | 'md';

/** What is needed of the store; a Map in tests. */
export type ConversationKeeping = Pick<
  ConversationStore,
  'list' | 'load' | 'save' | 'delete' | 'deleteAll' | 'restore' | 'search' | 'all' | 'onChange'
>;

export class ConversationList {
  items = $state.raw<readonly StoredSummary[]>([]);
  /** What a search found; null while nothing is searched. */
  hits = $state.raw<readonly SearchHit[] | null>(null);

  readonly #store: ConversationKeeping;
  readonly #onProblem: (error: unknown) => void;
  /** Deleted here: a reply that ends later must not bring one back. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing on the page shows these ids
  readonly #deletedIds = new Set<string>();
  #query = $state('');
  #searching = new AbortController();

  constructor(store: ConversationKeeping, onProblem: (error: unknown) => void) {
    this.#store = store;
    this.#onProblem = onProblem;
    store.onChange((change) => {
      if (change.type !== 'settings') void this.load();
    });
  }

  get query(): string {
    return this.#query;
  }

  set query(query: string) {
    this.#query = query;
    void this.#search();
  }

  async load(): Promise<void> {
    this.items = (await this.#try(() => this.#store.list())) ?? this.items;
  }

  /** The whole conversation, or null when it is gone. */
  async read(id: string): Promise<Conversation | null> {
    return (await this.#try(() => this.#store.load(id))) ?? null;
  }

  /** Keeps a conversation, and shows it at the top of the list. */
  readonly keep = (conversation: Conversation): void => {
    const { id, title, createdAt, updatedAt } = conversation;
    if (this.#deletedIds.has(id)) return;
    const others = this.items.filter((item) => item.id !== id);
    this.items = [{ id, title, createdAt, updatedAt }, ...others];
    void this.#try(() => this.#store.save(conversation));
  };

  async rename(id: string, title: string): Promise<void> {
    const fitting = fitTitle(title);
    const conversation = fitting === '' ? null : await this.read(id);
    if (conversation === null) return;
    const renamed = { ...conversation, title: fitting, isNamed: true };
    this.items = this.items.map((item) =>
      item.id === id ? { ...item, title: renamed.title } : item,
    );
    await this.#try(() => this.#store.save(renamed));
  }

  /** Deletes at once; `undoDelete` brings it back for a minute. */
  async delete(id: string): Promise<void> {
    this.#deletedIds.add(id);
    this.items = this.items.filter((item) => item.id !== id);
    this.hits = this.hits?.filter((hit) => hit.summary.id !== id) ?? null;
    await this.#try(() => this.#store.delete(id));
  }

  /** The conversation that came back, or null when it was too late. */
  async undoDelete(id: string): Promise<Conversation | null> {
    this.#deletedIds.delete(id);
    const back = await this.#try(() => this.#store.restore(id));
    await this.load();
    return back ?? null;
  }

  async deleteAll(): Promise<void> {
    for (const { id } of this.items) this.#deletedIds.add(id);
    await this.#try(() => this.#store.deleteAll());
    this.query = '';
    await this.load();
  }

  /** Files with these conversations, or with all that are kept: as many as it takes; null when they cannot be read. */
  async exportFiles(
    which: readonly Conversation[] | 'all',
    format: ExportFormat,
  ): Promise<readonly Blob[] | null> {
    const files = await this.#try(async () => {
      const { exportAsJsonFiles, exportAsMarkdown } =
        await import('../storage/export-conversations');
      if (format === 'md') {
        const conversations = which === 'all' ? await Array.fromAsync(this.#store.all()) : which;
        return [new Blob([exportAsMarkdown(conversations)], { type: 'text/markdown' })];
      }
      const conversations = which === 'all' ? this.#store.all() : which;
      const written = await exportAsJsonFiles(conversations, Date.now());
      return written.map((pieces) => new Blob([...pieces], { type: 'application/json' }));
    });
    return files ?? null;
  }

  /** Adds the conversations of exported files, ours or another program's; null when one is none. */
  async importFiles(files: readonly Blob[]): Promise<ImportReport | null> {
    const report = await this.#try(async () => {
      const { importConversations, textsOfFile } = await import('../storage/import-conversations');
      const reports: ImportReport[] = [];
      for (const file of files)
        for (const text of await textsOfFile(file))
          reports.push(await importConversations(text, this.#store, () => crypto.randomUUID()));
      return joinReports(reports);
    });
    for (const { id } of report?.added ?? []) this.#deletedIds.delete(id);
    await this.load();
    return report ?? null;
  }

  async #search(): Promise<void> {
    this.#searching.abort();
    this.#searching = new AbortController();
    const { signal } = this.#searching;
    if (this.#query.trim() === '') {
      this.hits = null;
      return;
    }
    const hits = await this.#try(() => this.#store.search(this.#query, signal));
    if (!signal.aborted) this.hits = hits ?? [];
  }

  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#onProblem(error);
      return undefined;
    }
  }
}
