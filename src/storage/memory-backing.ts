/** Records in memory, for when nothing may be stored: the same promises as the database, gone with the tab. */
import { TABLES, type Backing, type TableName, type Transaction } from './backing';

type Tables = Readonly<Record<TableName, Map<string, unknown>>>;

function emptyTables(): Tables {
  return Object.fromEntries(TABLES.map((name) => [name, new Map<string, unknown>()])) as Record<
    TableName,
    Map<string, unknown>
  >;
}

class MemoryTransaction implements Transaction {
  readonly tables: Tables;

  constructor(tables: Tables) {
    this.tables = tables;
  }

  get(table: TableName, key: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.tables[table].get(key)));
  }

  keys(table: TableName): Promise<readonly string[]> {
    return Promise.resolve([...this.tables[table].keys()].sort());
  }

  put(table: TableName, key: string, value: unknown): void {
    this.tables[table].set(key, structuredClone(value));
  }

  delete(table: TableName, key: string): void {
    this.tables[table].delete(key);
  }

  clear(table: TableName): void {
    this.tables[table].clear();
  }
}

export class MemoryBacking implements Backing {
  #tables = emptyTables();
  #last: Promise<unknown> = Promise.resolve();

  run<T>(
    tables: readonly TableName[],
    mode: 'readonly' | 'readwrite',
    work: (transaction: Transaction) => Promise<T> | T,
  ): Promise<T> {
    // One after the other, on a copy that takes the place of the tables only when all went well.
    const result = this.#last.then(async () => {
      const copy = emptyTables();
      for (const name of tables)
        for (const [key, value] of this.#tables[name]) copy[name].set(key, value);
      const answer = await work(new MemoryTransaction(copy));
      if (mode === 'readwrite') {
        this.#tables = {
          ...this.#tables,
          ...Object.fromEntries(tables.map((name) => [name, copy[name]])),
        };
      }
      return answer;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  close(): void {
    this.#tables = emptyTables();
  }
}
