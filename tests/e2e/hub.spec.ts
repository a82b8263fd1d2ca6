// Models of a hub: looked up, refused with a sentence for each way it can fail, downloaded with pause, reload, resume,
// cancel and delete. The hub is one on this machine; its address is set as a mirror, as a school would.
import type { Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FakeHub, HubFault } from '../conformance/fake-hub';
import { expect as baseExpect, test } from './fake-site';

// A busy machine reads and hashes a megabyte in many seconds; what is waited for comes all the same.
const expect = baseExpect.configure({ timeout: 90_000 });

test.describe.configure({ timeout: 400_000 });

const MICRO = new URL('../../public/models/micro/', import.meta.url);
const REPO = 'school/micro-ONNX';

/** The micro model as a hub's repository; its weights get a tail, so that a download takes some requests. */
async function microRepo(id: string, extra: Readonly<Record<string, string>> = {}) {
  const paths = [
    'config.json',
    'generation_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'chat_template.jinja',
    'onnx/model_q4.onnx',
    'onnx/model_quantized.onnx',
  ];
  const files = new Map<string, Uint8Array>();
  // Not a Buffer: its slices share memory with it, and the hub changes bytes of slices.
  for (const path of paths)
    files.set(path, new Uint8Array(await readFile(fileURLToPath(new URL(path, MICRO)))));
  for (const [path, text] of Object.entries(extra)) files.set(path, new TextEncoder().encode(text));
  return { id, files, license: 'apache-2.0', languages: ['en'] };
}

async function openLibrary(page: Page, hub: FakeHub) {
  await page.getByRole('button', { name: /^Model:/ }).click();
  await page.getByRole('button', { name: 'Choose another model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Models' });
  await expect(dialog.getByText('This device:')).toBeVisible();
  if ((await dialog.getByText(hub.origin).count()) === 0) {
    await dialog.getByText('Hub and mirror').click();
    await dialog.getByLabel('Address of the mirror').fill(hub.origin);
    await dialog.getByRole('button', { name: 'Use this address' }).click();
    await expect(dialog.getByText(hub.origin).first()).toBeVisible();
  }
  return dialog;
}

async function lookUp(page: Page, repo: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Models' });
  await dialog.getByLabel('Name of the model on the hub').fill(repo);
  await dialog.locator('form').getByRole('button', { name: 'Look it up' }).click();
}

function cardOf(page: Page, title: string) {
  return page
    .getByRole('dialog', { name: 'Models' })
    .getByRole('article', { name: title, exact: true });
}

test.beforeAll(async ({ hub }) => {
  hub.add(await microRepo(REPO));
});

test.afterEach(({ hub }) => {
  hub.heal();
  hub.pace = null;
});

test('looks a model up: layers, true sizes, licence, languages, thinking; nothing big is fetched', async ({
  chat,
  hub,
}) => {
  await chat.open('thinks');
  await openLibrary(chat.page, hub);
  const before = hub.requests.length;
  await lookUp(chat.page, `${hub.origin}/${REPO}`);
  const card = cardOf(chat.page, 'micro');
  await expect(
    card.getByRole('img', { name: /5 layers: 2 Mamba-2, 2 MLP, 1 attention/ }),
  ).toBeVisible();
  await expect(card.getByRole('combobox', { name: 'Variant of micro' })).toContainText(
    '402 KiB, q4',
  );
  await expect(card.getByText('apache-2.0')).toBeVisible();
  await expect(card.getByText(/^en$/)).toBeVisible();
  await expect(card.getByText(/enable_thinking in its template/)).toBeVisible();
  await expect(card.getByRole('button', { name: /^Download [\d.]+ KiB$/ })).toBeVisible();
  expect(hub.requests.slice(before).filter(({ path }) => path.includes('.onnx'))).toEqual([]);
});

