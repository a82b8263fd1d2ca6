// For a class, on the shipped model: a reply token by token, a class by its link, the race, and the long read.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const READY = { timeout: 90_000 };

async function openLab(page: Page, view?: string): Promise<void> {
  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await expect(page.getByRole('tab', { name: 'Memory' })).toBeVisible();
  if (view !== undefined) await page.getByRole('tab', { name: view }).click();
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
  ).toEqual([]);
}

/** A build without the twin is given the micro model in its place: what is tested is the race, not who wins it. */
async function serveTwin(page: Page): Promise<void> {
  const models = join('public', 'models');
  if (existsSync(join(models, 'tidepool-twin', 'manifest.json'))) return;
  await page.route('**/models/index.json', async (route) => {
    const answer = await route.fetch();
    const index = (await answer.json()) as { models: Record<string, unknown> };
    index.models['tidepool-twin'] = { hasEval: false };
    await route.fulfill({ json: index });
  });
  await page.route('**/models/tidepool-twin/**', async (route) => {
    const path = new URL(route.request().url()).pathname.split('/tidepool-twin/')[1] ?? '';
    await route.fulfill({ body: await readFile(join(models, 'micro', path)) });
  });
}

test('step mode: one token at a click and by key, back and forward, and it runs on', async ({
  page,
}) => {
  await page.goto('./');
  await openLab(page);
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  await page.getByRole('textbox', { name: 'Message' }).fill('What is 15 + 46?');
  await page.getByRole('button', { name: 'Send' }).click();
  const step = page.getByRole('region', { name: 'Step mode' });
  await expect(step).toContainText(/The prompt of \d+ tokens was read/, READY);
  const next = step.getByRole('button', { name: 'Next token' });
  await next.click();
  await expect(step).toContainText(/It read “.+” as token \d+ and drew “.+”\./);
  await expect(step).toContainText(/The states keep their .+; the cache grew by 1,024 bytes/);
  const second = (await step.locator('[data-step]').textContent()) ?? '';
  // With a layer open each step shows what it did to the state of the head.
  await page.getByRole('tab', { name: 'Layers' }).click();
  await page.getByRole('button', { name: /^Layer 0, Mamba/ }).click();
  for (const count of [3, 4]) {
    await page.keyboard.press('.');
    await expect(step).toContainText(`${count} of ${count}`);
  }
  const change = page.getByRole('group', { name: 'What this token did to the state of head 0' });
  await expect(change).toContainText(/This token changed the state of head 0 by \d+ % of its norm/);
  await expectAccessible(page);
  await page.keyboard.press(',');
  await page.keyboard.press(',');
  await expect(step).toContainText('2 of 4');
  expect((await step.locator('[data-step]').textContent()) ?? '').toBe(second);
  await page.getByRole('tab', { name: 'Tokens' }).click();
  await expect(
    page.getByRole('toolbar', { name: 'Tokens of the reply' }).getByRole('button'),
  ).toHaveCount(2);
  await step.getByRole('button', { name: 'Run on' }).click();
  await expect(page.getByRole('button', { name: 'Send' })).toBeVisible(READY);
});

