/**
 * Owns what the storage page shows and does: what is kept, how large, what is free, deleting, everything out and in.
 * Owns no words and no dialog.
 */
import { roomFor, type StorageRoom } from '../model-files/storage-room';
import type { KeptModel, ModelStore } from '../model-files/model-store';
import {
  joinWholeReports,
  type AsideItem,
  type Housekeeping,
  type StoredSizes,
  type WholeReport,
} from '../storage/housekeeping';

export type { AsideItem, KeptModel };

export interface KeptThingsOptions {
  readonly models: Pick<ModelStore, 'models' | 'delete' | 'deleteAll'>;
  readonly housekeeping: Housekeeping;
  /** Chats last beyond this tab. */
  readonly isPersistent: () => boolean;
  readonly onProblem: (error: unknown) => void;
  readonly room?: () => Promise<StorageRoom>;
}

export class KeptThings {
  /** The storage page is open. */
  isOpen = $state(false);
  models = $state.raw<readonly KeptModel[]>([]);
  sizes = $state.raw<StoredSizes | null>(null);
  aside = $state.raw<readonly AsideItem[]>([]);
  room = $state.raw<StorageRoom | null>(null);
  isPersistent = $state(true);
  /** Something is being read, deleted, exported or imported. */
  isBusy = $state(false);

  readonly #options: KeptThingsOptions;

  constructor(options: KeptThingsOptions) {
    this.#options = options;
  }

  /** Looks at everything again. Never rejects. */
  async look(): Promise<void> {
    await this.#busy(() => this.#look());
  }

  async #look(): Promise<void> {
    const { models, housekeeping, isPersistent, room = () => roomFor(0) } = this.#options;
    const [foundModels, sizes, aside, foundRoom] = await Promise.all([
      models.models(),
      housekeeping.sizes(),
      housekeeping.aside(),
      room(),
    ]);
    this.models = foundModels;
    this.sizes = sizes;
    this.aside = aside;
    this.room = foundRoom;
    this.isPersistent = isPersistent();
  }

  /** True when it is deleted. */
  deleteModel(prefix: string): Promise<boolean> {
    return this.#change(() => this.#options.models.delete(prefix));
  }

  deleteAllModels(): Promise<boolean> {
    return this.#change(() => this.#options.models.deleteAll());
  }

  deleteAside(key: string): Promise<boolean> {
    return this.#change(() => this.#options.housekeeping.deleteAside(key));
  }

  /** Deletes the contents of the database and of every cache of this site; the caller reloads. */
  deleteEverything(caches: CacheStorage | undefined): Promise<boolean> {
    return this.#change(async () => {
      await this.#options.housekeeping.deleteEverything();
      await this.#options.models.deleteAll();
      for (const name of (await caches?.keys()) ?? []) {
        if (name.startsWith('tidepool-')) await caches?.delete(name);
      }
    });
  }

  /** A file of everything but models; null when it could not be read. */
  async exportAll(): Promise<readonly Blob[]> {
    let files: readonly Blob[] = [];
    await this.#busy(async () => {
      const written = await this.#options.housekeeping.exportFiles();
      files = written.map((pieces) => new Blob([...pieces], { type: 'application/json' }));
    });
    return files;
  }

  /** Null when the file was none, which has been said. */
  async importAll(file: Blob): Promise<WholeReport | null> {
    let report: WholeReport | null = null;
    await this.#change(async () => {
      const { textsOfFile } = await import('../storage/import-conversations');
      for (const text of await textsOfFile(file)) {
        const one = await this.#options.housekeeping.import(text, () => crypto.randomUUID());
        report = report === null ? one : joinWholeReports(report, one);
      }
    });
    return report;
  }

  async #change(work: () => Promise<unknown>): Promise<boolean> {
    let isDone = false;
    await this.#busy(async () => {
      await work();
      isDone = true;
    });
    await this.look();
    return isDone;
  }

  async #busy(work: () => Promise<void>): Promise<void> {
    this.isBusy = true;
    try {
      await work();
    } catch (error) {
      this.#options.onProblem(error);
    } finally {
      this.isBusy = false;
    }
  }
}
