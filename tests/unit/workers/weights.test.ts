import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EngineError } from '../../../src/core/errors';
import type { ModelListing } from '../../../src/core/model-listing';
import { keptPrefixOf, pathsOfVariant } from '../../../src/model-files/file-keys';
import { ModelDownload } from '../../../src/model-files/model-download';
import { ModelStore } from '../../../src/model-files/model-store';
import { PATIENCE, type Patience } from '../../../src/model-files/remote-file';
import { fetchFromDisk, keepable } from '../../../src/state/models/disk-files';
import { memoryCaches } from '../model-files/memory-caches';
import { ModelFiles, type FilesProgress } from '../../../workers/runtime/weights';

const WEIGHTS = new Uint8Array(5000).map((_, i) => i % 251);
const URL_ROOT = 'https://host.example/models/x/';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const ENTRY = { path: 'onnx/model_q4.onnx', bytes: WEIGHTS.length, sha256: sha256(WEIGHTS) };
const MANIFEST = {
  name: 'x',
  parameters: 10,
  files: [ENTRY],
  variants: { q4: ENTRY.path },
  golden: { input_ids: [1], q4: { top_ids: [1], top_logits: [0.5], tolerance: 0.1 } },
};

/** Pauses take no time. */
const QUICK: Patience = { ...PATIENCE, sleep: async () => {} };

/** A host that answers the weights as told. */
function filesWith(
  answer: () => Response,
  caches?: CacheStorage,
  manifest: typeof MANIFEST = MANIFEST,
): { files: ModelFiles; requests: string[] } {
  const requests: string[] = [];
  const files = new ModelFiles({
    modelUrl: URL_ROOT,
    fetch: (url) => {
      requests.push(url);
      return Promise.resolve(url.endsWith('manifest.json') ? Response.json(manifest) : answer());
    },
    patience: QUICK,
    ...(caches === undefined ? {} : { caches }),
  });
  return { files, requests };
}

async function failure(answer: () => Response): Promise<EngineError> {
  const { files } = filesWith(answer);
  return files
    .file(ENTRY, () => {})
    .then(
      () => Promise.reject(new Error('the file was taken')),
      (error: unknown) => error as EngineError,
    );
}

/** Model files of a browser without a network. */
function offlineFiles(caches: CacheStorage): ModelFiles {
  return new ModelFiles({
    modelUrl: URL_ROOT,
    fetch: () => Promise.reject(new TypeError('Failed to fetch')),
    patience: QUICK,
    caches,
  });
}