const TROUBLES: readonly {
  readonly what: string;
  readonly repo?: string;
  readonly fault?: HubFault;
  readonly says: RegExp;
  readonly wayOut: RegExp;
}[] = [
  {
    what: 'a name that is none',
    repo: 'granite',
    says: /is no name of a model/,
    wayOut: /owner\/name/,
  },
  {
    what: 'a model that is not there',
    repo: 'nobody/nothing',
    says: /private, gated or not there/,
    wayOut: /Check the name/,
  },
  { what: 'a gated model', repo: 'school/gated', says: /is gated/, wayOut: /From this computer/ },
  {
    what: 'a model without ONNX files',
    repo: 'school/torch',
    says: /has no ONNX file: it has model.safetensors/,
    wayOut: /-ONNX/,
  },
  {
    what: 'a model without its tokenizer',
    repo: 'school/half',
    says: /lacks tokenizer.json/,
    wayOut: /layout of transformers.js/,
  },
  {
    what: 'an unknown architecture',
    repo: 'school/jamba',
    says: /of the kind "jamba"/,
    wayOut: /Choose a model of one of these/,
  },
  {
    what: 'too many questions',
    fault: { match: /api\/models/, kind: 'rate-limit', retryAfterSeconds: 30 },
    says: /too many questions/,
    // The hub does not show its Retry-After to pages of other origins.
    wayOut: /Wait some minutes/,
  },
  {
    what: 'a sign-in page of the network',
    fault: { match: /api\/models/, kind: 'page' },
    says: /answered with a web page/,
    wayOut: /mirror/,
  },
  {
    what: 'a hub that is down',
    fault: { match: /api\/models/, kind: 'gateway' },
    says: /answered 503/,
    wayOut: /try again/,
  },
];

test('says in a sentence what is wrong and what to do', async ({ chat, hub }) => {
  const micro = await microRepo('x/y');
  const small = new Map([...micro.files].filter(([path]) => !path.includes('onnx')));
  hub.add({ ...micro, id: 'school/gated', gated: 'manual' });
  hub.add({
    ...micro,
    id: 'school/torch',
    files: new Map([...small, ['model.safetensors', new Uint8Array(9)]]),
  });
  hub.add({
    ...micro,
    id: 'school/half',
    files: new Map([...micro.files].filter(([path]) => path !== 'tokenizer.json')),
  });
  hub.add(await microRepo('school/jamba', { 'config.json': '{"model_type":"jamba"}' }));
  await chat.open('thinks');
  const dialog = await openLibrary(chat.page, hub);
  for (const { what, repo = REPO, fault, says, wayOut } of TROUBLES) {
    hub.heal();
    if (fault !== undefined) hub.fail(fault);
    await lookUp(chat.page, repo);
    const alert = dialog.getByRole('alert');
    await expect(alert, what).toContainText(says);
    await expect(alert, what).toContainText(wayOut);
  }
  hub.heal();
  await chat.page.context().setOffline(true);
  await lookUp(chat.page, REPO);
  await expect(dialog.getByRole('alert')).toContainText('This device is offline');
  await chat.page.context().setOffline(false);
  await chat.expectAccessible();
});

test('refuses a mirror that the site’s policy does not let through, and an address that is none', async ({
  chat,
  hub,
}) => {
  await chat.open('thinks');
  const dialog = await openLibrary(chat.page, hub);
  const field = dialog.getByLabel('Address of the mirror');
  await field.fill('models.school.example');
  await dialog.getByRole('button', { name: 'Use this address' }).click();
  await expect(dialog.getByText('That is no address of a mirror')).toBeVisible();
  await field.fill('https://models.school.example');
  await dialog.getByRole('button', { name: 'Use this address' }).click();
  await lookUp(chat.page, REPO);
  await expect(dialog.getByRole('alert')).toContainText('may not fetch from models.school.example');
  await expect(dialog.getByRole('alert')).toContainText('TIDEPOOL_MODEL_HOSTS');
  await dialog.getByRole('button', { name: 'Back to the hub' }).click();
  await expect(dialog.getByText('https://huggingface.co').first()).toBeVisible();
});

