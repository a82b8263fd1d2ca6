// The list of conversations over the real store in memory.
import { answerOf } from '../../../src/core/chat/reply-parts';
import { expect, test } from 'vitest';
import { makeApp, until } from './make-app';

async function withThree() {
  const app = makeApp('thinks');
  for (const text of ['What is a fox?', 'What is a kite?', 'Who are you?']) {
    app.chat.startNew();
    await app.chat.send(text);
  }
  return app;
}

test('shows the conversation that was written last first, and the same after a reload', async () => {
  const app = await withThree();
  const titles = ['Who are you?', 'What is a kite?', 'What is a fox?'];
  expect(app.list.items.map(({ title }) => title)).toEqual(titles);
  await app.store.settled();
  const again = makeApp('thinks', app.backing);
  await again.list.load();
  expect(again.list.items.map(({ title }) => title)).toEqual(titles);
});

test('finds words in questions and answers', async () => {
  const app = await withThree();
  app.list.query = 'KITE what';
  await until(() => app.list.hits !== null, 'the search');
  expect(app.list.hits?.map((hit) => hit.summary.title)).toEqual(['What is a kite?']);
  app.list.query = '  ';
  await until(() => app.list.hits === null, 'the end of the search');
});

test('renames, and a blank name changes nothing', async () => {
  const app = await withThree();
  const [first] = app.list.items;
  await app.list.rename(first?.id ?? '', ' Names ');
  await app.list.rename(first?.id ?? '', '   ');
  expect(app.list.items[0]?.title).toBe('Names');
  expect((await app.list.read(first?.id ?? ''))?.isNamed).toBe(true);
});

test('a chosen title stays when the chat goes on', async () => {
  const app = await withThree();
  app.chat.rename('Mine');
  await app.chat.send('more');
  expect(app.chat.conversation.title).toBe('Mine');
});

test('deletes, and brings back', async () => {
  const app = await withThree();
  const id = app.list.items[1]?.id ?? '';
  await app.list.delete(id);
  expect(app.list.items.map((item) => item.id)).not.toContain(id);
  expect(await app.list.read(id)).toBeNull();
  const back = await app.list.undoDelete(id);
  expect(back?.title).toBe('What is a kite?');
  expect(app.list.items.map((item) => item.id)).toContain(id);
});

test('a reply that ends after its chat was deleted does not bring it back', async () => {
  const app = makeApp('streams');
  const sent = app.chat.send('hi');
  await until(
    () => answerOf(app.chat.live?.reply.view.reply.parts ?? []).length > 0,
    'some answer',
  );
  const { id } = app.chat.conversation;
  app.chat.startNew();
  await app.list.delete(id);
  await sent;
  await app.store.settled();
  expect(await app.list.read(id)).toBeNull();
  expect(app.list.items).toEqual([]);
});

test('a store that fails is a problem to show, not a crash', async () => {
  const app = await withThree();
  app.store.load = () => Promise.reject(new Error('disk full'));
  expect(await app.list.read('any')).toBeNull();
  expect(app.problems).toHaveLength(1);
});
