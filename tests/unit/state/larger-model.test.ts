// The larger model's way into the place of the embedded one: offered, fetched, stopped, taken over, given back, and every
// way in which that fails with the embedded one going on.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import type { Engine } from '../../../src/engine/engine';
import { createFakeEngine } from '../../../src/engine/fake-engine';
import { StandbyEngine } from '../../../src/engine/standby-engine';
import { ModelStore } from '../../../src/model-files/model-store';
import type { DeviceOffer } from '../../../src/models/fit';
import {
  EMBEDDED_MODELS,
  LARGER_MODEL,
  REGISTRY,
  type EmbeddedEntry,
} from '../../../src/models/registry';
import type { LoadRequest } from '../../../src/protocol/engine-api';
import { HubClient } from '../../../src/state/models/hub-client';
import { LargerModel, type LargerHost } from '../../../src/state/models/larger-model.svelte';
import { ModelLibrary } from '../../../src/state/models/model-library.svelte';
import { ModelStatus } from '../../../src/state/model-status.svelte';
import { Notices } from '../../../src/state/notices.svelte';
import { Settings } from '../../../src/state/settings.svelte';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { SettingsStore } from '../../../src/storage/settings-store';
import { indexWithLagoon, LAGOON_FOLDER, lagoonFiles } from '../../conformance/lagoon-stand-in';
import { FaultHost } from '../../fault-host';
import { memoryCaches, type MemoryCaches } from '../model-files/memory-caches';
import { until } from './make-app';

const OFFER: DeviceOffer = {
  memoryBytes: 8 * 1024 ** 3,
  gpu: { missing: 'this browser has no WebGPU' },
  storage: null,
};
const FREE = { savesData: false, isMetered: false, isSlow: false };
const SILENT_CHANNEL = { post: () => {}, listen: () => () => {}, close: () => {} };

function entry(value: EmbeddedEntry | null | undefined): EmbeddedEntry {
  if (value === null || value === undefined) throw new Error('the registry names no such model');
  return value;
}

const SMALLER = entry(EMBEDDED_MODELS[0]);
const LARGER = entry(LARGER_MODEL);
const PART = 'onnx/model_quantized.onnx_data';

let host: FaultHost;

// Making the weights takes seconds on a busy machine.
beforeAll(() => void lagoonFiles(), 60_000);
beforeEach(async () => {
  host = await FaultHost.start('public');
  host.put('models/index.json', indexWithLagoon());
  for (const [path, bytes] of lagoonFiles()) host.put(LAGOON_FOLDER + path, bytes);
});
afterEach(() => host.close());

interface Visit {
  readonly caches?: MemoryCaches;
  readonly backing?: MemoryBacking;
  readonly failsBehind?: EngineError | null;
  readonly change?: Partial<LargerHost>;
  readonly offer?: DeviceOffer;
}

/** A page on which the embedded model answers; `visit` again with the same caches and backing is a reload. */
async function visit({
  caches = memoryCaches(),
  backing = new MemoryBacking(),
  failsBehind = null,
  change = {},
  offer = OFFER,
}: Visit = {}) {
  const loads: LoadRequest[] = [];
  const noted =
    (engine: Engine, problem: EngineError | null): Engine['load'] =>
    (request, onProgress) => {
      loads.push(request);
      return problem === null ? engine.load(request, onProgress) : Promise.reject(problem);
    };
  const create = (problem: EngineError | null): Engine => {
    const engine = createFakeEngine('streams', 0);
    return {
      load: noted(engine, problem),
      generate: (request, onEvents) => engine.generate(request, onEvents),
      countTokens: (messages) => engine.countTokens(messages),
      watch: (watch) => engine.watch(watch),
      lab: (job, request, onProgress) => engine.lab(job, request, onProgress),
      onDeath: (listener) => engine.onDeath(listener),
      dispose: () => engine.dispose(),
    };
  };
  const standby = new StandbyEngine(create(null), () => create(failsBehind));
  const status = new ModelStatus(standby, `${host.url}${SMALLER.home.path}`);
  const settings = new Settings(new SettingsStore(backing, SILENT_CHANNEL), (error) => {
    throw error;
  });
  await settings.load();
  const notices = new Notices();
  const store = new ModelStore(caches);
  const library = new ModelLibrary({
    registry: REGISTRY,
    embedded: SMALLER,
    baseUrl: host.url,
    status,
    settings,
    notices,
    hub: new HubClient({ fetch, isOnline: () => true, isAllowed: () => true }),
    store,
    fetch: (url, init) => fetch(url, init),
    readOffer: () => Promise.resolve(offer),
    room: (neededBytes) =>
      Promise.resolve({
        verdict: 'unknown',
        neededBytes,
        usedBytes: null,
        quotaBytes: null,
        freeBytes: null,
      }),
    serverTarget: () => Promise.resolve(null),
    hasConversation: () => false,
  });
  const larger = new LargerModel({
    larger: LARGER,
    smaller: SMALLER,
    baseUrl: host.url,
    library,
    status,
    settings,
    notices,
    standby,
    guard: null,
    runAlone: (work) => work(),
    beforeTakeOver: () => Promise.resolve(),
    hasConversation: () => false,
    isOwnMachine: false,
    isPhone: false,
    connection: () => FREE,
    hasEngineRoom: () => Promise.resolve(true),
    ...change,
  });
  await library.start('auto');
  await larger.begin();
  const said = (): string => notices.items.map(({ text }) => text).join('\n');
  return {
    backing,
    caches,
    larger,
    library,
    loads,
    notices,
    said,
    settings,
    standby,
    status,
    store,
  };
}

