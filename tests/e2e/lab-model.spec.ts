// The state lab on the shipped model: bytes that grow as they must, surgery that shows, a state that travels.
import { expect, test, type Page } from '@playwright/test';

async function openLab(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await expect(page.getByRole('tab', { name: 'Memory' })).toBeVisible();
}

async function ask(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(question);
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('button', { name: 'Send' })).toBeVisible({ timeout: 90_000 });
}

async function bytesOf(page: Page, part: string): Promise<number> {
  const text = await page.locator(`[data-part="${part}"]`).textContent();
  return Number(/([\d,]+) B$/.exec(text?.trim() ?? '')?.[1]?.replaceAll(',', ''));
}

async function tokensRead(page: Page): Promise<number> {
  const group = page.getByRole('group', { name: 'Bytes as the tokens stream' });
  const text = (await group.textContent()) ?? '';
  return Number(/After ([\d,]+) tokens/.exec(text)?.[1]?.replaceAll(',', ''));
}

test('KV bytes grow by exactly what the config says, SSM bytes stay', async ({ page }) => {
  await page.goto('./');
  await openLab(page);
  await ask(page, 'What is 15 + 46?');
  const check = page.getByText(/Each token adds .* exactly as the config says\./);
  await expect(check).toBeVisible();
  const perToken = Number(
    /= ([\d,]+) bytes/.exec((await check.textContent()) ?? '')?.[1]?.replaceAll(',', ''),
  );
  const before = {
    kv: await bytesOf(page, 'KV cache'),
    ssm: await bytesOf(page, 'SSM states'),
    tokens: await tokensRead(page),
  };
  expect(before.kv).toBe(before.tokens * perToken);
  await ask(page, 'What is 20 + 45?');
  const tokens = await tokensRead(page);
  expect(tokens).toBeGreaterThan(before.tokens);
  expect(await bytesOf(page, 'KV cache')).toBe(tokens * perToken);
  expect(await bytesOf(page, 'SSM states')).toBe(before.ssm);
});

test('a zeroed state changes the answer', async ({ page }) => {
  await page.goto('./');
  await openLab(page);
  // Held at zero: zeroed once, the states of a model this small fill again within a few tokens.
  await ask(page, 'Tell me a story about a fox and a kite.');
  await page.getByRole('tab', { name: 'Operate' }).click();
  await page.getByRole('button', { name: 'Compare with and without' }).click();
  await expect(page.getByRole('group', { name: 'With and without' })).toContainText(
    /The two part at token \d+/,
    { timeout: 90_000 },
  );
  const [untouched, operated] = await page.locator('[data-run]').allTextContents();
  expect(operated).not.toBe(untouched);
});

test('a state travels through a file into a fresh page and goes on with the same tokens', async ({
  page,
  browser,
}) => {
  const goOn = async (on: Page): Promise<string> => {
    await on.getByLabel(/Next message/).fill('What is 20 + 45?');
    await on.getByRole('button', { name: 'Go on from here' }).click();
    const run = on.getByRole('region', { name: 'The next tokens' });
    await expect(run).toBeVisible({ timeout: 60_000 });
    await expect(on.getByRole('button', { name: 'Go on from here' })).toBeEnabled({
      timeout: 90_000,
    });
    return (await run.locator('[data-run]').textContent()) ?? '';
  };
  await page.goto('./');
  await openLab(page);
  await ask(page, 'What is 15 + 46?');
  await page.getByRole('tab', { name: 'Operate' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the state' }).click();
  const file = await (await download).path();
  const expected = await goOn(page);
  expect(expected.trim()).not.toBe('');

  const context = await browser.newContext();
  const fresh = await context.newPage();
  await fresh.goto(page.url().replace(/#.*$/, ''));
  await openLab(fresh);
  await fresh.getByRole('tab', { name: 'Operate' }).click();
  await expect(fresh.getByLabel('Open a state')).toBeEnabled({ timeout: 60_000 });
  await fresh.getByLabel('Open a state').setInputFiles(file);
  await expect(fresh.getByText(/tokens of memory arrived, exact to the bit/)).toBeVisible();
  expect(await goOn(fresh)).toBe(expected);
  await context.close();
});

test('recall that works fails when the KV cache is dropped before the question', async ({
  page,
}) => {
  await page.goto('./');
  await openLab(page);
  await page.getByRole('tab', { name: 'Recall' }).click();
  await page.getByRole('checkbox', { name: '8', exact: true }).uncheck();
  await page.getByLabel('Operation').selectOption('kv-drop');
  await page.getByRole('radio', { name: '0 %', exact: true }).check();
  await page.getByRole('button', { name: 'Run 12 cells' }).click();
  const grid = page.getByRole('group', { name: 'Recalled' });
  await expect(grid).toContainText(/You predicted 0 %/, { timeout: 60_000 });
  await expect(page.getByRole('button', { name: 'Run 12 cells' })).toBeEnabled({
    timeout: 110_000,
  });
  const cell = (run: string, is: string) =>
    grid.getByRole('button', { name: new RegExp(`^${run}.*: ${is}$`) });
  const right = await cell('Untouched', 'right').count();
  expect(right, 'cells recalled untouched').toBeGreaterThan(0);
  expect(await cell('KV cache', 'right').count()).toBeLessThan(right);
  expect(await cell('KV cache', '(right|wrong)').count()).toBe(6);
});
