/**
 * Owns the memory of loads that ended the tab or the engine, so that a start does not run into the same wall again:
 * marked before a load, cleared after it, kept where a killed tab leaves it. Owns no loading.
 */
import type { DeviceKind, DevicePreference } from '../protocol/engine-api';

/** What is needed of localStorage: it writes at once, which a load that kills the tab does not wait for. */
export type GuardStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export interface LoadGuardOptions {
  /** Null where the browser keeps nothing: then nothing is remembered. */
  readonly storage: GuardStorage | null;
  /** Ids of the pages that are open now, this one among them. */
  readonly openPages: () => Promise<ReadonlySet<string>>;
  /** Of this page; another one after a reload. */
  readonly pageId: string;
}

/** A model whose last loads died, and where. */
export interface DeadLoads {
  readonly device: DeviceKind | DevicePreference;
  readonly count: number;
}

/** So many loads that died one after the other hold the next start back. */
const DEADLY_LOADS = 2;

const KEY = 'tidepool-loads';

type Device = DeviceKind | DevicePreference;

interface Mark {
  readonly model: string;
  readonly device: Device;
}

interface Remembered {
  /** Loads under way, by page. */
  readonly loading: Readonly<Record<string, Mark>>;
  /** Loads that died one after the other, by model, then device. */
  readonly deaths: Readonly<Record<string, Readonly<Partial<Record<Device, number>>>>>;
}

const DEVICES: readonly Device[] = [
  'auto',
  'webgpu',
  'webgpu-f16',
  'webgpu-f32',
  'wasm',
  'wasm-threads',
];

/** Whether a load that died on `device` tells of one that is to begin with `preference`. */
function concerns(device: Device, preference: DevicePreference): boolean {
  return device === 'auto' || preference === 'auto' || device.startsWith(preference);
}

export class LoadGuard {
  readonly #options: LoadGuardOptions;

  constructor(options: LoadGuardOptions) {
    this.#options = options;
  }

  /** A load begins. */
  begin(model: string, device: Device): void {
    this.#change(({ loading, deaths }) => ({
      loading: { ...loading, [this.#options.pageId]: { model, device } },
      deaths,
    }));
  }

  /** The load under way has come to this device. */
  reach(device: DeviceKind): void {
    const mark = this.#read().loading[this.#options.pageId];
    if (mark !== undefined && mark.device !== device) this.begin(mark.model, device);
  }

  /**
   * The load has ended: `survived` clears what was remembered of the model, `died` adds to it, `left` (another error, or
   * the page goes) does neither.
   */
  end(outcome: 'survived' | 'died' | 'left'): void {
    this.#change((record) => {
      const { [this.#options.pageId]: mark, ...loading } = record.loading;
      if (mark === undefined || outcome === 'left') return { ...record, loading };
      return {
        loading,
        deaths:
          outcome === 'died' ? withDeath(record.deaths, mark) : without(record.deaths, mark.model),
      };
    });
  }

  /**
   * Where the last loads of this model died, when that were two or more; null when it may be loaded. Loads of pages that
   * are gone without a word count as dead.
   */
  async verdict(model: string, preference: DevicePreference): Promise<DeadLoads | null> {
    const open = await this.#options.openPages();
    this.#change(({ loading, deaths }) => {
      const gone = Object.entries(loading).filter(([page]) => !open.has(page));
      return {
        loading: Object.fromEntries(Object.entries(loading).filter(([page]) => open.has(page))),
        deaths: gone.reduce((all, [, mark]) => withDeath(all, mark), deaths),
      };
    });
    const found = this.#read().deaths[model] ?? {};
    const dead = DEVICES.map((device) => ({ device, count: found[device] ?? 0 }))
      .filter(({ device, count }) => count > 0 && concerns(device, preference))
      .sort((a, b) => b.count - a.count);
    const sum = dead.reduce((all, { count }) => all + count, 0);
    const [worst] = dead;
    return worst !== undefined && sum >= DEADLY_LOADS ? { device: worst.device, count: sum } : null;
  }

  #read(): Remembered {
    try {
      return readRecord(JSON.parse(this.#options.storage?.getItem(KEY) ?? 'null'));
    } catch {
      return { loading: {}, deaths: {} };
    }
  }

  #change(change: (record: Remembered) => Remembered): void {
    const next = change(this.#read());
    try {
      const isEmpty = [next.loading, next.deaths].every((part) => Object.keys(part).length === 0);
      if (isEmpty) this.#options.storage?.removeItem(KEY);
      else this.#options.storage?.setItem(KEY, JSON.stringify(next));
    } catch {
      // No room or no leave: the guard sleeps.
    }
  }
}

function withDeath(deaths: Remembered['deaths'], { model, device }: Mark): Remembered['deaths'] {
  const own = deaths[model] ?? {};
  return { ...deaths, [model]: { ...own, [device]: (own[device] ?? 0) + 1 } };
}

function without(deaths: Remembered['deaths'], model: string): Remembered['deaths'] {
  return Object.fromEntries(Object.entries(deaths).filter(([key]) => key !== model));
}

/** Anything but what was written reads as nothing. */
function readRecord(value: unknown): Remembered {
  const { loading, deaths } = asObject(value);
  const marks: Record<string, Mark> = {};
  for (const [page, mark] of Object.entries(asObject(loading))) {
    const { model, device } = asObject(mark);
    const known = DEVICES.find((candidate) => candidate === device);
    if (typeof model === 'string' && known !== undefined) marks[page] = { model, device: known };
  }
  const counts: Record<string, Partial<Record<Device, number>>> = {};
  for (const [model, byDevice] of Object.entries(asObject(deaths))) {
    const own: Partial<Record<Device, number>> = {};
    for (const device of DEVICES) {
      const count = asObject(byDevice)[device];
      if (typeof count === 'number' && count > 0) own[device] = count;
    }
    counts[model] = own;
  }
  return { loading: marks, deaths: counts };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The guard of this page; marks go with the page when it is left in good order. */
export function openLoadGuard(): LoadGuard {
  const pageId = crypto.randomUUID();
  const guard = new LoadGuard({
    storage: siteStorage(),
    openPages: () => openPages(pageId),
    pageId,
  });
  // A tab that is killed has no time for this; one that is left or reloaded has.
  addEventListener('pagehide', () => guard.end('left'));
  return guard;
}

const LOCK = 'tidepool-page ';

/** Every page holds a lock of its own for as long as it lives: a killed one lets go of it. */
async function openPages(pageId: string): Promise<ReadonlySet<string>> {
  const { locks } = navigator as { locks?: LockManager };
  // Without locks one page is assumed.
  if (locks === undefined) return new Set([pageId]);
  // Nor where the browser refuses them: to a frame of another site it may.
  locks.request(LOCK + pageId, () => new Promise(() => undefined)).catch(() => undefined);
  const { held = [] } = await locks.query().catch(() => ({ held: [] }));
  const names = held.flatMap(({ name }) => (name?.startsWith(LOCK) === true ? [name] : []));
  return new Set([pageId, ...names.map((name) => name.slice(LOCK.length))]);
}

/** Null where the browser forbids even to name it. */
function siteStorage(): GuardStorage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
