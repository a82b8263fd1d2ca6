// The model with a module of multi-token prediction: it drafts when asked to, and the lab shows what it drafted.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { expectAnswer, log } from './real-page';

test('the model drafts: the same answer, its guesses shown, and where they pay', async ({
  page,
}) => {
  const fetched: string[] = [];
  page.on('request', (request) => {
    fetched.push(new URL(request.url()).pathname.split('/').at(-1) ?? '');
  });
  await page.goto('./?model=tidepool-mtp');
  await expectAnswer(page, 'What is 15 + 46?');
  await expect(log(page)).toContainText('61');
  expect(fetched).toContain('mtp_quantized.onnx');
  // Nothing of drafting is fetched before it is asked for, but the module itself.
  expect(fetched.filter((name) => /drafting-session|DraftsFigures/.test(name))).toEqual([]);

  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await page.getByRole('tab', { name: 'Tokens' }).click();
  const drafts = page.getByRole('group', { name: 'Drafts in the reply' });
  await drafts.getByRole('checkbox', { name: 'Draft with the model’s own module' }).check();
  await expectAnswer(page, 'What is 37 + 21?');
  await expect(log(page)).toContainText('58');
  await expect(drafts).toContainText(/[1-9]\d* of \d+ tokens had been guessed/);
  const reply = drafts.getByRole('group', { name: 'The reply with its drafts' });
  await expect(reply.locator('ins').first()).toBeVisible();

  const pays = page.getByRole('group', { name: 'Where drafting pays' });
  await pays.getByRole('button', { name: 'Measure drafts' }).click();
  await expect(pays).toContainText(/times as fast as without; the words are the same\./, {
    timeout: 60_000,
  });
  const { violations } = await new AxeBuilder({ page }).include('.lab').analyze();
  expect(violations).toEqual([]);

  await page.getByRole('tab', { name: 'Lessons' }).click();
  await page.getByRole('button', { name: /Guess ahead, check at once/ }).click();
  await page.getByRole('radio', { name: 'About one and a half' }).check();
  await page.getByRole('button', { name: 'Run it' }).click();
  await expect(page.getByText(/tokens a run; \d+ of \d+ guesses came true/)).toBeVisible({
    timeout: 60_000,
  });
});
