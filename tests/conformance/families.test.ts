import * as ort from 'onnxruntime-web/webgpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../src/core/sampling/greedy';
import type { ModelListing } from '../../src/core/model-listing';
import type { LabJobName, LabJobs, LabProgress } from '../../src/protocol/lab-api';
import type { LoadProgress, LoadRequest } from '../../src/protocol/engine-api';
import { Engine } from '../../workers/engine';
import { liveStateCount } from '../../workers/runtime/layer-states';
import { memoryCaches } from '../unit/model-files/memory-caches';
import {
  asPort,
  generate,
  MemoryPort,
  nodeHost,
  requestOf,
  valueOf,
} from '../unit/workers/model-host';
import { FakeHub } from './fake-hub';
import { listingFrom } from './hub-listing';
import { microModels, type MicroModel } from './micro-models';

const MODELS = microModels();

async function load(
  engine: Engine,
  request: Partial<LoadRequest> & { listing: ModelListing },
): Promise<{ outcome: Awaited<ReturnType<Engine['load']>>; progress: LoadProgress[] }> {
  const port = new MemoryPort<LoadProgress>();
  const outcome = await engine.load(
    { modelUrl: request.listing.baseUrl, device: 'wasm', ...request },
    asPort(port),
  );
  return { outcome, progress: port.messages };
}

async function lab<Name extends LabJobName>(
  engine: Engine,
  job: Name,
  request: LabJobs[Name]['request'],
): Promise<LabJobs[Name]['result']> {
  const port = new MemoryPort<LabProgress>();
  const outcome = await engine.lab({ id: 'lab 1', job, request } as never, asPort(port));
  const result = valueOf(outcome);
  if (result.stopped) throw new Error('the job was stopped');
  return result.value;
}

/** Logits after `ids`, read one by one straight through ONNX Runtime: the reference. */
async function referenceLogits(
  model: MicroModel,
  dtype: string,
  ids: readonly number[],
): Promise<Float32Array> {
  const suffix = dtype === 'fp32' ? '' : `_${dtype}`;
  const open = async (session: string): Promise<ort.InferenceSession | null> => {
    const path = `onnx/${session}${suffix}.onnx`;
    const bytes = model.files.get(path);
    if (bytes === undefined) return null;
    const externalData = [...model.files]
      .filter(([name]) => name.startsWith(`${path}_data`))
      .map(([name, data]) => ({ path: name.replace('onnx/', ''), data }));
    return ort.InferenceSession.create(bytes, { executionProviders: ['wasm'], externalData });
  };
  const embed = await open('embed_tokens');
  const decoder = (await open('model')) ?? (await open('decoder_model_merged'));
  if (decoder === null) throw new Error('no decoder');
  const states: Record<string, ort.Tensor> = {};
  for (const meta of decoder.inputMetadata) {
    if (!meta.isTensor || !meta.name.startsWith('past')) continue;
    const dims = meta.shape.map((dim, i) => (typeof dim === 'number' ? dim : i === 0 ? 1 : 0));
    const size = dims.reduce((a, b) => a * b, 1);
    const data = meta.type === 'float16' ? new Uint16Array(size) : new Float32Array(size);
    states[meta.name] = new ort.Tensor(meta.type as 'float32', data as Float32Array, dims);
  }
  let logits: ort.Tensor | undefined;
  for (const [at, id] of ids.entries()) {
    const token = new ort.Tensor('int64', BigInt64Array.of(BigInt(id)), [1, 1]);
    const feeds: Record<string, ort.Tensor> = { ...states };
    if (embed === null) feeds['input_ids'] = token;
    else {
      const { inputs_embeds } = await embed.run({ input_ids: token });
      if (inputs_embeds === undefined) throw new Error('no embeddings');
      feeds['inputs_embeds'] = inputs_embeds;
    }
    feeds['attention_mask'] = new ort.Tensor('int64', new BigInt64Array(at + 1).fill(1n), [
      1,
      at + 1,
    ]);
    const has = decoder.inputNames;
    if (has.includes('num_logits_to_keep'))
      feeds['num_logits_to_keep'] = new ort.Tensor('int64', BigInt64Array.of(0n), []);
    if (has.includes('position_ids')) {
      const rows = embed === null ? 1 : 3;
      const data = new BigInt64Array(rows).fill(BigInt(at));
      feeds['position_ids'] = new ort.Tensor('int64', data, rows === 1 ? [1, 1] : [3, 1, 1]);
    }
    const outputs = await decoder.run(feeds);
    logits = outputs['logits'];
    for (const name of Object.keys(states)) {
      const present = name.startsWith('past_key_values.')
        ? name.replace('past_key_values', 'present')
        : name.replace('past_', 'present_');
      const next = outputs[present];
      if (next === undefined) throw new Error(`no output ${present}`);
      states[name] = next;
    }
  }
  await decoder.release();
  await embed?.release();
  if (logits === undefined) throw new Error('no tokens');
  const { data, type } = logits;
  return type === 'float16' && data instanceof Uint16Array
    ? Float32Array.from(data, halfToNumber)
    : Float32Array.from(data as ArrayLike<number>);
}

