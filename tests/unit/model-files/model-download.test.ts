// A model's download as the page sees it, and what the store says of it afterwards.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ListedFile, ModelListing } from '../../../src/core/model-listing';
import {
  ModelDownload,
  type DownloadState,
  type ModelDownloadOptions,
} from '../../../src/model-files/model-download';
import { ModelStore } from '../../../src/model-files/model-store';
import { PART_BYTES } from '../../../src/model-files/part-store';
import { readListing } from '../../../src/model-files/read-listing';
import type { Patience } from '../../../src/model-files/remote-file';
import { roomFor } from '../../../src/model-files/storage-room';
import { FaultHost } from '../../fault-host';
import { memoryCaches, type MemoryCaches } from './memory-caches';

const QUICK: Patience = {
  silenceMs: 50_000,
  attempts: 5,
  longestWaitMs: 300_000,
  sleep: async () => {},
};
const GRAPH = new Uint8Array(1000).fill(3);
const DATA = new Uint8Array(PART_BYTES * 2 + 500_000).map((_, i) => (i >> 8) ^ i);
const OTHER = new Uint8Array(2000).fill(9);
const CONFIG = new TextEncoder().encode('{}');
const CONTENTS = {
  'config.json': CONFIG,
  'onnx/model_q4.onnx': GRAPH,
  'onnx/model_q4.onnx_data': DATA,
  'onnx/model_fp16.onnx': OTHER,
  'README.md': OTHER,
};

function listed(path: string, bytes: Uint8Array): ListedFile {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, bytes: bytes.length, sha256, gitSha1: null };
}

const TOTAL = CONFIG.length + GRAPH.length + DATA.length;

let host: FaultHost;
let caches: MemoryCaches;
let store: ModelStore;
let listing: ModelListing;

beforeEach(async () => {
  host = await FaultHost.start();
  for (const [path, bytes] of Object.entries(CONTENTS)) host.put(path, bytes);
  caches = memoryCaches();
  store = new ModelStore(caches);
  listing = {
    source: 'hub',
    id: 'someone/model',
    revision: 'abc123',
    baseUrl: host.url,
    files: Object.entries(CONTENTS).map(([path, bytes]) => listed(path, bytes)),
    variants: [
      {
        dtype: 'q4',
        graphs: { model: 'onnx/model_q4.onnx' },
        externalData: { model: ['onnx/model_q4.onnx_data'] },
      },
      { dtype: 'fp16', graphs: { model: 'onnx/model_fp16.onnx' }, externalData: {} },
    ],
  };
});
afterEach(() => host.close());

function download(options: Partial<ModelDownloadOptions> = {}) {
  const states: DownloadState[] = [];
  const run = new ModelDownload({
    listing,
    dtype: 'q4',
    store,
    fetch: (url, init) => fetch(url, init),
    patience: QUICK,
    ...options,
    onChange: (state) => {
      states.push(state);
      options.onChange?.(state);
    },
  });
  return { run, states };
}

