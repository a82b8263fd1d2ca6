import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ModelListing } from '../../src/core/model-listing';
import { diskModel } from '../../src/models/disk-listing';
import type { LoadProgress, LoadRequest } from '../../src/protocol/engine-api';
import { Engine } from '../../workers/engine';
import { describeModel } from '../../workers/load-model';
import { ModelFiles } from '../../workers/runtime/weights';
import {
  asPort,
  generate,
  loadEngine,
  MemoryPort,
  nodeHost,
  requestOf,
  valueOf,
} from '../unit/workers/model-host';
import { listingFrom } from './hub-listing';
import { FakeHub, type HubRepo } from './fake-hub';
import { forgetfulModel, microModels } from './micro-models';
import { GraphWriter } from './onnx-writer';

/** Files of a folder by path below it. */
async function folderFiles(folder: URL, prefix = ''): Promise<Map<string, Blob>> {
  const files = new Map<string, Blob>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = prefix + entry.name;
    const url = new URL(entry.name + (entry.isDirectory() ? '/' : ''), folder);
    if (entry.isDirectory())
      for (const [inner, blob] of await folderFiles(url, `${path}/`)) files.set(inner, blob);
    else files.set(path, new Blob([new Uint8Array(await readFile(fileURLToPath(url)))]));
  }
  return files;
}

async function load(
  engine: Engine,
  request: Partial<LoadRequest> & { listing: ModelListing },
): Promise<Awaited<ReturnType<Engine['load']>>> {
  return engine.load(
    { modelUrl: request.listing.baseUrl, device: 'wasm', ...request },
    asPort(new MemoryPort<LoadProgress>()),
  );
}

describe('a folder with two chat templates', () => {
  const named = (name: string): string =>
    `{% for m in messages %}{{ m.content }}{% endfor %}{{ 'written by ${name}' }}`;

  it.each([
    ['both', 'the file'],
    ['the config', 'the config'],
    ['the file', 'the file'],
  ])('has %s: %s counts', async (has, counts) => {
    const [model] = microModels();
    if (model === undefined) throw new Error('there are no micro models');
    const files = new Map([...model.files].filter(([path]) => path !== 'chat_template.jinja'));
    const config = JSON.parse(
      new TextDecoder().decode(files.get('tokenizer_config.json')),
    ) as Readonly<Record<string, unknown>>;
    const rest = { ...config, chat_template: undefined };
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    const settings = has === 'the file' ? rest : { ...rest, chat_template: named('the config') };
    files.set('tokenizer_config.json', encode(JSON.stringify(settings)));
    if (has !== 'the config') files.set('chat_template.jinja', encode(named('the file')));
    const dropped = new Map(
      [...files].map(([path, bytes]) => [`two/${path}`, new Blob([new Uint8Array(bytes)])]),
    );
    const { listing, blobs } = diskModel('two', dropped);
    const modelFiles = new ModelFiles({
      modelUrl: listing.baseUrl,
      listing,
      blobs,
      fetch: () => Promise.reject(new TypeError('no network')),
    });
    const { tokenizer } = await describeModel(modelFiles, false);
    const options = { tools: [], enableThinking: false, addGenerationPrompt: true };
    const text = tokenizer.render([{ role: 'user', content: 'Hi, ' }], options).join('');
    expect(text).toBe(`Hi, written by ${counts}`);
  });
});

describe('a folder from disk', () => {
  const noNetwork = nodeHost({ fetch: () => Promise.reject(new TypeError('no network')) });

  it.each(['micro', 'micro-hybrid', 'tidepool'])(
    'opens the embedded model’s own files: %s',
    async (name) => {
      const folder = new URL(`../../public/models/${name}/`, import.meta.url);
      const files = await folderFiles(folder);
      const dropped = new Map([...files].map(([path, blob]) => [`${name}/${path}`, blob]));
      const { listing, blobs } = diskModel(name, dropped);
      const engine = new Engine(noNetwork);
      const info = valueOf(await load(engine, { listing, blobs }));
      // The manifest beside it brings the reference that it is tested against.
      expect(info.selfTest.maxDifference).toBeLessThanOrEqual(info.selfTest.tolerance);
      expect(info.attempts.at(-1)?.reason).toContain('agree with the reference');
      const ids = async (one: Engine): Promise<number[]> => {
        const { outcome, events } = await generate(one, requestOf({ maxAnswerTokens: 12 }));
        valueOf(outcome);
        return events.flatMap((event) => (event.type === 'token' ? [event.id] : []));
      };
      const fromDisk = await ids(engine);
      await engine.dispose();
      const site = new Engine(nodeHost());
      valueOf((await loadEngine(site, folder.href)).outcome);
      expect(fromDisk.length).toBeGreaterThan(0);
      expect(await ids(site)).toEqual(fromDisk);
      await site.dispose();
    },
  );

  it('opens an export of another family, in several files', async () => {
    const lfm2 = microModels().find(({ family }) => family === 'lfm2');
    if (lfm2 === undefined) throw new Error('no LFM2');
    const blobs = [...lfm2.files].map(
      ([path, bytes]) => [path, new Blob([bytes.slice()])] as const,
    );
    const model = diskModel('lfm2', new Map(blobs));
    const engine = new Engine(noNetwork);
    const info = valueOf(await load(engine, model));
    expect(info).toMatchObject({ variant: 'onnx/model_q4.onnx', spec: { modelType: 'lfm2' } });
    await engine.dispose();
  });
});

