/**
 * Owns the page's side of being an installed, offline app: registration of the service worker, isolation, readiness,
 * update, installation, and the request that storage be kept. Owns no caching (workers/service-worker.ts) and no words.
 */
import { KEPT_CHANNEL, type KeptMessage, type ShellMessage } from '../core/offline';
import { readKept, type Kept } from './kept';

/** Chromium's event; no standard type has it. */
interface InstallEvent extends Event {
  prompt(): Promise<unknown>;
}

/** Whether the browser may clear the storage on its own; `unknown` until it was asked. */
export type Persistence = 'unknown' | 'promised' | 'refused';

/** Set while a reload for isolation is under way: a reload that does not help is not repeated. */
const RELOADED_KEY = 'tidepool-reloaded-for-isolation';
/** Set once the browser has been asked: Firefox shows the person a question each time. */
const ASKED_KEY = 'tidepool-asked-to-persist';
/** A first visit waits this long for the service worker; on a slower line it runs single-threaded, and the next one has threads. */
const ISOLATION_WAIT_MS = 8_000;
/** A model that takes longer than this to come is no reason to be without the offline app. */
const FIRST_ANSWER_WAIT_MS = 30_000;
/** A tab that stays open for days asks for a new version when it is looked at again, at most this often. */
const UPDATE_CHECK_MS = 60 * 60_000;

/** Storage that may be forbidden, or absent. */
function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

