// The family's view in the lab: figures with their sources, and one press that lets a variant answer in the chat.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { existsSync, readFileSync } from 'node:fs';
import { expectAnswer } from './real-page';

interface FamilyJson {
  readonly systems: readonly { readonly id: string; readonly command: string }[];
}
const family = JSON.parse(readFileSync('public/models/family.json', 'utf8')) as FamilyJson;

/** Three variants by the heading of their card and their system; those that are shipped and measured. */
const LOADED = (
  [
    ['NVFP4', 'nvfp4', 'tidepool-nvfp4'],
    ['Mixture of experts', 'moe', 'tidepool-moe'],
    ['MiniPuzzle', 'minipuzzle', 'tidepool-puzzle'],
    ['Multi-token prediction', 'mtp', 'tidepool-mtp'],
  ] as const
)
  .filter(
    ([, system, folder]) =>
      family.systems.some(({ id }) => id === system) &&
      existsSync(`public/models/${folder}/manifest.json`),
  )
  .slice(0, 3);

async function openFamily(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await page.getByRole('tab', { name: 'Family' }).click();
}

test('variants of the family are loaded by one press, measured, and answer a question', async ({
  page,
}) => {
  const fetched: string[] = [];
  page.on('request', (request) => void fetched.push(new URL(request.url()).pathname));
  await page.goto('./');
  await expectAnswer(page, 'What is 15 + 46?');
  // Nothing of the family is part of a first answer.
  expect(fetched.filter((path) => /family|tidepool-|FamilyView/.test(path))).toEqual([]);

  await openFamily(page);
  await expect(page.getByRole('article', { name: 'Control' })).toContainText('Answers now');
  for (const { command } of family.systems)
    await expect(page.getByText(command, { exact: true }).first()).toBeAttached();
  for (const [at, [title, , folder]] of LOADED.entries()) {
    const card = page.getByRole('article', { name: title, exact: true });
    await card.getByRole('button', { name: /^Let it answer/ }).click();
    await expect(card).toContainText('Answers now', { timeout: 60_000 });
    await expect(card).toContainText(/\d tokens\/s on wasm/, { timeout: 60_000 });
    expect(fetched.some((path) => path.includes(`/models/${folder}/`))).toBe(true);
    await expectAnswer(page, `What is 7 + ${5 + at}?`);
  }
  for (const [title, figure] of [
    ['Multi-token prediction', 'Tokens that one run gives'],
    ['All-attention twin', 'What each remembers over a chat'],
    ['MiniPuzzle', 'Ranking before and after distilling'],
  ] as const) {
    const card = page.getByRole('article', { name: title, exact: true });
    await card.getByRole('button', { name: /^Show it in a picture/ }).click();
    await expect(card.getByRole('heading', { name: figure })).toBeVisible();
  }
  await expect(page.getByText(/made of number 2 after it/)).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).include('.lab').analyze();
  expect(violations).toEqual([]);
});

test('a broken file gets a sentence, and a variant that will not start gives way to the one before', async ({
  page,
}) => {
  let isBroken = true;
  await page.route('**/models/family.json', (route) =>
    isBroken
      ? route.fulfill({ json: { control: {}, systems: [{ id: 'moon' }] } })
      : route.continue(),
  );
  await page.route('**/models/tidepool-nvfp4/model.safetensors', (route) =>
    route.fulfill({ status: 404, body: 'gone' }),
  );
  await page.goto('./');
  await openFamily(page);
  const alert = page.getByRole('tabpanel').getByRole('alert');
  await expect(alert).toContainText('systems[0] is "moon"');
  isBroken = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  const card = page.getByRole('article', { name: 'NVFP4', exact: true });
  await expect(page.getByRole('article', { name: 'Control' })).toContainText('Answers now');
  await card.getByRole('button', { name: /^Let it answer/ }).click();
  await expect(page.getByText(/could not be started.*Tidepool answers in its place/)).toBeVisible({
    timeout: 60_000,
  });
  await expect(page.getByRole('article', { name: 'Control' })).toContainText('Answers now', {
    timeout: 60_000,
  });
});
