// One file from a misbehaving host into memory and store, over real HTTP.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineError } from '../../../src/core/errors';
import { fetchFile, type FileProgress } from '../../../src/model-files/fetch-file';
import { keptKeyOf } from '../../../src/model-files/file-keys';
import { PART_BYTES, PartStore } from '../../../src/model-files/part-store';
import type { DownloadWait, Patience } from '../../../src/model-files/remote-file';
import { FaultHost, type Fault } from '../../fault-host';
import { memoryCaches, type MemoryCaches } from './memory-caches';

/** Two and a half parts, no two alike. */
const LENGTH = Math.round(PART_BYTES * 2.5);
const CONTENT = new Uint8Array(LENGTH);
for (let i = 0, x = 1; i < LENGTH; i += 1) {
  x = (x * 1103515245 + 12345) >>> 0;
  CONTENT[i] = x >>> 24;
}
const PATH = 'onnx/model_q4.onnx';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const FILE = { path: PATH, bytes: LENGTH, sha256: sha256(CONTENT), gitSha1: null };

/** Pauses take no time; only where a test is about silence is it short. */
const QUICK: Patience = {
  silenceMs: 50_000,
  attempts: 5,
  longestWaitMs: 300_000,
  sleep: async () => {},
};

let host: FaultHost;
let caches: MemoryCaches;
/** Requests that were made, whether the host has seen them or not. */
let made = 0;

beforeEach(async () => {
  host = await FaultHost.start();
  host.put(PATH, CONTENT);
  caches = memoryCaches();
  made = 0;
});
afterEach(() => host.close());

interface Bring {
  readonly file?:
    | typeof FILE
    | (Omit<typeof FILE, 'sha256' | 'gitSha1'> & { sha256: string | null; gitSha1: string | null });
  readonly toMemory?: boolean;
  readonly isToBeKept?: boolean;
  readonly isEtagHash?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FileProgress) => void;
  readonly onWait?: (wait: DownloadWait) => void;
  readonly patience?: Patience;
}

async function bring({
  file = FILE,
  toMemory = true,
  patience = QUICK,
  isToBeKept = true,
  isEtagHash = false,
  ...rest
}: Bring = {}) {
  const target = toMemory ? new Uint8Array(file.bytes) : null;
  const seen: FileProgress[] = [];
  const fetched = await fetchFile({
    file,
    url: `${host.url}${PATH}`,
    kept: keptKeyOf(host.url, file),
    store: new PartStore(caches),
    fetch: (url, init) => {
      made += 1;
      return fetch(url, init);
    },
    target,
    isToBeKept,
    isEtagHash,
    patience,
    ...rest,
    onProgress: (progress) => {
      seen.push(progress);
      rest.onProgress?.(progress);
    },
  });
  const isKept = await fetched.keeping;
  return { target, isKept, seen, fetchedBytes: fetched.fetchedBytes };
}

async function failure(options: Bring = {}): Promise<EngineError> {
  return bring(options).then(
    () => Promise.reject(new Error('the file was taken')),
    (error: unknown) => error as EngineError,
  );
}

/** The given faults, one for each request, then none. */
function faultsInTurn(...faults: Fault[]): void {
  host.fault = () => faults.shift() ?? null;
}

function expectHonest(seen: readonly FileProgress[]): void {
  seen.forEach(({ loadedBytes, cachedBytes }, i) => {
    expect(loadedBytes).toBeLessThanOrEqual(LENGTH);
    expect(cachedBytes).toBeLessThanOrEqual(loadedBytes);
    expect(loadedBytes).toBeGreaterThanOrEqual(seen[i - 1]?.loadedBytes ?? 0);
  });
  expect(seen.at(-1)?.loadedBytes).toBe(LENGTH);
}

