// Files that sites share by content: taken in place of the network, put there once verified, never needed.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ListedFile, ModelListing } from '../../../src/core/model-listing';
import {
  crossOriginStorageOf,
  SharedFiles,
  type CrossOriginStorage,
} from '../../../src/model-files/cross-origin-storage';
import { ModelDownload } from '../../../src/model-files/model-download';
import { ModelStore } from '../../../src/model-files/model-store';
import { keptBlob } from '../../../src/state/models/pack-model';
import { memoryCaches } from './memory-caches';

const BASE = 'https://hub.example/someone/model/resolve/abc/';
const MEBIBYTE = 1024 * 1024;
const CONFIG = new TextEncoder().encode('{}');
const GRAPH = new Uint8Array(2 * MEBIBYTE + 17).map((_, at) => (at >> 7) ^ at);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const listed = (path: string, bytes: Uint8Array): ListedFile => ({
  path,
  bytes: bytes.length,
  sha256: sha256(bytes),
  gitSha1: null,
});
const LISTING: ModelListing = {
  source: 'hub',
  id: 'someone/model',
  revision: 'abc',
  baseUrl: BASE,
  files: [listed('config.json', CONFIG), listed('onnx/model_q4.onnx', GRAPH)],
  variants: [{ dtype: 'q4', graphs: { model: 'onnx/model_q4.onnx' }, externalData: {} }],
};

/** The proposal's storage in memory: checks the hash on closing, and knows for whom a file was put there. */
function storageWith(...there: readonly Uint8Array<ArrayBuffer>[]) {
  const files = new Map<string, { blob: Blob; origins: unknown }>(
    there.map((bytes) => [sha256(bytes), { blob: new Blob([bytes]), origins: '*' }]),
  );
  const asked: string[] = [];
  const storage: CrossOriginStorage = {
    requestFileHandle: async ({ value }, options = {}) => {
      if (!/^[\da-f]{64}$/.test(value)) throw new TypeError('no hash');
      asked.push(value);
      const found = files.get(value);
      if (options.create !== true && found === undefined)
        throw new DOMException('not there', 'NotFoundError');
      return {
        getFile: async () => found?.blob ?? new Blob(),
        createWritable: async () => {
          let written = new Blob();
          return {
            write: async (data) => {
              written = new Blob([written, data]);
            },
            close: async () => {
              if (sha256(new Uint8Array(await written.arrayBuffer())) !== value)
                throw new DOMException('another hash', 'DataError');
              files.set(value, { blob: written, origins: options.origins });
            },
            abort: async () => {},
          };
        },
      };
    },
  };
  return { storage, files, asked };
}

/** A hub that notes what it is asked for. */
function hub() {
  const requests: string[] = [];
  const fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    const path = url.slice(BASE.length);
    requests.push(path);
    const bytes = path === 'config.json' ? CONFIG : GRAPH;
    const from = Number(/(\d+)-$/.exec(new Headers(init?.headers).get('Range') ?? '')?.[1] ?? 0);
    return new Response(bytes.slice(from), { status: from > 0 ? 206 : 200 });
  };
  return { fetch, requests };
}

async function download(fetch: SharedFiles['fetch'], store = new ModelStore(memoryCaches())) {
  const state = await new ModelDownload({
    listing: LISTING,
    dtype: 'q4',
    store,
    fetch,
    onChange: () => {},
  }).start();
  return { state, store };
}

describe('files that sites share', () => {
  test('what another site has fetched is not fetched again; small files are not asked for', async () => {
    const { storage, asked } = storageWith(GRAPH);
    const { fetch, requests } = hub();
    const shared = new SharedFiles(storage, LISTING, fetch);
    const { state, store } = await download(shared.fetch);
    expect(state.phase).toBe('done');
    expect(requests).toEqual(['config.json']);
    expect(asked).toEqual([sha256(GRAPH)]);
    expect(shared.takenBytes).toBe(GRAPH.length);
    expect((await keptBlob(store, LISTING, 'onnx/model_q4.onnx'))?.size).toBe(GRAPH.length);
    // It is there already.
    expect(await shared.offer('q4', async () => new Blob([GRAPH]))).toBe(0);
  });

  test('what was fetched is put there for every site, by its content', async () => {
    const { storage, files } = storageWith();
    const { fetch, requests } = hub();
    const shared = new SharedFiles(storage, LISTING, fetch);
    const { store } = await download(shared.fetch);
    expect(requests).toEqual(['config.json', 'onnx/model_q4.onnx']);
    const offered = await shared.offer('q4', ({ path }) => keptBlob(store, LISTING, path));
    expect(offered).toBe(GRAPH.length);
    expect([...files.keys()]).toEqual([sha256(GRAPH)]);
    expect(files.get(sha256(GRAPH))?.origins).toBe('*');
  });

  test('a browser that gives other bytes, none, or no leave costs nothing but the asking', async () => {
    const other = GRAPH.slice();
    other[5] = 255 - (other[5] ?? 0);
    const lying: CrossOriginStorage = {
      requestFileHandle: async () => ({
        getFile: async () => new Blob([other]),
        createWritable: () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
      }),
    };
    const short: CrossOriginStorage = {
      requestFileHandle: async () => ({
        getFile: async () => new Blob([CONFIG]),
        createWritable: () => Promise.reject(new Error('never')),
      }),
    };
    const refusing: CrossOriginStorage = {
      requestFileHandle: () => Promise.reject(new DOMException('policy', 'NotAllowedError')),
    };
    for (const storage of [short, refusing]) {
      const shared = new SharedFiles(storage, LISTING, hub().fetch);
      expect((await download(shared.fetch)).state.phase).toBe('done');
      expect(shared.takenBytes).toBe(0);
      expect(await shared.offer('q4', async () => new Blob([GRAPH]))).toBe(0);
    }
    // Bytes of another content are never kept: the check of every download finds them, and the network has the right ones.
    const { fetch, requests } = hub();
    const shared = new SharedFiles(lying, LISTING, fetch);
    const first = await download(shared.fetch);
    const { store } =
      first.state.phase === 'done' ? first : await download(shared.fetch, first.store);
    const kept = await keptBlob(store, LISTING, 'onnx/model_q4.onnx');
    expect(sha256(new Uint8Array((await kept?.arrayBuffer()) ?? []))).toBe(sha256(GRAPH));
    expect(requests).toContain('onnx/model_q4.onnx');
  });

  test('only a browser that has it is asked', () => {
    expect(crossOriginStorageOf({})).toBeNull();
    expect(crossOriginStorageOf({ crossOriginStorage: {} })).toBeNull();
    expect(crossOriginStorageOf({ crossOriginStorage: storageWith().storage })).not.toBeNull();
  });
});
