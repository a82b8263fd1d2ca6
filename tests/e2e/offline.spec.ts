// The app without a network: the host is a process that is killed. And the same host, which sends no special header,
// with a page that has threads all the same.
import type { Page } from '@playwright/test';
import { connect } from 'node:net';
import { expect, newerVersion, test, type PlainHost } from './plain-host';
import { ask, openMicro, readyOffline, replied } from './real-page';

test.use({ serviceWorkers: 'allow' });

async function askAndRead(page: Page, message: string): Promise<void> {
  await ask(page, message);
  await replied(page);
}

/** Fails when anything still answers at the host's address. */
async function expectNoHost(host: PlainHost): Promise<void> {
  const { hostname, port } = new URL(host.url);
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve('connected');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  expect(code).toBe('ECONNREFUSED');
}

function versionOf(page: Page): Promise<string | null> {
  return page.evaluate(
    () => document.querySelector('meta[name=test-version]')?.getAttribute('content') ?? null,
  );
}

function shellCaches(page: Page): Promise<string[]> {
  return page.evaluate(async () =>
    (await caches.keys()).filter((name) => name.startsWith('tidepool-shell-')),
  );
}

test('with the server killed, a reload, a new tab, a new chat and an answer work', async ({
  page,
  context,
  host,
}) => {
  await openMicro(page, host.url);
  await readyOffline(page);
  await host.kill();
  await expectNoHost(host);

  await page.reload();
  await askAndRead(page, 'What is 2 + 3?');
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);

  const fresh = await context.newPage();
  await openMicro(fresh, host.url);
  await fresh.getByRole('button', { name: 'New chat' }).first().click();
  await askAndRead(fresh, 'What is 4 + 4?');
});

test('the size that is said is the size that is kept, and the model is kept once', async ({
  page,
  host,
}) => {
  await openMicro(page, host.url);
  await readyOffline(page);
  const kept = await page.evaluate(async () => {
    const files: { cache: string; path: string; bytes: number }[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const bytes = (await (await cache.match(request))?.arrayBuffer())?.byteLength ?? NaN;
        files.push({ cache: name, path: new URL(request.url).pathname, bytes });
      }
    }
    return files;
  });
  const names = kept.map(({ path }) => path.split('/').at(-1) ?? '');
  expect(names.filter((name) => name.endsWith('.onnx'))).toEqual(['model_quantized.onnx']);
  expect(names.filter((name) => name.endsWith('.wasm'))).toHaveLength(1);
  const mebibytes = kept.reduce((all, { bytes }) => all + bytes, 0) / 2 ** 20;
  const said = Number(
    /offline · ([\d.]+) MiB/.exec((await page.getByText(/Ready offline/).textContent()) ?? '')?.[1],
  );
  expect(Math.abs(said - mebibytes)).toBeLessThan(0.1);
});

test('on a host with headers the first visit is enough, without a reload', async ({
  page,
  baseURL,
}) => {
  let documents = 0;
  page.on('request', (request) => {
    if (request.isNavigationRequest()) documents += 1;
  });
  await openMicro(page, baseURL);
  await readyOffline(page);
  expect(documents).toBe(1);
  await askAndRead(page, 'What is 2 + 3?');
});

test('on a host without headers the page reloads once and then has threads', async ({
  page,
  host,
}) => {
  let documents = 0;
  page.on('request', (request) => {
    if (request.isNavigationRequest()) documents += 1;
  });
  await openMicro(page, host.url);
  await expect
    .poll(
      // The page that is asked may be the one that is just being replaced.
      () => page.evaluate(() => globalThis.crossOriginIsolated).catch(() => null),
      { timeout: 30_000 },
    )
    .toBe(true);
  await readyOffline(page);
  expect(documents).toBe(2);
  await page.reload();
  await expect(page.getByRole('button', { name: /Model: WASM/ })).toBeVisible({ timeout: 60_000 });
  expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
  expect(documents).toBe(3);
});

test('a new version is stored whole, asked for, and then replaces the old one', async ({
  page,
  host,
}) => {
  await openMicro(page, host.url);
  await readyOffline(page);
  const [old] = await shellCaches(page);
  await host.replace(newerVersion('second'));
  await page.reload();
  await expect(page.getByText('A new version is ready.')).toBeVisible({ timeout: 60_000 });
  expect(await versionOf(page)).toBeNull();
  await page.getByRole('button', { name: 'Use it now' }).click();
  await expect.poll(() => versionOf(page).catch(() => null), { timeout: 30_000 }).toBe('second');
  await expect.poll(() => shellCaches(page)).toHaveLength(1);
  expect(await shellCaches(page)).not.toContain(old);

  await host.kill();
  await expectNoHost(host);
  await page.reload();
  expect(await versionOf(page)).toBe('second');
  await askAndRead(page, 'What is 2 + 3?');
});

test('the files of a model come past the service worker, which a new version may replace meanwhile', async ({
  page,
  host,
}) => {
  await openMicro(page, host.url);
  await readyOffline(page);
  const answer = page.waitForResponse((response) => response.url().includes('/models/micro/'));
  await page.reload();
  expect((await answer).fromServiceWorker()).toBe(false);
  expect(await page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe('activated');
});

test('an update that lacks a file leaves the old version working', async ({ page, host }) => {
  await openMicro(page, host.url);
  await readyOffline(page);
  const old = await shellCaches(page);
  await host.replace(newerVersion('torn', { lacking: true }));
  await page.reload();
  // The broken worker is tried and thrown away.
  const state = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update().catch(() => undefined);
    const worker = registration.installing;
    if (worker === null) return 'gone';
    return new Promise<string>((resolve) => {
      worker.addEventListener('statechange', () => resolve(worker.state));
    });
  });
  expect(['gone', 'redundant']).toContain(state);
  // The browser may try again by itself; it ends with nothing under way and the old version alone.
  await expect
    .poll(() =>
      page.evaluate(async () => {
        const { installing, waiting } = await navigator.serviceWorker.ready;
        return { installing: installing?.state, waiting: waiting?.state };
      }),
    )
    .toEqual({ installing: undefined, waiting: undefined });
  await expect.poll(() => shellCaches(page)).toEqual(old);
  await expect(page.getByText('A new version is ready.')).toHaveCount(0);

  await host.kill();
  await page.reload();
  expect(await versionOf(page)).toBeNull();
  await askAndRead(page, 'What is 2 + 3?');
});
