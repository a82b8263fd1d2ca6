// The page that measures a device: both engines run, a stop stops, the result is saved, and axe finds nothing.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { readFile } from 'node:fs/promises';

test.beforeEach(async ({ page }) => {
  await page.goto('./bench/');
});

test('measures both engines, which write the same tokens, and saves the result', async ({
  page,
}) => {
  test.setTimeout(300_000);
  await page.getByLabel('Rounds').selectOption('3');
  await page.getByRole('button', { name: 'Measure' }).click();
  await expect(page.getByRole('status')).toContainText('same tokens in 12 of 12 runs', {
    timeout: 240_000,
  });
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as JSON' }).click();
  const saved = JSON.parse(await readFile(await (await download).path(), 'utf8')) as {
    contenders: { name: string; values: Record<string, number[]> }[];
  };
  expect(saved.contenders.map(({ name }) => name)).toEqual(['tidepool', 'transformers']);
  for (const { values } of saved.contenders) {
    expect(values['decode1024']).toHaveLength(3);
    for (const value of Object.values(values).flat()) expect(value).toBeGreaterThan(0);
  }
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
});

test('stops at once and can begin again', async ({ page }) => {
  await page.getByRole('button', { name: 'Measure' }).click();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByRole('status')).toContainText('Stopped');
  await page.getByRole('button', { name: 'Measure' }).click();
  await expect(page.getByRole('progressbar')).toBeVisible();
});
