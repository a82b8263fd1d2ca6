// Fifty replies begun and stopped as fast as the page lets one: the engine is never left busy, nothing is lost.
import { expect, test } from '@playwright/test';
import { expectAnswer, log, openMicro, thinkShortly } from '../e2e/real-page';

test('50 rapid stops and starts: no reply hangs, one engine, and the next question is answered', async ({
  page,
}) => {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await openMicro(page);
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
  // In the page itself: a driver between two clicks would give the engine time that a nervous finger does not.
  const begun = await page.evaluate(async () => {
    const find = (name: string): HTMLButtonElement | null =>
      document.querySelector(`button[aria-label="${name}"]:not(:disabled)`);
    const until = async (name: string): Promise<HTMLButtonElement> => {
      for (;;) {
        const button = find(name);
        if (button !== null) return button;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    let count = 0;
    for (; count < 50; count += 1) {
      (await until('Regenerate')).click();
      // At once, while it reads, and after some tokens.
      await new Promise((resolve) => setTimeout(resolve, (count % 5) * 8));
      // A short reply may have ended by itself.
      find('Stop')?.click();
    }
    return count;
  });
  expect(begun).toBe(50);
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
  await expect(log(page).getByText(/busy/)).toHaveCount(0);
  await expect(log(page).getByText('51 of 51')).toBeVisible();
  await expectAnswer(page, 'What is 4 + 4?');
  expect(page.workers().filter((worker) => worker.url().includes('engine.worker'))).toHaveLength(1);
  expect(problems).toEqual([]);
});
