// Being an installed app: the manifest, the offer to install, the promise of storage, and an update that waits its turn.
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from './fake-site';

test.use({ serviceWorkers: 'allow' });

test('the web app manifest is valid, and its icons are what it says', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  const devtools = await page.context().newCDPSession(page);
  const { url, errors, data } = await devtools.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  const manifest = JSON.parse(data ?? '') as {
    display: string;
    start_url: string;
    icons: { src: string; sizes: string; type: string }[];
    shortcuts: { name: string; url: string }[];
    screenshots: { src: string; sizes: string; type: string; form_factor: string }[];
    share_target: { action: string; method: string; params: Record<string, string> };
  };
  expect(manifest.display).toBe('standalone');
  expect(new URL(manifest.start_url, url).href).toBe(new URL('./', url).href);
  expect(manifest.shortcuts.map(({ name }) => name)).toEqual(['New chat', 'State lab', 'Lessons']);
  expect(manifest.share_target).toMatchObject({ action: './', method: 'POST' });
  expect(manifest.screenshots.map((shot) => shot.form_factor)).toEqual(
    expect.arrayContaining(['wide', 'narrow']),
  );
  for (const { src } of manifest.screenshots) {
    const response = await page.request.get(new URL(src, url).href);
    expect(response.status()).toBe(200);
    expect((await response.body()).length).toBeLessThan(300_000);
  }
  const images = [...manifest.icons, ...manifest.screenshots].filter(
    ({ type }) => type === 'image/png',
  );
  const sizes = await page.evaluate(
    (icons) =>
      Promise.all(
        icons.map(async (src) => {
          const image = new Image();
          image.src = src;
          await image.decode();
          return `${image.naturalWidth}x${image.naturalHeight}`;
        }),
      ),
    images.map(({ src }) => new URL(src, url).href),
  );
  expect(sizes).toEqual(images.map((image) => image.sizes));
  expect(sizes).toContain('192x192');
  expect(sizes).toContain('512x512');
});

test('a text shared by another app lands in the box, cleaned and cut, and is not sent', async ({
  chat,
  fakeSite,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  const box = page.getByRole('textbox', { name: 'Message' });
  await box.fill('begun before');
  const shared = new URLSearchParams({
    engine: 'fake:thinks',
    pace: '0',
    title: 'Tides',
    text: `Why\u202e is there a tide? <b>bold</b> ${'x'.repeat(9000)}`,
    url: 'https://sea.example/',
  });
  await page.goto(`${fakeSite}?${shared.toString()}`);
  await expect(box).toHaveValue(/^begun before\n\nExplain this:\nTides\nWhy is there a tide\?/);
  expect((await box.inputValue()).length).toBeLessThan(4100);
  await expect(page.getByText('Nothing is sent until you send it.')).toBeVisible();
  await expect(page.getByRole('button', { name: /Model: WASM/ })).toBeVisible();
  await expect(page.getByRole('article', { name: 'Reply' })).toHaveCount(0);
  expect(new URL(page.url()).search).toBe('?engine=fake%3Athinks&pace=0');
  await chat.expectAccessible();
});

test('the shortcuts of the installed app open the lab and its lessons', async ({
  chat,
  fakeSite,
}) => {
  const { page } = chat;
  for (const [open, tab] of [
    ['lab', 'Memory'],
    ['lessons', 'Lessons'],
  ] as const) {
    await page.goto(`${fakeSite}?engine=fake:thinks&pace=0&open=${open}`);
    await expect(page.getByRole('tab', { name: tab })).toHaveAttribute('aria-selected', 'true');
    expect(page.url()).not.toContain('open=');
  }
});

test('to install is offered when the browser can, and never pushed', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  const install = page.getByRole('button', { name: 'Install' });
  await expect(install).toHaveCount(0);
  const isHeldBack = await page.evaluate(() => {
    const event = Object.assign(new Event('beforeinstallprompt', { cancelable: true }), {
      prompt: () => {
        document.documentElement.dataset['prompted'] = 'yes';
        return Promise.resolve();
      },
    });
    window.dispatchEvent(event);
    return event.defaultPrevented;
  });
  expect(isHeldBack).toBe(true);
  await expect(page.locator('html[data-prompted]')).toHaveCount(0);
  await chat.expectAccessible();
  await install.click();
  await expect(page.locator('html[data-prompted]')).toHaveCount(1);
  await expect(install).toHaveCount(0);
});

for (const [isPromised, sentence] of [
  [true, 'The browser has promised to keep it.'],
  [false, 'The browser has not promised to keep it'],
] as const) {
  test(`storage is asked for after the first reply, and the answer "${isPromised ? 'yes' : 'no'}" is shown`, async ({
    chat,
  }) => {
    const { page } = chat;
    await page.addInitScript((answer) => {
      let asked = 0;
      navigator.storage.persisted = () => Promise.resolve(false);
      navigator.storage.persist = () => {
        asked += 1;
        document.documentElement.dataset['asked'] = String(asked);
        return Promise.resolve(answer);
      };
    }, isPromised);
    await chat.open('thinks');
    await expect(page.getByRole('button', { name: /Model: WASM/ })).toBeVisible();
    await expect(page.locator('html[data-asked]')).toHaveCount(0);
    for (const question of ['What is 23 + 58?', 'And again?']) {
      await chat.ask(question);
      await chat.replied();
      await expect(page.locator('html[data-asked="1"]')).toHaveCount(1);
    }
    await page.getByRole('button', { name: 'Settings' }).click();
    await expect(page.getByText(sentence)).toBeVisible();
  });
}

test('a new version is not spoken of while a reply is written', async ({ chat }) => {
  const { page } = chat;
  await chat.open('cut', 40);
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (navigator.serviceWorker.controller === null)
      await new Promise((claimed) => {
        navigator.serviceWorker.addEventListener('controllerchange', claimed, { once: true });
      });
  });
  const worker = fileURLToPath(
    new URL(`../../.cache/dist-fake-${process.pid}/service-worker.js`, import.meta.url),
  );
  appendFileSync(worker, '\n// newer\n');
  // Without a limit the thought goes on for three quarters of a minute: longer than a new version takes to install.
  await page.getByRole('slider', { name: 'Thinking limit' }).focus();
  await page.keyboard.press('End');
  await chat.ask('What is 23 + 58?');
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
    const incoming = registration.installing;
    if (incoming === null) return;
    await new Promise<void>((installed) => {
      incoming.addEventListener('statechange', () => {
        if (incoming.state === 'installed') installed();
      });
    });
  });
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
  await expect(page.getByText('A new version is ready.')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await chat.replied();
  await expect(page.getByText('A new version is ready.')).toBeVisible();
  await page.getByRole('button', { name: 'Later' }).click();
  await expect(page.getByText('A new version is ready.')).toHaveCount(0);
});
