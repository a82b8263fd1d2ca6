// The judge's page: a file of ten tasks is judged by the model in the tab, stopped, reloaded, and gone on with; what is wrong in
// a file is told; by keyboard; the report on impact opens offline.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';

/** Ten tasks with one criterion each and replies of three labelled sources. */
const TEN = Array.from({ length: 10 }, (_, at) => ({
  task_id: `sum-${at}`,
  domain: at % 2 === 0 ? 'Sums' : 'Words',
  prompt: `What is ${at} + 1?`,
  a_response: `It is ${at + 1}.`,
  b_response: 'It is 7.',
  c_response: 'No idea.',
  rubrics: [
    {
      criterion_description: `States that the sum is ${at + 1}`,
      criterion_type: ['Reasoning'],
      criterion_weight: 'Critical',
      a_fulfilment: true,
      b_fulfilment: at === 6,
      c_fulfilment: false,
    },
  ],
}));

function lines(rows: readonly unknown[]): string {
  return rows.map((row) => JSON.stringify(row)).join('\n');
}

async function openJudge(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).press('Control+k');
  const commands = page.getByRole('combobox', { name: 'Command, chat, model or lesson' });
  await commands.fill('judge replies');
  await commands.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Judge' })).toBeVisible();
}

async function takeFile(page: Page, name: string, text: string): Promise<void> {
  await page
    .getByLabel('Open tasks, replies or a saved judging')
    .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
}

test('ten tasks are judged by the model in the tab, also after a stop and a reload', async ({
  page,
}) => {
  const fetched: string[] = [];
  page.on('request', (request) => void fetched.push(new URL(request.url()).pathname));
  await page.goto('./?model=micro');
  await page.getByRole('textbox', { name: 'Message' }).waitFor();
  expect(fetched.filter((path) => /judge|Judge|impact/.test(path))).toEqual([]);

  await openJudge(page);
  const dialog = page.getByRole('dialog', { name: 'Judge' });
  await expect(dialog.getByText('written', { exact: true }).first()).toBeVisible();
  await takeFile(page, 'ten.jsonl', lines(TEN));
  await expect(dialog.getByText('10 criteria')).toBeVisible();
  await dialog.getByRole('checkbox', { name: 'Hold the answer to Yes or No' }).check();

  await dialog.getByRole('button', { name: 'Judge', exact: true }).click();
  await expect(dialog.getByText(/^[3-9] of 30$|^1\d of 30$/)).toBeVisible({ timeout: 60_000 });
  await dialog.getByRole('button', { name: 'Stop', exact: true }).click();
  const stopped = dialog.getByText(/^Stopped after \d+ of 30/).first();
  await expect(stopped).toBeVisible();
  const before = Number(/\d+/.exec((await stopped.textContent()) ?? '')?.[0]);
  expect(before).toBeGreaterThan(2);

  await page.reload();
  await openJudge(page);
  await expect(dialog.getByText(`Stopped after ${before} of 30`).first()).toBeVisible();
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await expect(dialog.getByText('Done: 30 replies and criteria.').first()).toBeVisible({
    timeout: 100_000,
  });

  const scores = dialog.getByRole('region', { name: 'Scores' });
  await expect(scores.getByRole('row', { name: /^Overall \d+ % \d+ % \d+ %/ })).toBeVisible();
  await expect(
    scores.getByRole('row', { name: /^Overall, by the labels 100 % 10 % 0 %/ }),
  ).toBeVisible();
  const quality = dialog.getByRole('region', { name: 'How good the judge is' });
  // Eleven of thirty are fulfilled: F1 of yes 22/41, of no 0; biases 0, 90 and 100.
  await expect(quality.getByRole('row', { name: /^Always yes 26\.8 100\.0 −73\.2/ })).toBeVisible();
  await expect(quality.getByRole('row', { name: /held to Yes or No/ })).toBeVisible();

  const [csv] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Save as CSV' }).click(),
  ]);
  expect(
    readFileSync(await csv.path(), 'utf8')
      .trim()
      .split('\r\n'),
  ).toHaveLength(31);
  const [json] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Save as JSON' }).click(),
  ]);
  const saved = readFileSync(await json.path(), 'utf8');
  await dialog.getByRole('button', { name: 'Forget what was judged' }).click();
  await expect(quality).toBeHidden();
  await takeFile(page, 'saved.json', saved);
  await expect(quality.getByRole('row', { name: /held to Yes or No/ })).toBeVisible();

  const { violations } = await new AxeBuilder({ page }).include('dialog[open]').analyze();
  expect(violations).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('what is wrong in a file is told by row and field, and the rest is read', async ({ page }) => {
  await page.goto('./?model=micro');
  await openJudge(page);
  const dialog = page.getByRole('dialog', { name: 'Judge' });
  const [first, ...others] = TEN;
  const weightless = { ...first, rubrics: [{ ...first?.rubrics[0], criterion_weight: undefined }] };
  await takeFile(page, 'nine.jsonl', lines([weightless, ...others]));
  await expect(dialog.getByRole('alert')).toContainText(
    'Row 1, criterion 1: the field “criterion_weight” is missing.',
  );
  await expect(dialog.getByText('9 criteria')).toBeVisible();

  await takeFile(
    page,
    'mine.jsonl',
    lines([{ response: 'Whose?' }, { task_id: 'sum-3', response: '4' }]),
  );
  await expect(dialog.getByRole('alert')).toContainText('Row 1: the field “task_id” is missing.');
  await expect(dialog.getByText('mine', { exact: true })).toBeVisible();
  await takeFile(page, 'none.json', 'not at all');
  await expect(dialog.getByRole('alert')).toContainText('Choose a file of tasks');
});
