// Best of N on the production build: drafts of one answer from one reading of the question, scored by the model's own graph.
import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { ask, log } from './real-page';

const table = JSON.parse(readFileSync('public/models/posttraining.json', 'utf8')) as {
  readonly systems: readonly { readonly command: string }[];
};

async function openWithReward(page: Page): Promise<void> {
  await page.goto('./?model=tidepool-mtp');
  await expect(page.getByRole('button', { name: /^Model: WASM/ })).toBeVisible({ timeout: 60_000 });
}

async function chooseDrafts(page: Page, count: number): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).first().click();
  await page.getByLabel(/^Drafts of each answer/).fill(String(count));
  await page.getByLabel(/^Drafts of each answer/).blur();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

test('best of 4 shows four scored drafts, the best first, also after a reload', async ({
  page,
}) => {
  test.setTimeout(180_000);
  const fetched: string[] = [];
  page.on('request', (request) => void fetched.push(new URL(request.url()).pathname));
  await openWithReward(page);
  expect(fetched.filter((path) => path.endsWith('reward.onnx'))).toEqual([]);
  await chooseDrafts(page, 4);
  await ask(page, 'What is 47 + 38?');

  const scores = log(page).getByRole('list', { name: 'Drafts and their scores' });
  const drafts = scores.getByRole('button');
  await expect(drafts).toHaveCount(4, { timeout: 120_000 });
  expect(fetched.filter((path) => path.endsWith('reward.onnx'))).toHaveLength(1);
  const values = (await drafts.allTextContents()).map((text) =>
    Number(/[−-]?\d+\.\d\d/.exec(text)?.[0].replace('−', '-')),
  );
  expect(values.every(Number.isFinite)).toBe(true);
  const shown = await drafts.evaluateAll((all) =>
    all.findIndex((one) => one.getAttribute('aria-current') === 'true'),
  );

  // What each draft answers, a click away each: the shown one's answer weighs most, and of those that give it, it scores best.
  const sums = new Map<string, number>();
  const answers: string[] = [];
  for (const [at, value] of values.entries()) {
    await drafts.nth(at).click();
    await expect(drafts.nth(at)).toHaveAttribute('aria-current', 'true');
    const text = await log(page).getByRole('article', { name: 'Reply' }).textContent();
    const answer = /(\d+)\.\s*(?:Drafts|Draft 1|$)/.exec(text ?? '')?.[1] ?? text ?? '';
    answers.push(answer);
    sums.set(answer, (sums.get(answer) ?? 0) + Math.exp(value));
  }
  const answer = answers[shown] ?? '';
  expect(sums.get(answer)).toBe(Math.max(...sums.values()));
  const agreeing = values.filter((_, at) => answers[at] === answer);
  expect(values[shown]).toBe(Math.max(...agreeing));

  // The others are a click away, and the prompt was read once: a later draft read one token of it.
  const other = (shown + 1) % 4;
  await drafts.nth(other).click();
  await expect(drafts.nth(other)).toHaveAttribute('aria-current', 'true');
  await expect(log(page).getByRole('article', { name: 'Reply' })).toHaveCount(1);

  await page.reload();
  await page
    .getByRole('link', { name: /47 \+ 38/ })
    .or(page.getByText('47 + 38').first())
    .first()
    .waitFor();
  await expect(drafts).toHaveCount(4, { timeout: 60_000 });
});

test('a model without a reward graph offers no drafts', async ({ page }) => {
  await page.goto('./?model=micro');
  await expect(page.getByRole('button', { name: /^Model: WASM/ })).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Settings' }).first().click();
  await expect(page.getByRole('heading', { name: 'Sampling' })).toBeVisible();
  await expect(page.getByLabel(/^Drafts of each answer/)).toHaveCount(0);
});

test('the lab tells what came after pretraining and how it learnt, fetched when opened', async ({
  page,
}) => {
  const fetched: string[] = [];
  page.on('request', (request) => void fetched.push(new URL(request.url()).pathname));
  await page.goto('./?model=micro');
  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await page.getByRole('tab', { name: 'Family' }).click();
  const opener = page.getByText('After pretraining', { exact: true });
  await expect(opener).toBeVisible();
  expect(fetched.filter((path) => path.includes('posttraining'))).toEqual([]);
  await opener.click();
  const [first] = table.systems;
  await expect(page.getByText(first?.command ?? 'no system', { exact: true })).toBeVisible();
  expect(fetched.filter((path) => path.includes('posttraining-curves'))).toEqual([]);
  await page.getByText('How it learnt', { exact: true }).click();
  await expect(page.getByText('How it learnt: reward by update')).toBeVisible();
  await expect(page.getByText(/^After \d+ updates$/).first()).toBeVisible();
});
