// What stays: drafts, conversations, titles, files, the choice of colours.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from './fake-site';
import { expectKept } from './kept';

test('a draft and an open chat survive a reload', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  await expectKept(page, '23 + 58 = **81**');
  await page.getByRole('textbox', { name: 'Message' }).fill('half a thou');
  await page.reload();
  await expect(page.getByRole('log')).toContainText('23 + 58 = 81');
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('half a thou');
});

test('a reload in mid-reply keeps what was written and offers to go on', async ({ chat }) => {
  const { page } = chat;
  // Ten seconds of reply: it is still being written when the page is reloaded.
  await chat.open('streams', 100);
  await chat.ask('Why two memories?');
  await expect(page.getByRole('log').getByText('A hybrid keeps two memories.')).toBeVisible();
  await expectKept(page, 'A hybrid keeps two memories.');
  await page.reload();
  await expect(page.getByRole('log').getByText('A hybrid keeps two memories.')).toBeVisible();
  await expect(page.getByText('This reply was cut off before its end.')).toBeVisible();
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('log').getByText(/adds/)).toBeVisible();
});

test('chats are listed, renamed, found, deleted and brought back', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  const nav = page.getByRole('navigation', { name: 'Conversations' });
  for (const text of [
    'What is a fox?',
    'What is a kite?',
    'Who are you?',
    'How deep is the sea?',
  ]) {
    await page.getByRole('button', { name: 'New chat' }).click();
    await chat.ask(text);
    await chat.replied();
  }
  await expect(nav.getByRole('listitem')).toHaveCount(4);

  await nav.getByRole('button', { name: 'What is a kite?', exact: true }).hover();
  await nav.getByRole('button', { name: 'Rename “What is a kite?”' }).click();
  await nav.getByRole('textbox', { name: 'New title' }).fill('Kites');
  await page.keyboard.press('Enter');
  await expect(nav.getByRole('button', { name: 'Kites', exact: true })).toBeVisible();

  await nav.getByRole('searchbox').fill('kite');
  await expect(nav.getByRole('list', { name: 'Found' }).getByRole('listitem')).toHaveCount(1);
  await nav.getByRole('searchbox').fill('');

  await nav.getByRole('button', { name: 'Kites', exact: true }).hover();
  await nav.getByRole('button', { name: 'Delete “Kites”' }).click();
  await expect(nav.getByRole('listitem')).toHaveCount(3);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(nav.getByRole('button', { name: 'Kites', exact: true })).toBeVisible();

  await nav.getByRole('button', { name: 'Kites', exact: true }).click();
  await expect(page.getByRole('log')).toContainText('What is a kite?');
  await page.goBack();
  await expect(page.getByRole('log')).toContainText('How deep is the sea?');
});

test('an exported file comes in again after everything was deleted', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await chat.ask('What is a fox?');
  await chat.replied();
  await page.getByRole('button', { name: 'Export, import' }).click();
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'All chats, JSON' }).click();
  const download = await downloading;
  const text = await readFile(await download.path(), 'utf8');
  expect(text).toContain('What is a fox?');
  await page.getByRole('button', { name: 'Delete all chats…' }).click();
  await page.getByRole('button', { name: 'Delete them all' }).click();
  const nav = page.getByRole('navigation', { name: 'Conversations' });
  await expect(nav.getByRole('listitem')).toHaveCount(0);
  await page.getByRole('button', { name: 'Export, import' }).click();
  const file = { name: 'chats.json', mimeType: 'application/json', buffer: Buffer.from(text) };
  await page.getByLabel('Choose files').setInputFiles(file);
  await expect(nav.getByRole('button', { name: 'What is a fox?', exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Export, import' }).click();
  await page.getByLabel('Choose files').setInputFiles({ ...file, buffer: Buffer.from('{"a":') });
  await expect(page.getByText('it is not JSON')).toBeVisible();
});

test('chats of other programs come in together, and what was left out is said', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  await page.getByRole('button', { name: 'Export, import' }).click();
  await chat.expectAccessible();
  await page
    .getByLabel('Choose files')
    .setInputFiles(
      ['chatgpt', 'llama-cpp', 'open-webui'].map((name) =>
        fileURLToPath(new URL(`../fixtures/foreign/${name}.json`, import.meta.url)),
      ),
    );
  await expect(page.getByText('3 chats came in.')).toBeVisible();
  await expect(page.getByText(/2 pieces from ChatGPT were left out/)).toBeVisible();
  const nav = page.getByRole('navigation', { name: 'Conversations' });
  await nav.getByRole('button', { name: 'Tides and pictures', exact: true }).click();
  await expect(page.getByText('The moon, about every 12 hours.')).toBeVisible();
});

test('the colours that were chosen stay', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
