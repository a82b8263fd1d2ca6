// Airplane mode for someone who has only installed the app: one visit, nothing asked, the host killed. Then the whole of
// it works: a cold start, a new chat with an answer, the lab on the model's own numbers, formulas and code, the history.
import type { Page } from '@playwright/test';
import { expect, newerVersion, test, type PlainHost } from '../e2e/plain-host';
import { expectAnswer, log, openMicro, readyOffline, thinkShortly } from '../e2e/real-page';

test.use({ serviceWorkers: 'allow' });

async function install(page: Page, host: PlainHost): Promise<void> {
  await openMicro(page, host.url);
  await readyOffline(page);
}

async function expectAllOfIt(page: Page, host: PlainHost): Promise<void> {
  await openMicro(page, host.url);
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
  await page.getByRole('button', { name: 'New chat' }).first().click();
  await expectAnswer(page, 'What is 4 + 4?');
  await page.getByRole('button', { name: 'State lab' }).click();
  const lab = page.getByRole('complementary', { name: 'State lab' });
  for (const view of ['Layers', 'Tokens', 'Operate', 'Recall', 'Lessons', 'Memory']) {
    await lab.getByRole('tab', { name: view }).click();
    await expect(lab.getByRole('tabpanel')).not.toContainText(/did not arrive|failed to fetch/i);
  }
  await expect(lab).toContainText(/KiB/);
  await page
    .getByRole('button', { name: /^Close/ })
    .first()
    .click();
  const nav = page.getByRole('navigation', { name: 'Conversations' });
  await expect(nav.getByRole('listitem')).toHaveCount(2);
  await page.reload();
  await nav.getByRole('button', { name: 'What is 2 + 3?', exact: true }).click();
  await expect(log(page)).toContainText('What is 2 + 3?');
}

test('airplane mode in a fresh profile that was given only the install: chat, lab and history work', async ({
  page,
  host,
}) => {
  const missed: string[] = [];
  await install(page, host);
  await page.close();
  await host.kill();
  const fresh = await page.context().newPage();
  fresh.on('requestfailed', (request) => {
    // What was under way when the page itself went on to another is not missed.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED')
      missed.push(new URL(request.url()).pathname);
  });
  await expectAllOfIt(fresh, host);
  // The service worker's own script and the manifest of the model are asked anew each time, in vain here.
  expect(
    missed.filter((path) => !/service-worker\.js$|manifest\.(?:json|webmanifest)$/.test(path)),
  ).toEqual([]);
});

test('airplane mode after an update of the app: the new version works without a network', async ({
  page,
  host,
}) => {
  await install(page, host);
  await host.replace(newerVersion('newer'));
  await page.reload();
  await expect(page.getByText('A new version is ready.')).toBeVisible({ timeout: 60_000 });
  // As a page does when it starts: the old version must not take the one that waits for a left-over.
  const shells = await page.evaluate(async () => {
    const { controller } = navigator.serviceWorker;
    const told = new Promise((resolve) => {
      new BroadcastChannel('tidepool-kept').onmessage = resolve;
    });
    controller?.postMessage('tidy');
    await told;
    return (await caches.keys()).filter((name) => name.startsWith('tidepool-shell-'));
  });
  expect(shells).toHaveLength(2);
  await page.getByRole('button', { name: 'Use it now' }).click();
  await expect
    .poll(
      () =>
        page
          .locator('meta[name=test-version]')
          .count()
          .catch(() => 0),
      { timeout: 30_000 },
    )
    .toBe(1);
  await host.kill();
  await expectAllOfIt(page, host);
  await expect(page.locator('meta[name=test-version]')).toHaveAttribute('content', 'newer');
});
