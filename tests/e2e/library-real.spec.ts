// The real engine with models from elsewhere: the embedded model's own folder from disk, a bundle of it, and one
// downloaded from the hub that then answers with the hub gone. Slow: WASM on whatever machine this is.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { expect as baseExpect, test } from './fake-site';

const TIDEPOOL = fileURLToPath(new URL('../../public/models/tidepool', import.meta.url));
const MICRO = new URL('../../public/models/micro/', import.meta.url);
const expect = baseExpect.configure({ timeout: 90_000 });

test.describe.configure({ timeout: 400_000 });

async function openLibrary(page: Page) {
  await page.getByRole('button', { name: /^Model:/ }).click();
  await page.getByRole('button', { name: 'Choose another model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Models' });
  await expect(dialog.getByText('This device:')).toBeVisible();
  return dialog;
}

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
  const dialog = await openLibrary(page);
  await page.getByLabel('Folder of a model').setInputFiles(TIDEPOOL);
  await dialog
    .getByRole('article', { name: 'tidepool', exact: true })
    .getByRole('button', { name: 'Use it' })
    .click();
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
  const paths = [
    'config.json',
    'generation_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'chat_template.jinja',
    'onnx/model_q4.onnx',
    'onnx/model_quantized.onnx',
  ];
  const files = new Map<string, Uint8Array>();
  for (const path of paths) files.set(path, await readFile(new URL(path, MICRO)));
  hub.add({ id: 'school/small-ONNX', files, license: 'apache-2.0' });
  await page.goto(fakeSite);
  const dialog = await openLibrary(page);
  await dialog.getByText('Hub and mirror').click();
  await dialog.getByLabel('Address of the mirror').fill(hub.origin);
  await dialog.getByRole('button', { name: 'Use this address' }).click();
  await dialog.getByLabel('Name of the model on the hub').fill('school/small-ONNX');
  await dialog.locator('form').getByRole('button', { name: 'Look it up' }).click();
  const card = dialog.getByRole('article', { name: 'small', exact: true });
  await card.getByRole('button', { name: /^Download/ }).click();
  await card.getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, small$/ })).toBeVisible();
  await answers(page);
  hub.remove('school/small-ONNX');
  const before = hub.requests.length;
  await page.reload();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, small$/ })).toBeVisible();
  await answers(page);
  expect(hub.requests.length).toBe(before);
});

test('a model that cannot be started gives way to the embedded one, with a sentence', async ({
  page,
  fakeSite,
}) => {
  await page.goto(fakeSite);
  await openLibrary(page);
  const bytes = (path: string) => readFile(new URL(path, MICRO));
  const broken = await Promise.all(
    ['config.json', 'tokenizer.json', 'tokenizer_config.json'].map(async (path) => ({
      path,
      bytes: (await bytes(path)).toString('base64'),
    })),
  );
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
  await page
    .getByRole('article', { name: 'broken', exact: true })
    .getByRole('button', { name: 'Use it' })
    .click();
  await expect(
    page.getByText(/broken could not be started\..*Tidepool answers in its place/),
  ).toBeVisible();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, Tidepool$/ })).toBeVisible();
});
