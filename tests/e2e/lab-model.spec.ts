// The state lab on the shipped model: bytes that grow as they must, surgery that shows, a state that travels.
import { expect, test, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';

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
  /** The bytes when the panel has drawn the last of the reply, with nothing but what the config says for the KV cache. */
  const settled = async (): Promise<{ ssm: number; tokens: number }> => {
    const read = { ssm: 0, tokens: 0 };
    await expect(async () => {
      read.tokens = await tokensRead(page);
      expect(await bytesOf(page, 'KV cache')).toBe(read.tokens * perToken);
      read.ssm = await bytesOf(page, 'SSM states');
      expect(await tokensRead(page)).toBe(read.tokens);
    }).toPass({ timeout: 20_000 });
    return read;
  };
  const before = await settled();
  await ask(page, 'What is 20 + 45?');
  await expect.poll(() => tokensRead(page)).toBeGreaterThan(before.tokens);
  expect((await settled()).ssm).toBe(before.ssm);
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
    await on.getByLabel('Next message, if you like').fill('What is 20 + 45?');
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

test('a link replays a comparison and a fork exactly; a broken one says what is wrong', async ({
  page,
  context,
}) => {
  // Four continuations of two pages, each with a model of its own to load.
  test.slow();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('./');
  await openLab(page);
  await page.getByRole('tab', { name: 'Operate' }).click();
  await page.getByLabel('Prompt', { exact: true }).fill('Tell me a story about a fox.');
  const finished = (on: Page, figure: string) =>
    expect(
      on.getByRole('group', { name: figure, exact: true }).getByText('As a table'),
    ).toBeVisible({
      timeout: 90_000,
    });
  for (const [figure, button, runAs] of [
    ['With and without', 'Compare with and without', 'Surgery'],
    ['Fork', 'Fork here', 'Fork'],
  ] as const) {
    await page.getByRole('button', { name: button }).click({ timeout: 60_000 });
    await finished(page, figure);
    const group = page.getByRole('group', { name: figure, exact: true });
    const written = await group.locator('[data-run]').allTextContents();
    expect(written.join('').trim()).not.toBe('');
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await group.getByRole('button', { name: 'Copy a link that replays this' }).click();
    const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
    await expect.poll(copied).toContain('#experiment=');
    const link = await copied();

    const fresh = await context.newPage();
    await fresh.goto(link);
    const section = fresh.getByRole('region', { name: runAs, exact: true });
    await expect(section).toContainText('Tell me a story about a fox.');
    await section.getByRole('button', { name: 'Run it as linked' }).click({ timeout: 60_000 });
    await finished(fresh, figure);
    expect(
      await fresh
        .getByRole('group', { name: figure, exact: true })
        .locator('[data-run]')
        .allTextContents(),
    ).toEqual(written);
    await fresh.close();
  }
  const broken = await context.newPage();
  await broken.goto('./#experiment=%7B%22experiment%22%3A%22compare%22%7D');
  await expect(
    broken.getByText(/link to the lab can’t be followed: the request is missing/),
  ).toBeVisible();
  await broken.close();
});

test('heat map, triangles, curves, meter and recall grid are saved as PNG and SVG', async ({
  page,
}) => {
  test.slow();
  const save = async (figure: string, as: 'PNG' | 'SVG'): Promise<Buffer> => {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: `Save “${figure}” as ${as}` }).click();
    return readFile(await (await download).path());
  };
  const expectBoth = async (figure: string): Promise<void> => {
    const png = await save(figure, 'PNG');
    expect([...png.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    // Twice 860 pixels wide, and more than an even ground in it.
    expect(png.readUInt32BE(16)).toBe(1720);
    expect(png.length).toBeGreaterThan(15_000);
    const svg = (await save(figure, 'SVG')).toString('utf8');
    expect(svg).toContain(`<title>${figure}</title>`);
    expect(svg.match(/<(path|rect)/g)?.length ?? 0).toBeGreaterThan(5);
  };
  await page.goto('./');
  await openLab(page);
  await page.getByRole('tab', { name: 'Layers' }).click();
  await page.getByRole('button', { name: /^Layer 0, Mamba/ }).click();
  await ask(page, 'What is 15 + 46?');
  await expect(page.getByRole('group', { name: 'Hidden attention of head 0' })).toBeVisible({
    timeout: 60_000,
  });
  await expectBoth('The state of head 0');
  await expectBoth('Hidden attention of head 0');
  await page.getByRole('button', { name: /^Layer 3, attention/ }).click();
  await expect(page.getByRole('group', { name: 'Attention', exact: true })).toBeVisible({
    timeout: 60_000,
  });
  await expectBoth('Attention');
  await page.getByRole('tab', { name: 'Memory' }).click();
  await expectBoth('Bytes as the tokens stream');
  await expectBoth('Out to a million tokens');
  await page.getByRole('tab', { name: 'Operate' }).click();
  await page.getByRole('button', { name: 'Compare with and without' }).click({ timeout: 60_000 });
  await expect(page.getByText(/Same seed on both sides/)).toBeVisible({ timeout: 90_000 });
  await expectBoth('With and without');
  await page.getByRole('tab', { name: 'Recall' }).click();
  for (const length of ['4', '8'])
    await page.getByRole('checkbox', { name: length, exact: true }).uncheck();
  await page.getByRole('radio', { name: '0 %', exact: true }).check();
  await page.getByRole('button', { name: 'Run 6 cells' }).click();
  await expect(page.getByRole('button', { name: 'Run 6 cells' })).toBeEnabled({ timeout: 90_000 });
  await expectBoth('Recalled');
});
