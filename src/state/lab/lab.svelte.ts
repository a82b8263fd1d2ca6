/**
 * Owns the state lab's side of the page: open or closed, what is watched, what was seen, and the one job that runs.
 * Closed, it asks the engine for nothing. Owns no drawing and no arithmetic.
 */
import { said, t } from '../../core/language/translate';
import type { Engine, LabRun } from '../../engine/engine';
import type {
  EngineEvent,
  GenerateRequest,
  GenerateResult,
  LoadedModel,
} from '../../protocol/engine-api';
import type {
  InspectResult,
  LabCapabilities,
  LabJobName,
  LabJobs,
  LabLive,
  LabProgress,
  LabQuantity,
  RouterStep,
} from '../../protocol/lab-api';
import { nextFrame, type FrameScheduler } from '../live-reply.svelte';
import { asEngineError, type ModelStatus } from '../model-status.svelte';
import type { Classroom } from '../class/classroom.svelte';
import { labAddressOf } from './lab-address';
import type { ExperimentLink } from './experiment-link';
import type { Family } from './family/family.svelte';
import type { LabListener } from './lab-engine';
import type { Stepper } from './stepper.svelte';
import { LabTrace, type TraceView } from './trace';

export type LabView =
  | 'memory'
  | 'layers'
  | 'tokens'
  | 'operate'
  | 'recall'
  | 'family'
  | 'lessons'
  | 'distance'
  | 'class';

export const LAB_VIEWS: readonly { readonly id: LabView; readonly title: string }[] = [
  {
    id: 'memory',
    get title() {
      return t('Memory');
    },
  },
  {
    id: 'layers',
    get title() {
      return t('Layers');
    },
  },
  {
    id: 'tokens',
    get title() {
      return t('Tokens');
    },
  },
  {
    id: 'operate',
    get title() {
      return t('Operate');
    },
  },
  {
    id: 'recall',
    get title() {
      return t('Recall');
    },
  },
  {
    id: 'family',
    get title() {
      return t('Family');
    },
  },
  {
    id: 'lessons',
    get title() {
      return t('Lessons');
    },
  },
  {
    id: 'distance',
    get title() {
      return t('Race');
    },
  },
  {
    id: 'class',
    get title() {
      return t('Class');
    },
  },
];

/** Candidates shown at each token. */
const CANDIDATES = 8;
/** Tokens looked back on when a layer is opened: readable as a matrix, and re-read within a second or two. */
const LOOK_BACK_TOKENS = 96;

export interface OpenedLayer {
  readonly layer: number;
  readonly head: number;
}

/** The job that runs, for the panel's status line. */
export interface RunningJob {
  readonly name: LabJobName;
  /** What it does, for people. */
  readonly title: string;
  readonly progress: { readonly done: number; readonly total: number } | null;
}

/** How a job ended: its value, or null when it was stopped or failed (`problem` says why). */
export type JobEnd<K extends LabJobName> = LabJobs[K]['result'] | null;

export class Lab implements LabListener {
  isOpen = $state(false);
  /** For a class: large type, and most of the page for the lab. */
  isPresenting = $state(false);
  view = $state<LabView>('memory');
  capabilities = $state.raw<LabCapabilities | null>(null);
  opened = $state.raw<OpenedLayer | null>(null);
  /** A second layer, beside the opened one: attention beside hidden attention. */
  beside = $state.raw<OpenedLayer | null>(null);
  trace = $state.raw<TraceView>(new LabTrace().view());
  inspected = $state.raw<InspectResult | null>(null);
  live = $state.raw<LabLive | null>(null);
  job = $state.raw<RunningJob | null>(null);
  /** Why the last job failed; '' when it did not. */
  problem = $state('');
  isReplying = $state(false);
  /** Replies are written with drafts; then the engine is not asked for every token's states. */
  isDrafting = $state(false);
  /** The lesson that is open; null: the list of them. */
  lesson = $state<string | null>(null);
  /** An experiment that a link asks for, until its view has taken it or it was put away. */
  linked = $state.raw<ExperimentLink | null>(null);
  /** A class that a link asks for, as the link has it; '' when none does. */
  classCode = $state('');
  /** The class that is worked on, once its view was opened. */
  classroom = $state.raw<Classroom | null>(null);
  /** Step mode, once it was asked for. */
  stepper = $state.raw<Stepper | null>(null);
  /** The family's figures and paces, once its view was opened. */
  family = $state.raw<Family | null>(null);
  /** Why a link can't be followed; '' when there is none such. */
  brokenLink = $state('');

