// Stock transformers.js loads the shipped model folder as it is and says, token by token, what our engine says.
import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Peers } from '../bench/peers/peers';
import { peersSite, type PeersSite } from './peers-site';

let page: Page;
let host: PeersSite;
const foreign: string[] = [];

/** Calls a method of the page's `peers`. */
async function call<K extends keyof Peers>(
  method: K,
  ...given: Parameters<Peers[K]>
): Promise<Awaited<ReturnType<Peers[K]>>> {
  const answer: unknown = await page.evaluate(
    async ([name, values]) => {
      const { peers } = globalThis as unknown as {
        peers: Record<string, (...values: readonly unknown[]) => Promise<unknown>>;
      };
      return peers[name]?.(...values);
    },
    [method, given] as const,
  );
  return answer as Awaited<ReturnType<Peers[K]>>;
}

test.beforeAll(async ({ browser }) => {
  // A build of its own: the page is no part of the app.
  test.setTimeout(300_000);
  host = await peersSite();
  page = await browser.newPage();
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(host.url).origin)
      foreign.push(request.url());
  });
  await page.goto(host.page);
  await call('load', 'ours', {
    kind: 'tidepool',
    workerUrl: host.workerUrl,
    modelUrl: '/models/tidepool/',
    device: 'wasm',
  });
  // As anyone would: AutoTokenizer and AutoModelForCausalLM.from_pretrained, no dtype named, the library's own runtime.
  await call('load', 'stock', {
    kind: 'transformers',
    baseUrl: '/models/',
    name: 'tidepool',
    dtype: null,
    threads: 1,
    build: 'asyncify',
    file: 'onnx/model_quantized.onnx',
    fileBytes: 0,
  });
});

test.afterAll(async () => {
  await page.close();
  await host.close();
});

const conversations = [
  { name: 'a sum', thinks: false, messages: [{ role: 'user', content: 'What is 23 + 58?' }] },
  { name: 'a thought', thinks: true, messages: [{ role: 'user', content: 'What is 512 - 87?' }] },
  {
    name: 'a story',
    thinks: false,
    messages: [{ role: 'user', content: 'Tell me a story about a fox and a kite.' }],
  },
  {
    name: 'a second turn, with a system message',
    thinks: false,
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: 'Hello! How are you?' },
      { role: 'assistant', content: 'Fine, thank you.' },
      { role: 'user', content: 'Which is larger, 91 or 19?' },
    ],
  },
] as const;

for (const { name, thinks, messages } of conversations) {
  test(`generate() of stock transformers.js answers ${name} as our engine does`, async () => {
    const promptIds = await call('render', 'stock', messages, thinks);
    const theirs = await call('reply', 'stock', promptIds, 160);
    expect(theirs.tokens).toBeGreaterThan(0);
    expect(theirs.readTokens).toBe(promptIds.length);
    const ours = await call('run', 'ours', {
      promptIds,
      promptText: '',
      newTokens: theirs.tokens,
      reuse: true,
    });
    expect(ours.ids).toEqual(theirs.ids);
  });
}

test('stock transformers.js loads a hybrid whose graphs share their weights in parts', async () => {
  await call('load', 'parts', {
    kind: 'transformers',
    // The built site has each part under the names of all graphs.
    baseUrl: '/built-models/',
    name: 'micro-hybrid',
    dtype: null,
    threads: 1,
    build: 'asyncify',
    file: 'onnx/model_quantized.onnx',
    fileBytes: 0,
  });
  const folder = resolve(import.meta.dirname, '../../public/models/micro-hybrid');
  const { golden } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    golden: { input_ids: number[]; greedy: number[] };
  };
  const ids = (await call('reply', 'parts', golden.input_ids, golden.greedy.length)).ids ?? [];
  // What PyTorch wrote when the model was packaged; a reply may end before, at the end mark.
  expect(ids.length).toBeGreaterThan(0);
  expect(ids).toEqual(golden.greedy.slice(0, ids.length));
});

test('stock transformers.js needed the shipped files only, from our own origin', async () => {
  expect(foreign).toEqual([]);
  const fetched = await page.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name }) => name),
  );
  expect(fetched.filter((name) => !name.startsWith(host.url))).toEqual([]);
});
