// The graphics device is really destroyed: between two replies and in the midst of one. The engine is made anew, the chat
// is kept, a sentence says what happened, and the next question is answered.
import { expect, test } from '@playwright/test';
import {
  ask,
  breakAtEvent,
  chooseWebgpu,
  engineWorker,
  expectAnswer,
  log,
  openMicro,
  thinkShortly,
} from '../e2e/real-page';

/** In front of the worker's own code: every device that the engine makes is within reach of the drill. */
function gatherDevices(): void {
  const devices: GPUDevice[] = [];
  Object.assign(globalThis, { drillDevices: devices });
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...given) {
    const device = await requestDevice.apply(this, given);
    devices.push(device);
    return device;
  };
}

test('GPUDevice destroyed, idle and in mid-reply: said in a sentence, rebuilt, and answered', async ({
  page,
}) => {
  test.setTimeout(900_000);
  await page.route('**/assets/engine.worker-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      body: `(${gatherDevices.toString()})();\n${await response.text()}`,
    });
  });
  await openMicro(page);
  await chooseWebgpu(page);
  const ready = page.getByRole('button', { name: /^Model: WebGPU/ });
  await expect(ready).toBeVisible({ timeout: 240_000 });
  await thinkShortly(page);

  const destroyed = await (
    await engineWorker(page)
  ).evaluate(() => {
    const { drillDevices } = globalThis as unknown as { drillDevices: GPUDevice[] };
    for (const device of drillDevices) device.destroy();
    return drillDevices.length;
  });
  expect(destroyed).toBeGreaterThan(0);
  await expect(page.getByText(/took the graphics device away.*chats are kept/)).toBeVisible();
  await expect(ready).toBeVisible({ timeout: 240_000 });

  // When the first word has left the worker, so it is in the midst of decoding, however short the reply would be.
  await breakAtEvent(await engineWorker(page), 'graphics device', 'token');
  await ask(page, 'What is 23 + 58?');
  const replies = log(page).getByRole('article', { name: 'Reply' });
  await expect(replies.last()).toContainText(/took the graphics device away/, { timeout: 240_000 });
  await expect(replies.last().locator('.answer')).toContainText(/\S/);
  await expect(log(page)).toContainText('What is 23 + 58?');
  await expect(ready).toBeVisible({ timeout: 240_000 });

  await expectAnswer(page, 'What is 4 + 4?', 240_000);
  await expect(replies.last().locator('.answer')).toContainText(/\S/);
});