test('downloads with true totals, pauses, goes on after a reload, cancels, deletes', async ({
  chat,
  hub,
}) => {
  const { page } = chat;
  // Weights of three parts of 4 MiB, of which a pause leaves at least one.
  const micro = await microRepo('school/large-ONNX');
  const data = Uint8Array.from({ length: 11 * 2 ** 20 }, (_, i) => (i * 31 + (i >> 9)) % 251);
  const files = new Map([...micro.files].filter(([path]) => !path.includes('quantized')));
  hub.add({ ...micro, files: files.set('onnx/model_q4.onnx_data', data) });
  await chat.open('thinks');
  await openLibrary(page, hub);
  await lookUp(page, 'school/large-ONNX');
  const card = cardOf(page, 'large');
  // The host falls silent after 6 of 11 MiB, so that there is time to press on any machine; when
  // asked again it falls silent at once.
  hub.fail({ match: /model_q4\.onnx_data/, kind: 'stall', bytes: 6 * 2 ** 20, times: 1 });
  hub.fail({ match: /model_q4\.onnx_data/, kind: 'stall', bytes: 1 });
  await card.getByRole('button', { name: /^Download/ }).click();
  await expect(card.getByText(/ of 1\d\.\d MiB/)).toBeVisible();
  const share = (): Promise<number> =>
    card.getByRole('progressbar').evaluate((bar: HTMLProgressElement) => bar.value);
  // One part is kept, whichever of the requests the bar tells of.
  await expect.poll(share).toBeGreaterThan(0.38);
  await card.getByRole('button', { name: 'Pause' }).click();
  await expect(card.getByText('paused. What has come is kept.')).toBeVisible();

  // After a reload the library knows what has come; what was kept is not fetched again.
  await page.reload();
  await openLibrary(page, hub);
  await expect(card.getByText('are here from a download')).toBeVisible();
  hub.heal();
  await card.getByRole('button', { name: /^Go on with/ }).click();
  await expect(card.getByRole('button', { name: 'Use it' })).toBeVisible();
  await expect(card.getByText('Downloaded')).toBeVisible();
  const ranges = hub.requests.filter(({ range }) => range !== null).map(({ range }) => range);
  expect(ranges).toContain(`bytes=${4 * 2 ** 20}-`);

  // It stands in the storage page too.
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Storage' }).first().click();
  await expect(
    page
      .getByRole('dialog')
      .getByText(/large-ONNX/)
      .first(),
  ).toBeVisible();
  await page.keyboard.press('Escape');
  await openLibrary(page, hub);

  await card.getByRole('button', { name: 'Delete…' }).click();
  await card.getByRole('button', { name: 'Delete for good' }).click();
  await expect(card.getByRole('button', { name: /^Download/ })).toBeVisible();

  hub.pace = { chunkBytes: 1, pauseMs: 60_000 };
  await card.getByRole('button', { name: /^Download/ }).click();
  await card.getByRole('button', { name: 'Cancel and delete' }).click();
  await expect(card.getByRole('button', { name: /^Download/ })).toBeVisible();
  const keptEntries = await page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return all.flat().filter(({ url }) => url.includes('large-ONNX')).length;
  });
  expect(keptEntries).toBe(0);
});

test('a download that breaks for good says so and goes on when asked', async ({ chat, hub }) => {
  const { page } = chat;
  await chat.open('thinks');
  await openLibrary(page, hub);
  await lookUp(page, REPO);
  const card = cardOf(page, 'micro');
  hub.fail({ match: /model_q4\.onnx|model_quantized\.onnx/, kind: 'damaged' });
  await card.getByRole('button', { name: /^Download/ }).click();
  await expect(card.getByText(/the wrong content: SHA-256/)).toBeVisible();
  hub.heal();
  await card.getByRole('button', { name: 'Try again' }).click();
  await expect(card.getByRole('button', { name: 'Use it' })).toBeVisible();
});
