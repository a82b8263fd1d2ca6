// The real engine with models from elsewhere: the embedded model's own folder from disk, a bundle of it, and one
// downloaded from the hub that then answers with the hub gone. Slow: WASM on whatever machine this is.
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { expect as baseExpect, test } from './fake-site';
import { cardOf, chooseHub, lookUp, microFiles, openLibrary } from './library-page';

const TIDEPOOL = fileURLToPath(new URL('../../public/models/tidepool', import.meta.url));
const expect = baseExpect.configure({ timeout: 90_000 });

test.describe.configure({ timeout: 400_000 });

async function answers(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill('2 + 3');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('button', { name: 'Send' })).toBeVisible();
  await expect(page.getByRole('article').last()).toContainText(/\d|\w/);
}

test('a folder from disk opens the embedded model’s own files and answers', async ({
  page,
  fakeSite,
}) => {
  await page.goto(fakeSite);
  await openLibrary(page);
  await page.getByLabel('Folder of a model').setInputFiles(TIDEPOOL);
  await cardOf(page, 'tidepool').getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, tidepool$/ })).toBeVisible();
  await answers(page);
});

test('a model from disk is kept, is there after a reload without the folder, and is deleted', async ({
  page,
  fakeSite,
}) => {
  await page.goto(fakeSite);
  let dialog = await openLibrary(page);
  await page.getByLabel('Folder of a model').setInputFiles(TIDEPOOL);
  const card = () => dialog.getByRole('article', { name: 'tidepool', exact: true });
  await expect(card()).toContainText('unless you keep a copy in this browser');
  await card()
    .getByRole('button', { name: /^Keep it here/ })
    .click();
  await expect(card()).toContainText('Kept here');
  await card().getByRole('button', { name: 'Use it' }).click();
  const chip = page.getByRole('button', { name: /^Model: WASM.*, tidepool$/ });
  await expect(chip).toBeVisible();

  await page.reload();
  await expect(chip).toBeVisible();
  await answers(page);
  await page.getByRole('button', { name: 'Storage' }).first().click();
  const storage = page.getByRole('dialog', { name: 'Storage' });
  await expect(storage.getByText(/from this computer · running now/)).toBeVisible();
  await page.keyboard.press('Escape');

  dialog = await openLibrary(page);
  await expect(card()).toContainText('A copy is kept in this browser');
  await card().getByRole('button', { name: 'Delete…' }).click();
  await card().getByRole('button', { name: 'Delete for good' }).click();
  await expect(card()).toBeHidden();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, Tidepool$/ })).toBeVisible();
});

test('a model from the hub is downloaded, answers, and is there after a reload without the hub', async ({
  page,
  fakeSite,
  hub,
}) => {
  hub.add({ id: 'school/small-ONNX', files: await microFiles(), license: 'apache-2.0' });
  await page.goto(fakeSite);
  await openLibrary(page);
  await chooseHub(page, hub);
  await lookUp(page, 'school/small-ONNX');
  const card = cardOf(page, 'small');
  await card.getByRole('button', { name: /^Download/ }).click();
  await card.getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, small$/ })).toBeVisible();
  await answers(page);
  hub.remove('school/small-ONNX');
  // What this page asks; the hub itself notes a request when it ends, which may be one from before.
  const asked: string[] = [];
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin === hub.origin || origin === hub.contentOrigin) asked.push(request.url());
  });
  await page.reload();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, small$/ })).toBeVisible();
  await answers(page);
  expect(asked).toEqual([]);
});

test('a model that cannot be started gives way to the embedded one, with a sentence', async ({
  page,
  fakeSite,
}) => {
  await page.goto(fakeSite);
  await openLibrary(page);
  const files = await microFiles(['config.json', 'tokenizer.json', 'tokenizer_config.json']);
  const broken = [...files].map(([path, bytes]) => ({
    path,
    bytes: Buffer.from(bytes).toString('base64'),
  }));
  // A folder whose graph is no graph.
  await page.evaluate((files) => {
    const input = document.querySelector<HTMLInputElement>('input[webkitdirectory]');
    if (input === null) throw new Error('no folder input');
    const data = new DataTransfer();
    for (const { path, bytes } of [
      ...files,
      { path: 'onnx/model_quantized.onnx', bytes: btoa('no graph at all') },
    ]) {
      const file = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], path);
      Object.defineProperty(file, 'webkitRelativePath', { value: `broken/${path}` });
      data.items.add(file);
    }
    Object.defineProperty(input, 'files', { value: data.files, configurable: true });
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }, broken);
  await cardOf(page, 'broken').getByRole('button', { name: 'Use it' }).click();
  await expect(
    page.getByText(/broken could not be started\..*Tidepool answers in its place/),
  ).toBeVisible();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, Tidepool$/ })).toBeVisible();
});