  readonly #engine: Engine;
  readonly #status: ModelStatus;
  readonly #schedule: FrameScheduler;
  #seen = new LabTrace();
  #isScheduled = false;
  /** A reply or a job has left a live state in the engine. */
  #hasLive = false;
  /** Who follows the routers; null: nobody, and the engine is not asked. */
  #onRouter: ((step: RouterStep) => void) | null = null;
  #model: LoadedModel | null = null;
  #step: (tokens: number) => void = () => {};
  #run: LabRun<LabJobName> | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  #watching: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, status: ModelStatus, schedule: FrameScheduler = nextFrame) {
    this.#engine = engine;
    this.#status = status;
    this.#schedule = schedule;
    engine.onDeath(() => this.#forget());
  }

  get candidates(): number {
    return this.isOpen ? CANDIDATES : 0;
  }

  get isStepped(): boolean {
    return this.isOpen && this.stepper?.isOn === true;
  }

  /** The views show what was seen of a reply, not the live state after it. */
  get showsTrace(): boolean {
    return this.isReplying || (this.stepper?.shown ?? null) !== null;
  }

  get canRun(): boolean {
    return this.job === null && !this.isReplying && this.#status.phase === 'ready';
  }

  async open(view: LabView = this.view): Promise<void> {
    this.view = view;
    if (this.isOpen) return;
    this.isOpen = true;
    const { model } = this.#status;
    // A model still to come is watched when it comes.
    if (model !== null) await this.onModel(model);
  }

  /** Opens what a link asks for, or says why it can't; does nothing for other addresses. */
  followAddress(hash: string): void {
    const asked = labAddressOf(hash);
    if (asked === null) return;
    this.brokenLink = '';
    switch (asked.kind) {
      case 'lesson':
        this.lesson = asked.id;
        void this.open('lessons');
        return;
      case 'class':
        this.classCode = asked.code;
        void this.open('class');
        return;
      case 'experiment':
        this.linked = asked.link;
        void this.open(asked.link.experiment === 'recall' ? 'recall' : 'operate');
        return;
      case 'broken':
        this.brokenLink = t(
          'This link to the lab can’t be followed: {reason}. Copy the whole link once more, or set the experiment up here.',
          { reason: asked.reason },
        );
        void this.open();
        return;
      default: {
        const never: never = asked;
        return never;
      }
    }
  }

  /** Drafts or none, from the next token on. */
  async draft(isDrafting: boolean): Promise<void> {
    this.isDrafting = isDrafting;
    await this.rewatch();
  }

  async close(): Promise<void> {
    this.isOpen = false;
    this.stepper?.leave();
    this.stop();
    await this.rewatch();
  }

