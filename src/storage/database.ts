/** The IndexedDB database: its schema, its migrations, and how it is opened. The only importer of idb. */
import { openDB, type IDBPDatabase, type IDBPObjectStore, type IDBPTransaction } from 'idb';
import type { Backing, TableName, Transaction } from './backing';

export const DATABASE_NAME = 'tidepool';

export type Migration = (database: IDBPDatabase) => void;

/** Step n brings a database from version n to n + 1. Steps are never changed once they have shipped; new ones are added. */
export const MIGRATIONS: readonly Migration[] = [
  (database) => {
    for (const name of ['conversations', 'summaries', 'trash', 'aside', 'settings', 'drafts']) {
      database.createObjectStore(name);
    }
  },
  // A reply is a list of parts now. Old records are read as they are (read-reply.ts); what the step does is to keep an
  // older version of the app, in another tab or from a cache, from setting the new ones aside as damaged.
  () => undefined,
];

export const DATABASE_VERSION = MIGRATIONS.length;

/** A database that does not open within this time is as good as none; browsers have hung here for ever, and the page waits. In ms. */
const OPEN_TIMEOUT_MS = 4000;
/** Other tabs close their connection at once when asked; one that has not by then is an older version of the app. */
const BLOCKED_TIMEOUT_MS = 3000;

export type OpenProblem = 'missing' | 'blocked' | 'newer' | 'broken';

/** Why the database did not open; `problem` is for the sentence that a person reads. */
export class DatabaseOpenError extends Error {
  readonly problem: OpenProblem;

  constructor(problem: OpenProblem, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'DatabaseOpenError';
    this.problem = problem;
  }
}

function hasIndexedDb(): boolean {
  try {
    return 'indexedDB' in globalThis && (globalThis.indexedDB as IDBFactory | null) !== null;
  } catch {
    return false; // Some browsers throw on the mere name where storage is forbidden.
  }
}

/**
 * Opens the database, creating or migrating it.
 * @param onLost called once when the connection is gone: `superseded` for another tab that upgrades or deletes the
 *   database (the connection has been closed for it), `terminated` when the browser ended it.
 * @param migrations the steps of this version of the app; their number is the version
 * @throws DatabaseOpenError
 */
export async function openDatabase(
  name: string,
  onLost: (reason: 'superseded' | 'terminated') => void,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<Backing> {
  if (!hasIndexedDb())
    throw new DatabaseOpenError('missing', 'this browser gives the page no IndexedDB');
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isGivenUp = false;
  // In a function of its own, because a broken browser profile throws here instead of rejecting.
  const open = async (): Promise<IDBPDatabase> =>
    openDB(name, migrations.length, {
      upgrade(database, oldVersion) {
        for (const migrate of migrations.slice(oldVersion)) migrate(database);
      },
      blocked() {
        clearTimeout(timer);
        timer = setTimeout(giveUpBlocked, BLOCKED_TIMEOUT_MS);
      },
      blocking(_current, _wanted, event) {
        (event.target as IDBDatabase).close();
        onLost('superseded');
      },
      terminated() {
        onLost('terminated');
      },
    });
  let giveUpBlocked = (): void => undefined;
  const opening = open();
  const timeout = new Promise<never>((_resolve, reject) => {
    giveUpBlocked = () => {
      reject(
        new DatabaseOpenError('blocked', 'another tab holds an older version of the database open'),
      );
    };
    timer = setTimeout(() => {
      reject(
        new DatabaseOpenError('broken', `the database did not open within ${OPEN_TIMEOUT_MS} ms`),
      );
    }, OPEN_TIMEOUT_MS);
  });
  try {
    return new DatabaseBacking(await Promise.race([opening, timeout]));
  } catch (cause) {
    isGivenUp = true;
    if (cause instanceof DatabaseOpenError) throw cause;
    const isNewer = cause instanceof DOMException && cause.name === 'VersionError';
    throw new DatabaseOpenError(isNewer ? 'newer' : 'broken', messageOf(cause), { cause });
  } finally {
    clearTimeout(timer);
    // Opened after all, too late: closed again, so that it stands in nobody's way.
    if (isGivenUp)
      opening.then(
        (database) => database.close(),
        () => undefined,
      );
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}

type IdbTransaction = IDBPTransaction<unknown, string[], 'readonly' | 'readwrite'>;

class DatabaseTransaction implements Transaction {
  readonly #transaction: IdbTransaction;

  constructor(transaction: IdbTransaction) {
    this.#transaction = transaction;
  }

  get(table: TableName, key: string): Promise<unknown> {
    return this.#transaction.objectStore(table).get(key);
  }

  async keys(table: TableName): Promise<readonly string[]> {
    const keys = await this.#transaction.objectStore(table).getAllKeys();
    return keys.filter((key) => typeof key === 'string');
  }

  put(table: TableName, key: string, value: unknown): void {
    this.#leave(this.#writable(table).put(value, key));
  }

  delete(table: TableName, key: string): void {
    this.#leave(this.#writable(table).delete(key));
  }

  clear(table: TableName): void {
    this.#leave(this.#writable(table).clear());
  }

  /** A write that fails ends the transaction, whose `done` says so. */
  #leave(write: Promise<unknown>): void {
    write.catch(() => undefined);
  }

  #writable(table: TableName): WritableStore {
    const store: AnyStore = this.#transaction.objectStore<string>(table);
    if (!isWritable(store))
      throw new TypeError(`a readonly transaction was asked to change ${table}`);
    return store;
  }
}

type AnyStore = IDBPObjectStore<unknown, string[], string, 'readonly' | 'readwrite'>;
type WritableStore = IDBPObjectStore<unknown, string[], string, 'readwrite'>;

function isWritable(store: AnyStore): store is WritableStore {
  return store.put !== undefined;
}

class DatabaseBacking implements Backing {
  readonly #database: IDBPDatabase;

  constructor(database: IDBPDatabase) {
    this.#database = database;
  }

  async run<T>(
    tables: readonly TableName[],
    mode: 'readonly' | 'readwrite',
    work: (transaction: Transaction) => Promise<T> | T,
  ): Promise<T> {
    const transaction = this.#database.transaction([...tables], mode);
    const done = transaction.done;
    try {
      const answer = await work(new DatabaseTransaction(transaction));
      // Without this the browser first asks the page for more writes, and a page that goes then takes them along.
      if (mode === 'readwrite') transaction.commit();
      await done;
      return answer;
    } catch (error) {
      try {
        transaction.abort();
      } catch {
        // It has ended by itself already.
      }
      // A quota that is spent ends the transaction after the puts have succeeded; `done` knows the reason.
      const reason = await done.then(
        () => null,
        (cause: unknown) => cause,
      );
      throw isAbort(error) && reason !== null ? reason : error;
    }
  }

  close(): void {
    this.#database.close();
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
