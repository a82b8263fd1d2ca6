// The report on impact: every figure of the file is there with its command and its limits, and it opens without a network.
import AxeBuilder from '@axe-core/playwright';
import { readFileSync } from 'node:fs';
import { expect, test } from './plain-host';
import { openMicro, readyOffline } from './real-page';

interface Impact {
  readonly categories: readonly {
    readonly figures: readonly { readonly name: string; readonly cannotSay: string }[];
  }[];
}
const impact = JSON.parse(readFileSync('public/models/impact.json', 'utf8')) as Impact;

test.describe('kept', () => {
  test.use({ serviceWorkers: 'allow' });

  test('the report opens offline', async ({ page, host }) => {
    await openMicro(page, host.url);
    await readyOffline(page);
    await host.kill();
    await page.reload();

    await page.getByRole('textbox', { name: 'Message' }).press('Control+k');
    const commands = page.getByRole('combobox', { name: 'Command, chat, model or lesson' });
    await commands.fill('report on impact');
    await commands.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Report on impact' });
    await expect(dialog.getByRole('heading', { level: 3 })).toHaveText([
      'Bias and stereotypes',
      'Cultural values and sensitive content',
      'Disparate performance',
      'Privacy',
      'Financial cost',
      'Environmental cost',
      'Labour',
    ]);
    const figures = impact.categories.flatMap((category) => category.figures);
    await expect(dialog.getByRole('article')).toHaveCount(figures.length);
    for (const [at, { name, cannotSay }] of figures.entries()) {
      const article = dialog.getByRole('article').nth(at);
      await expect(article.getByRole('heading')).toContainText(name);
      await expect(article).toContainText(cannotSay);
      await expect(article.locator('code')).not.toBeEmpty();
    }
    const { violations } = await new AxeBuilder({ page }).include('dialog[open]').analyze();
    expect(violations).toEqual([]);
  });
});

test('help leads to the report, and one that is broken is told of', async ({ page, host }) => {
  await page.route('**/models/impact.json', (route) =>
    route.fulfill({ json: { categories: [{ id: 'moon' }] } }),
  );
  await page.goto(`${host.url}?model=micro`);
  await page.getByRole('button', { name: 'Help', exact: true }).click();
  await page.getByRole('button', { name: 'Report on impact' }).click();
  await expect(
    page.getByRole('dialog', { name: 'Report on impact' }).getByRole('alert'),
  ).toContainText('categories[0] is "moon"');
});
