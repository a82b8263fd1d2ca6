// A build of the page in the mode "fake", where the address may choose a scripted engine, and a server for it.
// Production builds have no such engine; this one lies in .cache, built once for each worker of Playwright.
import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { FakeHub } from '../conformance/fake-hub';

interface FakeSite {
  readonly address: string;
  close(): Promise<void>;
}

/** Each worker builds into a folder of its own, so that two runs on one machine do not meet. */
async function serveFakeSite(hub: FakeHub): Promise<FakeSite> {
  const mode = 'fake';
  // The build's policy lets through the hosts that it is told; vite.config.ts reads this.
  process.env['TIDEPOOL_MODEL_HOSTS'] = `${hub.origin} ${hub.contentOrigin}`;
  const outDir = fileURLToPath(new URL(`../../.cache/dist-fake-${process.pid}`, import.meta.url));
  await build({ mode, logLevel: 'error', build: { outDir, emptyOutDir: true } });
  const server = await preview({
    mode,
    logLevel: 'error',
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0, strictPort: false },
  });
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) throw new Error('the preview server gave no address');
  return {
    address,
    close: async () => {
      await server.close();
      await rm(outDir, { recursive: true, force: true });
    },
  };
}

export interface ChatPage {
  readonly page: Page;
  /** Opens the page on a fake engine; `paceMs` is the time of one token. */
  open(scenario: string, paceMs?: number): Promise<void>;
  /** Types a message and sends it. */
  ask(text: string): Promise<void>;
  /** Waits until no reply is being written. */
  replied(): Promise<void>;
  /** Fails when axe finds anything. */
  expectAccessible(): Promise<void>;
}

export const test = base.extend<{ chat: ChatPage }, { hub: FakeHub; fakeSite: string }>({
  hub: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixtures that are needed from this pattern.
    async ({}, use) => {
      const hub = await FakeHub.start();
      await use(hub);
      await hub.close();
    },
    { scope: 'worker' },
  ],
  fakeSite: [
    async ({ hub }, use) => {
      const site = await serveFakeSite(hub);
      await use(site.address);
      await site.close();
    },
    { scope: 'worker', timeout: 180_000 },
  ],
  chat: async ({ page, fakeSite }, use) => {
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await use({
      page,
      open: async (scenario, paceMs = 0) => {
        await page.goto(`${fakeSite}?engine=fake:${scenario}&pace=${paceMs}`);
        await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
      },
      ask: async (text) => {
        await page.getByRole('textbox', { name: 'Message' }).fill(text);
        await page.getByRole('button', { name: 'Send' }).click();
      },
      replied: async () => {
        await expect(page.getByRole('button', { name: 'Send' })).toBeVisible();
      },
      expectAccessible: async () => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        const said = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`,
        );
        expect(said).toEqual([]);
      },
    });
    expect(problems, 'errors of the page').toEqual([]);
  },
});

export { expect };
