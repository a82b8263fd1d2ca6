/**
 * Owns the family's side of the page once the lab opens it: the figures of family.json, which variant runs, and how fast
 * each ran in this tab. Owns no drawing and no words. Nothing of it is part of a first answer.
 */
import { EngineError } from '../../../core/errors';
import { readFamilyFile, type FamilyFile } from '../../../models/family-file';
import type { ModelLibrary } from '../../models/model-library.svelte';
import type { Lab } from '../lab.svelte';

/** Tokens that stand before those that are timed, and how many are: the same for each model. */
export const PACE_CONTEXT = 64;
const PACE_STEPS = 32;

/** How fast a model wrote in this tab. */
export interface Pace {
  readonly tokensPerSecond: number;
  /** Of the slowest and the fastest step. */
  readonly range: readonly [number, number];
  /** Where it ran. */
  readonly device: string;
}

export interface FamilyHost {
  readonly lab: Lab;
  readonly library: ModelLibrary;
  readonly fetch: (url: string) => Promise<Response>;
  readonly baseUrl: string;
  /** Device and file that the running model is on; null while none runs. */
  readonly place: () => { readonly device: string } | null;
}

export class Family {
  file = $state.raw<FamilyFile | null>(null);
  /** Why there are no figures; null when there are, or they are on their way. */
  problem = $state.raw<EngineError | null>(null);
  paces = $state.raw<Readonly<Partial<Record<string, Pace>>>>({});
  /** Folder that was asked for and is on its way. */
  asked = $state<string | null>(null);

  readonly #host: FamilyHost;
  #reading: Promise<void> | null = null;

  constructor(host: FamilyHost) {
    this.#host = host;
  }

  /** Reads the figures and which variants the build has; again only where that failed. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      if (this.problem !== null) this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { fetch, baseUrl, library } = this.#host;
    this.problem = null;
    await library.readVariants();
    try {
      // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read once, here
      const response = await fetch(new URL('models/family.json', baseUrl).href);
      if (!response.ok)
        throw new EngineError(
          'network',
          `The family’s figures could not be fetched: the host answered ${response.status}.`,
          'Check the connection, then open this view again.',
        );
      let json: unknown;
      try {
        json = await response.json();
      } catch (cause) {
        throw new EngineError(
          'model-corrupt',
          'family.json, which holds the family’s figures, is no JSON.',
          'Load the page again; if it stays so, the site’s copy is damaged.',
          { cause },
        );
      }
      this.file = readFamilyFile(json);
    } catch (cause) {
      this.problem =
        cause instanceof EngineError
          ? cause
          : new EngineError(
              'network',
              'The family’s figures could not be fetched.',
              'Check the connection, then open this view again.',
              { cause },
            );
    }
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
    const { lab, library, place } = this.#host;
    const { key } = library.current;
    const points = await lab.run('cost', 'Measuring tokens a second', {
      contexts: [PACE_CONTEXT],
      steps: PACE_STEPS,
    });
    const point = points?.[0];
    const at = place();
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
