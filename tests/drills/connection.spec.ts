// The connection is cut while the app loads: its script, its worker, the runtime, a part that comes later. Each time the
// page says so, and goes on once there is a connection again.
import { expect, test } from '@playwright/test';
import { expectAnswer, openMicro, thinkShortly } from '../e2e/real-page';

test('connection cut before the app’s script: the page says what to do', async ({ page }) => {
  await page.route('**/assets/index-*.js', (route) => route.abort('connectionreset'));
  await page.goto('./?model=micro');
  await expect(page.getByText(/the connection was cut: check it, then reload/)).toBeVisible();
  await page.unrouteAll();
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
  await expect(page.getByText(/the connection was cut/)).toHaveCount(0);
});

for (const [what, files, sentence] of [
  ['the engine’s worker', '**/assets/engine.worker-*.js', /The engine has stopped working/],
  ['ONNX Runtime', '**/assets/ort-wasm-*.wasm', /ONNX Runtime.* could not be fetched/],
] as const) {
  test(`connection cut before ${what}: said in a sentence, and "Try again" works`, async ({
    page,
  }) => {
    await page.route(files, (route) => route.abort('connectionreset'));
    await openMicro(page);
    const banner = page.getByRole('alert').filter({ hasText: 'The model is not running.' });
    await expect(banner).toContainText(sentence, { timeout: 60_000 });
    await page.unrouteAll();
    await banner.getByRole('button', { name: 'Try again' }).click();
    await thinkShortly(page);
    await expectAnswer(page, 'What is 2 + 3?');
  });
}

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
