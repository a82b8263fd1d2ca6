/** Where records lie: named tables of key and value, in a database or in memory. Owns no meaning of the records. */

export const TABLES = [
  'conversations',
  'summaries',
  'trash',
  'aside',
  'settings',
  'drafts',
] as const;
export type TableName = (typeof TABLES)[number];

/**
 * Reads and writes of one transaction: all of them happen or none. Writes are not waited for: what goes wrong with one
 * ends the transaction, and `run` rejects.
 */
export interface Transaction {
  get(table: TableName, key: string): Promise<unknown>;
  keys(table: TableName): Promise<readonly string[]>;
  put(table: TableName, key: string, value: unknown): void;
  delete(table: TableName, key: string): void;
  clear(table: TableName): void;
}

export interface Backing {
  /**
   * Runs `work` in one transaction over `tables`. `work` may await nothing but the transaction's own calls, else the
   * database ends the transaction early. Rejects, with nothing written, when any of it fails. When `work` is through, its
   * writes are on their way: they hold even if the page goes now.
   */
  run<T>(
    tables: readonly TableName[],
    mode: 'readonly' | 'readwrite',
    work: (transaction: Transaction) => Promise<T> | T,
  ): Promise<T>;
  close(): void;
}
