/**
 * Owns the engines that a judging asks: the one that answers in the chat, alone while it is asked; another model's, for as
 * long as it is needed. Owns no questions.
 */
import { EngineError } from '../../core/errors';
import type { Engine } from '../../engine/engine';
import { asEngineError, ModelStatus, type LoadTarget } from '../model-status.svelte';
import { BROWSER_ENTRY, type ModelLibrary } from '../models/model-library.svelte';
import { loadTargetOf, serverChoices, tabChoices, type ModelChoice } from '../models/other-models';
import type { Servers } from '../servers.svelte';
import type { Settings } from '../settings.svelte';

export interface JudgeEnginesHost {
  readonly library: ModelLibrary;
  readonly servers: Servers;
  readonly settings: Settings;
  /** Of the model that answers in the chat. */
  readonly status: ModelStatus;
  readonly engine: Engine;
  /** Runs `work` when no reply is being written, and lets none begin until it ends. */
  readonly runAlone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Address of the app, with closing slash. */
  readonly baseUrl: string;
  readonly spawn: () => Engine;
  readonly serverEngine: () => Promise<Engine>;
  readonly browserEngine: () => Promise<Engine>;
  /** Whether this browser has a model of its own. */
  readonly hasBrowserModel: () => boolean;
  /** Whether this device has memory for one more engine with so many bytes of weights. */
  readonly hasEngineRoom: (weightBytes: number) => Promise<boolean>;
}

/** A model that can write replies or judge them; `place`: where the words go, null for this tab. */
export interface JudgeModel {
  readonly key: string;
  readonly title: string;
  readonly place: string | null;
}

export class JudgeEngines {
  readonly models: readonly JudgeModel[];
  readonly #host: JudgeEnginesHost;
  #choices: readonly ModelChoice[];

  constructor(host: JudgeEnginesHost) {
    this.#host = host;
    const { library, servers, status } = host;
    this.#choices = $derived([...tabChoices(library), ...serverChoices(library, servers)]);
    this.models = $derived([
      { ...library.current, title: library.current.title, place: status.place },
      ...this.#choices.map((choice) => ({
        key: choice.key,
        title: choice.title,
        place: choice.kind === 'server' ? choice.place : null,
      })),
      ...(host.hasBrowserModel() && library.current.key !== BROWSER_ENTRY.key
        ? [{ key: BROWSER_ENTRY.key, title: BROWSER_ENTRY.title, place: null }]
        : []),
    ]);
  }

  /** What can be asked is looked up. */
  async look(): Promise<void> {
    await this.#host.library.refresh();
  }

  /** Gives `work` an engine with the model `key` loaded. Rejects with EngineError where it is not to be had. */
  async use(key: string, work: (engine: Engine) => Promise<void>): Promise<void> {
    const { library, status, engine, runAlone } = this.#host;
    if (key === library.current.key) {
      await runAlone(async () => {
        await status.whenReady();
        await work(engine);
      });
      return;
    }
    const { own, target } = await this.#open(key);
    const ownStatus = new ModelStatus(own, target.modelUrl);
    ownStatus.aim(target);
    ownStatus.rewriteFourBit = this.#host.settings.values.rewriteFourBit;
    try {
      await ownStatus.load(this.#host.settings.values.device);
      if (ownStatus.phase !== 'ready') throw asEngineError(ownStatus.error);
      await work(own);
    } finally {
      await own.dispose();
    }
  }

  async #open(key: string): Promise<{ readonly own: Engine; readonly target: LoadTarget }> {
    const { library, baseUrl, spawn, serverEngine, browserEngine, hasEngineRoom } = this.#host;
    if (key === BROWSER_ENTRY.key)
      return {
        own: await browserEngine(),
        target: { modelUrl: 'browser:', isBrowserModel: true },
      };
    const choice = this.#choices.find((one) => one.key === key);
    if (choice === undefined)
      throw new EngineError(
        'not-loaded',
        'A model that was to write or to judge is no longer here.',
        'Choose another one, or take it away; what it has written stays.',
      );
    if (choice.kind === 'tab' && !(await hasEngineRoom(choice.bytes)))
      throw new EngineError(
        'busy',
        'This device may not have memory for a second model.',
        'Let that model answer in the chat, under “Models”, then go on here: what was judged stays.',
      );
    return {
      own: choice.kind === 'server' ? await serverEngine() : spawn(),
      target: loadTargetOf(choice, library, baseUrl),
    };
  }
}
