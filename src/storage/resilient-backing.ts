/** A backing that stays: reopens a lost database, and goes on in memory with a plain sentence when there is none. */
import { EngineError } from '../core/errors';
import type { Backing, TableName, Transaction } from './backing';
import { DatabaseOpenError, type OpenProblem } from './database';
import { MemoryBacking } from './memory-backing';

const SENTENCES: Readonly<Record<OpenProblem, string>> = {
  missing:
    'This browser keeps no data for this page (a private window may be why). Chats last until this tab closes; export what you want to keep.',
  blocked:
    'Another tab runs an older Tidepool and holds the saved chats. Close it and reload this one; until then, chats here last until this tab closes.',
  newer:
    'Tidepool was updated in another tab. Reload this one to see and save chats; until then, what you write here lasts until this tab closes.',
  broken:
    'The saved chats could not be opened. Reload to try again; until then, chats last until this tab closes. Export what you want to keep.',
};

/** An error of the storage as a person reads it. */
function asStorageError(cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  if (nameOf(cause) === 'QuotaExceededError') {
    return new EngineError(
      'storage',
      'There is no room left to save this chat. It stays on screen.',
      'Delete old chats or models, or export this chat, then send or save again.',
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError(
    'storage',
    `The saved chats could not be read or written (${reason}). What is on screen stays.`,
    'Reload the page; if it happens again, export your chats.',
    { cause },
  );
}

function nameOf(cause: unknown): string {
  return cause instanceof Error || cause instanceof DOMException ? cause.name : '';
}

/** The connection was closed under us, by the browser or for another tab. */
function isConnectionGone(cause: unknown): boolean {
  return nameOf(cause) === 'InvalidStateError';
}

export class ResilientBacking implements Backing {
  readonly #open: (onLost: () => void) => Promise<Backing>;
  readonly #onNotice: (sentence: string) => void;
  #connection: Promise<Backing> | null = null;
  #isPersistent = true;

  constructor(
    open: (onLost: () => void) => Promise<Backing>,
    onNotice: (sentence: string) => void,
  ) {
    this.#open = open;
    this.#onNotice = onNotice;
  }

  /** False once chats last only as long as the tab. */
  get isPersistent(): boolean {
    return this.#isPersistent;
  }

  async run<T>(
    tables: readonly TableName[],
    mode: 'readonly' | 'readwrite',
    work: (transaction: Transaction) => Promise<T> | T,
  ): Promise<T> {
    const connection = this.#connect();
    try {
      const backing = await connection;
      return await backing.run(tables, mode, work);
    } catch (cause) {
      if (!isConnectionGone(cause)) throw asStorageError(cause);
      if (this.#connection === connection) this.#connection = null;
    }
    try {
      const backing = await this.#connect();
      return await backing.run(tables, mode, work);
    } catch (cause) {
      throw asStorageError(cause);
    }
  }

  close(): void {
    this.#connection?.then(
      (backing) => backing.close(),
      () => undefined, // Never opened: nothing to close.
    );
    this.#connection = null;
  }

  #connect(): Promise<Backing> {
    if (this.#connection !== null) return this.#connection;
    const connection: Promise<Backing> = this.#open(() => {
      if (this.#connection === connection) this.#connection = null;
    }).catch((cause: unknown) => {
      if (!(cause instanceof DatabaseOpenError)) throw cause;
      this.#isPersistent = false;
      this.#onNotice(SENTENCES[cause.problem]);
      return new MemoryBacking();
    });
    this.#connection = connection;
    return connection;
  }
}
