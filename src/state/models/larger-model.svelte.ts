/**
 * Owns the larger model that comes with the site: whether it loads by itself, is offered or refused, its way here, and its
 * taking over from the embedded one, which answers until then and goes on where anything fails. Owns no download
 * (ModelLibrary), no decision (models/larger-start) and no words on a card.
 */
import { said, t } from '../../core/language/translate';
import type { Standby } from '../../engine/standby-engine';
import type { EngineError } from '../../core/errors';
import { filesForUse, variantOf } from '../../model-files/model-store';
import type { DownloadState } from '../../model-files/model-download';
import { judge } from '../../models/fit';
import { planLarger, type Connection, type LargerPlan } from '../../models/larger-start';
import { modelUrlOf, type EmbeddedEntry } from '../../models/registry';
import type { LoadedModel, LoadProgress } from '../../protocol/engine-api';
import type { LoadGuard } from '../load-guard';
import { asEngineError, type EngineDeath, type ModelStatus } from '../model-status.svelte';
import type { Notices } from '../notices.svelte';
import type { Settings } from '../settings.svelte';
import type { LibraryModel } from './library-model';
import { claimsOf } from './measured';
import type { ModelLibrary } from './model-library.svelte';

export interface LargerHost {
  /** The larger model, and the one that is always there. */
  readonly larger: EmbeddedEntry;
  readonly smaller: EmbeddedEntry;
  readonly baseUrl: string;
  readonly library: ModelLibrary;
  readonly status: ModelStatus;
  readonly settings: Settings;
  readonly notices: Notices;
  readonly standby: Standby;
  /** Remembers loads that ended the tab; a guard of its own, since the model that answers has one too. */
  readonly guard: Pick<LoadGuard, 'begin' | 'reach' | 'end' | 'verdict'> | null;
  /** Runs `work` between replies, and lets none begin until it ends. */
  readonly runAlone: <T>(work: () => Promise<T>) => Promise<T>;
  /** The engine that answers is about to end: what else runs on it is ended, and its states are gone. */
  readonly beforeTakeOver: () => Promise<void>;
  /** True while a conversation is open that the other model will have to read. */
  readonly hasConversation: () => boolean;
  readonly isOwnMachine: boolean;
  readonly isPhone: boolean;
  readonly connection: () => Connection;
  /** Whether one more engine that takes so many bytes may start beside those of other tabs. */
  readonly hasEngineRoom: (bytes: number) => Promise<boolean>;
}

/**
 * `absent`: not in this build, or not to be had now. `waiting`: offered. `fetching`: its files are under way. `paused`: the
 * person stopped that, or it failed. `starting`: it loads behind the model that answers. `failed`: that did not work.
 */
export type LargerPhase =
  'absent' | 'refused' | 'waiting' | 'fetching' | 'paused' | 'starting' | 'failed' | 'running';

/** What takes over, and what it takes to undo it. */
interface Successor {
  readonly entry: EmbeddedEntry;
  readonly model: LoadedModel;
}

export class LargerModel {
  /** As the library knows it; null while it is not known to be there. */
  model = $state.raw<LibraryModel | null>(null);
  /** What was decided at the start of the page; null before. */
  plan = $state.raw<LargerPlan | null>(null);
  /** Of the load behind the model that answers; null when none runs. */
  progress = $state.raw<LoadProgress | null>(null);
  /** Why the last start failed. */
  error = $state.raw<EngineError | null>(null);
  /** Its files are wanted and are on their way, or about to be. */
  #isFetching = $state(false);
  /** Which of the two loads behind the other at the moment. */
  #loading = $state.raw<EmbeddedEntry | null>(null);
  readonly #host: LargerHost;

