/**
 * Owns which models a person can choose, where each one stands (known, being looked up, downloading, here, in use) and
 * the choosing: the load, the way back to the embedded model when it fails, what is remembered. Owns no network of its
 * own (HubClient, ModelDownload) and no judgement (models/fit).
 */
import { said, t } from '../../core/language/translate';
import { EngineError } from '../../core/errors';
import type { ModelListing } from '../../core/model-listing';
import { formatBytes } from '../../core/units';
import type { SharedFiles } from '../../model-files/cross-origin-storage';
import { keptPrefixOf, listingOfManifest, MANIFEST } from '../../model-files/file-keys';
import { ModelDownload, type DownloadState } from '../../model-files/model-download';
import type { ModelStore } from '../../model-files/model-store';
import { roomFor, type StorageRoom } from '../../model-files/storage-room';
import { openBundle } from '../../models/bundle';
import { diskModel, type DiskModel } from '../../models/disk-listing';
import type { DeviceOffer } from '../../models/fit';
import { chatTemplateOf } from '../../models/chat-template';
import { DEFAULT_HUB, thinkingOfTemplate, weightBytesOf } from '../../models/hub-listing';
import {
  LARGER_MODEL,
  modelUrlOf,
  SITE_MODELS,
  VARIANT_MODELS,
  type EmbeddedEntry,
  type RegistryEntry,
} from '../../models/registry';
import { repoOf } from '../../models/repo-address';
import { parseSiteIndex, type SiteIndex } from '../../models/site-index';
import { parseManifest } from '../../models/spec';
import { readStack } from '../../models/stack';
import { placeOfServer, type ServerTarget } from '../../core/server/server-target';
import type { DevicePreference } from '../../protocol/engine-api';
import { asEngineError, type ModelStatus } from '../model-status.svelte';
import type { Notices } from '../notices.svelte';
import type { Settings } from '../settings.svelte';
import { fetchFromDisk, keepable } from './disk-files';
import type { HubClient } from './hub-client';
import { readMeasured, type Measured } from './measured';
import {
  modelOfDisk,
  modelOfEntry,
  modelOfRepo,
  sizesOf,
  withInspection,
  type LibraryModel,
} from './library-model';
import { keptBlob, packModel } from './pack-model';

export interface LibraryHost {
  readonly registry: readonly RegistryEntry[];
  /** The model that is always there. */
  readonly embedded: EmbeddedEntry;
  /** Address of the app, with closing slash. */
  readonly baseUrl: string;
  readonly status: ModelStatus;
  readonly settings: Settings;
  readonly notices: Notices;
  readonly hub: HubClient;
  readonly store: ModelStore;
  /** A model on a server that was chosen before; null where its connection is gone. */
  readonly serverTarget: (key: string, model: string) => Promise<ServerTarget | null>;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly readOffer: () => Promise<DeviceOffer>;
  readonly locks?: LockManager;
  /** `navigator`, which may have a storage that sites share; absent: none is asked. */
  readonly browser?: object;
  /** True while a conversation is open that a new model will have to read. */
  readonly hasConversation: () => boolean;
  /** Whether so many bytes more can be kept; absent: the browser is asked. */
  readonly room?: (neededBytes: number) => Promise<StorageRoom>;
  /** Something that is kept has changed. */
  readonly onKept?: () => void;
}

export interface CurrentModel {
  readonly key: string;
  readonly title: string;
}

export type Lookup =
  { readonly phase: 'looking' } | { readonly phase: 'failed'; readonly error: EngineError };

/** By key of the model; replaced whole at each change. */
export type ByKey<T> = Readonly<Partial<Record<string, T>>>;

function without<T>(record: ByKey<T>, key: string): ByKey<T> {
  return Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));
}

/** The name of a served model without its folder or owner. */
function titleOfServed(model: string): string {
  return model.split(/[/\\]/).at(-1) ?? model;
}

