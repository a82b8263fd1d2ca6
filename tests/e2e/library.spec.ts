// The library: choosing, looking up on the hub with all that can go wrong there, downloading with pauses, folders and
// bundles from disk. The hub is one on this machine that answers as the real one does.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from './fake-site';
import { cardOf, openLibrary } from './library-page';

const TIDEPOOL = fileURLToPath(new URL('../../public/models/tidepool', import.meta.url));

test('shows each model with its layers, sizes, memory and whether it runs here', async ({
  chat,
}) => {
  await chat.open('thinks');
  const dialog = await openLibrary(chat.page);
  const own = cardOf(chat.page, 'Tidepool');
  await expect(own.getByText('In use')).toBeVisible();
  // Its facts come from its manifest.
  const manifest = await readFile(`${TIDEPOOL}/manifest.json`, 'utf8');
  const { parameters } = JSON.parse(manifest) as { parameters: number };
  await expect(own).toContainText(`${Number((parameters / 1e6).toPrecision(3))} million`);
  await expect(own.getByRole('img', { name: /12 layers: .*Mamba-2.*attention/ })).toBeVisible();
  const granite = cardOf(chat.page, 'Granite 4.0 H 350M');
  await expect(
    granite.getByRole('img', { name: '32 layers: 28 Mamba-2, 32 MLP, 4 attention' }),
  ).toBeVisible();
  await expect(granite.getByText(/at the start, .* at 4,096 tokens/)).toBeVisible();
  await expect(granite.getByRole('link', { name: 'Apache-2.0' })).toBeVisible();
  await expect(cardOf(chat.page, 'LFM2 8B-A1B').getByText('Cannot run here')).toBeVisible();
  const tiny = cardOf(chat.page, 'Granite 4.0 H Tiny');
  await expect(tiny.getByText(/No ONNX export/)).toBeVisible();
  await expect(tiny.getByText('Cannot be fetched yet')).toBeVisible();
  await expect(tiny).not.toContainText('look');
  // One is recommended, it stands first, and it says why.
  await expect(dialog.getByText('Recommended here.')).toHaveCount(1);
  await expect(dialog.getByRole('article').first().getByText('Recommended here.')).toBeVisible();
  await chat.expectAccessible();
});

test('changes the model in mid-conversation, says so, and remembers it', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  const dialog = await openLibrary(page);
  await expect(dialog.getByText(/reads all of it anew/)).toBeVisible();
  await cardOf(page, 'Micro').getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByText('Micro answers from here on.')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Model: .*, Micro$/ })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', { name: /^Model: .*, Micro$/ })).toBeVisible();
});

test('takes a folder, refuses one that is none, and makes a bundle that opens again', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  const dialog = await openLibrary(page);
  await page
    .getByLabel('Folder of a model')
    .setInputFiles(fileURLToPath(new URL('../../docs', import.meta.url)));
  await expect(dialog.getByRole('alert')).toContainText('has no ONNX file');
  await page.getByLabel('Folder of a model').setInputFiles(TIDEPOOL);
  const card = cardOf(page, 'tidepool');
  await expect(card.getByText('Opened from this computer.')).toBeVisible();
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  const saving = page.waitForEvent('download');
  await card.getByRole('button', { name: 'Save as one file' }).click();
  const bundle = await (await saving).path();
  await page.reload();
  await openLibrary(page);
  await page.getByLabel('Bundle of a model').setInputFiles({
    name: 'saved.tidepool',
    mimeType: 'application/zip',
    buffer: await readFile(bundle),
  });
  await expect(cardOf(page, 'saved').getByRole('button', { name: 'Use it' })).toBeVisible();
  await page.getByLabel('Bundle of a model').setInputFiles({
    name: 'cut.tidepool',
    mimeType: 'application/zip',
    buffer: (await readFile(bundle)).subarray(0, 5000),
  });
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText(
    'The bundle cannot be opened',
  );
});

test('takes a file that is dropped on the page', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['no zip'], 'broken.tidepool'));
    window.dispatchEvent(
      new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }),
    );
  });
  await expect(page.getByRole('dialog', { name: 'Models' }).getByRole('alert')).toContainText(
    'it is no zip archive',
  );
});
