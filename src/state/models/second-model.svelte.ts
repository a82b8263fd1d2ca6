/**
 * Owns the second model that answers each question too: which ones can, where it runs and whether it has an engine of its
 * own or takes the first one's in turn. Owns no conversation: the chat asks it by `Author`.
 */
import { said, t } from '../../core/language/translate';
import type { Engine } from '../../engine/engine';
import type { Author } from '../author';
import type { ChatSession } from '../chat-session.svelte';
import { progressInWords } from '../device-words';
import { asEngineError, ModelStatus, type LoadTarget } from '../model-status.svelte';
import type { Settings } from '../settings.svelte';
import type { Servers } from '../servers.svelte';
import type { ModelLibrary } from './model-library.svelte';
import { loadTargetOf, serverChoices, tabChoices, type ModelChoice } from './other-models';

export interface SecondHost {
  readonly chat: ChatSession;
  readonly library: ModelLibrary;
  readonly servers: Servers;
  readonly settings: Settings;
  /** Of the first model. */
  readonly status: ModelStatus;
  readonly engine: Engine;
  /** Address of the app, with closing slash. */
  readonly baseUrl: string;
  /** Another engine of this tab. */
  readonly spawn: () => Engine;
  readonly serverEngine: () => Promise<Engine>;
  /** Whether this device has memory for one more engine with so many bytes of weights. */
  readonly hasEngineRoom: (weightBytes: number) => Promise<boolean>;
  /** Before the first model's engine is given to the second. */
  readonly beforeExchange: () => Promise<void>;
}

export class SecondModel {
  chosen = $state.raw<ModelChoice | null>(null);
  /** `beside`: at the same time as the first; `after`: in turn, on the first one's engine. */
  turn = $state<'beside' | 'after'>('beside');

  readonly #host: SecondHost;
  /** Of the engine of its own. */
  #status = $state.raw<ModelStatus | null>(null);
  #engine: Engine | null = null;
  /** What the first one's engine goes back to; null while it has not been taken. */
  #before: LoadTarget | null = null;

  readonly choices: readonly ModelChoice[];

  constructor(host: SecondHost) {
    this.#host = host;
    this.choices = $derived([
      ...tabChoices(host.library),
      ...serverChoices(host.library, host.servers),
    ]);
  }

  /** Where the words go besides; null: nowhere else. */
  get place(): string | null {
    return this.chosen?.kind === 'server' ? this.chosen.place : null;
  }

  /** What can be chosen is looked up. */
  async look(): Promise<void> {
    await this.#host.library.refresh();
  }

  /** Lets a model answer from the next question on; loads it where it has an engine of its own. */
  async choose(choice: ModelChoice): Promise<void> {
    await this.drop();
    const { chat, settings } = this.#host;
    const isApart = choice.kind === 'server' || (await this.#host.hasEngineRoom(choice.bytes));
    this.turn = isApart ? 'beside' : 'after';
    this.chosen = choice;
    if (!isApart) {
      chat.second = this.#inTurn(choice);
      return;
    }
    const engine = choice.kind === 'server' ? await this.#host.serverEngine() : this.#host.spawn();
    const status = new ModelStatus(engine, choice.key);
    status.aim(loadTargetOf(choice, this.#host.library, this.#host.baseUrl));
    status.rewriteFourBit = settings.values.rewriteFourBit;
    this.#engine = engine;
    this.#status = status;
    chat.second = this.#beside(choice, engine, status);
    await status.load(settings.values.device);
  }

  /** One answers again. Its engine ends. */
  async drop(): Promise<void> {
    this.#host.chat.second = null;
    this.chosen = null;
    const engine = this.#engine;
    this.#engine = null;
    this.#status = null;
    await engine?.dispose();
  }

  /** Where it stands, as a sentence; '' while there is nothing to say. */
  get state(): string {
    const status = this.#status;
    const title = this.chosen?.title ?? '';
    if (status?.phase === 'loading') return `${title}: ${progressInWords(status.progress)}…`;
    if (status?.phase === 'failed' && status.error !== null)
      return t('{title} is not there. {message} {remedy}', {
        title,
        message: said(status.error.message),
        remedy: said(status.error.remedy),
      });
    return '';
  }

  #beside(choice: ModelChoice, engine: Engine, status: ModelStatus): Author {
    return {
      turn: 'beside',
      engine,
      whenReady: () => status.whenReady(),
      place: this.place,
      writer: () => choice.title,
      wait: () => {
        if (status.phase !== 'ready')
          return t('{title} is still loading; it will answer as soon as it is there.', {
            title: choice.title,
          });
        return this.place === null
          ? t('{title} reads your message', { title: choice.title })
          : t('Waiting for the first words from {place}', { place: this.place });
      },
    };
  }

  #inTurn(choice: ModelChoice): Author {
    const { chat, status, engine } = this.#host;
    return {
      turn: 'after',
      engine,
      place: null,
      writer: () => choice.title,
      whenReady: async () => {
        await this.#host.beforeExchange();
        this.#before = status.target;
        chat.memory = null;
        status.aim(loadTargetOf(choice, this.#host.library, this.#host.baseUrl));
        await status.reload();
        if (status.phase !== 'ready') throw asEngineError(status.error);
      },
      release: async () => {
        const before = this.#before;
        if (before === null) return;
        this.#before = null;
        chat.memory = null;
        status.aim(before);
        await status.reload();
      },
      wait: () =>
        this.#before === null
          ? t('{title} answers when the first has ended.', { title: choice.title })
          : t('{title} is loaded in the first one’s place.', { title: choice.title }),
    };
  }
}
