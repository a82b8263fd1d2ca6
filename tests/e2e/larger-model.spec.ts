// The larger model of a site, on the production build and as a micro stand-in of the same layout: it is offered, fetched with
// a true bar, goes on after a cut and a reload, takes over, is this device's model afterwards, offline too, and is given back.
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { FaultHost } from '../fault-host';
import { indexWithLagoon, LAGOON_FOLDER, lagoonFiles } from '../conformance/lagoon-stand-in';
import { log, readyOffline, thinkShortly } from './real-page';
import { workerWithIndex } from './plain-host';

/** Not of this machine, as far as the page can tell, and trusted as a site with a certificate is. */
const NAME = 'pool.test';
const PART = 'onnx/model_quantized.onnx_data_2';

let host: FaultHost;
/** The same host under a name that is not this machine's. */
let site: string;

const test = base.extend<object, { port: number }>({
  port: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixtures that are needed from this pattern.
    async ({}, use) => {
      const probe = createServer().listen(0, '127.0.0.1');
      await once(probe, 'listening');
      const address = probe.address();
      probe.close();
      await use(typeof address === 'object' && address !== null ? address.port : 0);
    },
    { scope: 'worker' },
  ],
  launchOptions: [
    async ({ launchOptions, port }, use) => {
      const args = [
        ...(launchOptions.args ?? []),
        `--host-resolver-rules=MAP ${NAME} 127.0.0.1`,
        `--unsafely-treat-insecure-origin-as-secure=http://${NAME}:${port}`,
      ];
      await use({ ...launchOptions, args });
    },
    { scope: 'worker' },
  ],
});

test.use({ serviceWorkers: 'allow' });

test.beforeEach(async ({ port }) => {
  host = await FaultHost.start(resolve(process.env['TIDEPOOL_DIST'] ?? 'dist'), port);
  host.put('models/index.json', indexWithLagoon());
  const files = new Map([...lagoonFiles()].map(([path, bytes]) => [LAGOON_FOLDER + path, bytes]));
  host.put('service-worker.js', workerWithIndex(indexWithLagoon(), files));
  for (const [path, bytes] of files) host.put(path, bytes);
  site = host.url.replace('127.0.0.1', NAME);
});
test.afterEach(() => host.close());

const chip = (page: Page, title: string) =>
  page.getByRole('button', { name: new RegExp(`^Model: .*, ${title}$`) });
const offer = (page: Page) => page.getByRole('region', { name: /^Lagoon/ });
const get = (page: Page) => offer(page).getByRole('button', { name: /^Get Lagoon/ });

/** The embedded model answers. */
async function open(page: Page, address = site): Promise<void> {
  await page.goto(address);
  await expect(chip(page, 'Tidepool')).toBeVisible({ timeout: 60_000 });
}