describe('a download', () => {
  it('brings what the variant needs and no more, with true totals, rate and time left', async () => {
    // The clock moves 50 ms at each look, so that rates do not depend on this machine.
    let clock = 0;
    const { run, states } = download({ now: () => (clock += 50) });
    expect(run.state).toMatchObject({ phase: 'idle', totalBytes: TOTAL });
    expect(await run.start()).toMatchObject({ phase: 'done', loadedBytes: TOTAL, cachedBytes: 0 });
    for (const state of states) expect(state.loadedBytes).toBeLessThanOrEqual(TOTAL);
    const rates = states.flatMap(({ bytesPerSecond }) => bytesPerSecond ?? []);
    expect(rates.length).toBeGreaterThan(0);
    expect(Math.min(...rates)).toBeGreaterThan(0);
    const late = states.filter(({ secondsLeft }) => secondsLeft !== null).at(-3);
    expect(late?.secondsLeft).toBeCloseTo(
      (TOTAL - (late?.loadedBytes ?? 0)) / (late?.bytesPerSecond ?? 1),
      6,
    );
    expect(host.requests.map(({ path }) => path).sort()).toEqual([
      'config.json',
      'onnx/model_q4.onnx',
      'onnx/model_q4.onnx_data',
    ]);
    expect(await store.share(listing, 'q4')).toEqual({
      keptBytes: TOTAL,
      totalBytes: TOTAL,
      isWhole: true,
    });
    expect(await store.share(listing, 'fp16')).toMatchObject({ isWhole: false });
    const [model] = await store.models();
    expect(model).toMatchObject({
      id: 'someone/model',
      source: 'hub',
      revision: 'abc123',
      variants: ['q4'],
    });
    expect(model?.listing).toEqual(listing);
    expect(model?.bytes).toBeGreaterThan(TOTAL);
  });

  it('pauses at once, goes on with what is here, and says that it was here', async () => {
    host.fault = (path) =>
      path.endsWith('_data') ? { kind: 'slow', bytesPerTick: 128 * 1024 } : null;
    let paused: Promise<void> | null = null;
    const { run, states } = download({
      onChange: ({ loadedBytes, phase }) => {
        if (phase === 'running' && loadedBytes > PART_BYTES * 1.3) paused ??= run.pause();
      },
    });
    expect(await run.start()).toMatchObject({ phase: 'paused', error: null });
    const pausedAt = states.at(-1)?.loadedBytes ?? 0;
    expect(pausedAt).toBeLessThan(TOTAL);
    const { keptBytes, isWhole } = await store.share(listing, 'q4');
    expect(keptBytes).toBe(CONFIG.length + GRAPH.length + PART_BYTES);
    expect(isWhole).toBe(false);
    host.fault = () => null;
    host.requests.length = 0;
    expect(await run.start()).toMatchObject({
      phase: 'done',
      loadedBytes: TOTAL,
      cachedBytes: keptBytes,
    });
    expect(host.requests.map(({ range }) => range)).toEqual([`bytes=${PART_BYTES}-`]);
  });

  it('goes on in another tab after a reload', async () => {
    host.fault = (path) =>
      path.endsWith('_data') ? { kind: 'slow', bytesPerTick: 256 * 1024 } : null;
    const first = download({
      onChange: ({ loadedBytes }) => {
        if (loadedBytes > PART_BYTES * 1.3) void first.run.pause();
      },
    });
    await first.run.start();
    host.fault = () => null;
    store = new ModelStore(caches);
    const { run } = download();
    expect(await run.start()).toMatchObject({ phase: 'done' });
    expect((await store.share(listing, 'q4')).isWhole).toBe(true);
  });

  it('that is cancelled leaves nothing of it, and leaves what another variant needs', async () => {
    await download({ dtype: 'fp16' }).run.start();
    host.fault = (path) =>
      path.endsWith('_data') ? { kind: 'slow', bytesPerTick: 128 * 1024 } : null;
    let cancelled: Promise<void> | null = null;
    const { run } = download({
      onChange: ({ loadedBytes }) => {
        if (loadedBytes > PART_BYTES * 1.3) cancelled ??= run.cancel();
      },
    });
    await run.start();
    await (cancelled as Promise<void> | null);
    expect(run.state).toMatchObject({ phase: 'cancelled', loadedBytes: 0 });
    expect(await store.share(listing, 'fp16')).toMatchObject({ isWhole: true });
    expect((await store.share(listing, 'q4')).keptBytes).toBe(CONFIG.length);
    await store.delete(listing);
    expect(caches.stored.size).toBe(0);
  });

  it('fails with a sentence when there is no room, and goes on when there is', async () => {
    caches.quotaBytes = PART_BYTES + 100_000;
    const { run } = download();
    const state = await run.start();
    expect(state).toMatchObject({ phase: 'failed' });
    expect(state.error).toMatchObject({ code: 'storage' });
    caches.quotaBytes = Infinity;
    expect(await run.start()).toMatchObject({ phase: 'done', error: null });
  });

  it('says that a host is busy while it waits', async () => {
    let requests = 0;
    host.fault = () =>
      (requests += 1) === 2 ? { kind: 'status', status: 429, retryAfter: '9' } : null;
    const { run, states } = download();
    await run.start();
    expect(states.some(({ wait }) => wait?.reason === 'host-busy' && wait.ms === 9000)).toBe(true);
    expect(run.state).toMatchObject({ phase: 'done', wait: null });
  });

  it('waits while another tab fetches the same model', async () => {
    const order: string[] = [];
    const locks = {
      request: async (
        _name: string,
        options: { ifAvailable?: boolean },
        work: (lock: Lock | null) => Promise<unknown>,
      ) => {
        order.push(options.ifAvailable === true ? 'asked' : 'waited');
        return work(options.ifAvailable === true ? null : ({} as Lock));
      },
    } as unknown as LockManager;
    const { run, states } = download({ locks });
    expect(await run.start()).toMatchObject({ phase: 'done' });
    expect(order).toEqual(['asked', 'waited']);
    expect(states.some(({ phase }) => phase === 'queued')).toBe(true);
  });
});