describe('model files', () => {
  it('gives the bytes, with progress that grows to the true length', async () => {
    const chunks = [WEIGHTS.slice(0, 2000), WEIGHTS.slice(2000)];
    const { files } = filesWith(
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              for (const chunk of chunks) controller.enqueue(chunk);
              controller.close();
            },
          }),
        ),
    );
    const seen: number[] = [];
    const bytes = await files.file(ENTRY, ({ loadedBytes }) => seen.push(loadedBytes));
    expect(bytes).toEqual(WEIGHTS);
    expect(seen).toEqual([2000, 5000]);
  });

  it('names a missing file', async () => {
    const error = await failure(() => new Response('', { status: 404, statusText: 'Not Found' }));
    expect(error).toMatchObject({ code: 'model-missing' });
    expect(error.message).toContain(`${URL_ROOT}onnx/model_q4.onnx`);
    expect(error.message).toContain('404');
    expect(error.remedy).not.toBe('');
  });

  it('knows a web page that stands in for a file', async () => {
    const page = `<!doctype html><html>${'x'.repeat(6000)}</html>`;
    expect(await failure(() => new Response(page))).toMatchObject({ code: 'model-missing' });
    expect(await failure(() => new Response('\n<html></html>'))).toMatchObject({
      code: 'model-missing',
    });
  });

  it('says both lengths of a truncated file', async () => {
    const error = await failure(() => new Response(WEIGHTS.slice(0, 4321)));
    expect(error.code).toBe('model-truncated');
    expect(error.message).toContain('4,321');
    expect(error.message).toContain('5,000');
  });

  it('refuses a longer file and a changed one', async () => {
    expect(await failure(() => new Response(new Uint8Array(5001)))).toMatchObject({
      code: 'model-corrupt',
    });
    const changed = WEIGHTS.slice();
    changed[77] = 0;
    expect(await failure(() => new Response(changed))).toMatchObject({
      code: 'model-corrupt',
      message: expect.stringContaining(ENTRY.sha256.slice(0, 12)) as string,
    });
  });

  it('tells a host that breaks off from a file that is short', async () => {
    const error = await failure(
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(WEIGHTS.slice(0, 100));
            },
            pull(controller) {
              controller.error(new TypeError('connection reset'));
            },
          }),
        ),
    );
    expect(error).toMatchObject({ code: 'network' });
    expect(error.message).toContain('100 bytes of 5,000');
  });

  it('says network when nothing answers', async () => {
    const files = new ModelFiles({
      modelUrl: URL_ROOT,
      fetch: () => Promise.reject(new TypeError('Failed to fetch')),
      patience: QUICK,
    });
    await expect(files.manifest()).rejects.toMatchObject({ code: 'network' });
  });

  it('fetches once and then takes the verified copy from the cache', async () => {
    const caches = memoryCaches();
    const first = filesWith(() => new Response(WEIGHTS.slice()), caches);
    await first.files.file(ENTRY, () => {});
    await first.files.settled();
    expect(first.requests).toHaveLength(1);
    const again = filesWith(() => new Response('', { status: 500 }), caches);
    const seen: boolean[] = [];
    expect(await again.files.file(ENTRY, ({ fromCache }) => seen.push(fromCache))).toEqual(WEIGHTS);
    expect(again.requests).toHaveLength(0);
    expect(seen).toEqual([true]);
  });

  it('fetches anew when the cached copy is damaged', async () => {
    const caches = memoryCaches();
    const { files } = filesWith(() => new Response(WEIGHTS.slice()), caches);
    await files.file(ENTRY, () => {});
    await files.settled();
    for (const { bytes } of caches.stored.values()) bytes[5] = 255;
    const again = filesWith(() => new Response(WEIGHTS.slice()), caches);
    expect(await again.files.file(ENTRY, () => {})).toEqual(WEIGHTS);
    expect(again.requests).toHaveLength(1);
  });

  it('keeps one version of a file in the cache, and the old one until the new one is whole', async () => {
    const caches = memoryCaches();
    const newer = WEIGHTS.slice().fill(7);
    const newEntry = { ...ENTRY, sha256: sha256(newer) };
    const old = filesWith(() => new Response(WEIGHTS.slice()), caches);
    await old.files.manifest();
    await old.files.file(ENTRY, () => {});
    await old.files.settled();

    const newManifest = { ...MANIFEST, files: [newEntry] };
    const broken = filesWith(() => new Response(newer.slice(0, 99)), caches, newManifest);
    await broken.files.manifest();
    await expect(broken.files.file(newEntry, () => {})).rejects.toMatchObject({
      code: 'model-truncated',
    });
    const offline = offlineFiles(caches);
    expect((await offline.manifest()).files).toEqual([ENTRY]);
    expect(await offline.file(ENTRY, () => {})).toEqual(WEIGHTS);

    const whole = filesWith(() => new Response(newer.slice()), caches, newManifest);
    await whole.files.manifest();
    await whole.files.file(newEntry, () => {});
    await whole.files.settled();
    expect([...caches.stored.keys()].sort()).toEqual([
      `${URL_ROOT}manifest.json`,
      expect.stringContaining(sha256(newer)),
    ]);
    expect((await offlineFiles(caches).manifest()).files).toEqual([newEntry]);
  });

  it('takes the kept manifest only when nothing answers', async () => {
    const caches = memoryCaches();
    const first = filesWith(() => new Response(WEIGHTS.slice()), caches);
    await first.files.manifest();
    await first.files.file(ENTRY, () => {});
    await first.files.settled();
    expect((await offlineFiles(caches).manifest()).files).toEqual([ENTRY]);
    const removed = new ModelFiles({
      modelUrl: URL_ROOT,
      fetch: () => Promise.resolve(new Response('', { status: 404 })),
      caches,
    });
    await expect(removed.manifest()).rejects.toMatchObject({ code: 'model-missing' });
  });
});