describe('a connection that is cut', () => {
  it.each([10, 50, 99])(
    'at %i percent goes on at that byte, with If-Range or a compared ETag',
    async (percent) => {
      const afterBytes = Math.floor((LENGTH * percent) / 100);
      faultsInTurn({ kind: 'cut', afterBytes });
      const { target, seen, isKept } = await bring();
      expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
      expect(isKept).toBe(true);
      expectHonest(seen);
      const [first, second] = host.asked(PATH);
      expect(first?.range).toBeNull();
      expect(second?.range).toMatch(/^bytes=\d+-$/);
      const at = Number(/\d+/.exec(second?.range ?? '')?.[0]);
      expect(at).toBeGreaterThan(0);
      expect(at).toBeLessThanOrEqual(afterBytes);
      expect(second?.status).toBe(206);
      expect(host.asked(PATH)).toHaveLength(2);
    },
  );

  it('again and again is gone on with as long as each time something comes', async () => {
    const step = Math.ceil(LENGTH / 9);
    faultsInTurn(...Array.from({ length: 8 }, (): Fault => ({ kind: 'cut', afterBytes: step })));
    const { target } = await bring();
    expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
  });

  it('for good ends in a sentence with how far it came, and the next time goes on with the parts that are kept', async () => {
    const afterBytes = Math.floor(PART_BYTES * 1.7);
    let isFirst = true;
    host.fault = () => {
      if (!isFirst) return { kind: 'status', status: 502 };
      isFirst = false;
      return { kind: 'cut', afterBytes };
    };
    const error = await failure();
    expect(error.code).toBe('network');
    expect(error.message).toMatch(/broke off after [\d,]+ bytes of 10,485,760 bytes/);
    host.fault = () => null;
    host.requests.length = 0;
    const { target, seen } = await bring();
    expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
    expect(host.asked(PATH).map(({ range }) => range)).toEqual([`bytes=${PART_BYTES}-`]);
    expect(seen[0]).toMatchObject({ loadedBytes: PART_BYTES, fromCache: true });
    expect(seen.at(-1)).toMatchObject({ cachedBytes: PART_BYTES, fromCache: false });
    expectHonest(seen);
  });

  it('or that falls silent is given up and asked anew', async () => {
    faultsInTurn({ kind: 'stall', afterBytes: 100_000 });
    // Long enough that a slow machine is not taken for a silent host more often than a few times.
    const { target } = await bring({ patience: { ...QUICK, silenceMs: 1500, attempts: 50 } });
    expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
    expect(made).toBeGreaterThan(1);
  });
});

