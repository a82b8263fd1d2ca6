// The browser's own model, as a fake installed before the page loads: offered, fetched, asked, cut at the limit; and not
// there where the browser lacks it.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { fakeNativeModel } from '../fake-native-model.js';
import { ask, log, openMicro } from './real-page';

async function openModels(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Model: / }).click();
  await page.getByRole('button', { name: 'Choose another model' }).click();
}

test('a browser with a model of its own offers it, and it answers within the limit', async ({
  page,
}) => {
  await page.addInitScript(`globalThis.LanguageModel = (${String(fakeNativeModel)})();`);
  await openMicro(page);
  await openModels(page);
  const offer = page.getByRole('region', { name: 'The browser’s own model' });
  await expect(offer).toContainText('The browser would fetch it first');
  const { violations } = await new AxeBuilder({ page }).include('dialog[open]').analyze();
  expect(violations).toEqual([]);
  await offer.getByRole('button', { name: 'Answer with it' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('button', { name: /^Model: .*, in this browser, / })).toBeVisible();
  await page.getByRole('slider', { name: 'Thinking limit' }).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await ask(page, 'What is it?');
  await expect(log(page)).toContainText('The answer is 42.', { timeout: 60_000 });
  await expect(log(page)).toContainText('The limit was kept from here: this browser’s model');
  // Nobody was asked whether the chat may leave, since it does not.
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('a browser without one says nothing of it', async ({ page }) => {
  await page.addInitScript('delete globalThis.LanguageModel');
  await openMicro(page);
  await openModels(page);
  await expect(page.getByRole('region', { name: 'Models on a server' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'The browser’s own model' })).toHaveCount(0);
});
