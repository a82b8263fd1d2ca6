// A hybrid whose graphs share their weights in parts, and one with latent experts, on emulated WebGPU: our engine loads it,
// its self-test against the packaged logits passes, and it writes. The first has the shaders of Lagoon and random weights.
import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Peers } from '../bench/peers/peers';
import { peersSite } from './peers-site';

for (const name of ['micro-hybrid', 'tidepool-latent-moe'])
  test(`${name} loads and writes on WebGPU`, ({ page }) => loadAndWrite(page, name));

async function loadAndWrite(page: Page, name: string): Promise<void> {
  const folder = resolve(import.meta.dirname, '../../public/models', name);
  test.setTimeout(300_000);
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  const site = await peersSite();
  try {
    await page.goto(site.page);
    const { golden } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
      golden: { input_ids: number[]; q4: { top_ids: number[] } };
    };
    const ids = await page.evaluate(
      async ({ workerUrl, modelUrl, promptIds, newTokens }) => {
        const { peers } = globalThis as unknown as { peers: Peers };
        await peers.load('hybrid', {
          kind: 'tidepool',
          workerUrl,
          modelUrl,
          device: 'webgpu',
        });
        return (await peers.run('hybrid', { promptIds, promptText: '', newTokens, reuse: false }))
          .ids;
      },
      {
        workerUrl: site.workerUrl,
        modelUrl: `/models/${name}/`,
        promptIds: golden.input_ids,
        newTokens: 4,
      },
    );
    expect(ids?.[0]).toBe(golden.q4.top_ids[0]);
    expect(ids).toHaveLength(4);
    // It did not fall back to the processor, which has a graph of its own.
    expect(fetched).toContain(`/models/${name}/onnx/model_q4.onnx`);
    expect(fetched.filter((path) => path.includes('quantized'))).toEqual([]);
  } finally {
    await site.close();
  }
}
