/**
 * Owns the family's side of the page once the lab opens it: the figures of family.json, which variant runs, and how fast
 * each ran in this tab. Owns no drawing and no words. Nothing of it is part of a first answer.
 */
import { t } from '../../../core/language/translate';
import { EngineError } from '../../../core/errors';
import { RouterTrace, type RouterView } from '../../../core/lab/router-trace';
import { readFamilyCurves, type FamilyCurves } from '../../../models/family-curves';
import { readFamilyFile, type FamilyFile } from '../../../models/family-file';
import {
  readPosttrainingCurves,
  type PosttrainingCurves,
} from '../../../models/posttraining-curves';
import { readPosttrainingFile, type PosttrainingFile } from '../../../models/posttraining-file';
import type { LoadedModel } from '../../../protocol/engine-api';
import type { LabCapabilities, LabJobs, RouterStep } from '../../../protocol/lab-api';
import { nextFrame, type FrameScheduler } from '../../live-reply.svelte';
import { asEngineError } from '../../model-status.svelte';
import type { ModelLibrary } from '../../models/model-library.svelte';

/** Tokens that stand before those that are timed, and how many are: the same for each model. */
const PACE_CONTEXT = 64;
const PACE_STEPS = 32;

/** How fast a model wrote in this tab. */
export interface Pace {
  readonly tokensPerSecond: number;
  /** Of the slowest and the fastest step. */
  readonly range: readonly [number, number];
  /** Where it ran. */
  readonly device: string;
}

/** What it needs of the lab. */
interface FamilyLab {
  readonly capabilities: LabCapabilities | null;
  beforeReply(): Promise<void>;
  run(
    name: 'cost',
    title: string,
    request: LabJobs['cost']['request'],
  ): Promise<LabJobs['cost']['result'] | null>;
  followRouters(listener: (step: RouterStep) => void): Promise<void>;
}

export interface FamilyHost {
  readonly lab: FamilyLab;
  readonly library: ModelLibrary;
  readonly fetch: (url: string) => Promise<Response>;
  readonly baseUrl: string;
  /** The model that runs; null while none does. */
  readonly model: () => LoadedModel | null;
}

export class Family {
  file = $state.raw<FamilyFile | null>(null);
  /** Why there are no figures; null when there are, or they are on their way. */
  problem = $state.raw<EngineError | null>(null);
  paces = $state.raw<Readonly<Partial<Record<string, Pace>>>>({});
  /** Folder that was asked for and is on its way. */
  asked = $state<string | null>(null);

  readonly #host: FamilyHost;
  readonly #schedule: FrameScheduler;
  #reading: Promise<void> | null = null;
  #curves: Promise<FamilyCurves> | null = null;
  #trace: RouterTrace | null = null;
  /** The model whose routers were seen. */
  #traced = $state.raw<LoadedModel | null>(null);
  #view = $state.raw<RouterView | null>(null);
  #isScheduled = false;

  constructor(host: FamilyHost, schedule: FrameScheduler = nextFrame) {
    this.#host = host;
    this.#schedule = schedule;
  }

  /** Reads the figures and which variants the build has; again only where that failed. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      if (this.problem !== null) this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    this.problem = null;
    // Which models the build has, and the layers of each, come beside the figures.
    void this.#host.library.refresh();
    try {
      this.file = readFamilyFile(await this.#json('family.json'));
    } catch (cause) {
      this.problem = asEngineError(cause);
    }
  }

  /** Curves for the pictures, when one is opened. Throws EngineError. */
  readCurves(): Promise<FamilyCurves> {
    this.#curves ??= this.#json('family-curves.json')
      .then(readFamilyCurves)
      .catch((cause: unknown) => {
        // Asked again with the next picture.
        this.#curves = null;
        throw asEngineError(cause);
      });
    return this.#curves;
  }

  /** What came after pretraining, when its section is opened. Throws EngineError. */
  async readPosttraining(): Promise<PosttrainingFile> {
    return readPosttrainingFile(await this.#json('posttraining.json'));
  }

  /** How it went, when that is opened. Throws EngineError. */
  async readPosttrainingCurves(): Promise<PosttrainingCurves> {
    return readPosttrainingCurves(await this.#json('posttraining-curves.json'));
  }

  async #json(name: string): Promise<unknown> {
    const { fetch, baseUrl } = this.#host;
    const again = t('Check the connection, then open this again.');
    let text: string;
    try {
      // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read once, here
      const response = await fetch(new URL(`models/${name}`, baseUrl).href);
      if (!response.ok)
        throw new EngineError(
          'network',
          `${name} could not be fetched: the host answered ${response.status}.`,
          again,
        );
      text = await response.text();
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw new EngineError('network', `${name} could not be fetched.`, again, { cause });
    }
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new EngineError(
        'model-corrupt',
        `${name} is no JSON.`,
        'Load the page again; if it stays so, the site’s copy is damaged.',
        { cause },
      );
    }
  }

  /* ---------- routers ---------- */

  /** Follows the routers of the model that runs, from now on while the lab is open. */
  followRouters(): Promise<void> {
    return this.#host.lab.followRouters((step) => this.noteRouters([step]));
  }

  /** Counts steps of the model that runs; those of another begin anew. */
  noteRouters(steps: readonly RouterStep[]): void {
    const { lab, model } = this.#host;
    const running = model();
    const routers = lab.capabilities?.routers ?? [];
    if (running === null || routers.length === 0) return;
    if (this.#traced !== running || this.#trace === null) {
      this.#traced = running;
      this.#trace = new RouterTrace(routers);
    }
    for (const step of steps) this.#trace.take(step);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      this.#view = this.#trace?.view() ?? null;
    });
  }

  /** What was seen of the routers of the model that runs; null: nothing yet. */
  get routers(): RouterView | null {
    return this.#traced === this.#host.model() ? this.#view : null;
  }

  forgetRouters(): void {
    this.#trace = null;
    this.#view = null;
  }

  /** Whether this site has the model to be loaded. */
  has(folder: string): boolean {
    return this.#host.library.find(folder) !== null;
  }

  /** Loads a model of the family in place of the one before; where that fails the one before is loaded again. */
  async use(folder: string): Promise<void> {
    const { library, lab } = this.#host;
    this.asked = folder;
    try {
      await lab.beforeReply();
      await library.use(folder);
    } finally {
      this.asked = null;
    }
    if (library.current.key === folder) await this.measure();
  }

  /** Times some steps of the model that runs. */
  async measure(): Promise<void> {
    const { lab, library, model } = this.#host;
    const { key } = library.current;
    const points = await lab.run('cost', t('Measuring tokens a second'), {
      contexts: [PACE_CONTEXT],
      steps: PACE_STEPS,
    });
    const point = points?.[0];
    const at = model();
    if (point === undefined || at === null || library.current.key !== key) return;
    const [fastest, slowest] = point.decodeRange;
    this.paces = {
      ...this.paces,
      [key]: {
        tokensPerSecond: 1000 / point.decodeMs,
        range: [1000 / slowest, 1000 / fastest],
        device: at.device,
      },
    };
  }
}