/** The browser's own model among those that can be chosen. */
export const BROWSER_ENTRY: CurrentModel = {
  key: 'browser',
  get title() {
    return t('The browser’s own model');
  },
};
const BROWSER_TARGET = { modelUrl: 'browser:', isBrowserModel: true } as const;

interface Begun {
  readonly dtype: string;
  readonly keptBytes: number;
  readonly totalBytes: number;
}

export class ModelLibrary {
  models = $state.raw<readonly LibraryModel[]>([]);
  /** Null until the browser has been asked. */
  offer = $state.raw<DeviceOffer | null>(null);
  /** Variants that are here whole, by key of the model. */
  kept = $state.raw<ByKey<readonly string[]>>({});
  /** What is left of a download that was not finished, by key of the model. */
  partial = $state.raw<ByKey<Begun>>({});
  lookups = $state.raw<ByKey<Lookup>>({});
  downloads = $state.raw<ByKey<DownloadState & { readonly dtype: string }>>({});
  /** Downloads that would not fit, or did not, by key of the model: the person is asked what to do. */
  noRoom = $state.raw<ByKey<{ readonly dtype: string; readonly room: StorageRoom }>>({});
  /** Measured results of models of this site that were read, by key. */
  measured = $state.raw<ByKey<Measured>>({});
  /** Why what was typed, dropped or picked could not be taken. */
  problem = $state.raw<EngineError | null>(null);
  /** What is being opened or packed at the moment, as a sentence; '' for nothing. */
  doing = $state('');
  current = $state.raw<CurrentModel>({ key: '', title: '' });

  readonly #host: LibraryHost;
  /** The model of this tab that answered last, for the way back from a server. */
  #tabKey: string;
  #running: ByKey<ModelDownload> = {};
  #isRead = false;
  #index: Promise<SiteIndex | null> | null = null;
  /** Texts of manifests that were read, by key: a download keeps them. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing on the page shows these texts
  readonly #manifests = new Map<string, string>();

  constructor(host: LibraryHost) {
    this.#host = host;
    // Whether the build has the larger one, and the variants, is not known yet.
    this.models = host.registry
      .filter(({ role }) => role !== 'larger' && role !== 'variant')
      .map(modelOfEntry);
    this.current = { key: host.embedded.id, title: host.embedded.title };
    this.#tabKey = host.embedded.id;
  }

  /** The hub or mirror that is asked. */
  get hub(): string {
    return this.#host.settings.values.hub;
  }

  /** Folder of the model in use where it came with the app; null for one from elsewhere. */
  get siteUrl(): string | null {
    const { key } = this.current;
    return SITE_MODELS.some(({ id }) => id === key) ? this.#siteUrl(key) : null;
  }

  /** The model that is always there answers. */
  get isEmbeddedCurrent(): boolean {
    return this.current.key === this.#host.embedded.id;
  }

  /** The model of that key; null when there is none. */
  find(key: string): LibraryModel | null {
    return this.models.find((model) => model.key === key) ?? null;
  }

  /* ---------- starting ---------- */