/** True when it is written. */
function write(storage: () => Storage, key: string, value: string | null): boolean {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

const tab = (): Storage => sessionStorage;
const site = (): Storage => localStorage;

export class Pwa {
  kept = $state.raw<Kept | null>(null);
  /** A newer version is stored whole and waits to be asked for, or another tab has asked for it. */
  hasUpdate = $state(false);
  canInstall = $state(false);
  persistence = $state<Persistence>('unknown');
  /** A service worker answers, or will answer, this app's requests. */
  hasWorker = $state(false);

  readonly isReadyOffline = $derived(this.hasWorker && this.kept?.isComplete === true);

  readonly #modelUrl: string;
  #registration: ServiceWorkerRegistration | null = null;
  #channel: BroadcastChannel | null = null;
  #installEvent: InstallEvent | null = null;
  #isTakingOver = false;
  #checkedAt = 0;

  constructor(modelUrl: string) {
    this.#modelUrl = modelUrl;
  }

  /**
   * Registers the service worker and listens. Where there is none to have, the app simply needs the network.
   * @param modelTried on a first visit that needs no service worker for its headers, the rest of the app (about half of
   *   its bytes) is fetched after this has settled, so that it does not compete with the first answer
   */
  async start(modelTried: Promise<void>): Promise<void> {
    addEventListener('beforeinstallprompt', (event) => {
      // The person finds the offer in the page; the browser's own bar stays away.
      event.preventDefault();
      this.#installEvent = event as InstallEvent;
      this.canInstall = true;
    });
    addEventListener('appinstalled', () => {
      this.canInstall = false;
    });
    void this.#readPersistence();
    const container = (navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker;
    if (container === undefined) return;
    const hadController = container.controller !== null;
    container.addEventListener('controllerchange', () => {
      if (this.#isTakingOver) location.reload();
      else if (hadController) this.hasUpdate = true;
      void this.look();
    });
    this.#channel = new BroadcastChannel(KEPT_CHANNEL);
    this.#channel.addEventListener('message', ({ data }: MessageEvent<KeptMessage>) => {
      if (data === 'changed') void this.look();
    });
    if (!hadController && globalThis.crossOriginIsolated)
      await Promise.race([modelTried, later(FIRST_ANSWER_WAIT_MS)]);
    this.#registration = await this.#register(container);
    if (this.#registration === null) return;
    this.#watchForUpdate(this.#registration, container);
    this.#say(container.controller, 'tidy');
    await this.look();
  }

  async #register(container: ServiceWorkerContainer): Promise<ServiceWorkerRegistration | null> {
    try {
      // Relative to the page, so that it stands at the root of whatever folder the app is served from.
      // Undefined where a test or an extension blocks service workers.
      const registration = (await container.register('service-worker.js', {
        updateViaCache: 'none',
      })) as ServiceWorkerRegistration | undefined;
      return registration ?? null;
    } catch {
      // Private windows may refuse, and without a network there is nothing to update from; an older one still answers.
      return (await container.getRegistration().catch(() => undefined)) ?? null;
    }
  }

  #watchForUpdate(
    registration: ServiceWorkerRegistration,
    container: ServiceWorkerContainer,
  ): void {
    const note = (): void => {
      this.hasWorker = registration.active !== null;
      if (registration.waiting !== null && container.controller !== null) this.hasUpdate = true;
      void this.look();
    };
    const follow = (worker: ServiceWorker | null): void =>
      worker?.addEventListener('statechange', note);
    follow(registration.installing);
    registration.addEventListener('updatefound', () => follow(registration.installing));
    note();
    this.#checkedAt = performance.now();
    document.addEventListener('visibilitychange', () => {
      const now = performance.now();
      if (document.hidden || now - this.#checkedAt < UPDATE_CHECK_MS) return;
      this.#checkedAt = now;
      registration.update().catch(() => {
        // No network: the version that is here goes on.
      });
    });
  }

  /**
   * Settles when the engine may start: at once on an isolated page, else when it is known that the service worker
   * cannot help. Where it can, the page reloads once, under its headers.
   */
  async becomeIsolated(started: Promise<void>): Promise<void> {
    if (globalThis.crossOriginIsolated) {
      write(tab, RELOADED_KEY, null);
      return;
    }
    await Promise.race([started, later(ISOLATION_WAIT_MS)]);
    const registration = this.#registration;
    if (registration === null || read(tab, RELOADED_KEY) !== null) return;
    if (!(await isActive(registration))) return;
    if (!write(tab, RELOADED_KEY, 'yes')) return;
    location.reload();
    await new Promise(() => {
      // The page goes now; an engine that starts meanwhile would fetch in vain.
    });
  }

  /** Looks again at what is kept. */
  async look(): Promise<void> {
    try {
      this.kept = await readKept(caches, this.#modelUrl);
      const lacking: KeptMessage = 'keep-runtime';
      if (this.hasWorker && !this.kept.hasRuntime) this.#channel?.postMessage(lacking);
    } catch {
      this.kept = null;
    }
  }

  /** Goes over to the new version: the page reloads when it answers. */
  update(): void {
    const waiting = this.#registration?.waiting ?? null;
    if (waiting === null) {
      location.reload();
      return;
    }
    this.#isTakingOver = true;
    this.#say(waiting, 'take-over');
  }

  #say(worker: ServiceWorker | null, message: ShellMessage): void {
    worker?.postMessage(message);
  }

  async install(): Promise<void> {
    const event = this.#installEvent;
    this.#installEvent = null;
    this.canInstall = false;
    await event?.prompt();
  }

  async #readPersistence(): Promise<void> {
    const storage = storageManager();
    if ((await storage?.persisted().catch(() => false)) === true) this.persistence = 'promised';
    else if (read(site, ASKED_KEY) !== null) this.persistence = 'refused';
  }

  /** Asks the browser never to clear this site's storage on its own: once, or `again` when the person says so. */
  async askToPersist(again = false): Promise<void> {
    const storage = storageManager();
    if (storage === undefined || this.persistence === 'promised') return;
    if (this.persistence !== 'unknown' && !again) return;
    write(site, ASKED_KEY, 'yes');
    const isPromised = await storage.persist().catch(() => false);
    this.persistence = isPromised ? 'promised' : 'refused';
  }

  /** Lets go of what this class holds, for a start from nothing: the service worker and the site's own small notes. */
  async forget(): Promise<void> {
    await this.#registration?.unregister().catch(() => false);
    for (const storage of [site, tab]) {
      try {
        const own = Object.keys(storage()).filter((key) => key.startsWith('tidepool-'));
        for (const key of own) storage().removeItem(key);
      } catch {
        // Forbidden storage holds nothing.
      }
    }
  }
}

/** Absent on insecure origins. */
function storageManager(): StorageManager | undefined {
  return (navigator as { storage?: StorageManager }).storage;
}

function later(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}

/** True once the registration has an active worker; false when that takes too long or fails. */
function isActive(registration: ServiceWorkerRegistration): Promise<boolean> {
  if (registration.active !== null) return Promise.resolve(true);
  const worker = registration.installing ?? registration.waiting;
  if (worker === null) return Promise.resolve(false);
  const settled = new Promise<boolean>((resolve) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') resolve(true);
      else if (worker.state === 'redundant') resolve(false);
    });
  });
  return Promise.race([settled, later(ISOLATION_WAIT_MS)]);
}