describe('a host', () => {
  it('that never answers is given up after a while', async () => {
    host.fault = () => ({ kind: 'hang' });
    const error = await failure({ patience: { ...QUICK, silenceMs: 30 } });
    expect(error).toMatchObject({ code: 'network' });
    expect(made).toBe(3);
  });

  it('that is busy is asked again when it says, and the wait is told', async () => {
    faultsInTurn({ kind: 'status', status: 429, retryAfter: '7' }, { kind: 'status', status: 503 });
    const waits: DownloadWait[] = [];
    const slept: number[] = [];
    const { isKept } = await bring({
      onWait: (wait) => waits.push(wait),
      patience: { ...QUICK, sleep: async (ms) => void slept.push(ms) },
    });
    expect(isKept).toBe(true);
    expect(waits).toEqual([
      { reason: 'host-busy', ms: 7000 },
      { reason: 'host-busy', ms: 4000 },
    ]);
    expect(slept).toEqual([7000, 4000]);
  });

  it('that asks for a date waits until then; for an hour is not waited for', async () => {
    const slept: number[] = [];
    const date = new Date(Date.now() + 20_000).toUTCString();
    faultsInTurn({ kind: 'status', status: 429, retryAfter: date });
    await bring({ patience: { ...QUICK, sleep: async (ms) => void slept.push(ms) } });
    expect(slept).toHaveLength(1);
    expect(slept[0]).toBeGreaterThan(17_000);
    expect(slept[0]).toBeLessThanOrEqual(20_000);
    caches.stored.clear();
    faultsInTurn({ kind: 'status', status: 429, retryAfter: '3600' });
    const error = await failure();
    expect(error.code).toBe('rate-limited');
    expect(error.message).toContain('asks to wait 3600 s');
  });

  it('that ignores ranges sends the start again, which is skipped', async () => {
    let requests = 0;
    host.fault = () =>
      (requests += 1) === 1 ? { kind: 'cut', afterBytes: 5_000_000 } : { kind: 'ignore-range' };
    const { target, seen } = await bring();
    expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
    expectHonest(seen);
    expect(host.asked(PATH).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('that redirects is followed, range and all', async () => {
    const other = await FaultHost.start();
    try {
      other.put('store/blob', CONTENT);
      let cuts = 0;
      other.fault = () => ((cuts += 1) === 1 ? { kind: 'cut', afterBytes: 300_000 } : null);
      host.fault = () => ({ kind: 'redirect', to: `${other.url}store/blob` });
      const { target } = await bring();
      expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
      expect(other.requests.map(({ status }) => status)).toEqual([200, 206]);
      // Another origin would have to allow it first.
      expect(other.requests.map(({ ifRange }) => ifRange)).toEqual([null, null]);
    } finally {
      await other.close();
    }
  });

  it('that asks for an account, or lacks the file, or answers with a page is not asked again', async () => {
    host.fault = () => ({ kind: 'status', status: 403 });
    expect(await failure()).toMatchObject({ code: 'model-gated' });
    host.fault = () => ({ kind: 'status', status: 404 });
    expect(await failure()).toMatchObject({ code: 'model-missing' });
    host.fault = () => ({ kind: 'html' });
    expect(await failure()).toMatchObject({ code: 'model-missing' });
    expect(host.asked(PATH)).toHaveLength(3);
    expect(caches.stored.size).toBe(0);
  });

  it('behind which a sign-in page stands in the middle of a download is found out', async () => {
    faultsInTurn({ kind: 'cut', afterBytes: 5_000_000 }, { kind: 'html' });
    expect(await failure()).toMatchObject({ code: 'model-missing' });
    faultsInTurn();
    const { target } = await bring();
    expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
  });
});

describe('a file that changes', () => {
  const newer = CONTENT.map((byte) => byte ^ 0x5a);
  const NEW_FILE = { ...FILE, sha256: sha256(newer) };

  it('between two requests is begun anew when its ETag tells', async () => {
    let requests = 0;
    host.fault = () => {
      requests += 1;
      if (requests === 1) return { kind: 'cut', afterBytes: 5_000_000 };
      if (requests === 2) host.put(PATH, newer);
      return null;
    };
    const { target, isKept } = await bring({ file: NEW_FILE });
    expect(sha256(target ?? new Uint8Array())).toBe(NEW_FILE.sha256);
    expect(isKept).toBe(true);
  });

  it('without telling is found out by its hash and begun anew', async () => {
    host.put(PATH, CONTENT, null);
    let requests = 0;
    host.fault = () => {
      requests += 1;
      if (requests === 1) return { kind: 'cut', afterBytes: 5_000_000 };
      if (requests === 2) host.put(PATH, newer, null);
      return null;
    };
    const { target } = await bring({ file: NEW_FILE });
    expect(sha256(target ?? new Uint8Array())).toBe(NEW_FILE.sha256);
  });

  it('and is not the listed one any more is refused, and nothing of it is kept', async () => {
    host.put(PATH, newer);
    const error = await failure();
    expect(error).toMatchObject({ code: 'model-corrupt' });
    expect(error.message).toContain(FILE.sha256.slice(0, 12));
    expect(caches.stored.size).toBe(0);
  });

  it('is refused when it is longer, and named cut off when it is shorter', async () => {
    host.put(PATH, new Uint8Array(LENGTH + 1));
    expect(await failure()).toMatchObject({ code: 'model-corrupt' });
    host.put(PATH, CONTENT.slice(0, 1_000_000));
    const error = await failure();
    expect(error.code).toBe('model-truncated');
    expect(error.message).toContain('1,000,000 bytes');
    expect(caches.stored.size).toBe(0);
  });
});

describe('what is kept', () => {
  const partUrl = (part: number): string => `${host.url}${PATH}?sha256=${FILE.sha256}&part=${part}`;
  function partOf(part: number) {
    const entry = caches.stored.get(partUrl(part));
    if (entry === undefined) throw new Error(`part ${part} is not kept`);
    return entry;
  }

  it('is used without a request, and counted as kept', async () => {
    await bring();
    host.requests.length = 0;
    const { target, seen, fetchedBytes } = await bring();
    expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
    expect(host.requests).toEqual([]);
    expect(fetchedBytes).toBe(0);
    expect(seen.every(({ fromCache }) => fromCache)).toBe(true);
  });

  it.each([
    [
      'a flipped bit',
      () => {
        partOf(1).bytes[77] = (partOf(1).bytes[77] ?? 0) ^ 1;
      },
    ],
    [
      'a cut-off part',
      () => {
        partOf(1).bytes = partOf(1).bytes.slice(0, 1000);
      },
    ],
    [
      'a part that is gone',
      () => {
        caches.stored.delete(partUrl(1));
      },
    ],
    [
      'a part replaced by a page',
      () => {
        partOf(1).bytes = new TextEncoder().encode('<!doctype html>');
      },
    ],
    [
      'a part replaced by another',
      () => {
        partOf(1).bytes = partOf(0).bytes.slice();
      },
    ],
  ])('heals %s by fetching that part alone', async (_what: string, damage: () => void) => {
    await bring();
    damage();
    host.requests.length = 0;
    const { target, fetchedBytes } = await bring();
    expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
    expect(host.asked(PATH)).toHaveLength(1);
    expect(host.asked(PATH)[0]?.range).toBe(`bytes=${PART_BYTES}-`);
    expect(fetchedBytes).toBeLessThan(LENGTH);
    host.requests.length = 0;
    await bring();
    expect(host.requests).toEqual([]);
  });

  it('with damage and a host that has another file by now is dropped with a sentence', async () => {
    await bring();
    partOf(1).bytes[0] = (partOf(1).bytes[0] ?? 0) ^ 1;
    host.put(PATH, new Uint8Array(LENGTH));
    expect(await failure()).toMatchObject({ code: 'model-corrupt' });
    expect(caches.stored.size).toBe(0);
  });

  it('goes without memory for the whole: with no target it is only kept', async () => {
    const { isKept } = await bring({ toMemory: false });
    expect(isKept).toBe(true);
    expect(
      [...caches.stored.values()].reduce((sum, { bytes }) => sum + bytes.length, 0),
    ).toBeGreaterThanOrEqual(LENGTH);
    host.requests.length = 0;
    expect((await bring()).fetchedBytes).toBe(0);
  });

  it('is nothing when there is no room: the file is in memory all the same', async () => {
    caches.quotaBytes = PART_BYTES + 1000;
    const { target, isKept } = await bring();
    expect(sha256(target ?? new Uint8Array())).toBe(FILE.sha256);
    expect(isKept).toBe(false);
    expect(caches.stored.size).toBe(0);
    const error = await failure({ toMemory: false });
    expect(error).toMatchObject({ code: 'storage' });
    expect(error.message).toContain('10,485,760 bytes');
  });

  it('is nothing when it is not to be', async () => {
    const { isKept } = await bring({ isToBeKept: false });
    expect(isKept).toBe(false);
    expect(caches.stored.size).toBe(0);
  });
});

describe('stopping', () => {
  it('ends at once, keeps the whole parts, and the next time goes on with them', async () => {
    const controller = new AbortController();
    host.fault = () => ({ kind: 'slow', bytesPerTick: 256 * 1024 });
    const stopped = failure({
      toMemory: false,
      signal: controller.signal,
      onProgress: ({ loadedBytes }) => {
        if (loadedBytes > PART_BYTES * 1.5) controller.abort();
      },
    });
    expect((await stopped).name).toBe('AbortError');
    host.fault = () => null;
    host.requests.length = 0;
    const { seen } = await bring();
    expect(seen[0]).toMatchObject({ loadedBytes: PART_BYTES, fromCache: true });
    expect(host.asked(PATH).map(({ range }) => range)).toEqual([`bytes=${PART_BYTES}-`]);
  });
});

describe('a file whose listing has another hash, or none', () => {
  const small = CONTENT.slice(0, 100_000);
  const git = createHash('sha1').update(`blob ${small.length}\0`).update(small).digest('hex');
  const etagFile = { path: PATH, bytes: small.length, sha256: null, gitSha1: null };

  beforeEach(() => host.put(PATH, small));

  it('is held against the git SHA-1', async () => {
    const file = { ...etagFile, gitSha1: git };
    expect((await bring({ file })).isKept).toBe(true);
    expect(
      await failure({
        file: { ...file, gitSha1: git.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
      }),
    ).toMatchObject({ code: 'model-corrupt' });
  });

  it("is held against a hub's ETag, be it a SHA-256 or a git SHA-1", async () => {
    for (const etag of [`"${git}"`, `"${sha256(small)}"`, `W/"${git}"`]) {
      host.put(PATH, small, etag);
      caches.stored.clear();
      expect((await bring({ file: etagFile, isEtagHash: true })).isKept).toBe(true);
      host.put(
        PATH,
        small.map((byte) => byte ^ 1),
        etag,
      );
      caches.stored.clear();
      expect(await failure({ file: etagFile, isEtagHash: true })).toMatchObject({
        code: 'model-corrupt',
      });
    }
  });
});
