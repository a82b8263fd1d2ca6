import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { beforeEach, describe, expect, it } from 'vitest';
import { appendMessage, setReply } from '../../../src/core/chat/conversation-tree';
import { replyWith } from '../../replies';
import type { Backing } from '../../../src/storage/backing';
import { ConversationStore, UNDO_WINDOW_MS } from '../../../src/storage/conversation-store';
import { openDatabase } from '../../../src/storage/database';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { ResilientBacking } from '../../../src/storage/resilient-backing';
import { conversationOf, TestChannels } from './conversations';

const BACKINGS: readonly (readonly [string, () => Backing])[] = [
  ['IndexedDB', () => new ResilientBacking((onLost) => openDatabase('test', onLost), failOnNotice)],
  ['memory', () => new MemoryBacking()],
];

function failOnNotice(sentence: string): void {
  throw new Error(`unexpected notice: ${sentence}`);
}

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

describe.each(BACKINGS)('ConversationStore on %s', (_name, makeBacking) => {
  let backing: Backing;
  let channels: TestChannels;
  let now: number;
  let notices: string[];

  beforeEach(() => {
    backing = makeBacking();
    channels = new TestChannels();
    now = 1_000_000;
    notices = [];
  });

  function openStore(): ConversationStore {
    return new ConversationStore({
      backing,
      channel: channels.open(),
      now: () => now,
      onNotice: (sentence) => notices.push(sentence),
    });
  }

  it('gives back what it was given', async () => {
    const store = openStore();
    expect(await store.list()).toEqual([]);
    await store.save(conversationOf('one'));
    expect(await openStore().load('one')).toEqual(conversationOf('one'));
    expect(await store.list()).toEqual([
      { id: 'one', title: 'A sum', createdAt: 1000, updatedAt: 1000 },
    ]);
    expect(await store.load('two')).toBeNull();
  });

  it('lists by the order of writing, even when the clock jumps', async () => {
    const store = openStore();
    await store.save(conversationOf('future', { updatedAt: 9_000_000_000_000 }));
    await store.save(conversationOf('past', { updatedAt: 5 }));
    await store.save(conversationOf('now', { updatedAt: 1000 }));
    expect((await store.list()).map(({ id }) => id)).toEqual(['now', 'past', 'future']);
    await store.save(conversationOf('past', { updatedAt: 4 }));
    expect((await openStore().list()).map(({ id }) => id)).toEqual(['past', 'now', 'future']);
  });

  it('leaves a conversation in its place when it is only renamed', async () => {
    const store = openStore();
    await store.save(conversationOf('a'));
    await store.save(conversationOf('b'));
    await store.save({ ...conversationOf('a'), title: 'Renamed', isNamed: true });
    expect((await store.list()).map(({ title }) => title)).toEqual(['A sum', 'Renamed']);
  });

  it('writes only the newest of many saves that wait', async () => {
    const store = openStore();
    let writes = 0;
    const run = backing.run.bind(backing);
    backing.run = (tables, mode, work) => {
      if (mode === 'readwrite') writes += 1;
      return run(tables, mode, work);
    };
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        store.save(conversationOf('a', { answer: `answer ${at}` })),
      ),
    );
    expect(writes).toBe(1);
    const kept = await store.load('a');
    expect(kept).toEqual(conversationOf('a', { answer: 'answer 49' }));
  });

  it('brings a deleted conversation back within the window, and not after', async () => {
    const store = openStore();
    await store.save(conversationOf('a'));
    await store.delete('a');
    expect(await store.list()).toEqual([]);
    expect(await store.restore('a')).toEqual(conversationOf('a'));
    expect(await store.load('a')).toEqual(conversationOf('a'));

    await store.delete('a');
    now += UNDO_WINDOW_MS + 1;
    await store.delete('another');
    expect(await store.restore('a')).toBeNull();
  });

  it('empties the trash when the clock went back by years', async () => {
    const store = openStore();
    await store.save(conversationOf('a'));
    await store.delete('a');
    now -= 100 * UNDO_WINDOW_MS;
    await store.delete('another');
    expect(await store.restore('a')).toBeNull();
  });

  it('deletes after the save that waits, not before', async () => {
    const store = openStore();
    const saved = store.save(conversationOf('a'));
    await store.delete('a');
    await saved;
    expect(await store.list()).toEqual([]);
  });

  it('keeps the messages of both tabs that write to one conversation', async () => {
    const first = openStore();
    const second = openStore();
    await first.save(conversationOf('a'));
    const base = await second.load('a');
    if (base === null) throw new Error('not kept');
    const say = (id: string) => ({ id, createdAt: 1, role: 'user', text: id }) as const;
    await second.save({ ...base, tree: appendMessage(base.tree, say('from-second')) });
    const ours = { ...base, tree: appendMessage(base.tree, say('from-first')) };
    await first.save(ours);
    // The first tab still does not hold the second's message; its next save must not drop it either.
    await first.save({ ...ours, tree: appendMessage(ours.tree, say('again')), updatedAt: 2000 });
    const kept = await openStore().load('a');
    expect(Object.keys(kept?.tree.nodes ?? {}).sort()).toEqual(
      ['a-a', 'a-q', 'again', 'from-first', 'from-second'].sort(),
    );
    expect(kept?.tree.nodes['a-a']?.children).toEqual(['from-first', 'from-second']);
  });

  it('does not take a reply that is cut off for one that is finished', async () => {
    const first = openStore();
    const second = openStore();
    const finished = conversationOf('a', { answer: 'all of it' });
    const cut = {
      ...finished,
      tree: setReply(finished.tree, 'a-a', replyWith(128, 'all')),
    };
    await first.save(cut);
    await second.load('a');
    await second.save(finished);
    await first.save(cut);
    expect(await openStore().load('a')).toEqual(finished);
  });

  it('tells other tabs, and not itself', async () => {
    const first = openStore();
    const second = openStore();
    const heard: string[] = [];
    first.onChange(({ type }) => heard.push(`first ${type}`));
    const stop = second.onChange(({ type }) => heard.push(`second ${type}`));
    await first.save(conversationOf('a'));
    await first.delete('a');
    stop();
    await first.deleteAll();
    expect(heard).toEqual(['second saved', 'second deleted']);
  });

  it('sets a damaged record aside with a notice and reads all others', async () => {
    const store = openStore();
    await store.save(conversationOf('good'));
    await store.save(conversationOf('bad'));
    await backing.run(['conversations', 'summaries'], 'readwrite', async (transaction) => {
      transaction.put('conversations', 'bad', { conversation: { id: 7 } });
      transaction.delete('summaries', 'bad');
    });
    expect((await store.list()).map(({ id }) => id)).toEqual(['good']);
    expect(notices).toEqual([expect.stringContaining('conversation.id should be an id')]);
    const aside = await backing.run(['aside'], 'readonly', async (transaction) =>
      Promise.all((await transaction.keys('aside')).map((key) => transaction.get('aside', key))),
    );
    expect(aside).toEqual([
      {
        reason: expect.stringContaining('but is 7') as string,
        keptAt: now,
        value: { conversation: { id: 7 } },
      },
    ]);
    expect(await store.load('bad')).toBeNull();
    expect(notices).toHaveLength(1);
  });

  it('makes a lost or damaged summary again', async () => {
    const store = openStore();
    await store.save(conversationOf('a'));
    await backing.run(['summaries'], 'readwrite', (transaction) =>
      transaction.put('summaries', 'a', { summary: null, order: 'x' }),
    );
    expect((await store.list()).map(({ title }) => title)).toEqual(['A sum']);
    expect(notices).toEqual([]);
  });

  it('refuses a conversation that it could not read back, and keeps the one before', async () => {
    const store = openStore();
    await store.save(conversationOf('a'));
    await expect(
      store.save({ ...conversationOf('a'), title: 'x'.repeat(201) }),
    ).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('title should be a text of at most 200') as string,
    });
    expect(await store.load('a')).toEqual(conversationOf('a'));
  });

  it('goes on after a write that failed', async () => {
    const store = openStore();
    const run = backing.run.bind(backing);
    backing.run = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
    await expect(store.save(conversationOf('a'))).rejects.toThrow('full');
    backing.run = run;
    await store.save(conversationOf('a'));
    expect(await store.load('a')).not.toBeNull();
  });

  it('finds words in titles and texts, whatever their case', async () => {
    const store = openStore();
    await store.save(
      conversationOf('fox', { title: 'Story', answer: `${'far '.repeat(30)}A Red\nFox ran.` }),
    );
    await store.save(conversationOf('sum', { title: 'Red sums' }));
    const hits = await store.search('RED');
    expect(hits.map(({ summary }) => summary.id)).toEqual(['sum', 'fox']);
    const fox = hits[1];
    expect(fox?.snippet.slice(fox.start, fox.end)).toBe('Red');
    expect(fox?.snippet).toMatch(/^….*A Red Fox ran\.$/);
    expect((await store.search('fox story')).map(({ summary }) => summary.id)).toEqual(['fox']);
    expect(await store.search('fox nowhere')).toEqual([]);
    expect(await store.search('  ')).toEqual([]);
  });

  it('gives all for export and deletes all', async () => {
    const store = openStore();
    await store.save(conversationOf('a'));
    await store.save(conversationOf('b'));
    const all = [];
    for await (const conversation of store.all()) all.push(conversation.id);
    expect(all).toEqual(['b', 'a']);
    await store.deleteAll();
    expect(await store.list()).toEqual([]);
    expect(await store.restore('a')).toBeNull();
  });
});

