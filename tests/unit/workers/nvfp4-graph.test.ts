import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelListing } from '../../../src/core/model-listing';
import { listingOfManifest, pathsOfVariant } from '../../../src/model-files/file-keys';
import { makeListing } from '../../../src/models/hub-listing';
import { parseManifest, parseSpec } from '../../../src/models/spec';
import { graphsOf } from '../../../workers/load-model';
import { goldenDifference } from '../../../workers/runtime/device-ladder';
import { configureRuntime, ModelSession } from '../../../workers/runtime/session';
import { fillFromNvfp4 } from '../../../workers/runtime/nvfp4-graph';
import { PLAIN_FILES } from './model-host';

const FOLDER = new URL('../../../public/models/tidepool-nvfp4/', import.meta.url);
const WEIGHTS = 'model.safetensors';
const read = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(path, FOLDER)));
const jsonOf = async (path: string): Promise<unknown> =>
  JSON.parse(new TextDecoder().decode(await read(path)));

let listing: ModelListing;
beforeAll(async () => {
  const manifest = parseManifest(await jsonOf('manifest.json'));
  listing = listingOfManifest(manifest, FOLDER.href);
  configureRuntime({ build: 'plain', threads: 1, files: PLAIN_FILES });
});

describe('the shipped model in NVFP4', () => {
  it('is listed with its one file of weights for both graphs, as a site, a hub or a disk has it', () => {
    const place = { source: 'disk', id: 'x', revision: null, baseUrl: 'disk:x/' } as const;
    for (const { variants, files } of [listing, makeListing(place, listing.files)]) {
      expect(variants.map(({ dtype }) => dtype).sort()).toEqual(['q4', 'quantized']);
      for (const variant of variants)
        expect(pathsOfVariant(variant)).toEqual([variant.graphs['model'], WEIGHTS]);
      expect(files.map(({ path }) => path)).toContain('hf_quant_config.json');
    }
    const sum = listing.files.reduce((total, { bytes }) => total + bytes, 0);
    expect(sum).toBeLessThan(4_000_000);
  });

  // Two forms of the same numbers: float32, and MatMulNBits of 8 bits in blocks of 16 (as float32 on this provider).
  it.each(['quantized', 'q4'])('%s opens, and answers its golden prompt', async (dtype) => {
    const variant = listing.variants.find((one) => one.dtype === dtype);
    if (variant === undefined) throw new Error(`no ${dtype}`);
    const contents = new Map<string, Uint8Array>();
    for (const path of pathsOfVariant(variant)) contents.set(path, await read(path));
    const spec = parseSpec('x', await jsonOf('config.json'), {});
    const session = await ModelSession.create(await graphsOf(variant, contents), {
      provider: 'wasm',
      spec,
    });
    const manifest = parseManifest(await jsonOf('manifest.json'));
    const empty = session.emptyStates();
    const { logits, states } = await session.step(manifest.goldenIds, empty);
    const golden = manifest.golden[dtype];
    if (golden === undefined) throw new Error('no golden logits');
    expect(goldenDifference(logits, golden)).toBeLessThan(0.002);
    states.release();
    empty.release();
    await session.dispose();
  });

  it('says which field a graph misses in another checkpoint', async () => {
    const graph = await read('onnx/model_quantized.onnx');
    const other = new Uint8Array(
      await readFile(new URL('../../fixtures/nvfp4/modelopt.safetensors', import.meta.url)),
    );
    expect(() => fillFromNvfp4(graph, WEIGHTS, other)).toThrow(
      /^model\.safetensors: the graph (asks for|has \d+ bytes for) '/,
    );
    const whole = await read(WEIGHTS);
    expect(() => fillFromNvfp4(graph, WEIGHTS, whole.subarray(0, 3_000_000))).toThrow(/cut off/);
  });
});
