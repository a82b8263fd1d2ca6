// The database of chats: held by an older tab that does not let go, newer than this version, and damaged records.
import { expect, test, type Page } from '@playwright/test';
import { chip, expectAnswer, log, openMicro, thinkShortly } from '../e2e/real-page';

const chats = (page: Page) =>
  page.getByRole('navigation', { name: 'Conversations' }).getByRole('listitem');

test('IndexedDB blocked by an older tab: said in a sentence, answered all the same, and nothing of the old is lost', async ({
  page,
  context,
}) => {
  // An older version that does not hear that it should let go.
  await page.addInitScript(() => {
    IDBDatabase.prototype.close = () => undefined;
  });
  await openMicro(page);
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');

  const newer = await context.newPage();
  await newer.addInitScript(() => {
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (this: IDBFactory, name, version = 1) {
      return open.call(this, name, name === 'tidepool' ? version + 1 : version);
    };
  });
  await openMicro(newer);
  await expect(newer.getByText(/Another tab runs an older Tidepool/)).toBeVisible();
  await thinkShortly(newer);
  await expectAnswer(newer, 'What is 4 + 4?');

  await page.close();
  await newer.reload();
  await expect(chats(newer)).toHaveCount(1);
  await expect(chats(newer)).toContainText('What is 2 + 3?');
  await expectAnswer(newer, 'What is 5 + 5?');
});

test('IndexedDB newer than this version: said in a sentence, and the page answers', async ({
  page,
}) => {
  await page.goto('./manifest.webmanifest');
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('tidepool', 999);
        opening.onerror = () => reject(new Error('not opened'));
        opening.onsuccess = () => {
          opening.result.close();
          resolve();
        };
      }),
  );
  await openMicro(page);
  await expect(page.getByText(/Tidepool was updated in another tab/)).toBeVisible();
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
});

test('IndexedDB with damaged records: the damaged chat is set aside and said, the others are there', async ({
  page,
}) => {
  await openMicro(page);
  await thinkShortly(page);
  for (const question of ['What is 2 + 3?', 'What is 4 + 4?']) {
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await expectAnswer(page, question);
  }
  const address = page.url();
  await page.goto('./manifest.webmanifest');
  const damaged = await page.evaluate(async () => {
    const settle = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error(String(request.error)));
      });
    const database = await settle(indexedDB.open('tidepool'));
    const tables = ['conversations', 'summaries', 'settings', 'drafts'];
    const transaction = database.transaction(tables, 'readwrite');
    const conversations = transaction.objectStore('conversations');
    const summaries = transaction.objectStore('summaries');
    const [first] = await settle(conversations.getAllKeys());
    for (const key of await settle(summaries.getAllKeys()))
      await settle(summaries.put({ nothing: 'of use' }, key));
    if (first !== undefined)
      await settle(conversations.put({ conversation: { id: 7, tree: null } }, first));
    const settings = transaction.objectStore('settings');
    for (const key of await settle(settings.getAllKeys()))
      await settle(settings.put('\u0000damaged', key));
    await settle(transaction.objectStore('drafts').put({ not: 'a text' }, 'new'));
    database.close();
    return first;
  });
  expect(damaged).toBeDefined();
  await page.goto(address);
  await expect(page.getByText(/could not be read and was set aside/)).toBeVisible();
  await expect(chats(page)).toHaveCount(1);
  await chats(page).getByRole('button').first().click();
  await expect(log(page)).toContainText(/What is (?:2 \+ 3|4 \+ 4)\?/);
  await expect(chip(page)).toBeVisible();
  await thinkShortly(page);
  await expectAnswer(page, 'What is 5 + 5?');
});
