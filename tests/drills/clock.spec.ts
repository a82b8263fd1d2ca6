// Clocks that jump in mid-reply: the page's a year ahead and two back, the worker's as well.
import { expect, test } from '@playwright/test';
import { ask, engineWorker, expectAnswer, log, openMicro } from '../e2e/real-page';

/** Makes `Date` of a page or worker follow a shift that `shiftClock(ms)` adds to. */
function giveClockShift(): void {
  const Real = Date;
  let shiftMs = 0;
  class Shifted extends Real {
    constructor(...given: [] | [number]) {
      if (given.length === 0) super(Real.now() + shiftMs);
      else super(...given);
    }
    static override now(): number {
      return Real.now() + shiftMs;
    }
  }
  Object.assign(globalThis, {
    Date: Shifted,
    shiftClock: (ms: number) => {
      shiftMs += ms;
    },
  });
}

const shiftBy = (ms: number): void =>
  (globalThis as unknown as { shiftClock: (ms: number) => void }).shiftClock(ms);

const YEAR_MS = 365 * 24 * 60 * 60_000;

test('clock jumps of page and worker in mid-reply lose nothing, and the order of chats stays', async ({
  page,
}) => {
  await page.addInitScript(giveClockShift);
  await openMicro(page);
  const worker = await engineWorker(page);
  await worker.evaluate(giveClockShift);
  await expectAnswer(page, 'What is 2 + 3?');
  const nav = page.getByRole('navigation', { name: 'Conversations' });
  for (const [question, jumpMs] of [
    ['What is 23 + 58?', YEAR_MS],
    ['What is 31 + 12?', -2 * YEAR_MS],
  ] as const) {
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await ask(page, question);
    await page.evaluate(shiftBy, jumpMs);
    await worker.evaluate(shiftBy, jumpMs);
    const reply = log(page).getByRole('article', { name: 'Reply' }).last();
    await expect(reply).toContainText(/tokens\/s/, { timeout: 60_000 });
    await expect(reply).not.toContainText(/-\d|NaN|Infinity/);
    await expect(nav.getByRole('listitem').first()).toContainText(question);
  }
  await page.reload();
  await expect(nav.getByRole('listitem')).toHaveCount(3);
  await expect(nav.getByRole('listitem').first()).toContainText('What is 31 + 12?');
  await expect(log(page)).toContainText('What is 31 + 12?');
  await expectAnswer(page, 'What is 4 + 4?');
});