describe('errors that a person meets', () => {
  const granite = microModels().find(({ id }) => id.includes('h-350m'));
  if (granite === undefined) throw new Error('no Granite');
  const qwen = microModels().find(({ family }) => family === 'qwen3_5');
  if (qwen === undefined) throw new Error('no Qwen3.5');
  const { id } = granite;
  let hub: FakeHub;
  const engine = new Engine(nodeHost({ fetch: (url, init) => fetch(url, init) }));

  function repoWith(changes: Readonly<Record<string, Uint8Array | null>>): HubRepo {
    const files = new Map(granite?.files);
    for (const [path, bytes] of Object.entries(changes)) {
      if (bytes === null) files.delete(path);
      else files.set(path, bytes);
    }
    return { id, files };
  }

  function configWith(changes: object): Uint8Array {
    const config = new TextDecoder().decode(granite?.files.get('config.json'));
    return new TextEncoder().encode(
      JSON.stringify({ ...(JSON.parse(config) as object), ...changes }),
    );
  }

  async function failure(
    repo: HubRepo,
    request: Partial<LoadRequest> = { variant: 'q4' },
  ): Promise<{ code: string; message: string; remedy: string }> {
    hub.add(repo);
    const listing = await listingFrom(hub, repo.id);
    const outcome = await load(engine, { listing, ...request });
    if (outcome.ok || !('error' in outcome)) throw new Error('it loaded');
    expect(outcome.error.remedy).not.toBe('');
    return outcome.error;
  }

  beforeAll(async () => {
    hub = await FakeHub.start();
  });
  afterEach(() => hub.heal());
  afterAll(async () => {
    await engine.dispose();
    await hub.close();
  });

  it('an unknown architecture', async () => {
    const error = await failure(repoWith({ 'config.json': configWith({ model_type: 'rwkv7' }) }));
    expect(error).toMatchObject({ code: 'model-unsupported' });
    expect(error.message).toContain('of the kind "rwkv7"');
  });

  it('a config.json of another model', async () => {
    const error = await failure(repoWith({ 'config.json': configWith({ mamba_d_state: 16 }) }));
    expect(error).toMatchObject({ code: 'model-corrupt' });
    expect(error.message).toContain('disagree on layer 0');
  });

  it('a file that is listed and not there', async () => {
    hub.add(repoWith({}));
    const listing = await listingFrom(hub, id);
    // Between listing and loading the author took it away.
    const { revision, baseUrl } = listing;
    hub.add(repoWith({ 'onnx/model_q4.onnx_data': null }));
    const moved = { ...listing, baseUrl: baseUrl.replace(revision ?? '', 'main') };
    const outcome = await load(engine, { listing: moved, variant: 'q4' });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'model-missing' } });
  });

  it('a variant that there is not', async () => {
    const error = await failure(repoWith({}), { variant: 'int8' });
    expect(error).toMatchObject({ code: 'model-missing' });
    expect(error.message).toContain('it has');
  });

  it('a gated repository', async () => {
    const error = await failure({ ...repoWith({}), gated: 'manual' });
    expect(error).toMatchObject({ code: 'model-gated' });
  });

  it('an operator that the runtime lacks', async () => {
    const graph = new GraphWriter();
    const ids = graph.input('input_ids', 'int64', ['batch_size', 'sequence_length']);
    graph.output('logits', graph.op('GatedDeltaWhirl', [ids], {}, 'com.microsoft'), 'float32', [1]);
    const error = await failure(repoWith({ 'onnx/model_q4.onnx': graph.write().graph }));
    expect(error).toMatchObject({ code: 'model-unsupported' });
    expect(error.message).toContain('GatedDeltaWhirl');
  });

  it('a model too large for this device, before anything big is fetched', async () => {
    hub.add(repoWith({}));
    const listing = await listingFrom(hub, id);
    // As a model of 5 GB is listed.
    const files = listing.files.map((file) =>
      file.path.endsWith('_data') ? { ...file, bytes: 5e9 } : file,
    );
    const before = hub.requests.length;
    const outcome = await load(engine, { listing: { ...listing, files }, variant: 'q4' });
    if (outcome.ok || !('error' in outcome)) throw new Error('it loaded');
    expect(outcome.error).toMatchObject({
      code: 'out-of-memory',
      remedy: 'Choose a smaller variant, or a smaller model.',
    });
    expect(outcome.error.message).toMatch(/has .*5\.00 GB|WebAssembly can hold about/);
    expect(hub.requests.slice(before).filter(({ path }) => path.includes('.onnx'))).toEqual([]);
  });

  it('16 bits without 16-bit shaders: the processor takes them, and the reason is told', async () => {
    hub.add(repoWith({}));
    const listing = await listingFrom(hub, id);
    const variants = listing.variants.filter(({ dtype }) => dtype === 'q4f16');
    expect(variants).toHaveLength(1);
    const plain = new Engine(
      nodeHost({
        fetch: (url, init) => fetch(url, init),
        probe: () =>
          Promise.resolve({
            gpu: {
              hasF16: false,
              isEmulated: false,
              name: 'acme gen-1',
              maxBufferBytes: 2 ** 30,
              maxStorageBindingBytes: 2 ** 30,
            },
            isIsolated: false,
            cores: 1,
            hasJspi: false,
          }),
      }),
    );
    const outcome = await load(plain, {
      listing: { ...listing, variants },
      device: 'webgpu',
    });
    await plain.dispose();
    // The processor widens them: it runs there, and the page shows why.
    expect(outcome).toMatchObject({
      ok: true,
      value: { device: 'wasm', variant: 'onnx/model_q4f16.onnx' },
    });
    expect(JSON.stringify(outcome)).toContain(
      'The graphics device (acme gen-1) has no 16-bit shaders (shader-f16), which q4f16 needs.',
    );
  });

  it('data beside the graph that belongs to another export', async () => {
    const error = await failure(repoWith({ 'onnx/model_q4.onnx_data': new Uint8Array(64) }));
    expect(['model-missing', 'model-corrupt']).toContain(error.code);
  });

  it('a model that is no chat model', async () => {
    const bare = new TextEncoder().encode(
      JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast' }),
    );
    const error = await failure(repoWith({ 'tokenizer_config.json': bare }));
    expect(error.message).toContain('no chat template');
  });

  it('half of a split model', async () => {
    const files = new Map(qwen.files);
    hub.add({ id: qwen.id, files });
    const listing = await listingFrom(hub, qwen.id);
    const [variant] = listing.variants.filter(({ dtype }) => dtype === 'q4');
    if (variant === undefined) throw new Error('no q4');
    const decoder = variant.graphs['decoder_model_merged'] ?? '';
    const half = { ...variant, graphs: { decoder_model_merged: decoder } };
    const outcome = await load(engine, { listing: { ...listing, variants: [half] } });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'model-unsupported' } });
  });

  it('a repository that is found again once its bad day is over', async () => {
    hub.fail({ match: /onnx_data/, kind: 'cut', times: 1, bytes: 500 });
    hub.fail({ match: /model_q4/, kind: 'expired', times: 1 });
    hub.add(repoWith({}));
    const listing = await listingFrom(hub, id);
    expect(valueOf(await load(engine, { listing, variant: 'q4' })).device).toBe('wasm');
  });
});

describe('an export that forgets its states', () => {
  it('reads token by token, and says so', async () => {
    const model = forgetfulModel();
    const hub = await FakeHub.start([model]);
    const engine = new Engine(nodeHost({ fetch: (url, init) => fetch(url, init) }));
    const listing = await listingFrom(hub, model.id);
    const info = valueOf(await load(engine, { listing, variant: 'fp32' }));
    expect(info.selfTest.maxDifference).toBeGreaterThan(info.selfTest.tolerance);
    expect(info.notice).toContain('token by token');
    const { outcome } = await generate(engine, requestOf({ thinkingLimit: 0, maxAnswerTokens: 4 }));
    expect(valueOf(outcome).stats.answerTokens).toBeGreaterThan(0);
    await engine.dispose();
    await hub.close();
  });
});
