// A model whose graphs read one set of weights in parts: the way from its folder to tokens, and what is said when a part
// is missing or another one.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { otherNames } from '../../../scripts/shared-parts';
import { dataNameOf } from '../../../src/core/data-names';
import { listingOfManifest, pathsOfVariant } from '../../../src/model-files/file-keys';
import { parseManifest } from '../../../src/models/spec';
import { Engine } from '../../../workers/engine';
import { fileFetch, generate, loadEngine, nodeHost, requestOf, valueOf } from './model-host';
import { SHIPPED_VARIANT, openFolder, openVariant } from '../../../scripts/eval/load-model';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../../../public/models/micro-hybrid/', import.meta.url);
const JSON_OF_MANIFEST = JSON.parse(readFileSync(new URL('manifest.json', FOLDER), 'utf8')) as {
  golden: { input_ids: number[]; greedy: number[] };
};
const MANIFEST = parseManifest(JSON_OF_MANIFEST);
const [PART = ''] = MANIFEST.parts.slice(-1);

let engine: Engine | null = null;
afterEach(async () => {
  await engine?.dispose();
  engine = null;
});

describe('one set of weights for all graphs', () => {
  it('is listed for each variant, and named as each graph would name its own', () => {
    expect(MANIFEST.parts.length).toBeGreaterThan(1);
    const { variants } = listingOfManifest(MANIFEST, FOLDER.href);
    expect(variants.map(({ dtype }) => dtype)).toEqual(['q4', 'q4f16', 'quantized']);
    for (const variant of variants) {
      expect(variant.externalData['model']).toEqual(MANIFEST.parts);
      expect(pathsOfVariant(variant)).toHaveLength(1 + MANIFEST.parts.length);
    }
    const name = dataNameOf;
    expect(name('onnx/model_q4.onnx', 'onnx/model_q4.onnx_data_1', 1)).toBe('model_q4.onnx_data_1');
    expect(name('onnx/model_q4f16.onnx', 'onnx/model_q4.onnx_data', 0)).toBe(
      'model_q4f16.onnx_data',
    );
    expect(name('onnx/model_quantized.onnx', 'onnx/model_q4.onnx_data_1', 1)).toBe(
      'model_quantized.onnx_data_1',
    );
    // Another exporter's names are what its graphs say.
    expect(name('onnx/model.onnx', 'onnx/weights.bin', 0)).toBe('weights.bin');
  });

  it('has in the built site every name that a stock library asks for', () => {
    const others = otherNames(fileURLToPath(new URL('..', FOLDER))).filter(({ name }) =>
      name.startsWith('micro-hybrid/'),
    );
    const config = JSON.parse(readFileSync(new URL('config.json', FOLDER), 'utf8')) as {
      'transformers.js_config': { use_external_data_format: Readonly<Record<string, number>> };
    };
    const asked = Object.entries(config['transformers.js_config'].use_external_data_format).flatMap(
      ([graph, count]) =>
        Array.from(
          { length: count },
          (_, i) => `micro-hybrid/onnx/${graph}_data${i === 0 ? '' : `_${i}`}`,
        ),
    );
    const own = MANIFEST.parts.map((part) => `micro-hybrid/${part}`);
    expect(asked).toHaveLength(3 * own.length);
    expect([...own, ...others.map(({ name }) => name)].sort()).toEqual([...asked].sort());
    for (const { part } of others) expect(own).toContain(part);
  });

  it('must be listed among the files', () => {
    expect(() => parseManifest({ ...JSON_OF_MANIFEST, parts: ['onnx/other.onnx_data'] })).toThrow(
      'parts[0] in manifest.json is onnx/other.onnx_data, which its files do not list.',
    );
  });

  it('writes on WASM what PyTorch writes, token by token, from weights as they are packed', async () => {
    const folder = await openFolder(fileURLToPath(FOLDER));
    const session = await openVariant(folder, SHIPPED_VARIANT);
    expect([session.kernelThreads, session.rewrite]).toEqual([1, null]);
    const { input_ids: prompt, greedy } = JSON_OF_MANIFEST.golden;
    let states = session.emptyStates();
    const written: number[] = [];
    let ids: readonly number[] = prompt;
    while (written.length < greedy.length) {
      const result = await session.step(ids, states);
      states.release();
      states = result.states;
      const best = result.logits.reduce(
        (top, value, id) => (value > (result.logits[top] ?? -Infinity) ? id : top),
        0,
      );
      written.push(best);
      ids = [best];
    }
    states.release();
    await session.dispose();
    expect(written).toEqual(greedy);
  });

  it('answers the same whether read at once or token by token', async () => {
    const folder = await openFolder(fileURLToPath(FOLDER));
    const session = await openVariant(folder, SHIPPED_VARIANT);
    const { input_ids: prompt } = JSON_OF_MANIFEST.golden;
    const whole = await session.step(prompt, session.emptyStates());
    const expected = whole.logits.slice();
    let states = session.emptyStates();
    let logits = new Float32Array();
    for (const id of prompt) {
      const result = await session.step([id], states);
      states.release();
      states = result.states;
      logits = result.logits.slice();
    }
    states.release();
    whole.states.release();
    await session.dispose();
    expect(
      Math.max(...logits.map((value, i) => Math.abs(value - (expected[i] ?? NaN)))),
    ).toBeLessThan(1e-3);
  });
});

describe('a part that is missing or another one', () => {
  it.each([
    {
      what: 'missing',
      change: () => null,
      said: { code: 'model-missing' },
    },
    {
      what: 'swapped for another part',
      change: (bytes: Buffer) => new Uint8Array(bytes).reverse(),
      said: { code: 'model-corrupt' },
    },
    {
      what: 'cut short',
      change: (bytes: Buffer) => new Uint8Array(bytes.subarray(0, 1000)),
      said: { code: 'model-truncated' },
    },
  ])('is named with a remedy when it is $what, and the model before goes on', async (one) => {
    let isBroken = false;
    engine = new Engine(
      nodeHost({
        fetch: fileFetch((path, bytes) =>
          isBroken && path.endsWith(PART) ? one.change(bytes) : new Uint8Array(bytes),
        ),
      }),
    );
    valueOf((await loadEngine(engine)).outcome);
    isBroken = true;
    const { outcome } = await loadEngine(engine, FOLDER.href);
    expect(outcome).toMatchObject({ ok: false, error: one.said });
    const error = 'error' in outcome ? outcome.error : null;
    expect(error?.message).toContain(PART);
    expect(error?.remedy).toMatch(/\w+\./);
    // As the page does after a load that failed.
    valueOf((await loadEngine(engine)).outcome);
    const { outcome: reply } = await generate(engine, requestOf({ maxAnswerTokens: 4 }));
    expect(reply.ok).toBe(true);
  });
});
