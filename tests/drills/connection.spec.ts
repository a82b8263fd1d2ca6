// The connection is cut while the app loads: its script, its worker, the runtime, a part that comes later. Each time the
// page says so, and goes on once there is a connection again.
import { expect, test, type Page } from '@playwright/test';
import { chip, expectAnswer, openMicro, thinkShortly } from '../e2e/real-page';

for (const name of ['index', 'first'])
  test(`connection cut before the app’s script (${name}): the page says what to do`, async ({
    page,
  }) => {
    await page.route(`**/assets/${name}-*.js`, (route) => route.abort('connectionreset'));
    await page.goto('./?model=micro');
    await expect(page.getByText(/the connection was cut: check it, then reload/)).toBeVisible();
    await page.unrouteAll();
    await page.reload();
    await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
    await expect(page.getByText(/the connection was cut/)).toHaveCount(0);
  });

const WORKER = '**/assets/engine.worker-*.js';
const CUT_WORKER = /The engine’s script could not be fetched/;

const stopped = (page: Page) =>
  page.getByRole('alert').filter({ hasText: 'The model is not running.' });

for (const [what, files, sentence] of [
  ['the engine’s worker', WORKER, CUT_WORKER],
  ['ONNX Runtime', '**/assets/ort-wasm-*.wasm', /ONNX Runtime.* could not be fetched/],
] as const) {
  test(`connection cut before ${what}: said in a sentence, and "Try again" works`, async ({
    page,
  }) => {
    await page.route(files, (route) => route.abort('connectionreset'));
    await openMicro(page);
    await expect(stopped(page)).toContainText(sentence, { timeout: 60_000 });
    await page.unrouteAll();
    await stopped(page).getByRole('button', { name: 'Try again' }).click();
    await thinkShortly(page);
    await expectAnswer(page, 'What is 2 + 3?');
  });
}

test('connection cut before the engine’s worker while the page is made: said as it is', async ({
  page,
}) => {
  // The worker is asked for ahead of its model. On a slow machine it has failed before the model is to be loaded.
  await page.addInitScript(() => {
    const query = LockManager.prototype.query;
    let asked = 0;
    LockManager.prototype.query = async function (this: LockManager) {
      asked += 1;
      if (asked > 1) await new Promise((resolve) => setTimeout(resolve, 2_000));
      const snapshot = await query.call(this);
      // The third is the load guard's: from then on the model is loaded.
      if (asked === 3) setTimeout(() => (document.documentElement.dataset['started'] = 'yes'), 500);
      return snapshot;
    };
  });
  await page.route(WORKER, async (route) => {
    await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
    await route.abort('connectionreset');
  });
  await openMicro(page);
  await expect(page.locator('html[data-started]')).toBeAttached();
  await expect(stopped(page)).toContainText(CUT_WORKER, { timeout: 60_000 });
});

test('connection back after it was cut before the engine’s worker: a reload loads the model', async ({
  page,
}) => {
  await page.route(WORKER, (route) => route.abort('connectionreset'));
  await openMicro(page);
  await expect(stopped(page)).toContainText(CUT_WORKER, { timeout: 60_000 });
  await page.unrouteAll();
  await page.reload();
  await expect(chip(page)).toBeVisible({ timeout: 60_000 });
  await expect(stopped(page)).toHaveCount(0);
});

test('connection cut before the lab: said in a sentence, the chat goes on', async ({ page }) => {
  await page.route('**/assets/LabPanel-*', (route) => route.abort('connectionreset'));
  await openMicro(page);
  await page.getByRole('button', { name: 'State lab' }).click();
  await expect(page.getByText(/The lab’s files did not arrive/)).toBeVisible();
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
});

test('connection cut before a dialog: said in a sentence, the chat goes on', async ({ page }) => {
  await page.route('**/assets/SettingsDialog-*', (route) => route.abort('connectionreset'));
  await openMicro(page);
  await page.getByRole('button', { name: 'Settings' }).click();
  await expect(page.getByText(/This part of the app did not arrive/)).toBeVisible();
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
});