test('a class: made, shown as a code, worked on from its link, handed in and summed up', async ({
  page,
  context,
}) => {
  await page.goto('./');
  await openLab(page, 'Class');
  await page.getByLabel('Title of the class').fill('Memory');
  await page.getByLabel('A lesson').selectOption({ label: 'What the state is' });
  await page.getByRole('button', { name: 'Add the lesson' }).click();
  await page.getByLabel('A question').fill('Why does it forget?');
  await page.getByLabel(/Its choices/).fill('Its state is full\nIt is tired');
  await page.getByRole('button', { name: 'Add the question' }).click();
  await page.getByRole('button', { name: 'Make the link' }).click();
  await expect(page.getByRole('img', { name: /QR code of the link/ })).toBeVisible();
  await expectAccessible(page);
  const link = (await page.getByRole('link', { name: /#class=/ }).getAttribute('href')) ?? '';

  const student = await context.newPage();
  await student.goto(link);
  await expect(student.getByRole('heading', { name: 'Memory', exact: true })).toBeVisible(READY);
  await student.getByRole('radio', { name: 'Its state is full' }).check();
  await student.getByRole('button', { name: 'Open: What the state is' }).click();
  await student.getByRole('radio', { name: 'It stays the same' }).check();
  await student.getByRole('button', { name: 'Run it' }).click(READY);
  await expect(student.getByRole('group', { name: 'What happened' })).toBeVisible(READY);
  await student.getByRole('tab', { name: 'Class' }).click();
  await expect(student.getByText('2 of 2 entries are done.')).toBeVisible();
  await student.getByLabel(/Your name/).fill('Ada');
  await expectAccessible(student);
  const download = student.waitForEvent('download');
  await student.getByRole('button', { name: 'Save my results' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('class-memory-ada.json');
  const saved = await readFile(await file.path());

  await page.getByLabel('Choose students’ files').setInputFiles([
    { name: 'ada.json', mimeType: 'application/json', buffer: saved },
    { name: 'half.json', mimeType: 'application/json', buffer: saved.subarray(0, 99) },
  ]);
  await expect(page.getByText('1 of 2 files are read.')).toBeVisible();
  await expect(page.getByRole('list', { name: 'Files that were left out' })).toContainText(
    'half.json',
  );
  await expect(page.getByRole('group', { name: '2. Why does it forget?' })).toContainText(
    '1 answered. Most often: “Its state is full”',
  );
});

test('the race runs from 128 tokens on, shows both models, and is stopped', async ({ page }) => {
  await serveTwin(page);
  await page.goto('./');
  await openLab(page, 'Race');
  await page.getByRole('button', { name: 'Start the race' }).click(READY);
  const speed = page.getByRole('group', { name: 'Speed against context' });
  await expect(speed).toContainText(/After 128 tokens the hybrid writes .* times as fast/, READY);
  await expect(page.getByText(/At (2,048|4,096|8,192) tokens of context/)).toBeVisible(READY);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await speed.getByText('As a table').click();
  await expect(speed.getByRole('row', { name: /^128 / })).toContainText('×');
  await expect(page.getByRole('group', { name: 'Bytes against context' })).toBeVisible();
  await expect(page.getByText('arXiv 2504.03624').first()).toBeVisible();
  await expectAccessible(page);
  await expect(page.getByRole('button', { name: 'Go on with the race' })).toBeEnabled();
});

test('the long read keeps its states, grows its cache, and is held, stopped and asked', async ({
  page,
}) => {
  await page.goto('./');
  await openLab(page, 'Race');
  await page.getByLabel('Tokens to read').selectOption('1000');
  await page.getByRole('button', { name: 'Read', exact: true }).click(READY);
  const bytes = page.getByRole('group', { name: 'Bytes over the long read' });
  await expect(bytes).toContainText(
    /1,000 tokens are read\. Its states have .*, as at the first token/,
    READY,
  );
  const known = page.getByRole('group', { name: 'What is still known' });
  await expect(known.getByRole('row', { name: /^1,000 / })).toBeVisible(READY);
  await expect(known).toContainText(/\d of \d+ answers were right/);
  await expectAccessible(page);
  // Again and far: held, gone on with, stopped.
  await page.getByLabel('Tokens to read').selectOption('100000');
  await page.getByRole('button', { name: 'Read', exact: true }).click(READY);
  await expect(bytes).toContainText(/[2-9],\d\d\d tokens are read/, READY);
  await page.getByRole('button', { name: 'Hold' }).click();
  await expect(page.getByText(/^Held\./)).toBeVisible();
  await page.getByRole('button', { name: 'Go on', exact: true }).click();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByText('Stopped; what was measured stays.')).toBeVisible();
});