describe('the store', () => {
  it('names what an older version kept without saying of which model', async () => {
    const url = 'https://site.example/app/models/tidepool/onnx/model.onnx?sha256=00';
    caches.stored.set(url, { bytes: OTHER, headers: new Headers() });
    expect(await store.models()).toMatchObject([
      {
        prefix: 'https://site.example/app/models/tidepool/',
        id: 'tidepool',
        bytes: OTHER.length,
        variants: [],
      },
    ]);
    await store.delete('https://site.example/app/models/tidepool/');
    expect(caches.stored.size).toBe(0);
  });

  it('is empty where nothing may be kept', async () => {
    const refused = { open: () => Promise.reject(new DOMException('', 'SecurityError')) };
    expect(await new ModelStore(refused as unknown as CacheStorage).models()).toEqual([]);
    expect(await new ModelStore(undefined).models()).toEqual([]);
  });

  it('reads a listing only when every field is right', () => {
    expect(readListing(JSON.parse(JSON.stringify(listing)))).toEqual(listing);
    const [file] = listing.files;
    for (const damaged of [
      null,
      { ...listing, source: 'elsewhere' },
      { ...listing, files: [{ ...file, bytes: -1 }] },
      { ...listing, files: [{ ...file, sha256: 'xyz' }] },
      { ...listing, files: Array.from({ length: 2001 }, () => file) },
      { ...listing, files: [] },
      { ...listing, id: 7 },
    ])
      expect(() => readListing(damaged)).toThrow(/damaged/);
  });
});

describe('room', () => {
  const browser = (usage: number, quota: number) => ({
    storage: { estimate: async () => ({ usage, quota }) },
    caches: { keys: async () => [] } as unknown as CacheStorage,
  });
  const MIB = 2 ** 20;

  it('is there when what is free holds the model and some for chats', async () => {
    expect(await roomFor(100 * MIB, browser(10 * MIB, 200 * MIB))).toMatchObject({
      verdict: 'fits',
      freeBytes: 190 * MIB,
    });
    expect(await roomFor(180 * MIB, browser(10 * MIB, 200 * MIB))).toMatchObject({
      verdict: 'too-small',
    });
  });

  it('is nothing in a window that may keep nothing, and unknown where the browser does not tell', async () => {
    expect(await roomFor(1, browser(0, 0))).toMatchObject({ verdict: 'nothing' });
    expect(await roomFor(1, { storage: browser(0, 99 * MIB).storage })).toMatchObject({
      verdict: 'nothing',
    });
    expect(await roomFor(1, { caches: browser(0, 0).caches })).toMatchObject({
      verdict: 'unknown',
      freeBytes: null,
    });
    const refusing = { keys: () => Promise.reject(new DOMException('', 'SecurityError')) };
    expect(
      await roomFor(1, { ...browser(0, 99 * MIB), caches: refusing as unknown as CacheStorage }),
    ).toMatchObject({ verdict: 'nothing' });
  });
});
