/**
 * Owns the face of the library: `LanguageModel` as the Prompt API has it, over the engine of this project. So a page has
 * this model without its user interface.
 */
import type { ThinkingLimit } from '../core/budget/thinking-limit';
import { EngineError } from '../core/errors';
import type { SamplingSettings } from '../core/sampling/sampler';
import type { Engine } from '../engine/engine';
import { listingOfManifest } from '../model-files/file-keys';
import { ModelStore } from '../model-files/model-store';
import { parseManifest } from '../models/spec';
import { readPrompt, type LanguageModelMessage } from './prompt-input';
import { LanguageModelSession, type AnswerSettings } from './session';
import { SharedEngine } from './shared-engine';
import { asDomError, domError } from './spec-errors';

export interface LibraryOptions {
  /** Folder of the model; relative to the page. Default: `models/tidepool/` beside the library. */
  readonly modelUrl?: string;
  readonly device?: 'auto' | 'webgpu' | 'wasm';
  /** Most thought tokens before an answer; 0: none. */
  readonly thinkingLimit?: ThinkingLimit;
  readonly maxAnswerTokens?: number;
  readonly sampling?: Partial<SamplingSettings>;
}

/** What the library takes from its surroundings; tests give their own. */
export interface LibraryHost {
  readonly spawn: () => Engine;
  readonly fetch: (url: string) => Promise<Response>;
  readonly caches: CacheStorage | undefined;
  /** Address that `modelUrl` is relative to. */
  readonly baseUrl: string;
  readonly defaultModelUrl: string;
}

export type Availability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

interface Expected {
  readonly type: string;
  readonly languages?: readonly string[];
}

export interface CoreOptions {
  readonly expectedInputs?: readonly Expected[];
  readonly expectedOutputs?: readonly Expected[];
  readonly tools?: readonly unknown[];
}

export interface CreateOptions extends CoreOptions {
  readonly initialPrompts?: readonly LanguageModelMessage[];
  readonly signal?: AbortSignal;
  /** Called with a target of `downloadprogress` events, whose `loaded` goes from 0 to 1. */
  readonly monitor?: (monitor: EventTarget) => void;
}

export interface LanguageModelFactory {
  availability(options?: CoreOptions): Promise<Availability>;
  create(options?: CreateOptions): Promise<LanguageModelSession>;
}

/** As the app has them: a model this small is at its best close to greedy. */
const SAMPLING: SamplingSettings = {
  temperature: 0.2,
  topK: 40,
  topP: 0.95,
  minP: 0.1,
  repetitionPenalty: 1,
  seed: 1,
};
const ANSWER_TOKENS = 256;
const THOUGHT_TOKENS = 128;
/** What the models of this project speak. */
const LANGUAGE = 'en';

/** Why the model cannot do what is expected of it; null where it can. RangeError on what is no language tag. */
function lackOf({
  expectedInputs = [],
  expectedOutputs = [],
  tools = [],
}: CoreOptions): string | null {
  const all = [...expectedInputs, ...expectedOutputs];
  const type = all.find((one) => one.type !== 'text')?.type;
  if (type !== undefined) return `This model reads and writes text, and no ${type}.`;
  const languages = Intl.getCanonicalLocales(all.flatMap((one) => one.languages ?? []));
  const other = languages.find((tag) => tag.split('-')[0] !== LANGUAGE);
  if (other !== undefined) return `This model speaks English, and not ${other}.`;
  return tools.length > 0 ? 'This model takes no tools of a page.' : null;
}

/** Sends `downloadprogress` events; the first says 0 and the last 1, and none less than the one before. */
class DownloadMonitor extends EventTarget {
  #loaded = -1;

  tell(loaded: number): void {
    if (loaded <= this.#loaded) return;
    this.#loaded = loaded;
    this.dispatchEvent(
      new ProgressEvent('downloadprogress', { lengthComputable: true, loaded, total: 1 }),
    );
  }
}

/** `LanguageModel` for a model in a folder. Nothing is fetched before the first call. */
export function makeLanguageModel(
  options: LibraryOptions,
  host: LibraryHost,
): LanguageModelFactory {
  const modelUrl =
    options.modelUrl === undefined
      ? host.defaultModelUrl
      : new URL(options.modelUrl.replace(/\/*$/, '/'), host.baseUrl).href;
  const settings: AnswerSettings = {
    thinkingLimit: options.thinkingLimit ?? THOUGHT_TOKENS,
    maxAnswerTokens: options.maxAnswerTokens ?? ANSWER_TOKENS,
    sampling: { ...SAMPLING, ...options.sampling },
  };
  const engine = new SharedEngine({
    spawn: host.spawn,
    modelUrl,
    device: options.device ?? 'auto',
  });

  const isKept = async (): Promise<boolean> => {
    const store = new ModelStore(host.caches);
    const listing = await store.listing(modelUrl);
    if (listing === null) return false;
    for (const { dtype } of listing.variants)
      if ((await store.share(listing, dtype)).isWhole) return true;
    return false;
  };

  return {
    async availability(core = {}) {
      if (lackOf(core) !== null) return 'unavailable';
      if (engine.isLoaded) return 'available';
      if (engine.isLoading) return 'downloading';
      if (await isKept()) return 'available';
      try {
        const response = await host.fetch(`${modelUrl}manifest.json`);
        if (!response.ok) return 'unavailable';
        listingOfManifest(parseManifest(await response.json()), modelUrl);
        return 'downloadable';
      } catch {
        // No network, or no model in that folder.
        return 'unavailable';
      }
    },

    async create(given = {}) {
      const { signal, monitor, initialPrompts = [] } = given;
      signal?.throwIfAborted();
      const lack = lackOf(given);
      if (lack !== null) throw domError('NotSupportedError', lack);
      const { messages, prefix } =
        initialPrompts.length === 0
          ? { messages: [], prefix: '' }
          : readPrompt(initialPrompts, false);
      if (prefix !== '')
        throw domError('SyntaxError', 'A prefix is of an answer, and `initialPrompts` has none.');
      const progress = new DownloadMonitor();
      monitor?.(progress);
      progress.tell(0);
      // Held while it loads, so that the end of another session does not end the load.
      engine.enter();
      try {
        const load = engine.load(({ stage, loadedBytes, totalBytes }) => {
          if (stage === 'weights' && totalBytes > 0) progress.tell(loadedBytes / totalBytes);
        });
        const aborted = new Promise<never>((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
        await Promise.race([load, aborted]);
        progress.tell(1);
        const session = await LanguageModelSession.open(engine, settings, messages);
        if (signal?.aborted === true) {
          session.destroy();
          signal.throwIfAborted();
        }
        return session;
      } catch (error) {
        throw error instanceof EngineError ? asDomError(error) : error;
      } finally {
        engine.leave();
      }
    },
  };
}
