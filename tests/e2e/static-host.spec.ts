// Checks that the built site works as plain files under a sub-path of a host that sends no special headers.
import { expect, test } from './plain-host';
import { openMicro } from './real-page';

test('the page opens under a sub-path and asks for nothing outside it', async ({ page, host }) => {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    const url = request.url();
    const isLocal = url.startsWith('blob:') || url.startsWith('data:');
    if (!isLocal && !url.startsWith(host.url)) problems.push(`outside: ${url}`);
  });

  await page.goto(host.url);

  await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(false);
  expect(problems).toEqual([]);
});

test('without a service worker to isolate the page the model runs on one thread, and the page says so', async ({
  page,
  host,
}) => {
  await openMicro(page, host.url);
  const chip = page.getByRole('button', { name: 'Model: WASM, one thread' });
  await expect(chip).toBeVisible({ timeout: 60_000 });
  await chip.click();
  await expect(page.getByText(/not cross-origin isolated/).first()).toBeVisible();
});
