// The built page with the real engine and the micro model, its worker at hand, so that a drill can break things in it.
import { expect, type Page, type Worker } from '@playwright/test';

const ENGINE = 'engine.worker';

export const log = (page: Page) => page.getByRole('log', { name: 'Conversation' });
const box = (page: Page) => page.getByRole('textbox', { name: 'Message' });
export const chip = (page: Page) => page.getByRole('button', { name: /^Model: WASM/ });

/** When all of the app is kept for the time without a network. */
export async function readyOffline(page: Page): Promise<void> {
  await expect(page.getByText(/Ready offline/)).toBeVisible({ timeout: 90_000 });
}

export async function openMicro(page: Page, address = './'): Promise<void> {
  await page.goto(`${address}?model=micro`);
  await expect(box(page)).toBeVisible();
}

export async function ask(page: Page, message: string): Promise<void> {
  await box(page).fill(message);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** The thinking limit at its shortest, so that a reply is soon at its end. */
export async function thinkShortly(page: Page): Promise<void> {
  const slider = page.getByRole('slider', { name: 'Thinking limit' });
  await slider.focus();
  await page.keyboard.press('Home');
}

/**
 * Asks for WebGPU, which is emulated here: slower than WASM, so it is used on request only. A token takes it a second or
 * two, so answers are cut at the least length that can be set.
 */
export async function chooseWebgpu(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).first().click();
  const webgpu = page.getByRole('radio', { name: 'WebGPU' });
  await expect(webgpu).toBeEnabled({ timeout: 60_000 });
  await page.getByLabel('Longest answer').fill('16');
  await webgpu.check();
  await page
    .getByRole('dialog', { name: 'Settings' })
    .getByRole('button', { name: 'Close' })
    .click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** Waits for the end of a reply in a chat that has only one. */
export async function replied(page: Page, timeout = 90_000): Promise<void> {
  await expect(log(page)).toContainText(/tokens\/s/, { timeout });
}

/** Asks, and waits for the whole of the answer: the drill is over and the app works. */
export async function expectAnswer(page: Page, message: string, timeout = 60_000): Promise<void> {
  const replies = log(page).getByRole('article', { name: 'Reply' });
  const before = await replies.count();
  await ask(page, message);
  await expect(log(page).getByText(message)).toBeVisible();
  await expect(replies).toHaveCount(before + 1);
  await expect(replies.last()).toContainText(/tokens\/s/, { timeout });
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
}

/** The engine's worker that was started last; waits for it. */
export async function engineWorker(page: Page): Promise<Worker> {
  const find = (): Worker | undefined =>
    page
      .workers()
      .filter((worker) => worker.url().includes(ENGINE))
      .at(-1);
  await expect.poll(() => find() !== undefined).toBe(true);
  const worker = find();
  if (worker === undefined) throw new Error('the page has no engine worker');
  return worker;
}

/** Ends the worker as the browser would, without an event or a word: what it was to do next is never done. */
export async function killNow(worker: Worker): Promise<void> {
  await worker
    .evaluate(() => self.close())
    .catch(() => {
      // It may be gone before it can say that it has understood.
    });
}

/**
 * Does something to the worker right after it has sent its `count`th event of a kind, in the midst of a reply: ends it, or
 * destroys the graphics devices that stand in its `drillDevices`. From without, a short reply would be at its end by then.
 */
export async function breakAtEvent(
  worker: Worker,
  what: 'worker' | 'graphics device',
  kind: string,
  count = 1,
): Promise<void> {
  await worker.evaluate(
    ([broken, type, most]) => {
      let seen = 0;
      const { postMessage: send } = MessagePort.prototype;
      MessagePort.prototype.postMessage = function (this: MessagePort, ...sent: [unknown]) {
        send.apply(this, sent);
        const batch = sent[0] as { readonly events?: readonly { readonly type: string }[] } | null;
        seen += batch?.events?.filter((event) => event.type === type).length ?? 0;
        if (seen < most) return;
        if (broken === 'worker') {
          // What is running ends before a closed worker does: of a dead one nothing more is heard.
          const silent = (): void => undefined;
          MessagePort.prototype.postMessage = silent;
          Object.assign(self, { postMessage: silent });
          self.close();
          return;
        }
        MessagePort.prototype.postMessage = send;
        const { drillDevices } = globalThis as unknown as { drillDevices: readonly GPUDevice[] };
        for (const device of drillDevices) device.destroy();
      };
    },
    [what, kind, count] as const,
  );
}