  /** Which variant suits this device; null while nothing is known. */
  readonly #dtype: string | null = $derived.by(() => {
    const { model } = this;
    const { offer } = this.#host.library;
    if (model?.stack === undefined || model.stack === null || offer === null) return null;
    const { stack, variants, parameters } = model;
    const rewrite = this.#host.settings.values.rewriteFourBit;
    return judge({ stack, variants, parameters }, offer, rewrite).variant?.dtype ?? null;
  });
  readonly download: DownloadState | null = $derived.by(
    () => this.#host.library.downloads[this.key] ?? null,
  );
  readonly isRunning: boolean = $derived.by(() => this.#host.library.current.key === this.key);
  readonly isKept: boolean = $derived.by(
    () => this.#dtype !== null && this.#host.library.kept[this.key]?.includes(this.#dtype) === true,
  );
  /** Bytes of an unfinished download that are here. */
  readonly begunBytes: number = $derived.by(
    () => this.#host.library.partial[this.key]?.keptBytes ?? 0,
  );
  /** All that a first use fetches; null while it is not known. */
  readonly totalBytes: number | null = $derived.by(() => {
    const listing = this.model?.listing;
    if (listing === undefined || listing === null || this.#dtype === null) return null;
    return filesForUse(listing, variantOf(listing, this.#dtype)).reduce(
      (sum, { bytes }) => sum + bytes,
      0,
    );
  });
  /** What it can do, in whole sentences; [] where nothing was measured. */
  readonly claims: readonly string[] = $derived.by(() => {
    const { measured } = this.#host.library;
    const { id, title } = this.#host.smaller;
    return claimsOf(measured[this.key] ?? null, { title, measured: measured[id] ?? null });
  });
  readonly phase: LargerPhase = $derived.by(() => {
    if (this.isRunning) return 'running';
    if (this.model === null || this.plan === null) return 'absent';
    if (this.#loading?.id === this.key) return 'starting';
    const { download } = this;
    if (this.#isFetching || download?.phase === 'running' || download?.phase === 'queued')
      return 'fetching';
    if (this.error !== null) return 'failed';
    if (download?.phase === 'paused' || download?.phase === 'failed') return 'paused';
    return this.plan.kind === 'refuse' ? 'refused' : 'waiting';
  });

  constructor(host: LargerHost) {
    this.#host = host;
  }

  get key(): string {
    return this.#host.larger.id;
  }

  get title(): string {
    return this.#host.larger.title;
  }

  /** The model that answers meanwhile. */
  get smaller(): string {
    return this.#host.smaller.title;
  }

  /** True while the way back loads. */
  get isGoingBack(): boolean {
    return this.#loading?.id === this.#host.smaller.id;
  }

  /** Looks whether it is to be had, decides, and does what was decided. Once, when the embedded model has started. */
  async begin(): Promise<void> {
    const { library, settings, guard, larger } = this.#host;
    if (library.offer === null) await library.readOffer();
    const model = await library.readLarger(larger);
    const { offer } = library;
    if (model?.stack === undefined || model.stack === null || offer === null) return;
    await Promise.all([larger, this.#host.smaller].map(({ id }) => library.readMeasuredOf(id)));
    this.model = model;
    const { stack, variants, parameters } = model;
    const verdict = judge({ stack, variants, parameters }, offer, settings.values.rewriteFourBit);
    const dead = await guard?.verdict(this.#url(larger), settings.values.device);
    this.plan = planLarger({
      title: this.title,
      smaller: this.smaller,
      isKept: this.isKept,
      hasBegun: this.begunBytes > 0,
      choice: this.#choice,
      isOwnMachine: this.#host.isOwnMachine,
      isPhone: this.#host.isPhone,
      connection: this.#host.connection(),
      verdict,
      deaths: dead?.count ?? 0,
      hasEngineRoom: await this.#host.hasEngineRoom(verdict.peakBytes ?? verdict.memory?.now ?? 0),
    });
    if (this.plan.kind === 'load') await this.get();
  }

  /** Null also where a third model was chosen: what a person chose is left alone by `begin`'s caller. */
  get #choice(): 'larger' | 'smaller' | null {
    const key = this.#host.settings.values.model?.key;
    if (key === this.key) return 'larger';
    return key === this.#host.smaller.id ? 'smaller' : null;
  }

  #remember({ id, title }: EmbeddedEntry): void {
    this.#host.settings.change({ model: { key: id, title, prefix: '', dtype: '' } });
  }

  /** Fetches what is missing, then puts it in the place of the model that answers. Never rejects. */
  async get(): Promise<void> {
    const { library, larger } = this.#host;
    const dtype = this.#dtype;
    if (dtype === null || this.isRunning || this.#isFetching || this.#loading !== null) return;
    this.error = null;
    this.#remember(larger);
    this.#isFetching = true;
    try {
      if (!this.isKept) await library.download(this.key, dtype);
    } finally {
      this.#isFetching = false;
    }
    if (this.isKept && this.#choice === 'larger') await this.#start(larger);
  }

  /** Ends the fetching; what has come is kept, and the next visit does not go on by itself. */
  async stop(): Promise<void> {
    this.#remember(this.#host.smaller);
    await this.#host.library.pause(this.key);
  }

  /** Deletes what is kept of it; where it runs, the embedded one takes over first. */
  async forget(): Promise<void> {
    const { library, smaller } = this.#host;
    this.#remember(smaller);
    if (this.isRunning) await this.back();
    if (this.isRunning) return;
    await library.cancel(this.key);
    await library.delete(this.key);
  }

  /** The embedded model answers again, and does so at the next visits. */
  async back(): Promise<void> {
    const { smaller } = this.#host;
    if (!this.isRunning || this.#loading !== null) return;
    this.error = null;
    this.#remember(smaller);
    await this.#start(smaller);
  }

  /** A death of the engine that is not answered by a rebuild: the embedded model takes the larger one's place. */
  async onDeath({ isRebuilt, error }: EngineDeath): Promise<void> {
    if (!this.isRunning || isRebuilt) return;
    const { library, notices, smaller } = this.#host;
    notices.show(
      t('{title} has stopped: {message} {title2} answers in its place.', {
        title: this.title,
        message: said(error.message),
        title2: smaller.title,
      }),
      { tone: 'trouble' },
    );
    await library.use(smaller.id);
  }

  #url(entry: EmbeddedEntry): string {
    return modelUrlOf(entry, this.#host.baseUrl);
  }

  /** Loads `entry` behind the model that answers, then lets it take over between two replies. */
  async #start(entry: EmbeddedEntry): Promise<void> {
    const { standby, settings, guard } = this.#host;
    const { device, rewriteFourBit } = settings.values;
    const modelUrl = this.#url(entry);
    const isLarger = entry.id === this.key;
    this.#loading = entry;
    if (isLarger) guard?.begin(modelUrl, device);
    try {
      const model = await standby.loadBehind({ modelUrl, device, rewriteFourBit }, (progress) => {
        this.progress = progress;
        if (isLarger && progress.device !== undefined) guard?.reach(progress.device);
      });
      if (isLarger) guard?.end('survived');
      await this.#takeOver({ entry, model });
    } catch (cause) {
      const error = asEngineError(cause);
      const hasDied = error.code === 'worker-died' || error.code === 'out-of-memory';
      if (isLarger) guard?.end(hasDied ? 'died' : 'left');
      this.#fail(entry, error);
    } finally {
      this.#loading = null;
      this.progress = null;
    }
  }

  async #takeOver({ entry, model }: Successor): Promise<void> {
    const { library, status, standby, notices, runAlone, beforeTakeOver, larger, smaller } =
      this.#host;
    const other = entry.id === larger.id ? smaller : larger;
    const hasTakenOver = await runAlone(async () => {
      // A load that runs in front ends first; its outcome matters no more.
      await status.whenReady().catch(() => {});
      // Meanwhile a third model may have been chosen.
      if (library.current.key !== other.id) return false;
      await beforeTakeOver();
      await standby.takeOver();
      status.adopt({ modelUrl: this.#url(entry) }, model);
      library.current = { key: entry.id, title: entry.title };
      return true;
    });
    if (!hasTakenOver) {
      await standby.dropBehind();
      return;
    }
    const rereads = this.#host.hasConversation()
      ? ` ${t('It reads this conversation anew first.')}`
      : '';
    notices.show(
      t('{title} answers from the next message on.{rereads}', { title: entry.title, rereads }),
      entry.id === larger.id
        ? {
            action: {
              label: t('Back to {title}', { title: smaller.title }),
              run: () => void this.back(),
            },
          }
        : {},
    );
  }

  #fail(entry: EmbeddedEntry, error: EngineError): void {
    const { notices, larger, smaller } = this.#host;
    const stays = entry.id === larger.id ? smaller : larger;
    if (entry.id === larger.id) this.error = error;
    notices.show(
      t('{title} could not be started. {message} {remedy} {title2} goes on.', {
        title: entry.title,
        message: said(error.message),
        remedy: said(error.remedy),
        title2: stays.title,
      }),
      { tone: 'trouble' },
    );
  }
}
