// A model that won't fit: the browser is asked before anything is fetched, and the person gets a choice.
import { expect, test } from './fake-site';
import { cardOf, chooseHub, lookUp, microFiles, openLibrary } from './library-page';

const REPO = 'academy/large-ONNX';
const FREE = 17 * 2 ** 20;

test('a download that will not fit is not begun: from memory, smaller, or room made for it', async ({
  chat,
  hub,
}) => {
  const files = await microFiles(['config.json', 'tokenizer.json', 'tokenizer_config.json']);
  files.set('onnx/model_q4.onnx', new Uint8Array(300_000).fill(1));
  files.set('onnx/model_quantized.onnx', new Uint8Array(5_000_000).fill(2));
  hub.add({ id: REPO, files, license: 'apache-2.0', languages: ['en'] });
  const { page } = chat;
  // Chromium answers 10 GiB whatever there is; a browser that tells the truth has 1 MiB above what is left for chats.
  await page.addInitScript((free) => {
    navigator.storage.estimate = () =>
      Promise.resolve({ usage: 50_000_000, quota: 50_000_000 + free });
  }, FREE);
  await chat.open('thinks');
  const dialog = await openLibrary(page);
  await chooseHub(page, hub);
  await lookUp(page, REPO);
  const card = cardOf(page, 'large');
  await card.getByRole('combobox', { name: /Variant/ }).selectOption('quantized');
  await card.getByRole('button', { name: /^Download/ }).click();
  const choice = card.getByRole('group', { name: 'No room for large' });
  await expect(choice).toContainText(/There is no room to keep large: [\d.]+ MiB are missing/);
  await expect(choice).toContainText('17.0 MiB left');
  // The hub notes a request when it ends, which may be one of the test before.
  const weights = (): number =>
    hub.requests.filter(({ path }) => path.includes(REPO) && path.endsWith('.onnx')).length;
  expect(weights()).toBe(0);
  await chat.expectAccessible();

  await choice.getByRole('button', { name: 'Free space…' }).click();
  const storage = page.getByRole('dialog', { name: 'Storage' });
  await expect(storage).toBeVisible();
  await storage.getByRole('button', { name: 'Close' }).click();

  await choice.getByRole('button', { name: /^Smaller: q4, 293 KiB/ }).click();
  await expect(choice).toHaveCount(0);
  await expect(card.getByText('Downloaded')).toBeVisible();
  expect(weights()).toBeGreaterThan(0);

  await card.getByRole('combobox', { name: /Variant/ }).selectOption('quantized');
  await card.getByRole('button', { name: /^Download/ }).click();
  await choice.getByRole('button', { name: 'Run it from memory' }).click();
  await expect(dialog).toBeHidden();
  const kept = await page.evaluate(async () =>
    (await (await caches.open('tidepool-models-v1')).keys()).filter(({ url }) =>
      url.includes('quantized'),
    ),
  );
  expect(kept).toEqual([]);
});