describe('ConversationStore over a database that fails', () => {
  it('says plainly that there is no room, and keeps what was there', async () => {
    const backing = new ResilientBacking((onLost) => openDatabase('quota', onLost), failOnNotice);
    const store = new ConversationStore({
      backing,
      channel: new TestChannels().open(),
      now: () => 1,
      onNotice: failOnNotice,
    });
    await store.save(conversationOf('a'));
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('no room', 'QuotaExceededError');
    };
    try {
      await expect(store.save(conversationOf('a', { answer: '5' }))).rejects.toMatchObject({
        code: 'storage',
        message: 'There is no room left to save this chat. It stays on screen.',
      });
    } finally {
      IDBObjectStore.prototype.put = put;
    }
    expect(await store.load('a')).toEqual(conversationOf('a'));
    store.close();
  });

  it('opens again when another tab made it close, and goes to memory when that tab is newer', async () => {
    const notices: string[] = [];
    const backing = new ResilientBacking(
      (onLost) => openDatabase('upgraded', onLost),
      (sentence) => notices.push(sentence),
    );
    const store = new ConversationStore({
      backing,
      channel: new TestChannels().open(),
      now: () => 1,
      onNotice: failOnNotice,
    });
    await store.save(conversationOf('a'));
    const newer = await openDB('upgraded', 99);
    expect(notices).toEqual([]);
    await store.save(conversationOf('b'));
    expect(notices).toEqual([
      expect.stringMatching(/^Tidepool was updated in another tab\. Reload/),
    ]);
    expect(backing.isPersistent).toBe(false);
    expect((await store.list()).map(({ id }) => id)).toEqual(['b']);
    expect(await newer.getAllKeys('conversations')).toEqual(['a']);
    newer.close();
    store.close();
  });
});