function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

describe.each(MODELS.map((model) => [model.family, model.id, model] as const))(
  '%s: %s',
  (_, id, model) => {
    let hub: FakeHub;
    let engine: Engine;
    let listing: ModelListing;
    const stores = memoryCaches();

    beforeAll(async () => {
      hub = await FakeHub.start([{ id, files: model.files, license: 'apache-2.0' }]);
      listing = await listingFrom(hub, id);
      engine = new Engine(nodeHost({ fetch: (url, init) => fetch(url, init), caches: stores }));
      const { outcome, progress } = await load(engine, { listing, variant: 'q4' });
      const info = valueOf(outcome);
      expect(info).toMatchObject({ device: 'wasm', notice: '', spec: { modelType: model.family } });
      expect(info.selfTest.maxDifference).toBeLessThanOrEqual(info.selfTest.tolerance);
      expect(info.parameters).toBeGreaterThan(50_000);
      const weights = progress.filter(({ stage }) => stage === 'weights').at(-1);
      expect(weights?.loadedBytes).toBe(info.weightBytes);
      expect(weights?.totalBytes).toBe(info.weightBytes);
    });

    afterAll(async () => {
      await engine.dispose();
      await hub.close();
      expect(liveStateCount()).toBe(0);
    });

    it('lists the published variants', () => {
      expect(listing.variants.map(({ dtype }) => dtype).sort()).toEqual([...model.dtypes].sort());
    });

    it('gives the logits of the same file run straight through ONNX Runtime', async () => {
      await lab(engine, 'read', {
        source: { kind: 'text', text: 'The tide rises, the pool stays.' },
      });
      const live = await lab(engine, 'live', {});
      const { bytes } = await lab(engine, 'save', {});
      const reference = await referenceLogits(model, 'q4', [...live.tokenIds]);
      const own = savedLogits(bytes);
      const spread = Math.max(...reference) - Math.min(...reference);
      const worst = own.reduce(
        (most, x, i) => Math.max(most, Math.abs(x - (reference[i] ?? NaN))),
        0,
      );
      expect(own).toHaveLength(reference.length);
      expect(spread).toBeGreaterThan(0.5);
      // Prefill and decoding round in other orders.
      expect(worst).toBeLessThan(spread * 1e-3);
    });

    it('chats, keeps to the budget, and goes on from a snapshot as from the start', async () => {
      const ask = async (thinkingLimit: number): Promise<{ ids: number[]; reused: number }> => {
        const { outcome, events } = await generate(
          engine,
          requestOf({
            thinkingLimit,
            maxAnswerTokens: 12,
            sampling: GREEDY,
            messages: [{ role: 'user', content: 'Hi' }],
          }),
        );
        const { stats, memory } = valueOf(outcome);
        expect(stats.answerTokens).toBeLessThanOrEqual(12);
        expect(stats.thoughtTokens).toBeLessThanOrEqual(thinkingLimit + 16);
        expect(memory.tokens).toBeGreaterThan(stats.promptTokens - 1);
        return {
          ids: events.flatMap((event) => (event.type === 'token' ? [event.id] : [])),
          reused: stats.reusedTokens,
        };
      };
      const first = await ask(0);
      const again = await ask(0);
      expect(again.ids).toEqual(first.ids);
      expect(again.reused).toBeGreaterThan(0);
      await ask(16);
    });

    it('shows its memory layer by layer, and lets it be operated on', async () => {
      const capabilities = valueOf(await engine.watch(null));
      expect(capabilities.modelId).toMatch(/^[0-9a-f]{64}$/);
      await lab(engine, 'read', {
        source: { kind: 'text', text: 'Water keeps no shape of its own.' },
      });
      const before = await lab(engine, 'memory', {});
      const report = valueOf(await engine.memory());
      const sum = (key: 'ssmBytes' | 'convBytes' | 'kvBytes'): number =>
        before.layers.reduce((total, layer) => total + layer[key], 0);
      expect([sum('ssmBytes'), sum('convBytes'), sum('kvBytes')]).toEqual([
        report.ssmBytes,
        report.convBytes,
        report.kvBytes,
      ]);
      expect(report.kvBytes).toBeGreaterThan(0);
      const { spec } = valueOf((await load(engine, { listing, variant: 'q4' })).outcome);
      await lab(engine, 'read', {
        source: { kind: 'text', text: 'Water keeps no shape of its own.' },
      });
      const unchanged = savedLogits((await lab(engine, 'save', {})).bytes);
      const hasPool = spec.layers.some(({ kind }) => kind === 'mamba' || kind === 'delta');
      await lab(engine, 'surgery', {
        operations: hasPool
          ? [{ kind: 'zero', target: { scope: 'all' } }]
          : [{ kind: 'kv-window', layer: null, tokens: 4 }],
      });
      const kept = await lab(engine, 'save', {});
      // Teleport: into a fresh engine, bit for bit.
      const other = new Engine(
        nodeHost({ fetch: (url, init) => fetch(url, init), caches: stores }),
      );
      valueOf((await load(other, { listing, variant: 'q4' })).outcome);
      const arrived = await lab(other, 'load', { bytes: kept.bytes });
      expect(arrived.isExact).toBe(true);
      expect(savedLogits((await lab(other, 'save', {})).bytes)).toEqual(savedLogits(kept.bytes));
      await other.dispose();
      const back = await lab(engine, 'restore', {});
      expect(back.operations).toEqual([]);
      expect(savedLogits((await lab(engine, 'save', {})).bytes)).toEqual(unchanged);
    });

    it('runs with the hub gone, from what was kept', async () => {
      const requests = hub.requests.length;
      const offline = new Engine(
        nodeHost({ fetch: () => Promise.reject(new TypeError('offline')), caches: stores }),
      );
      const { outcome, progress } = await load(offline, { listing, variant: 'q4' });
      expect(valueOf(outcome).device).toBe('wasm');
      expect(progress.find(({ stage }) => stage === 'session')?.fromCache).toBe(true);
      await offline.dispose();
      expect(hub.requests).toHaveLength(requests);
    });

    it.each(model.dtypes.filter((dtype) => dtype !== 'q4'))('runs %s too', async (dtype) => {
      const one = new Engine(nodeHost({ fetch: (url, init) => fetch(url, init) }));
      const { outcome } = await load(one, { listing, variant: dtype });
      const info = valueOf(outcome);
      expect(info.selfTest.maxDifference).toBeLessThanOrEqual(info.selfTest.tolerance);
      await lab(one, 'read', { source: { kind: 'text', text: 'Rain.' } });
      const live = await lab(one, 'live', {});
      const own = savedLogits((await lab(one, 'save', {})).bytes);
      const reference = await referenceLogits(model, dtype, [...live.tokenIds]);
      const spread = Math.max(...reference) - Math.min(...reference);
      const worst = own.reduce(
        (most, x, i) => Math.max(most, Math.abs(x - (reference[i] ?? NaN))),
        0,
      );
      expect(worst).toBeLessThan(
        spread * (dtype.includes('16') || dtype === 'quantized' ? 0.05 : 1e-3),
      );
      await one.dispose();
    });
  },
);

/** The logits in a saved state: after the header and the tokens. */
function savedLogits(file: Uint8Array): Float32Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerBytes = view.getUint32(12, true);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(16, 16 + headerBytes))) as {
    tokens: number;
    logits: number;
  };
  const start = 16 + 4 * Math.ceil(headerBytes / 4) + 4 * header.tokens;
  return new Float32Array(file.slice(start, start + 4 * header.logits).buffer);
}