const modelUrl = (): string => `${host.url}${LAGOON_FOLDER}`;

describe('LargerModel', () => {
  it('is offered with its true size and what was measured of it, and nothing of it is fetched', async () => {
    const { larger } = await visit();
    expect(larger.phase).toBe('waiting');
    const files = [...lagoonFiles()].filter(
      ([path]) => !/_q4\.onnx|^manifest|^eval|^README/.test(path),
    );
    expect(larger.totalBytes).toBe(files.reduce((sum, [, { length }]) => sum + length, 0));
    expect(larger.claims).toEqual([
      'It solves 81 % of 640 problems that it was not trained on; Tidepool 67 %.',
      'Of 60 everyday questions it answers 51 rightly.',
    ]);
    expect(host.requests.filter(({ path }) => path.includes('lagoon/onnx'))).toEqual([]);
  });

  it('is absent from a build without it, and asks for no file of it', async () => {
    host.put('models/index.json', Buffer.from('{"models":{"tidepool":{"hasEval":true}}}'));
    const { larger } = await visit();
    expect(larger.phase).toBe('absent');
    expect(host.requests.filter(({ path }) => path.includes('lagoon'))).toEqual([]);
  });

  it('is fetched by one press, takes over, is remembered, and comes behind the embedded one at the next visit', async () => {
    const first = await visit();
    await first.larger.get();
    expect(first.larger.phase).toBe('running');
    expect(first.said()).toContain('Lagoon answers from the next message on.');
    expect(first.library.current).toEqual({ key: 'lagoon', title: 'Lagoon' });
    expect(first.settings.values.model?.key).toBe('lagoon');
    host.requests.length = 0;
    const next = await visit(first);
    expect(next.loads.map(({ modelUrl: url }) => url)).toEqual([
      `${host.url}${SMALLER.home.path}`,
      modelUrl(),
    ]);
    expect(next.larger.phase).toBe('running');
    expect(host.requests.filter(({ path }) => path.includes(PART))).toEqual([]);
  });

  it('starts from what is kept when nothing answers any more', async () => {
    const first = await visit();
    await first.larger.get();
    host.fault = (path) => (path.startsWith('models/') ? { kind: 'status', status: 503 } : null);
    const next = await visit(first);
    expect(next.larger.phase).toBe('running');
  });

  it('goes on after a cut connection and a reload with what has come', async () => {
    const first = await visit();
    let parts = 0;
    host.fault = (path) => {
      if (!path.includes(PART)) return null;
      parts += 1;
      return parts > 1 ? { kind: 'status', status: 404 } : null;
    };
    await first.larger.get();
    expect(first.larger.phase).toBe('paused');
    expect(first.larger.download?.error?.message).toMatch(/model_quantized\.onnx_data/);
    expect(first.library.current.key).toBe('tidepool');
    host.fault = () => null;
    host.requests.length = 0;
    const next = await visit(first);
    expect(next.larger.phase).toBe('running');
    const asked = host.requests.map(({ path }) => path).filter((path) => path.includes(PART));
    expect(asked).not.toContain(`${LAGOON_FOLDER}onnx/model_quantized.onnx_data`);
    expect(asked.length).toBeGreaterThan(0);
  });

  it('is stopped, and does not go on by itself at the next visit', async () => {
    const first = await visit();
    host.fault = (path) => (path.includes(PART) ? { kind: 'slow', bytesPerTick: 2000 } : null);
    const got = first.larger.get();
    await until(() => (first.larger.download?.loadedBytes ?? 0) > 100_000, 'some bytes');
    expect(first.larger.phase).toBe('fetching');
    await first.larger.stop();
    await got;
    expect(first.larger.phase).toBe('paused');
    host.fault = () => null;
    const next = await visit({ ...first, change: { isOwnMachine: true } });
    expect(next.larger.phase).toBe('waiting');
    expect(next.larger.begunBytes).toBeGreaterThan(0);
  });

  it.each([
    ['cut short', { kind: 'cut', afterBytes: 100 }],
    ['missing', { kind: 'status', status: 404 }],
    ['a page in its place', { kind: 'html' }],
  ] as const)(
    'says the file and the remedy where a part is %s; the embedded model goes on',
    async (_, fault) => {
      const { larger, library, loads } = await visit();
      const name = 'onnx/model_quantized.onnx_data_1';
      const swapped = Buffer.alloc(120, 7);
      if (fault.kind === 'cut') host.put(LAGOON_FOLDER + name, swapped);
      else host.fault = (path) => (path.endsWith('data_1') ? fault : null);
      await larger.get();
      expect(larger.phase).toBe('paused');
      expect(larger.download?.error?.message).toContain('model_quantized.onnx_data_1');
      expect(larger.download?.error?.remedy).not.toBe('');
      expect(library.current.key).toBe('tidepool');
      expect(loads).toHaveLength(1);
    },
  );

  it('says the file and the remedy where two parts are swapped', async () => {
    const files = lagoonFiles();
    const [one, two] = ['_1', '_2'].map((end) => `onnx/model_quantized.onnx_data${end}`);
    const empty = new Uint8Array();
    host.put(LAGOON_FOLDER + (one ?? ''), files.get(two ?? '') ?? empty);
    host.put(LAGOON_FOLDER + (two ?? ''), files.get(one ?? '') ?? empty);
    const { larger, library } = await visit();
    await larger.get();
    expect(larger.download?.error?.code).toMatch(/^model-(?:corrupt|truncated)$/);
    expect(larger.download?.error?.message).toContain('model_quantized.onnx_data_1');
    expect(library.current.key).toBe('tidepool');
  });

  it('lets the embedded model go on where it cannot be started, and tries again', async () => {
    const problem = new EngineError('out-of-memory', 'There is not enough memory.', 'Close tabs.');
    const { larger, library, said, status } = await visit({ failsBehind: problem });
    await larger.get();
    expect(larger.phase).toBe('failed');
    expect(said()).toContain('Lagoon could not be started. There is not enough memory.');
    expect(said()).toContain('Tidepool goes on.');
    expect([library.current.key, status.phase]).toEqual(['tidepool', 'ready']);
  });

  it('gives its place back by one press, and stays away at the next visit, on this machine too', async () => {
    const first = await visit();
    await first.larger.get();
    await first.larger.back();
    expect(first.library.current.key).toBe('tidepool');
    expect(first.said()).toContain('Tidepool answers from the next message on.');
    const next = await visit({ ...first, change: { isOwnMachine: true } });
    expect([next.larger.phase, next.larger.isKept]).toEqual(['waiting', true]);
  });

  it('is forgotten: nothing of it is kept, and the embedded model answers', async () => {
    const { larger, library, store } = await visit();
    await larger.get();
    await larger.forget();
    expect(library.current.key).toBe('tidepool');
    expect((await store.models()).filter(({ prefix }) => prefix === modelUrl())).toEqual([]);
    expect(larger.phase).toBe('waiting');
  });

  it('loads by itself on this machine, unless data are to be saved', async () => {
    const own = await visit({ change: { isOwnMachine: true } });
    expect(own.larger.phase).toBe('running');
    const saving = await visit({
      change: { isOwnMachine: true, connection: () => ({ ...FREE, savesData: true }) },
    });
    expect(saving.larger.phase).toBe('waiting');
    expect(saving.larger.plan).toMatchObject({ notes: [expect.stringMatching(/save data/)] });
  });

  it('is refused with the figures where memory is too little', async () => {
    const { larger } = await visit({
      offer: { ...OFFER, memoryBytes: 1024 ** 3 / 2 },
      change: { isOwnMachine: true },
    });
    expect(larger.phase).toBe('refused');
    expect(larger.plan).toMatchObject({
      kind: 'refuse',
      reason: expect.stringMatching(
        /^Lagoon does not fit here\. It needs 5\d\d MiB of the 512 MiB .* Tidepool stays\.$/,
      ) as string,
    });
  });

  it('takes no place of a third model that was chosen meanwhile', async () => {
    const { larger, library, standby } = await visit();
    let isSecond = false;
    const { loadBehind } = standby;
    standby.loadBehind = async (request, onProgress) => {
      const model = await loadBehind.call(standby, request, onProgress);
      library.current = { key: 'micro', title: 'Micro' };
      isSecond = true;
      return model;
    };
    await larger.get();
    expect(isSecond).toBe(true);
    expect(library.current.key).toBe('micro');
    expect(larger.isRunning).toBe(false);
  });
});
