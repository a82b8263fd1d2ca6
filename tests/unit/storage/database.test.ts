import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TABLES, type Backing } from '../../../src/storage/backing';
import {
  DATABASE_VERSION,
  MIGRATIONS,
  openDatabase,
  type Migration,
} from '../../../src/storage/database';
import { DraftStore } from '../../../src/storage/draft-store';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { ResilientBacking } from '../../../src/storage/resilient-backing';

const ignoreLoss = (): void => undefined;

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('openDatabase', () => {
  it('makes every table', async () => {
    const backing = await openDatabase('fresh', ignoreLoss);
    backing.close();
    const database = await openDB('fresh');
    expect(database.version).toBe(DATABASE_VERSION);
    expect([...database.objectStoreNames].sort()).toEqual([...TABLES].sort());
    database.close();
  });

  it('keeps what is there when it opens again', async () => {
    const first = await openDatabase('kept', ignoreLoss);
    await first.run(['settings'], 'readwrite', (transaction) =>
      transaction.put('settings', 'a', 1),
    );
    first.close();
    const second = await openDatabase('kept', ignoreLoss);
    expect(
      await second.run(['settings'], 'readonly', (transaction) => transaction.get('settings', 'a')),
    ).toBe(1);
    second.close();
  });

  it('says when there is no IndexedDB, or its mere name throws', async () => {
    vi.stubGlobal('indexedDB', null);
    await expect(openDatabase('none', ignoreLoss)).rejects.toMatchObject({ problem: 'missing' });
    Object.defineProperty(globalThis, 'indexedDB', {
      configurable: true,
      get: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    });
    await expect(openDatabase('none', ignoreLoss)).rejects.toMatchObject({ problem: 'missing' });
  });

  it('says when the database is of a newer version', async () => {
    (await openDB('newer', DATABASE_VERSION + 1)).close();
    await expect(openDatabase('newer', ignoreLoss)).rejects.toMatchObject({ problem: 'newer' });
  });

  it('says when the database is broken', async () => {
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('Internal error opening backing store', 'UnknownError');
      },
    });
    await expect(openDatabase('broken', ignoreLoss)).rejects.toMatchObject({
      problem: 'broken',
      message: 'UnknownError: Internal error opening backing store',
    });
  });

  it('does not wait for ever for a database that never answers', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('indexedDB', { open: () => new IDBOpenDBRequest() });
    const opening = expect(openDatabase('hangs', ignoreLoss)).rejects.toMatchObject({
      problem: 'broken',
    });
    await vi.advanceTimersByTimeAsync(5000);
    await opening;
  });

  const addTable: Migration = (database) => {
    database.createObjectStore('later');
  };

  it('brings an older database up step by step, with what is in it', async () => {
    const older = await openDatabase('old', ignoreLoss);
    await older.run(['settings'], 'readwrite', (transaction) =>
      transaction.put('settings', 'a', 1),
    );
    older.close();
    const newer = await openDatabase('old', ignoreLoss, [...MIGRATIONS, addTable]);
    expect(
      await newer.run(['settings'], 'readonly', (transaction) => transaction.get('settings', 'a')),
    ).toBe(1);
    newer.close();
    const database = await openDB('old');
    expect(database.version).toBe(MIGRATIONS.length + 1);
    expect(database.objectStoreNames.contains('later')).toBe(true);
    database.close();
  });

  it('makes room for a newer version in another tab, and says so', async () => {
    const lost: string[] = [];
    await openDatabase('shared', (reason) => lost.push(reason));
    const newer = await openDatabase('shared', ignoreLoss, [...MIGRATIONS, addTable]);
    expect(lost).toEqual(['superseded']);
    newer.close();
  });

  it('does not wait for ever for an older tab that is deaf, and closes what opens too late', async () => {
    // Opened without idb: nothing closes it when another version wants in.
    (await openDatabase('held', ignoreLoss)).close();
    const deaf = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('held', MIGRATIONS.length);
      request.onsuccess = () => resolve(request.result);
    });
    const migrations = [...MIGRATIONS, addTable];
    await expect(openDatabase('held', ignoreLoss, migrations)).rejects.toMatchObject({
      problem: 'blocked',
    });
    deaf.close();
    // Would be blocked in turn if the late connection had stayed open and deaf.
    const again = await openDatabase('held', ignoreLoss, [
      ...migrations,
      (database) => database.deleteObjectStore('later'),
    ]);
    again.close();
  }, 10_000);
});

describe.each<readonly [string, () => Promise<Backing>]>([
  ['the database', () => openDatabase('transactions', ignoreLoss)],
  ['memory', () => Promise.resolve(new MemoryBacking())],
])('a transaction in %s', (_name, open) => {
  it('writes all or nothing', async () => {
    const backing = await open();
    await backing.run(['settings', 'drafts'], 'readwrite', async (transaction) => {
      transaction.put('settings', 'a', 'before');
    });
    const failing = backing.run(['settings', 'drafts'], 'readwrite', async (transaction) => {
      transaction.put('settings', 'a', 'after');
      transaction.put('drafts', 'b', 'after');
      throw new RangeError('halfway');
    });
    await expect(failing).rejects.toThrow('halfway');
    const [a, b] = await backing.run(['settings', 'drafts'], 'readonly', async (transaction) => [
      await transaction.get('settings', 'a'),
      await transaction.get('drafts', 'b'),
    ]);
    expect([a, b]).toEqual(['before', undefined]);
    backing.close();
  });

  it('hands out copies', async () => {
    const backing = await open();
    const value = { list: [1] };
    await backing.run(['settings'], 'readwrite', (transaction) =>
      transaction.put('settings', 'a', value),
    );
    value.list.push(2);
    const read = await backing.run(['settings'], 'readonly', (transaction) =>
      transaction.get('settings', 'a'),
    );
    expect(read).toEqual({ list: [1] });
    backing.close();
  });

  it('lists keys in order, and forgets what is cleared', async () => {
    const backing = await open();
    const keys = await backing.run(['drafts'], 'readwrite', async (transaction) => {
      transaction.put('drafts', 'b', 1);
      transaction.put('drafts', 'a', 1);
      transaction.put('drafts', 'c', 1);
      transaction.delete('drafts', 'c');
      const before = await transaction.keys('drafts');
      transaction.clear('drafts');
      return [before, await transaction.keys('drafts')];
    });
    expect(keys).toEqual([['a', 'b'], []]);
    backing.close();
  });
});