  /** Tells the engine what is watched; again after a model was loaded. */
  rewatch(): Promise<void> {
    const next = this.#watching.then(async () => {
      if (this.#status.phase !== 'ready') {
        this.capabilities = null;
        return;
      }
      try {
        const capabilities = await this.#engine.watch(
          this.isOpen && !this.isDrafting
            ? { opened: this.opened, ...(this.#onRouter === null ? {} : { routers: true }) }
            : null,
        );
        this.capabilities = this.isOpen ? capabilities : null;
      } catch (cause) {
        this.#fail(cause);
      }
    });
    this.#watching = next;
    return next;
  }

  /** A model is there while the lab is open; one loaded anew is another, and what was seen is not its. */
  async onModel(model: LoadedModel): Promise<void> {
    if (model === this.#model && this.capabilities !== null) return;
    this.#follow(model);
    await this.rewatch();
    await this.refresh();
  }

  /** From now on each token's choice of experts is told while the lab is open; null ends it. */
  async followRouters(listener: ((step: RouterStep) => void) | null): Promise<void> {
    const isNews = (listener === null) !== (this.#onRouter === null);
    this.#onRouter = listener;
    if (isNews) await this.rewatch();
  }

  /** Opens a layer (and a head of it), and looks back on the last tokens when nothing runs. */
  async openLayer(opened: OpenedLayer | null, beside: OpenedLayer | null = null): Promise<void> {
    this.opened = opened;
    this.beside = beside;
    this.#seen.forgetOpened();
    this.trace = this.#seen.view();
    await this.rewatch();
    await this.lookBack();
  }

  /** Reads histories and matrices of the opened layers. */
  async lookBack(lastTokens = LOOK_BACK_TOKENS): Promise<void> {
    const targets = [this.opened, this.beside].filter((target) => target !== null);
    if (targets.length === 0 || !this.canRun) return;
    const live = this.live ?? (await this.#readLive());
    this.live = live;
    if (live === null || live.tokens === 0) {
      this.inspected = null;
      return;
    }
    this.inspected = await this.run('inspect', t('Reading the last tokens again'), {
      targets,
      lastTokens: Math.min(lastTokens, live.tokens),
    });
  }

  /** Runs one job; null when it was stopped or failed. */
  async run<K extends LabJobName>(
    name: K,
    title: string,
    request: LabJobs[K]['request'],
    onProgress: (progress: LabProgress) => void = () => {},
  ): Promise<JobEnd<K>> {
    if (!this.canRun) {
      this.problem = this.isReplying
        ? t('A reply is being written; the lab waits for its end.')
        : t('The lab is at work already.');
      return null;
    }
    this.problem = '';
    this.job = { name, title, progress: null };
    let hasEnded = false;
    const run = this.#engine.lab(name, request, (progress) => {
      // Progress has a port of its own, so the last of it may come after the result.
      if (hasEnded) return;
      onProgress(progress);
      if (progress.type === 'progress') this.job = { name, title, progress };
    });
    this.#run = run;
    this.#ended = run.done.catch(() => null);
    try {
      const result = await run.done;
      if (!result.stopped && (name === 'read' || name === 'load')) this.#hasLive = true;
      return result.stopped ? null : result.value;
    } catch (cause) {
      this.#fail(cause);
      return null;
    } finally {
      hasEnded = true;
      this.#run = null;
      this.job = null;
    }
  }

  /** Ends the job that runs; what it had found so far stays where it was shown. */
  stop(): void {
    this.#run?.stop();
  }

  /** Counts the live state anew and looks back on it, after it has changed. */
  async refresh(): Promise<void> {
    if (!this.isOpen || !this.canRun) return;
    this.live = await this.#readLive();
    await this.lookBack();
  }

  /** The live state in numbers; null when nothing was read yet, which the engine would call an error. */
  async #readLive(): Promise<LabLive | null> {
    return this.#hasLive ? this.run('live', t('Counting tokens'), {}) : null;
  }

  /** Why a quantity of a layer can't be shown; null when it can. */
  missing(quantity: LabQuantity, layer: number): string | null {
    const found = this.capabilities?.missing.find(
      (entry) => entry.quantity === quantity && entry.layers.includes(layer),
    );
    return found?.reason ?? null;
  }

  async beforeReply(): Promise<void> {
    this.stop();
    await this.#ended;
  }

  onReplyStart(request: GenerateRequest, step: (tokens: number) => void): void {
    this.#step = step;
    // Closed, the lab has not heard that another model answers.
    this.#follow(this.#status.model);
    this.isReplying = true;
    const usesTools = request.messages.at(-1)?.role === 'tool';
    this.#seen.start(request.id, request.continueFrom ?? null, usesTools);
    this.stepper?.begin(request.isStepped === true);
    this.#publishSoon();
  }

  onEvents(events: readonly EngineEvent[]): void {
    this.#hasLive ||= events.some((event) => event.type === 'memory' && event.memory.tokens > 0);
    // Closed, only the bytes are noted: they cost nothing, and the curve is there when the lab opens.
    this.#seen.take(
      this.isOpen ? events : events.filter((event) => event.type === 'memory'),
      this.stepper?.note,
    );
    if (this.#onRouter !== null)
      for (const event of events) if (event.type === 'router') this.#onRouter(event.step);
    if (this.isOpen) this.#publishSoon();
  }

  onReplyEnd(stats: GenerateResult['stats'] | null): void {
    if (stats !== null && this.isOpen) this.#seen.end(stats);
    this.isReplying = false;
    this.#step = () => {};
    this.stepper?.end(this.#seen);
    this.live = null;
    this.inspected = null;
    this.#publishSoon();
    void this.refresh();
  }

  /** Lets the reply that runs in step mode read so many tokens more; 0: it waits, Infinity: it runs on. */
  stepReply(tokens: number): void {
    this.#step(tokens);
  }

  /** What was seen so far, or the place that step mode has gone back to. */
  showTrace(): void {
    this.trace = this.stepper?.shown ?? this.#seen.view();
  }

  #publishSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      this.showTrace();
    });
  }

  /** What was seen of another model is no part of this one's. */
  #follow(model: LoadedModel | null): void {
    if (model !== this.#model && this.#model !== null) {
      this.#forget();
      this.opened = null;
      this.beside = null;
      this.isDrafting = false;
    }
    this.#model = model;
  }

  #forget(): void {
    this.#seen = new LabTrace();
    this.stepper?.begin(false);
    this.trace = this.#seen.view();
    this.capabilities = null;
    this.inspected = null;
    this.live = null;
    this.isReplying = false;
    this.#hasLive = false;
  }

  #fail(cause: unknown): void {
    const { message, remedy } = asEngineError(cause);
    this.problem = `${said(message)} ${said(remedy)}`;
  }
}