  /** Loads what was chosen last, or the embedded model where that is not to be had. */
  async start(device: DevicePreference): Promise<void> {
    const { settings, store, notices, status, embedded } = this.#host;
    const { model: chosen } = settings.values;
    // The larger one takes over later: until it can, this one answers.
    if (chosen === null || chosen.key === embedded.id || chosen.key === LARGER_MODEL?.id)
      return status.start(device);
    if (chosen.key === BROWSER_ENTRY.key) {
      this.current = BROWSER_ENTRY;
      status.aim(BROWSER_TARGET);
      return status.load(device);
    }
    const server = await this.#host.serverTarget(chosen.key, chosen.dtype);
    if (server !== null) {
      this.current = { key: chosen.key, title: chosen.title };
      status.aim({ modelUrl: chosen.key, server });
      // A server that is not there is no reason to ask another: the banner says what can be done.
      return status.load(device);
    }
    const site = this.#host.registry.find(({ id }) => id === chosen.key);
    if (site?.home.kind === 'site') {
      this.current = { key: site.id, title: site.title };
      status.aim({ modelUrl: this.#siteUrl(site.id) });
      return status.start(device);
    }
    const listing = await store.listing(chosen.prefix);
    if (listing === null) {
      notices.show(
        t(
          '{title} is no longer kept in this browser. {title2} answers until you get it again under “Models”.',
          { title: chosen.title, title2: embedded.title },
        ),
        { tone: 'trouble' },
      );
      settings.change({ model: null });
      return status.start(device);
    }
    this.current = { key: chosen.key, title: chosen.title };
    status.aim({ modelUrl: listing.baseUrl, listing, variant: chosen.dtype });
    await status.start(device);
    await this.#backToEmbedded(chosen.title);
  }

  /** Reads what the device offers and what is kept; called when the library is opened, and after each change. */
  async refresh(): Promise<void> {
    await this.readOffer();
    if (!this.#isRead) {
      this.#isRead = true;
      await this.#readSite();
    }
    await this.#readKept();
  }

  /** Asks the browser what this device offers. */
  async readOffer(): Promise<void> {
    this.offer = await this.#host.readOffer();
  }

  /** What the site has, as its build wrote it down; null where that cannot be had: offline, or a build of old. */
  siteIndex(): Promise<SiteIndex | null> {
    this.#index ??= this.#readIndex().then((index) => {
      // Asked again when next it is needed.
      if (index === null) this.#index = null;
      return index;
    });
    return this.#index;
  }

