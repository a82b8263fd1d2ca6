// What is kept, in the real browser: downloads that go on and heal, no room, the storage page, the guard against loops.
import { expect, test, type Locator, type Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chip, expectAnswer, log, openMicro, thinkShortly } from './real-page';
import { FaultHost } from '../fault-host';
import { indexWithoutLarger, workerWithIndex } from './plain-host';

const DIST = resolve(process.env['TIDEPOOL_DIST'] ?? 'dist');
const FILE = 'models/micro/onnx/model_quantized.onnx';
const PART = 4 * 1024 * 1024;

let host: FaultHost;

test.beforeEach(async () => {
  host = await FaultHost.start(DIST);
  // No larger model: a page from this machine would fetch it by itself.
  const index = indexWithoutLarger();
  if (index === null) return;
  host.put('models/index.json', index);
  host.put('service-worker.js', workerWithIndex(index));
});
test.afterEach(() => host.close());

/** The micro model made ten megabytes long by a note that ONNX Runtime does not read (doc_string, field 6). */
function serveLargeModel(): void {
  const model = readFileSync(join(DIST, FILE));
  const note = Buffer.alloc(10_000_000, 'tidepool ');
  const length: number[] = [];
  for (let rest = note.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  const large = Buffer.concat([model, Buffer.from([(6 << 3) | 2, ...length]), note]);
  const manifest = JSON.parse(readFileSync(join(DIST, 'models/micro/manifest.json'), 'utf8')) as {
    files: { path: string; bytes: number; sha256: string }[];
  };
  for (const file of manifest.files) {
    if (!FILE.endsWith(file.path)) continue;
    file.bytes = large.length;
    file.sha256 = createHash('sha256').update(large).digest('hex');
  }
  host.put(FILE, large);
  host.put('models/micro/manifest.json', Buffer.from(JSON.stringify(manifest)));
}

function open(page: Page): Promise<void> {
  return openMicro(page, host.url);
}

async function ready(page: Page): Promise<void> {
  await expect(chip(page)).toBeVisible({ timeout: 90_000 });
}

/** Addresses in the cache of models. */
function keptModels(page: Page): Promise<string[]> {
  return page.evaluate(async () =>
    (await (await caches.open('tidepool-models-v1')).keys()).map(({ url }) => url),
  );
}

/** The storage page, when all of it has been read. */
async function openStorage(page: Page) {
  await page.getByRole('button', { name: 'Storage', exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Storage' });
  await expect(dialog).toContainText(/\d+ chats?/);
  return dialog;
}

test('a download that stopped half way goes on after a reload where it was', async ({ page }) => {
  serveLargeModel();
  host.fault = (path) => (path === FILE ? { kind: 'stall', afterBytes: 5_200_000 } : null);
  await open(page);
  await expect
    .poll(() => keptModels(page), { timeout: 60_000 })
    .toContainEqual(expect.stringMatching(/model_quantized\.onnx\?sha256=\w+&part=0$/));
  expect(host.asked(FILE)).toHaveLength(1);
  host.fault = () => null;
  await page.reload();
  await ready(page);
  const [, second, ...others] = host.asked(FILE);
  expect(second).toMatchObject({ range: `bytes=${PART}-`, status: 206 });
  expect(others).toEqual([]);
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
});

test('a flipped bit in the cache is healed by fetching that part alone', async ({ page }) => {
  serveLargeModel();
  await open(page);
  await ready(page);
  await expect.poll(() => keptModels(page)).toContainEqual(expect.stringMatching(/&whole$/));
  await page.evaluate(async () => {
    const cache = await caches.open('tidepool-models-v1');
    const key = (await cache.keys()).find(({ url }) => url.endsWith('&part=1'));
    const response = key === undefined ? undefined : await cache.match(key);
    if (key === undefined || response === undefined) throw new Error('part 1 is not kept');
    const bytes = new Uint8Array(await response.arrayBuffer());
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await cache.put(key, new Response(bytes, { headers: response.headers }));
  });
  host.requests.length = 0;
  await page.reload();
  await ready(page);
  expect(host.asked(FILE)).toMatchObject([{ range: `bytes=${PART}-`, status: 206 }]);
  host.requests.length = 0;
  await page.reload();
  await ready(page);
  expect(host.asked(FILE)).toEqual([]);
});

test('without room the model runs from memory, says so, and the storage page says so', async ({
  page,
}) => {
  serveLargeModel();
  const session = await page.context().newCDPSession(page);
  const origin = new URL(host.url).origin;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 6_000_000 });
  await open(page);
  await ready(page);
  await expect(page.getByText(/runs from memory/)).toBeVisible();
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
  expect((await keptModels(page)).filter((url) => url.includes('.onnx'))).toEqual([]);
  const dialog = await openStorage(page);
  await expect(dialog).toContainText('There was no room to keep the running model');
});

test('the storage page names what is kept, deletes a model after asking, and the model comes back', async ({
  page,
}) => {
  await open(page);
  await ready(page);
  await expect
    .poll(() => keptModels(page))
    .toContainEqual(expect.stringMatching(/manifest\.json$/));
  const dialog = await openStorage(page);
  const row = dialog.getByRole('listitem').filter({ hasText: 'micro' });
  await expect(row).toContainText('quantized');
  await expect(row).toContainText('running now');
  await expect(row).toContainText(/\d+ KiB/);
  await row.getByRole('button', { name: 'Delete micro' }).click();
  await expect(row).toContainText('goes on running until this page closes');
  await row.getByRole('button', { name: 'Keep' }).click();
  expect((await keptModels(page)).length).toBeGreaterThan(0);
  await row.getByRole('button', { name: 'Delete micro' }).click();
  await row.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(dialog).toContainText('No model is kept.');
  expect(await keptModels(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
  await page.reload();
  await ready(page);
  await expect
    .poll(() => keptModels(page))
    .toContainEqual(expect.stringMatching(/manifest\.json$/));
});

async function openPrompts(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Add to the message' }).click();
  await page.getByRole('menuitem', { name: /prompt/i }).click();
  return page.getByRole('dialog', { name: 'Prompts' });
}

async function savePrompt(page: Page): Promise<void> {
  const prompts = await openPrompts(page);
  await prompts.getByRole('button', { name: 'New prompt' }).click();
  await prompts.getByLabel('Name').fill('Explain');
  await prompts.getByLabel('Text', { exact: true }).fill('Explain {{topic}} in a word.');
  await prompts.getByRole('button', { name: 'Save prompt' }).click();
  await page.keyboard.press('Escape');
}

test('everything goes to one file, is deleted, and comes in again', async ({ page }) => {
  await open(page);
  await ready(page);
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
  await savePrompt(page);
  const answer = await log(page).getByRole('article', { name: 'Reply' }).last().textContent();
  let dialog = await openStorage(page);
  await expect(dialog).toContainText('1 chat');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Export everything' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^tidepool-everything-\d{4}-\d\d-\d\d\.json$/);
  const file = await download.path();
  const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  expect(json).toMatchObject({ format: 'tidepool-everything', version: 2, settings: {} });

  await dialog.getByRole('button', { name: 'Delete everything…' }).click();
  await dialog.getByRole('button', { name: 'Delete everything', exact: true }).click();
  await expect(page.getByText('Your chats are kept here, in this browser only.')).toBeVisible();
  await open(page);
  dialog = await openStorage(page);
  await expect(dialog).toContainText('0 chats');
  await dialog.getByLabel('Import a file').setInputFiles(file);
  await expect(page.getByText(/1 chat came in.*1 prompt came in/)).toBeVisible();
  await expect(dialog).toContainText('1 chat');
  await page.keyboard.press('Escape');
  await page
    .getByRole('navigation')
    .getByRole('button', { name: 'What is 2 + 3?' })
    .first()
    .click();
  const back = log(page).getByRole('article', { name: 'Reply' }).last();
  await expect(back).toContainText(/tokens\/s/);
  expect((await back.textContent())?.slice(0, 40)).toBe(answer?.slice(0, 40));

  const prompts = await openPrompts(page);
  await expect(prompts.getByRole('button', { name: /^Explain/ })).toBeVisible();
  await page.keyboard.press('Escape');

  await openStorage(page);
  await dialog.getByLabel('Import a file').setInputFiles({
    name: 'other.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{"format":"something else"}'),
  });
  await expect(page.getByText(/The file was not imported/)).toBeVisible();
});

test('a damaged chat is set aside, shown, written out raw, and deleted', async ({ page }) => {
  await open(page);
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('tidepool');
        opening.onerror = () => reject(new Error('the database did not open'));
        opening.onsuccess = () => {
          const change = opening.result.transaction('conversations', 'readwrite');
          const record = { conversation: { id: 'x', title: 7, text: 'do not lose this' } };
          change.objectStore('conversations').put(record, 'x');
          change.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
  );
  await page.reload();
  await expect(page.getByText(/could not be read and was set aside/)).toBeVisible();
  const dialog = await openStorage(page);
  const row = dialog.getByRole('listitem').filter({ hasText: 'Damaged chat 1' });
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    row.getByRole('button', { name: 'Export damaged chat 1 raw' }).click(),
  ]);
  expect(readFileSync(await download.path(), 'utf8')).toContain('do not lose this');
  await row.getByRole('button', { name: 'Delete Damaged chat 1' }).click();
  await row.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(row).toHaveCount(0);
});

