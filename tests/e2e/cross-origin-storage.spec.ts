// Weights that sites share by their content, in a browser that has such a storage: a fake of the proposal's API, whose
// files lie outside the browser. One visitor's download is put there; another visitor takes it, and the hub is not asked.
import { createHash } from 'node:crypto';
import type { Page } from '@playwright/test';
import { expect as baseExpect, test } from './fake-site';
import { cardOf, lookUp, microFiles, openLibrary } from './library-page';
import type { FakeHub } from '../conformance/fake-hub';

const expect = baseExpect.configure({ timeout: 90_000 });
const GRAPH = 'onnx/model_quantized.onnx';
const REPO = 'school/shared-ONNX';

test.describe.configure({ timeout: 400_000 });

/** The graph made three megabytes long by a note that ONNX Runtime does not read (doc_string, field 6): small files are not shared. */
function withNote(graph: Uint8Array): Uint8Array {
  const note = Buffer.alloc(3_000_000, 'tidepool ');
  const length: number[] = [];
  for (let rest = note.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return new Uint8Array(Buffer.concat([graph, Buffer.from([(6 << 3) | 2, ...length]), note]));
}

interface Shared {
  readonly files: Map<string, Buffer>;
  /** The `origins` of each file that was put there. */
  readonly origins: unknown[];
}

/** Gives a page the proposal's `navigator.crossOriginStorage` over files that all sites of the test share. */
async function giveStorage(page: Page, { files, origins }: Shared): Promise<void> {
  await page.exposeFunction('sharedFile', (hash: string) => files.get(hash)?.toString('base64'));
  await page.exposeFunction('shareFile', (hash: string, base64: string, whom: unknown) => {
    const bytes = Buffer.from(base64, 'base64');
    if (createHash('sha256').update(bytes).digest('hex') !== hash) return false;
    files.set(hash, bytes);
    origins.push(whom);
    return true;
  });
  await page.addInitScript(() => {
    const outside = globalThis as unknown as {
      sharedFile(hash: string): Promise<string | undefined>;
      shareFile(hash: string, base64: string, origins: unknown): Promise<boolean>;
    };
    const encoded = async (blob: Blob): Promise<string> => {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    };
    const storage = {
      async requestFileHandle(
        { value }: { value: string },
        options: { create?: boolean; origins?: unknown } = {},
      ) {
        const found = await outside.sharedFile(value);
        if (found === undefined && options.create !== true)
          throw new DOMException('It is not there.', 'NotFoundError');
        return {
          getFile: async () =>
            new Blob([Uint8Array.from(atob(found ?? ''), (letter) => letter.charCodeAt(0))]),
          createWritable: async () => {
            let written = new Blob();
            return {
              write: async (data: Blob) => void (written = new Blob([written, data])),
              abort: async () => undefined,
              close: async () => {
                if (!(await outside.shareFile(value, await encoded(written), options.origins)))
                  throw new DOMException('It has another hash.', 'DataError');
              },
            };
          },
        };
      },
    };
    Object.defineProperty(navigator, 'crossOriginStorage', { value: storage });
  });
}

/** The page asks huggingface.co, whose models everybody may have; the fake hub answers. */
async function answerForHub(page: Page, hub: FakeHub): Promise<void> {
  await page.route('https://huggingface.co/**', async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: hub.origin + pathname + search }) });
  });
}

async function download(page: Page): Promise<void> {
  await openLibrary(page);
  await lookUp(page, REPO);
  const card = cardOf(page, 'shared');
  await card.getByRole('button', { name: /^Download/ }).click();
  await card.getByRole('button', { name: 'Use it' }).click();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, shared$/ })).toBeVisible();
}

test('a model of the hub is shared between sites by its content, and taken from there by the next one', async ({
  browser,
  fakeSite,
  hub,
}) => {
  const files = await microFiles();
  const graph = withNote(files.get(GRAPH) ?? new Uint8Array());
  files.set(GRAPH, graph);
  hub.add({ id: REPO, files, license: 'apache-2.0' });
  const shared: Shared = { files: new Map(), origins: [] };
  const hash = createHash('sha256').update(graph).digest('hex');
  const weightRequests = (): number =>
    hub.requests.filter((request) => JSON.stringify(request).includes('model_quantized')).length;

  for (const visitor of ['first', 'second'] as const) {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    const page = await context.newPage();
    await giveStorage(page, shared);
    await answerForHub(page, hub);
    const before = weightRequests();
    await page.goto(fakeSite);
    await download(page);
    if (visitor === 'first') {
      expect(weightRequests()).toBeGreaterThan(before);
      await expect.poll(() => shared.files.get(hash)?.length).toBe(graph.length);
      expect(shared.origins).toContain('*');
    } else {
      await expect(
        page.getByText(/had been fetched by another site already/).first(),
      ).toBeVisible();
      expect(weightRequests()).toBe(before);
    }
    await context.close();
  }
});
