// Draft, feedback, edit: the steps are shown, kept and stoppable; a model that does not know the roles is not asked to play them.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { ask, expectAnswer, log } from './real-page';

const QUESTION = 'What is 57 + 68?';
const replyIn = (page: Page) => log(page).getByRole('article', { name: 'Reply' }).last();
const mode = (page: Page) => page.getByRole('checkbox', { name: 'Draft, feedback, edit' });

/** Offered once the model is loaded and known to play the roles. */
async function switchOn(page: Page, drafts: string, feedbacks: string): Promise<void> {
  await page.goto('./?model=tidepool-feedback');
  await expect(mode(page)).toBeVisible({ timeout: 90_000 });
  await mode(page).check();
  await page.getByRole('combobox', { name: 'Drafts' }).selectOption(drafts);
  await page.getByRole('combobox', { name: 'Feedbacks on each' }).selectOption(feedbacks);
}
const steps = (page: Page) =>
  replyIn(page).getByRole('list', { name: 'Steps' }).getByRole('listitem');

test('a reply is drafted, checked and mended in steps that are shown, kept and exported', async ({
  page,
}) => {
  test.slow(); // six to eight replies of the model, one after the other
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  await switchOn(page, '2', '2');
  // Nothing of the steps is fetched before a reply has some.
  expect(fetched.filter((path) => path.includes('RoleSteps'))).toEqual([]);
  await expectAnswer(page, QUESTION, 120_000);
  for (const name of ['Draft 1', 'Feedback 1 on draft 1', 'Feedback 2 on draft 1', 'Draft 2'])
    await expect(steps(page).filter({ hasText: name }).first()).toBeVisible();
  const written = await steps(page).count();
  expect(written).toBeGreaterThanOrEqual(6);
  expect(written).toBeLessThanOrEqual(8);
  // Drafts and edits are scored by the model's reward graph, feedback is not.
  const scored = steps(page).filter({ hasText: /tokens, reward [−-]?\d/ });
  await expect(scored).toHaveCount(written - 4);
  await expect(scored.filter({ hasText: 'Feedback' })).toHaveCount(0);
  // The answer stands below them, with a word on how it was chosen.
  await expect(replyIn(page)).toContainText(/drafts? (?:as it was|stands|came)|Each draft came/);
  const { violations } = await new AxeBuilder({ page }).include('article').analyze();
  expect(violations).toEqual([]);

  // Steps fold away, and are there again after a reload.
  const group = replyIn(page).getByText(/^Draft, feedback and edit/);
  await group.click();
  await expect(steps(page).first()).toBeHidden();
  await page.reload();
  await replyIn(page)
    .getByText(/^Draft, feedback and edit/)
    .click();
  await expect(steps(page)).toHaveCount(written);
  await expect(scored).toHaveCount(written - 4);
});

test('stopped in mid-step nothing is lost, and Continue goes on from there', async ({ page }) => {
  test.slow();
  await switchOn(page, '4', '4');
  await ask(page, QUESTION);
  await expect(steps(page).nth(1)).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(replyIn(page)).toContainText('You stopped it here.');
  const before = await steps(page).count();
  expect(before).toBeLessThan(20);
  const draft = await steps(page).first().innerText();
  await page.getByRole('combobox', { name: 'Drafts' }).selectOption('1');
  await page.getByRole('combobox', { name: 'Feedbacks on each' }).selectOption('1');
  await replyIn(page).getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0, { timeout: 60_000 });
  await expect(replyIn(page)).not.toContainText('You stopped it here.');
  expect(await steps(page).first().innerText()).toBe(draft);
});

test('a model that was not taught the roles does not offer them', async ({ page }) => {
  await page.goto('./?model=micro');
  await expectAnswer(page, 'Hello');
  await expect(mode(page)).toHaveCount(0);
});