describe('ResilientBacking', () => {
  const put = (backing: Backing): Promise<void> =>
    backing.run(['settings'], 'readwrite', (transaction) => transaction.put('settings', 'a', 1));

  it.each([
    ['missing', 'This browser keeps no data for this page'],
    ['blocked', 'Another tab runs an older Tidepool'],
    ['newer', 'Tidepool was updated in another tab.'],
    ['broken', 'The saved chats could not be opened.'],
  ] as const)(
    'works in memory and says so once when the database is %s',
    async (problem, sentence) => {
      const { DatabaseOpenError } = await import('../../../src/storage/database');
      const notices: string[] = [];
      const backing = new ResilientBacking(
        () => Promise.reject(new DatabaseOpenError(problem, 'test')),
        (notice) => notices.push(notice),
      );
      expect(backing.isPersistent).toBe(true);
      await put(backing);
      await put(backing);
      expect(
        await backing.run(['settings'], 'readonly', (transaction) =>
          transaction.get('settings', 'a'),
        ),
      ).toBe(1);
      expect(backing.isPersistent).toBe(false);
      expect(notices).toEqual([expect.stringContaining(sentence)]);
    },
  );

  it('opens again when the browser has ended the connection', async () => {
    let opened = 0;
    let current: Backing | undefined;
    const backing = new ResilientBacking(async (onLost) => {
      opened += 1;
      current = await openDatabase('ended', onLost);
      return current;
    }, failOnNotice);
    await put(backing);
    current?.close();
    await put(backing);
    expect(opened).toBe(2);
    backing.close();
  });

  it('lets another tab delete the database, and goes on in a new one', async () => {
    const backing = new ResilientBacking((onLost) => openDatabase('deleted', onLost), failOnNotice);
    await put(backing);
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase('deleted');
      request.onsuccess = resolve;
      request.onerror = reject;
    });
    await put(backing);
    backing.close();
  });

  it('tells a failed read in a plain sentence', async () => {
    const backing = new ResilientBacking(
      () =>
        Promise.resolve({
          run: () => Promise.reject(new DOMException('disk', 'UnknownError')),
          close: () => undefined,
        }),
      failOnNotice,
    );
    await expect(put(backing)).rejects.toMatchObject({
      code: 'storage',
      message: 'The saved chats could not be read or written (disk). What is on screen stays.',
    });
  });
});

function failOnNotice(sentence: string): void {
  throw new Error(`unexpected notice: ${sentence}`);
}

describe('DraftStore', () => {
  function openDrafts(backing: Backing) {
    const waiting: (() => void)[] = [];
    const problems: unknown[] = [];
    const drafts = new DraftStore(backing, (error) => problems.push(error), {
      set: (run) => waiting.push(run),
      clear: () => waiting.splice(0),
    });
    return { drafts, problems, waiting };
  }

  const read = (backing: Backing, key: string): Promise<unknown> =>
    backing.run(['drafts'], 'readonly', (transaction) => transaction.get('drafts', key));

  it('writes the newest text after a while, or at once when asked', async () => {
    const backing = new MemoryBacking();
    const { drafts, waiting } = openDrafts(backing);
    drafts.save('a', 'h');
    drafts.save('a', 'hi');
    expect(waiting).toHaveLength(1);
    expect(await read(backing, 'a')).toBeUndefined();
    await drafts.flush();
    expect(await read(backing, 'a')).toBe('hi');
    expect(await drafts.load('a')).toBe('hi');
  });

  it('keeps one draft for each conversation and forgets empty ones', async () => {
    const backing = new MemoryBacking();
    const { drafts } = openDrafts(backing);
    drafts.save('a', 'for a');
    drafts.save('b', 'for b');
    expect(await drafts.load('a')).toBe('for a');
    expect(await drafts.load('b')).toBe('for b');
    drafts.save('a', '');
    await drafts.flush();
    expect(
      await backing.run(['drafts'], 'readonly', (transaction) => transaction.keys('drafts')),
    ).toEqual(['b']);
  });

  it('reports what could not be written and goes on', async () => {
    const backing = new MemoryBacking();
    const run = backing.run.bind(backing);
    const { drafts, problems } = openDrafts(backing);
    backing.run = () => Promise.reject(new Error('full'));
    drafts.save('a', 'text');
    await drafts.flush();
    expect(problems).toEqual([new Error('full')]);
    backing.run = run;
    drafts.save('a', 'text');
    await drafts.flush();
    expect(await read(backing, 'a')).toBe('text');
  });

  it('reads a draft that is no text as none', async () => {
    const backing = new MemoryBacking();
    await backing.run(['drafts'], 'readwrite', (transaction) =>
      transaction.put('drafts', 'a', { x: 1 }),
    );
    expect(await openDrafts(backing).drafts.load('a')).toBe('');
  });
});
