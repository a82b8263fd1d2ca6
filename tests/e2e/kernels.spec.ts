// This app's own kernels in the browser, on a hybrid whose weights lie in parts: with one thread, and with helpers that share the
// memory, they write what PyTorch wrote when the model was packaged.
import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Peers } from '../bench/peers/peers';
import { peersSite, type PeersSite } from './peers-site';

const folder = resolve(import.meta.dirname, '../../public/models/micro-hybrid');
const { golden } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
  golden: { input_ids: number[]; greedy: number[] };
};

/** Threads that computed, and what was written after the golden prompt. */
async function write(page: Page, site: PeersSite): Promise<{ threads: number; ids: number[] }> {
  await page.goto(site.page);
  return page.evaluate(
    async ({ workerUrl, promptIds, newTokens }) => {
      const { peers } = globalThis as unknown as { peers: Peers };
      const { threads } = await peers.load('hybrid', {
        kind: 'tidepool',
        workerUrl,
        modelUrl: '/models/micro-hybrid/',
        device: 'wasm',
      });
      const run = { promptIds, promptText: '', newTokens, reuse: false };
      return { threads, ids: [...((await peers.run('hybrid', run)).ids ?? [])] };
    },
    {
      workerUrl: site.workerUrl,
      promptIds: golden.input_ids,
      newTokens: golden.greedy.length,
    },
  );
}

test('they write what PyTorch wrote, with one thread and with several', async ({ page }) => {
  test.setTimeout(120_000);
  const site = await peersSite();
  const ort: string[] = [];
  page.on('request', (request) => {
    if (/ort-wasm.*\.wasm$/.test(request.url())) ort.push(request.url());
  });
  try {
    for (const [cores, threads] of [
      [2, 1],
      [4, 3],
    ] as const) {
      // A worker asks the browser itself; a page cannot answer for it.
      await page.unrouteAll();
      await page.route('**/engine.worker*.js', async (route) => {
        const answer = await route.fetch();
        const told = `Object.defineProperty(navigator, 'hardwareConcurrency', { value: ${cores} });`;
        await route.fulfill({ response: answer, body: `${told}\n${await answer.text()}` });
      });
      expect(await write(page, site)).toEqual({
        threads,
        ids: golden.greedy,
      });
    }
    // ONNX Runtime has nothing to do here.
    expect(ort).toEqual([]);
  } finally {
    await site.close();
  }
});
