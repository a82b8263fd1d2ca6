// Models of a hub: looked up, refused with a sentence for each way it can fail, downloaded with pause, reload, resume,
// cancel and delete. The hub is one on this machine; its address is set as a mirror, as a school would.
import type { Locator, Page } from '@playwright/test';
import type { FakeHub, HubFault } from '../conformance/fake-hub';
import { expect as baseExpect, test } from './fake-site';
import { cardOf, chooseHub, lookUp, microFiles, openLibrary } from './library-page';

// A busy machine reads and hashes a megabyte in many seconds; what is waited for comes all the same.
const expect = baseExpect.configure({ timeout: 90_000 });

test.describe.configure({ timeout: 400_000 });

const REPO = 'school/micro-ONNX';

/** The micro model as a hub's repository. */
async function microRepo(id: string, extra: Readonly<Record<string, string>> = {}) {
  const files = await microFiles();
  for (const [path, text] of Object.entries(extra)) files.set(path, new TextEncoder().encode(text));
  return { id, files, license: 'apache-2.0', languages: ['en'] };
}

/** The Models dialog with the fake hub's address in it. */
async function openHub(page: Page, hub: FakeHub): Promise<Locator> {
  const dialog = await openLibrary(page);
  await chooseHub(page, hub);
  return dialog;
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
  await openHub(chat.page, hub);
  // What this page asks; the hub itself notes a request when it ends, which may be one of the test before.
  const weights: string[] = [];
  chat.page.on('request', (request) => {
    if (request.url().includes('.onnx')) weights.push(request.url());
  });
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
  expect(weights).toEqual([]);
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
  const dialog = await openHub(chat.page, hub);
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
  const dialog = await openHub(chat.page, hub);
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
  await openHub(page, hub);
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
  await openHub(page, hub);
  await expect(card.getByText('are here from a download')).toBeVisible();
  hub.heal();
  await card.getByRole('button', { name: /^Go on with/ }).click();
  await expect(card.getByRole('button', { name: 'Use it' })).toBeVisible();
  await expect(card.getByText('Downloaded')).toBeVisible();
  const ranges = hub.requests
    .filter(({ path }) => path.includes('model_q4.onnx_data'))
    .map(({ range }) => range);
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
  await openHub(page, hub);

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
  await openHub(page, hub);
  await lookUp(page, REPO);
  const card = cardOf(page, 'micro');
  hub.fail({ match: /model_q4\.onnx|model_quantized\.onnx/, kind: 'damaged' });
  await card.getByRole('button', { name: /^Download/ }).click();
  await expect(card.getByText(/the wrong content: SHA-256/)).toBeVisible();
  hub.heal();
  await card.getByRole('button', { name: 'Try again' }).click();
  await expect(card.getByRole('button', { name: 'Use it' })).toBeVisible();
});