async function ask(page: Page, question: string): Promise<void> {
  await thinkShortly(page);
  await page.getByRole('textbox', { name: 'Message' }).fill(question);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** Random weights seldom end by themselves. */
async function askAndStop(page: Page, question: string): Promise<void> {
  const replies = log(page).getByRole('article', { name: 'Reply' });
  const before = await replies.count();
  await ask(page, question);
  await expect(replies).toHaveCount(before + 1);
  await expect(replies.last()).toContainText(/\S/);
  const stop = page.getByRole('button', { name: 'Stop', exact: true }).last();
  await stop.click({ timeout: 5000 }).catch(() => {});
  await expect(page.getByRole('button', { name: 'Send' })).toBeVisible();
}

test('it is offered with its size, fetched at a press, goes on after a cut and a reload, takes over, and is there offline', async ({
  page,
}) => {
  const asked = () =>
    host.requests.map(({ path }) => path).filter((path) => path.includes('lagoon/onnx'));
  await open(page);
  await expect(get(page)).toContainText(/Get Lagoon, \d+ KiB|Get Lagoon, [\d.]+ MiB/);
  await expect(offer(page)).toContainText('137 million parameters');
  await expect(offer(page)).toContainText('It solves 81 % of 640 problems');
  expect(asked()).toEqual([]);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);

  // Half way it stands still; the embedded one answers meanwhile.
  host.fault = (path) => (path.endsWith(PART) ? { kind: 'stall', afterBytes: 1000 } : null);
  await get(page).click();
  const bar = offer(page).getByRole('progressbar', { name: 'Fetching Lagoon' });
  await expect.poll(() => asked().at(-1)).toContain(PART);
  const share = Number(await bar.getAttribute('value'));
  expect(share).toBeGreaterThan(0.1);
  expect(share).toBeLessThan(1);
  await ask(page, 'What is 2 + 3?');
  await expect(log(page)).toContainText(/tokens\/s/, { timeout: 60_000 });
  await expect(offer(page)).toContainText('Tidepool answers meanwhile');

  // A reload in the middle: it goes on by itself with the files that are not here yet.
  host.fault = () => null;
  host.requests.length = 0;
  await page.goto(site);
  await expect(chip(page, 'Lagoon')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText('Lagoon answers from the next message on.')).toBeVisible();
  const again = asked();
  expect(again).toContain(LAGOON_FOLDER + PART);
  expect(again).not.toContain(`${LAGOON_FOLDER}onnx/model_quantized.onnx`);
  await askAndStop(page, 'Where is the drum?');
  await expect(log(page).getByRole('article', { name: 'Reply' }).last()).toContainText('Lagoon');

  // Offline after a reload: nothing answers any more.
  await readyOffline(page);
  await host.close();
  await page.goto(site);
  await expect(chip(page, 'Lagoon')).toBeVisible({ timeout: 60_000 });
  await askAndStop(page, 'And the kite?');
  await page.getByRole('button', { name: 'New chat' }).first().click();
  await offer(page).getByRole('button', { name: 'Back to Tidepool' }).click();
  await expect(chip(page, 'Tidepool')).toBeVisible();
});

test('a part that is missing leads to a sentence with its name; the embedded model goes on', async ({
  page,
}) => {
  host.fault = (path) => (path.endsWith(PART) ? { kind: 'status', status: 404 } : null);
  await open(page);
  await get(page).click();
  await expect(offer(page)).toContainText(PART);
  await expect(offer(page).getByRole('button', { name: 'Try again' })).toBeVisible();
  await expect(chip(page, 'Tidepool')).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  host.fault = () => null;
  await offer(page).getByRole('button', { name: 'Try again' }).click();
  await expect(chip(page, 'Lagoon')).toBeVisible({ timeout: 60_000 });
});

test('served from this machine it loads by itself, unless data are to be saved or memory is too little', async ({
  browser,
}) => {
  const visit = async (told: Readonly<Record<string, unknown>>): Promise<Page> => {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    await context.addInitScript((values) => {
      for (const [name, value] of Object.entries(values))
        Object.defineProperty(navigator, name, { get: () => value });
    }, told);
    const page = await context.newPage();
    await open(page, host.url);
    return page;
  };
  const saving = await visit({ connection: { saveData: true }, deviceMemory: 8 });
  await expect(offer(saving)).toContainText('asks to save data');
  await expect(get(saving)).toBeVisible();
  const small = await visit({ deviceMemory: 0.5 });
  await expect(offer(small)).toContainText(
    /does not fit here\. It needs 5\d\d MiB .* Tidepool stays/,
  );
  const phone = await visit({ deviceMemory: 8, userAgentData: { mobile: true } });
  await expect(offer(phone)).toContainText('needs a graphics device (WebGPU) on a phone');
  expect(host.requests.filter(({ path }) => path.includes('lagoon/onnx'))).toEqual([]);
  const own = await visit({ deviceMemory: 8 });
  await expect(chip(own, 'Lagoon')).toBeVisible({ timeout: 60_000 });
  for (const page of [saving, small, phone, own]) await page.context().close();
});