describe('a network that hangs', () => {
  const HANGING: Patience = { ...QUICK, silenceMs: 40 };

  it('does not keep a model from starting that is kept', async () => {
    const caches = memoryCaches();
    const first = filesWith(() => new Response(WEIGHTS.slice()), caches);
    await first.files.manifest();
    await first.files.file(ENTRY, () => {});
    await first.files.settled();
    const files = new ModelFiles({
      modelUrl: URL_ROOT,
      fetch: () => new Promise(() => {}),
      caches,
      patience: HANGING,
    });
    expect((await files.manifest()).files).toEqual([ENTRY]);
    expect(await files.file(ENTRY, () => {})).toEqual(WEIGHTS);
  });

  it('is named when nothing is kept', async () => {
    const files = new ModelFiles({
      modelUrl: URL_ROOT,
      fetch: () => new Promise(() => {}),
      patience: HANGING,
    });
    await expect(files.manifest()).rejects.toMatchObject({ code: 'network' });
  });
});

describe('files of a listing', () => {
  const DATA = WEIGHTS.slice(0, 3000).reverse();
  const listed = (path: string, bytes: Uint8Array) => ({
    path,
    bytes: bytes.length,
    sha256: sha256(bytes),
    gitSha1: null,
  });
  const GRAPH = listed('onnx/model_q4.onnx', WEIGHTS);
  const EXTERNAL = listed('onnx/model_q4.onnx_data', DATA);
  const CONFIG = new TextEncoder().encode('{"model_type":"x"}');
  const listing: ModelListing = {
    source: 'hub',
    id: 'someone/model',
    revision: 'abc',
    baseUrl: 'https://hub.example/someone/model/resolve/abc/',
    files: [GRAPH, EXTERNAL, listed('config.json', CONFIG)],
    variants: [
      {
        dtype: 'q4',
        graphs: { model: GRAPH.path },
        externalData: { model: [EXTERNAL.path] },
      },
    ],
  };
  const contents: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
    [GRAPH.path]: WEIGHTS,
    [EXTERNAL.path]: DATA,
    'config.json': CONFIG,
  };

  it('come from the hub with one progress, and are found again whichever mirror is set', async () => {
    const caches = memoryCaches();
    const requests: string[] = [];
    const at = (baseUrl: string): ModelFiles =>
      new ModelFiles({
        modelUrl: baseUrl,
        listing: { ...listing, baseUrl },
        fetch: async (url) => {
          requests.push(url);
          return new Response(contents[url.slice(baseUrl.length)]?.slice());
        },
        caches,
        patience: QUICK,
      });
    const files = at(listing.baseUrl);
    const seen: FilesProgress[] = [];
    const found = await files.files(listing.variants.flatMap(pathsOfVariant), (progress) =>
      seen.push(progress),
    );
    expect(found.get(GRAPH.path)).toEqual(WEIGHTS);
    expect(found.get(EXTERNAL.path)).toEqual(DATA);
    expect(seen.at(-1)).toEqual({
      file: EXTERNAL.path,
      loadedBytes: 8000,
      totalBytes: 8000,
      cachedBytes: 0,
    });
    expect(await files.json('config.json')).toEqual({ model_type: 'x' });
    expect(await files.json('generation_config.json', {})).toEqual({});
    await files.settled();
    expect(files.isLeftOut).toBe(false);
    expect(requests).toHaveLength(3);

    const mirror = at('https://mirror.school/someone/model/resolve/abc/');
    const again: FilesProgress[] = [];
    await mirror.files([GRAPH.path, EXTERNAL.path], (progress) => again.push(progress));
    expect(requests).toHaveLength(3);
    expect(again.at(-1)).toMatchObject({ loadedBytes: 8000, cachedBytes: 8000 });
  });

  it('come from a disk, checked as well', async () => {
    const fromDisk = (blobs: ReadonlyMap<string, Blob>): ModelFiles =>
      new ModelFiles({
        modelUrl: 'disk:model/',
        listing: { ...listing, source: 'disk', baseUrl: 'disk:model/' },
        blobs,
        fetch: () => Promise.reject(new Error('nothing is to be fetched')),
      });
    const blobs = new Map(
      Object.entries(contents).map(([path, bytes]) => [path, new Blob([bytes])]),
    );
    expect(await fromDisk(blobs).file(GRAPH, () => {})).toEqual(WEIGHTS);
    expect(await fromDisk(blobs).json('config.json')).toEqual({ model_type: 'x' });
    const other = new Map(blobs).set(GRAPH.path, new Blob([WEIGHTS.slice().fill(1)]));
    await expect(fromDisk(other).file(GRAPH, () => {})).rejects.toMatchObject({
      code: 'model-corrupt',
    });
    await expect(fromDisk(new Map()).file(GRAPH, () => {})).rejects.toMatchObject({
      code: 'model-missing',
    });
  });

  it('of a disk that were kept are read without the disk; what is lost is named', async () => {
    const caches = memoryCaches();
    const blobs = new Map(
      Object.entries(contents).map(([path, bytes]) => [path, new Blob([bytes])]),
    );
    const hashless = listing.files.map((file) => ({ ...file, sha256: null }));
    const disk = await keepable(
      { ...listing, source: 'disk', id: 'model', files: hashless, baseUrl: 'disk:model/' },
      blobs,
    );
    const other = await keepable(
      disk,
      new Map(blobs).set(GRAPH.path, new Blob([WEIGHTS.slice().fill(1)])),
    );
    expect(other.revision).not.toBe(disk.revision);
    const store = new ModelStore(caches);
    const state = await new ModelDownload({
      listing: disk,
      dtype: disk.variants[0]?.dtype ?? '',
      store,
      fetch: fetchFromDisk(disk, blobs),
      onChange: () => {},
    }).start();
    expect(state).toMatchObject({ phase: 'done', error: null });
    expect(await store.models()).toMatchObject([
      { source: 'disk', id: 'model', variants: [disk.variants[0]?.dtype] },
    ]);
    const kept = (await store.listing(keptPrefixOf(disk))) ?? disk;
    const files = (): ModelFiles =>
      new ModelFiles({
        modelUrl: kept.baseUrl,
        listing: kept,
        caches: caches,
        fetch: () => Promise.reject(new Error('nothing is to be fetched')),
      });
    expect(await files().file({ path: GRAPH.path, bytes: GRAPH.bytes }, () => {})).toEqual(WEIGHTS);
    await store.delete(disk);
    expect(await store.models()).toEqual([]);
    await expect(
      files().file({ path: GRAPH.path, bytes: GRAPH.bytes }, () => {}),
    ).rejects.toMatchObject({
      code: 'model-missing',
      remedy: 'Open its folder again under “Models”.',
    });
  });

  it('that lead out of their folder are refused', async () => {
    const files = new ModelFiles({
      modelUrl: listing.baseUrl,
      listing,
      fetch: () => Promise.reject(new Error('nothing is to be fetched')),
    });
    for (const path of ['../../secret', 'onnx/../../x', '/etc/passwd', 'a//b']) {
      await expect(files.file({ ...GRAPH, path }, () => {})).rejects.toMatchObject({
        code: 'model-corrupt',
      });
    }
  });

  it('run from memory when there is no room, and this is known', async () => {
    const { files } = filesWith(() => new Response(WEIGHTS.slice()), memoryCaches(100));
    await files.manifest();
    expect(await files.file(ENTRY, () => {})).toEqual(WEIGHTS);
    await files.settled();
    expect(files.isLeftOut).toBe(true);
  });
});
