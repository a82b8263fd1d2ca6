// A hybrid whose graphs share their weights in parts, on emulated WebGPU: our engine loads it, its self-test against the
// packaged logits passes, and it writes. The shaders are those of Lagoon; the weights are random.
import { expect, test } from '@playwright/test';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { serve } from '../../scripts/bench/server.js';
import type { Peers } from '../bench/peers/peers';

const root = resolve(import.meta.dirname, '../..');
const dist = resolve(process.env['TIDEPOOL_DIST'] ?? 'dist');
const folder = resolve(root, 'public/models/micro-hybrid');

test('the micro hybrid loads and writes on WebGPU', async ({ page }) => {
  test.setTimeout(300_000);
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  const built = mkdtempSync(join(tmpdir(), 'tidepool-hybrid-'));
  await build({
    configFile: resolve(root, 'tests/bench/peers/vite.config.ts'),
    mode: 'stock',
    build: { outDir: built },
  });
  const host = await serve([
    ['/stock/', built],
    ['/models/', resolve(root, 'public/models')],
    ['/', dist],
  ]);
  try {
    await page.goto(`${host.url}stock/stock.html`);
    const worker = readdirSync(join(dist, 'assets')).find((name) =>
      name.startsWith('engine.worker'),
    );
    const { golden } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
      golden: { input_ids: number[]; greedy: number[] };
    };
    const ids = await page.evaluate(
      async ({ workerUrl, promptIds, newTokens }) => {
        const { peers } = globalThis as unknown as { peers: Peers };
        await peers.load('hybrid', {
          kind: 'tidepool',
          workerUrl,
          modelUrl: '/models/micro-hybrid/',
          device: 'webgpu',
        });
        return (await peers.run('hybrid', { promptIds, promptText: '', newTokens, reuse: false }))
          .ids;
      },
      {
        workerUrl: `/assets/${worker ?? 'no engine worker in the built site'}`,
        promptIds: golden.input_ids,
        newTokens: 4,
      },
    );
    expect(ids?.[0]).toBe(golden.greedy[0]);
    expect(ids).toHaveLength(4);
    // It did not fall back to the processor, which has a graph of its own.
    expect(fetched).toContain('/models/micro-hybrid/onnx/model_q4.onnx');
    expect(fetched.filter((path) => path.includes('quantized'))).toEqual([]);
  } finally {
    await host.close();
    rmSync(built, { recursive: true, force: true });
  }
});