test('after two loads that killed the tab the next start asks first', async ({ context }) => {
  const model = 'models/tidepool/';
  const isWeights = (path: string): boolean => path.startsWith(model) && path.endsWith('.onnx');
  host.fault = (path) => (isWeights(path) ? { kind: 'stall', afterBytes: 100_000 } : null);
  for (let i = 1; i <= 2; i += 1) {
    const doomed = await context.newPage();
    await doomed.goto(host.url);
    await expect(doomed.getByText(/Loading|Fetching|model/i).first()).toBeVisible();
    await expect.poll(() => host.requests.filter(({ path }) => isWeights(path)).length).toBe(i);
    const session = await context.newCDPSession(doomed);
    const crashed = doomed.waitForEvent('crash');
    session.send('Page.crash').catch(() => {
      // It can no longer answer.
    });
    await crashed;
    await doomed.close();
  }
  host.fault = () => null;
  const page = await context.newPage();
  await page.goto(host.url);
  await expect(page.getByRole('alert')).toContainText('The last 2 times this model was loaded');
  expect(host.requests.filter(({ path }) => isWeights(path))).toHaveLength(2);
  await expect(page.getByRole('button', { name: 'Use Micro, which is smaller' })).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await ready(page);
  await page.reload();
  await ready(page);
});
