/**
 * Owns the question whether there is room to keep something, before it is fetched. Deletes nothing, asks nobody. An
 * answer of "fits" is no promise: Chromium 156 says 10 GiB whatever the disk has left (seen with a quota of 6 MB), so
 * whoever keeps something must also bear that it fails.
 */

/** Left free for chats and for what a browser needs to write at all. */
const SPARE_BYTES = 16 * 1024 * 1024;

/** `nothing`: this window may keep nothing at all; `unknown`: the browser does not tell, so it is tried. */
export type RoomVerdict = 'fits' | 'too-small' | 'nothing' | 'unknown';

export interface StorageRoom {
  readonly verdict: RoomVerdict;
  /** Bytes that were asked for. */
  readonly neededBytes: number;
  /** What is used by this site, what it may use, and the difference; null where the browser does not tell. */
  readonly usedBytes: number | null;
  readonly quotaBytes: number | null;
  readonly freeBytes: number | null;
}

/** The browser's parts that are needed; fakes in tests. */
export interface RoomBrowser {
  /** Absent on insecure origins. */
  readonly storage?: Pick<StorageManager, 'estimate'>;
  /** Absent on insecure origins, may refuse in private windows. */
  readonly caches?: CacheStorage;
}

/** The page's or the worker's own. */
function ownBrowser(): RoomBrowser {
  const { navigator, caches } = globalThis as {
    navigator?: { storage?: StorageManager };
    caches?: CacheStorage;
  };
  return {
    ...(navigator?.storage === undefined ? {} : { storage: navigator.storage }),
    ...(caches === undefined ? {} : { caches }),
  };
}

async function mayKeep(caches: CacheStorage | undefined): Promise<boolean> {
  try {
    await caches?.keys();
    return caches !== undefined;
  } catch {
    return false;
  }
}

/** Asks the browser whether `neededBytes` more can be kept. Never rejects. */
export async function roomFor(
  neededBytes: number,
  browser: RoomBrowser = ownBrowser(),
): Promise<StorageRoom> {
  const estimate = await browser.storage?.estimate().catch(() => undefined);
  const usedBytes = estimate?.usage ?? null;
  const quotaBytes = estimate?.quota ?? null;
  const freeBytes =
    usedBytes === null || quotaBytes === null ? null : Math.max(0, quotaBytes - usedBytes);
  const verdict = async (): Promise<RoomVerdict> => {
    if (quotaBytes === 0 || !(await mayKeep(browser.caches))) return 'nothing';
    if (freeBytes === null) return 'unknown';
    return freeBytes >= neededBytes + SPARE_BYTES ? 'fits' : 'too-small';
  };
  return { verdict: await verdict(), neededBytes, usedBytes, quotaBytes, freeBytes };
}
