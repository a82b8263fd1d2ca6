// The graphics device is really destroyed: between two replies and in the midst of one. The engine is made anew, the chat
// is kept, a sentence says what happened, and the next question is answered.
import { expect, test } from '@playwright/test';
import { ask, engineWorker, log, openMicro, thinkShortly } from './real-page';

/** Long enough that the drill comes in its midst: a sum can be over after two tokens. */
const STORY = 'Tell me a story about a fox and a kite.';

test('GPUDevice destroyed, idle and in mid-reply: said in a sentence, rebuilt, and answered', async ({
  page,
}) => {
  test.setTimeout(900_000);
  // Every device that the engine makes is within reach of the drill.
  page.on('worker', (worker) => {
    void worker
      .evaluate(() => {
        const devices: GPUDevice[] = [];
        Object.assign(globalThis, { drillDevices: devices });
        const { requestDevice } = GPUAdapter.prototype;
        GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...given) {
          const device = await requestDevice.apply(this, given);
          devices.push(device);
          return device;
        };
      })
      .catch(() => {
        // A worker of ONNX Runtime's threads, or one that is gone.
      });
  });
  const destroy = async (): Promise<number> => {
    const worker = await engineWorker(page);
    return worker.evaluate(() => {
      const { drillDevices } = globalThis as unknown as { drillDevices: GPUDevice[] };
      for (const device of drillDevices) device.destroy();
      return drillDevices.length;
    });
  };
  await openMicro(page);
  await page.getByRole('button', { name: 'Settings' }).first().click();
  const webgpu = page.getByRole('radio', { name: 'WebGPU' });
  await expect(webgpu).toBeEnabled({ timeout: 60_000 });
  await webgpu.check();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  const ready = page.getByRole('button', { name: /^Model: WebGPU/ });
  await expect(ready).toBeVisible({ timeout: 240_000 });
  await thinkShortly(page);

  expect(await destroy()).toBeGreaterThan(0);
  await expect(page.getByText(/took the graphics device away.*chats are kept/)).toBeVisible();
  await expect(ready).toBeVisible({ timeout: 240_000 });

  await ask(page, STORY);
  const replies = log(page).getByRole('article', { name: 'Reply' });
  // Words stand there, so it is in the midst of decoding.
  await expect(replies.last().locator('.answer')).toContainText(/\S/, { timeout: 240_000 });
  expect(await destroy()).toBeGreaterThan(0);
  await expect(replies.last()).toContainText(/took the graphics device away/, { timeout: 60_000 });
  await expect(log(page)).toContainText(STORY);
  await expect(ready).toBeVisible({ timeout: 240_000 });

  await ask(page, STORY);
  await expect(replies.last().locator('.answer')).toContainText(/\S/, { timeout: 240_000 });
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(replies.last()).toContainText('You stopped it here.', { timeout: 60_000 });
});
