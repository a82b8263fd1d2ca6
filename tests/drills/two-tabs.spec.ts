// Two tabs of one browser: the second is told, both write to one chat, and nothing of either is lost. Where memory does
// not allow two engines, the second does not start one by itself.
import { expect, test } from '@playwright/test';
import { expectKept } from '../e2e/kept';
import { chip, expectAnswer, log, openMicro, thinkShortly } from '../e2e/real-page';

test('two tabs: the second is told, both answer in the same chat, the history of both survives', async ({
  page,
  context,
}) => {
  await openMicro(page);
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
  const second = await context.newPage();
  await second.goto(page.url());
  await expect(second.getByText(/open in another tab too/)).toBeVisible();
  await expect(log(second)).toContainText('What is 2 + 3?');
  await Promise.all([expectAnswer(page, 'What is 4 + 4?'), expectAnswer(second, 'What is 5 + 5?')]);
  // Each has its own branch after the shared beginning; a reload shows one, and the other is a step away.
  await page.reload();
  await expect(
    page.getByRole('navigation', { name: 'Conversations' }).getByRole('listitem'),
  ).toHaveCount(1);
  await expect(log(page)).toContainText('What is 2 + 3?');
  await expectKept(page, 'What is 2 + 3?', 'What is 4 + 4?', 'What is 5 + 5?');
  await expect(page.getByText(/set aside|could not be/)).toHaveCount(0);
});

test('two tabs on a small device: the second runs no engine by itself, says why, and may', async ({
  page,
  context,
}) => {
  await context.addInitScript(() => {
    Object.defineProperty(navigator, 'deviceMemory', { value: 0.5 });
  });
  await openMicro(page);
  await expect(chip(page)).toBeVisible();
  const second = await context.newPage();
  await openMicro(second);
  const banner = second.getByRole('alert').filter({ hasText: 'The model is not running.' });
  await expect(banner).toContainText('Another tab runs the model already');
  expect(second.workers().filter((worker) => worker.url().includes('engine.worker'))).toEqual([]);
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
  await banner.getByRole('button', { name: 'Try again' }).click();
  await thinkShortly(second);
  await expectAnswer(second, 'What is 4 + 4?');
});