  async #readIndex(): Promise<SiteIndex | null> {
    try {
      const { baseUrl, fetch } = this.#host;
      // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read once, here
      const response = await fetch(new URL('models/index.json', baseUrl).href);
      return response.ok ? parseSiteIndex(await response.json()) : null;
    } catch {
      return null;
    }
  }

  /** Layers and sizes of the models that come with the app. */
  async #readSite(): Promise<void> {
    const larger = LARGER_MODEL;
    for (const { id, home, role } of this.#host.registry) {
      if (home.kind === 'site' && id !== larger?.id && role !== 'variant')
        await this.#readOfSite(id);
    }
    await this.readVariants();
    if (larger !== null) await this.readLarger(larger);
  }

  /** Adds the variants of the embedded model that the build has, with their layers and sizes. */
  async readVariants(): Promise<void> {
    const index = await this.siteIndex();
    for (const entry of VARIANT_MODELS) {
      const isKnown = this.find(entry.id) !== null;
      // The index is kept with the app, so offline it is there too.
      if (index?.has(entry.id) !== true) continue;
      if (!isKnown) this.#insert(modelOfEntry(entry));
      if ((this.find(entry.id)?.listing ?? null) === null) await this.#readOfSite(entry.id);
    }
    await this.#readKept();
  }

  /** Puts a model of the site before the one for tests. */
  #insert(model: LibraryModel): void {
    const at = this.models.findIndex(({ role }) => role === 'test');
    this.models = this.models.toSpliced(at < 0 ? 0 : at, 0, model);
  }

  /**
   * Adds the larger model of the site with its true layers and sizes, where the build has it or this browser keeps it.
   * Returns it; null where it is not to be had.
   */
  async readLarger(entry: EmbeddedEntry): Promise<LibraryModel | null> {
    const index = await this.siteIndex();
    const known = this.find(entry.id);
    if (known !== null && known.listing !== null) return known;
    const keptListing = await this.#host.store.listing(this.#siteUrl(entry.id));
    if (index?.has(entry.id) !== true && keptListing === null) return null;
    if (known === null) this.#insert(modelOfEntry(entry));
    if (index?.has(entry.id) === true) await this.#readOfSite(entry.id);
    if (this.find(entry.id)?.listing === null && keptListing !== null)
      await this.#fillFromKept(entry.id, keptListing);
    if ((this.find(entry.id)?.listing ?? null) === null) {
      // Named by the index, and not to be read: offline, or its manifest is damaged.
      this.models = this.models.filter(({ key }) => key !== entry.id);
      return null;
    }
    await this.#readKept();
    return this.find(entry.id);
  }

  /** Reads what was measured of a model of this site, where its build has it; the outcome stands in `measured`. */
  async readMeasuredOf(id: string): Promise<void> {
    if (this.measured[id] !== undefined || (await this.siteIndex())?.get(id)?.hasEval !== true)
      return;
    try {
      const response = await this.#host.fetch(`${this.#siteUrl(id)}eval.json`);
      const found = response.ok ? readMeasured(await response.json()) : null;
      if (found !== null) this.measured = { ...this.measured, [id]: found };
    } catch {
      // Offline, or no JSON: the page says less.
    }
  }

  async #readOfSite(id: string): Promise<void> {
    const url = this.#siteUrl(id);
    try {
      const read = async (path: string): Promise<string> => {
        const response = await this.#host.fetch(`${url}${path}`);
        if (!response.ok) throw new Error(`${path}: the server answered ${response.status}`);
        return response.text();
      };
      const [config, manifestText] = await Promise.all([read('config.json'), read(MANIFEST)]);
      const manifest = parseManifest(JSON.parse(manifestText));
      const listing = listingOfManifest(manifest, url);
      const stack = readStack(JSON.parse(config));
      this.#manifests.set(id, manifestText);
      this.#change(id, {
        listing,
        stack,
        variants: sizesOf(listing),
        parameters: manifest.parameters,
        contextTokens: stack.contextTokens,
      });
    } catch {
      // Offline and not kept: its card says less.
    }
  }

  async #readKept(): Promise<void> {
    const kept: Record<string, readonly string[]> = {};
    const partial: Record<string, Begun> = {};
    for (const { role, listing, key } of this.models) {
      if (listing === null || (role !== 'larger' && role !== 'variant')) continue;
      const whole: string[] = [];
      for (const { dtype } of listing.variants)
        if ((await this.#host.store.share(listing, dtype)).isWhole) whole.push(dtype);
      if (whole.length > 0) kept[key] = whole;
      // A variant has a few megabytes: it is fetched whole when it is used.
      else if (role === 'larger') {
        const begun = await this.#begun(listing);
        if (begun !== null) partial[key] = begun;
      }
    }
    for (const { listing, variants, source } of await this.#host.store.models()) {
      if (listing === null || source === 'site') continue;
      const isDisk = source === 'disk';
      const known = this.models.find(({ key, repo }) =>
        isDisk ? key === `disk:${listing.id}` : repo === listing.id,
      );
      const key = known?.key ?? `${source}:${listing.id}`;
      if (known === undefined) {
        const added = isDisk ? modelOfDisk(listing, null, null, null) : modelOfRepo(listing.id);
        this.models = [...this.models, added];
        if (isDisk) await this.#fillFromKept(key, listing);
      }
      const model = this.find(key);
      if (model?.listing === null) await this.#fillFromKept(key, listing);
      // An older revision is not what the card's listing names.
      if (this.find(key)?.listing?.revision !== listing.revision) continue;
      if (variants.length > 0) kept[key] = variants;
      else {
        const begun = await this.#begun(listing);
        if (begun !== null) partial[key] = begun;
      }
    }
    this.kept = kept;
    this.partial = partial;
  }

  /** The variant of which most is here. */
  async #begun(listing: ModelListing): Promise<Begun | null> {
    const shares = await Promise.all(
      listing.variants.map(async ({ dtype }) => ({
        dtype,
        ...(await this.#host.store.share(listing, dtype)),
      })),
    );
    // The small files belong to every variant; only weights tell which one was begun.
    const [most] = shares
      .map((share) => ({ ...share, left: share.totalBytes - share.keptBytes }))
      .filter(({ dtype, left }) => left < weightBytesOf(listing, dtype))
      .sort((a, b) => a.left / a.totalBytes - b.left / b.totalBytes);
    return most ?? null;
  }

  async #fillFromKept(key: string, listing: ModelListing): Promise<void> {
    this.#change(key, { listing, variants: sizesOf(listing) });
    try {
      const { store } = this.#host;
      const text = async (path: string): Promise<string | null> =>
        (await (await keptBlob(store, listing, path))?.text()) ?? null;
      const stack = readStack(JSON.parse((await text('config.json')) ?? 'null'));
      const template = chatTemplateOf(
        await text('chat_template.jinja'),
        JSON.parse((await text('tokenizer_config.json')) ?? '{}'),
      );
      this.#change(key, {
        stack,
        contextTokens: this.find(key)?.contextTokens ?? stack.contextTokens,
        thinking:
          this.find(key)?.thinking ?? (template === null ? null : thinkingOfTemplate(template)),
      });
    } catch {
      // Not all of it has come; the registry's own layers stay.
    }
  }

  #change(key: string, change: Partial<LibraryModel>): void {
    this.models = this.models.map((model) => (model.key === key ? { ...model, ...change } : model));
  }

  /* ---------- the hub ---------- */

  /** Looks a model up on the hub: files, sizes, layers. The outcome stands in `lookups` and in the model. */
  async lookUp(key: string): Promise<void> {
    const model = this.find(key);
    if (typeof model?.repo !== 'string') return;
    this.lookups = { ...this.lookups, [key]: { phase: 'looking' } };
    try {
      const found = await this.#host.hub.inspect(this.hub, model.repo);
      this.models = this.models.map((other) =>
        other.key === key ? withInspection(other, found) : other,
      );
      this.lookups = without(this.lookups, key);
      await this.#readKept();
    } catch (cause) {
      this.lookups = { ...this.lookups, [key]: { phase: 'failed', error: asEngineError(cause) } };
    }
  }

  /** Looks up what a person typed. Returns the key of its card; null with `problem` when it is no name. */
  async lookUpTyped(text: string): Promise<string | null> {
    this.problem = null;
    let repo: string;
    try {
      repo = repoOf(text, this.hub);
    } catch (cause) {
      this.problem = asEngineError(cause);
      return null;
    }
    const known = this.models.find((model) => model.repo === repo);
    if (known === undefined) this.models = [...this.models, modelOfRepo(repo)];
    const key = known?.key ?? `hub:${repo}`;
    await this.lookUp(key);
    const lookup = this.lookups[key];
    if (lookup?.phase === 'failed' && known === undefined) {
      // A card of something that is not there helps nobody; the sentence stands by the field.
      this.models = this.models.filter((model) => model.key !== key);
      this.lookups = without(this.lookups, key);
      this.problem = lookup.error;
      return null;
    }
    return key;
  }

  /* ---------- downloads ---------- */

  /** Starts a download, or the keeping of a model from disk, or goes on with it. Settles when it ends or pauses; the outcome stands in `downloads`. */
  async download(key: string, dtype: string): Promise<void> {
    const { listing = null, blobs = null, role } = this.find(key) ?? {};
    if (listing === null || (listing.source === 'site' && role !== 'larger')) return;
    if (listing.source === 'disk' && blobs === null) return;
    if (!(await this.#hasRoom(key, listing, dtype))) return;
    const shared = blobs === null ? await this.#sharedFiles(listing) : null;
    let download = this.#running[key];
    if (download === undefined || this.downloads[key]?.dtype !== dtype) {
      download = new ModelDownload({
        listing,
        dtype,
        store: this.#host.store,
        fetch: blobs === null ? (shared?.fetch ?? this.#host.fetch) : fetchFromDisk(listing, blobs),
        onChange: (state) => {
          this.downloads = { ...this.downloads, [key]: { ...state, dtype } };
        },
        ...(this.#host.locks === undefined ? {} : { locks: this.#host.locks }),
      });
      this.#running = { ...this.#running, [key]: download };
    }
    const { phase, error } = await download.start();
    // The browser's estimate is no promise.
    if (error?.code === 'storage') {
      this.noRoom = {
        ...this.noRoom,
        [key]: { dtype, room: await this.#roomFor(listing, dtype) },
      };
    }
    if (phase !== 'done') return;
    // The site's list of its files goes with them: without a network it is asked here.
    const manifest = this.#manifests.get(key);
    if (listing.source === 'site' && manifest !== undefined)
      await this.#host.store.keepManifest(listing, manifest);
    this.#running = without(this.#running, key);
    this.downloads = without(this.downloads, key);
    await this.#readKept();
    this.#host.onKept?.();
    const title = this.find(key)?.title ?? key;
    // The larger one says when it takes over, which follows.
    const taken = shared?.takenBytes ?? 0;
    const ofOthers =
      taken === 0
        ? ''
        : ` ${t('{taken} of it had been fetched by another site already.', { taken: formatBytes(taken) })}`;
    if (role !== 'larger')
      this.#host.notices.show(
        blobs === null
          ? t('{title} is here now.{ofOthers}', { title, ofOthers })
          : t('{title} is kept in this browser now.', { title }),
      );
    // What a mirror has may be private; what the hub gives to anyone is not.
    if (shared !== null && this.hub === DEFAULT_HUB)
      void shared.offer(dtype, ({ path }) => keptBlob(this.#host.store, listing, path));
    // It runs already: the next visit begins with it too.
    if (blobs !== null && this.current.key === key)
      this.#host.settings.change({
        model: { key, title, prefix: keptPrefixOf(listing), dtype },
      });
  }

  /** The files of a hub's model as the browser shares them among sites, where it does. */
  async #sharedFiles(listing: ModelListing): Promise<SharedFiles | null> {
    const { browser, fetch } = this.#host;
    if (browser === undefined || listing.source !== 'hub') return null;
    try {
      const { crossOriginStorageOf, SharedFiles } =
        await import('../../model-files/cross-origin-storage');
      const storage = crossOriginStorageOf(browser);
      return storage === null ? null : new SharedFiles(storage, listing, fetch);
    } catch {
      return null; // Without a network its code may not come, and then neither does the model.
    }
  }

  async #roomFor(listing: ModelListing, dtype: string): Promise<StorageRoom> {
    const { store, room = roomFor } = this.#host;
    const { keptBytes, totalBytes } = await store.share(listing, dtype);
    return room(totalBytes - keptBytes);
  }

  /** Asks the browser before anything is fetched; when it won't fit, `noRoom` says so. */
  async #hasRoom(key: string, listing: ModelListing, dtype: string): Promise<boolean> {
    this.noRoom = without(this.noRoom, key);
    const room = await this.#roomFor(listing, dtype);
    const fits = room.verdict === 'fits' || room.verdict === 'unknown';
    if (!fits) this.noRoom = { ...this.noRoom, [key]: { dtype, room } };
    return fits;
  }

  /** Ends the question that `noRoom` asks. */
  dismissNoRoom(key: string): void {
    this.noRoom = without(this.noRoom, key);
  }

  /** Loads a model straight from the hub into memory; nothing of it is kept. */
  async useFromMemory(key: string, dtype: string): Promise<void> {
    this.dismissNoRoom(key);
    this.downloads = without(this.downloads, key);
    this.#running = without(this.#running, key);
    await this.use(key, dtype, { isToBeKept: false });
  }

  async pause(key: string): Promise<void> {
    await this.#running[key]?.pause();
  }

  /** Ends a download and deletes what has come. */
  async cancel(key: string): Promise<void> {
    await this.#running[key]?.cancel();
    this.#running = without(this.#running, key);
    this.downloads = without(this.downloads, key);
    await this.#readKept();
    this.#host.onKept?.();
  }

  /** Deletes all that is kept of a model; the one in use gives way to the embedded one. */
  async delete(key: string): Promise<void> {
    const model = this.find(key);
    if (!model?.listing || (model.listing.source === 'site' && model.role !== 'larger')) return;
    await this.#host.store.delete(model.listing);
    // One whose files are open from the disk goes on running; the next visit begins without it.
    if (this.current.key === key && model.blobs === null) await this.use(this.#host.embedded.id);
    else if (this.#host.settings.values.model?.key === key)
      this.#host.settings.change({ model: null });
    if (model.listing.source === 'disk' && model.blobs === null)
      this.models = this.models.filter((other) => other.key !== key);
    await this.#readKept();
    this.#host.onKept?.();
    this.#host.notices.show(t('{title} is deleted from this browser.', { title: model.title }));
  }

  /* ---------- choosing ---------- */

  /** Loads a model in place of the one before, and remembers it. Without `dtype` the engine takes what suits the device. */
  async use(
    key: string,
    dtype?: string,
    { isToBeKept = true }: { readonly isToBeKept?: boolean } = {},
  ): Promise<void> {
    const model = this.find(key);
    if (model === null) return;
    const { status, settings, notices } = this.#host;
    const former = this.current;
    this.current = { key, title: model.title };
    const { listing, blobs } = model;
    const isSite = SITE_MODELS.some(({ id }) => id === key);
    status.aim(
      isSite || listing === null
        ? { modelUrl: this.#siteUrl(key) }
        : {
            modelUrl: listing.baseUrl,
            listing,
            ...(blobs === null ? {} : { blobs }),
            ...(dtype === undefined ? {} : { variant: dtype }),
            ...(isToBeKept ? {} : { isToBeKept }),
          },
    );
    await status.reload();
    if (this.current.key !== key) return;
    if (status.phase !== 'ready') {
      await this.#backToEmbedded(model.title, former);
      return;
    }
    settings.change({
      model:
        listing !== null && dtype !== undefined && this.#staysHere(model, dtype, isToBeKept)
          ? { key, title: model.title, prefix: keptPrefixOf(listing), dtype }
          : isSite
            ? { key, title: model.title, prefix: '', dtype: '' }
            : null,
    });
    if (this.#host.hasConversation())
      notices.show(
        t('{title} answers from here on. It reads this conversation anew before its next reply.', {
          title: model.title,
        }),
      );
    await this.#readKept();
    this.#host.onKept?.();
  }

  /** Lets a model on a server answer in place of one in this tab, and remembers it. True when it is there. */
  async useServer(key: string, target: ServerTarget): Promise<boolean> {
    const { status, settings, notices } = this.#host;
    const title = titleOfServed(target.model);
    this.#leaveTab();
    this.current = { key, title };
    status.aim({ modelUrl: key, server: target });
    await status.reload();
    if (this.current.key !== key) return false;
    settings.change({ model: { key, title, prefix: '', dtype: target.model } });
    if (status.phase !== 'ready') return false;
    notices.show(
      t('{title} on {placeOfServer} answers from here on.', {
        title,
        placeOfServer: placeOfServer(target.address),
      }),
    );
    return true;
  }

  /** Lets the browser's own model answer, and remembers it. True when it does. */
  async useBrowserModel(): Promise<boolean> {
    const { status, settings, notices } = this.#host;
    this.#leaveTab();
    this.current = BROWSER_ENTRY;
    status.aim(BROWSER_TARGET);
    await status.reload();
    if (this.current.key !== BROWSER_ENTRY.key || status.phase !== 'ready') return false;
    settings.change({ model: { ...BROWSER_ENTRY, prefix: '', dtype: '' } });
    notices.show(t('{title} answers from here on.', { title: BROWSER_ENTRY.title }));
    return true;
  }

  /** Remembers which model of this tab answers, when another engine takes its place. */
  #leaveTab(): void {
    const { status } = this.#host;
    if (status.place === null && !status.isBrowserModel) this.#tabKey = this.current.key;
  }

  /** Back to the model of this tab that answered last. */
  async answerHere(): Promise<void> {
    await this.use(this.find(this.#tabKey) === null ? this.#host.embedded.id : this.#tabKey);
  }

  /** Will the next visit find it? A hub's model is kept as it loads, one from disk only when asked for. */
  #staysHere({ key, listing }: LibraryModel, dtype: string, isToBeKept: boolean): boolean {
    if (listing?.source === 'hub') return isToBeKept;
    return listing?.source === 'disk' && this.kept[key]?.includes(dtype) === true;
  }

  #siteUrl(key: string): string {
    const { embedded, baseUrl } = this.#host;
    return modelUrlOf(SITE_MODELS.find(({ id }) => id === key) ?? embedded, baseUrl);
  }

  /** After a failed load: the variant that answered before, or the embedded model; and a sentence that says why. */
  async #backToEmbedded(title: string, former?: CurrentModel): Promise<void> {
    const { status, settings, notices, embedded } = this.#host;
    if (status.phase !== 'failed' || this.current.key === embedded.id) return;
    // Held back after deaths: the person is asked.
    if (status.heldBack !== null) return;
    const why = status.error;
    const wasVariant = VARIANT_MODELS.find(
      ({ id }) => id === former?.key && id !== this.current.key,
    );
    const next = wasVariant ?? embedded;
    notices.show(
      t('{title} could not be started. {message} {remedy} {title2} answers in its place.', {
        title,
        message: said(why?.message ?? ''),
        remedy: said(why?.remedy ?? ''),
        title2: next.title,
      }),
      { tone: 'trouble' },
    );
    settings.change({
      model:
        wasVariant === undefined
          ? null
          : { key: next.id, title: next.title, prefix: '', dtype: '' },
    });
    this.current = { key: next.id, title: next.title };
    status.aim({ modelUrl: this.#siteUrl(next.id) });
    await status.reload();
    // It answered a moment ago; should it no longer, the one that is always there does.
    if (wasVariant !== undefined) await this.#backToEmbedded(next.title);
  }

  /* ---------- disk ---------- */

  /** Takes a folder: paths relative to it, forward slashes. Its card appears; returns its key, null with `problem`. */
  async openFolder(name: string, files: ReadonlyMap<string, Blob>): Promise<string | null> {
    return this.#open(() => diskModel(name, files));
  }

  /** Takes a `.tidepool` file, or any zip archive without compression. */
  async openBundle(file: File): Promise<string | null> {
    return this.#open(async () => diskModel(file.name, await openBundle(file)));
  }

  async #open(read: () => DiskModel | Promise<DiskModel>): Promise<string | null> {
    this.problem = null;
    this.doing = t('Looking through the files…');
    try {
      const { listing: listed, blobs } = await read();
      const json = async (path: string): Promise<unknown> => {
        const text = await blobs.get(path)?.text();
        try {
          return JSON.parse(text ?? '{}') as unknown;
        } catch (cause) {
          throw new EngineError(
            'model-corrupt',
            `${path} is no JSON.`,
            'Copy the model’s files again.',
            { cause },
          );
        }
      };
      const stack = readStack(await json('config.json'));
      const tokenizer = await json('tokenizer_config.json');
      const file = (await blobs.get('chat_template.jinja')?.text()) ?? null;
      const template = chatTemplateOf(file, tokenizer);
      const thinking = template === null ? null : thinkingOfTemplate(template);
      const model = modelOfDisk(await keepable(listed, blobs), blobs, stack, thinking);
      this.models = [...this.models.filter(({ key }) => key !== model.key), model];
      await this.#readKept();
      return model.key;
    } catch (cause) {
      this.problem = asEngineError(cause);
      return null;
    } finally {
      this.doing = '';
    }
  }

  /** One file with all that a variant needs, of a model that is here; null with `problem` when it cannot be made. */
  async makeBundle(key: string, dtype: string): Promise<Blob | null> {
    const model = this.find(key);
    if (!model?.listing) return null;
    const { store, fetch } = this.#host;
    this.problem = null;
    this.doing = t('Packing…');
    try {
      return await packModel(
        model.listing,
        dtype,
        { blobs: model.blobs, store, fetch },
        (share) => {
          this.doing = t('Packing: {share} %', { share: Math.round(100 * share) });
        },
      );
    } catch (cause) {
      this.problem = asEngineError(cause);
      return null;
    } finally {
      this.doing = '';
    }
  }
}
