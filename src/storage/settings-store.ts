/** What a person has chosen for the whole app, kept as one record. Fields that are not as they should be are left out. */
import { LANGUAGES, type LanguageCode } from '../core/language/translate';
import type { ThinkingLimit } from '../core/budget/thinking-limit';
import { LONGEST_HUB } from '../models/hub-listing';
import type { DevicePreference, FourBitPreference, SamplingSettings } from '../protocol/engine-api';
import type { Backing } from './backing';
import { readThinkingLimit } from './read-reply';
import {
  readBoolean,
  readInteger,
  readList,
  readNumber,
  readObject,
  readOneOf,
  readText,
  ValueProblem,
} from './read-value';
import { LIMITS } from './stored-conversation';
import type { TabChannel } from './tab-channel';

/** The state layer's SettingsValues fits. */
export interface StoredSettings {
  readonly theme: 'system' | 'light' | 'dark';
  /** Of the page's texts; system: the browser's. */
  readonly language: 'system' | LanguageCode;
  readonly device: DevicePreference;
  readonly sampling: SamplingSettings;
  readonly maxAnswerTokens: number;
  /** Drafts of each answer, of which the best by the model's reward graph is shown; 1: no drafts. */
  readonly bestOf: number;
  readonly closingSentence: string;
  readonly tools: readonly ('calculator' | 'clock')[];
  readonly systemPrompt: string;
  readonly thinkingLimit: ThinkingLimit;
  /** The model that answers; null: the embedded one. */
  readonly model: StoredModel | null;
  /** Address of the hub or its mirror, without closing slash. */
  readonly hub: string;
  readonly rewriteFourBit: FourBitPreference;
  /** Thoughts are set as Markdown, not as the plain text that they are. */
  readonly thoughtAsMarkdown: boolean;
  /** Keys chosen in place of the usual ones, by action. */
  readonly keys: Readonly<Record<string, string>>;
  /** Which Enter sends; the other one makes a new line. */
  readonly sendWith: 'enter' | 'mod-enter';
}

/** A model that was chosen, as far as it takes to find it again. */
export interface StoredModel {
  readonly key: string;
  readonly title: string;
  /** Under which its files are kept; '' for one that comes with the app. */
  readonly prefix: string;
  readonly dtype: string;
}

const KEY = 'settings';

function readSampling(value: unknown): SamplingSettings {
  const fields = readObject(value, 'sampling');
  return {
    temperature: readNumber(fields['temperature'], 'temperature', 0, 10),
    topK: readInteger(fields['topK'], 'topK', 0, 1_000_000),
    topP: readNumber(fields['topP'], 'topP', 0, 1),
    minP: readNumber(fields['minP'], 'minP', 0, 1),
    repetitionPenalty: readNumber(fields['repetitionPenalty'], 'repetitionPenalty', 0.1, 10),
    seed: readInteger(fields['seed'], 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  };
}

function readModel(value: unknown): StoredModel | null {
  if (value === null) return null;
  const fields = readObject(value, 'model');
  return {
    key: readText(fields['key'], 'key', 300),
    title: readText(fields['title'], 'title', 300),
    prefix: readText(fields['prefix'], 'prefix', 1000),
    dtype: readText(fields['dtype'], 'dtype', 40),
  };
}

/** Many more than there are actions. */
const MAX_KEYS = 50;

function readKeys(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(readObject(value, 'keys')).slice(0, MAX_KEYS);
  return Object.fromEntries(
    entries.map(([action, combo]) => [
      readText(action, 'an action', 40),
      readText(combo, action, 40),
    ]),
  );
}

const READERS: { readonly [Key in keyof StoredSettings]: (value: unknown) => StoredSettings[Key] } =
  {
    theme: (value) => readOneOf(value, 'theme', ['system', 'light', 'dark']),
    language: (value) => readOneOf(value, 'language', ['system', ...LANGUAGES]),
    device: (value) => readOneOf(value, 'device', ['auto', 'webgpu', 'wasm']),
    sampling: readSampling,
    maxAnswerTokens: (value) => readInteger(value, 'maxAnswerTokens', 1, 1_000_000),
    bestOf: (value) => readInteger(value, 'bestOf', 1, 8),
    closingSentence: (value) => readText(value, 'closingSentence', 10_000),
    tools: (value) =>
      readList(value, 'tools', 2, (item, place) => readOneOf(item, place, ['calculator', 'clock'])),
    systemPrompt: (value) => readText(value, 'systemPrompt', LIMITS.systemPromptLength),
    thinkingLimit: (value) => readThinkingLimit(value, 'thinkingLimit'),
    model: readModel,
    hub: (value) => readText(value, 'hub', LONGEST_HUB),
    rewriteFourBit: (value) => readOneOf(value, 'rewriteFourBit', ['off', 'auto', 'on']),
    thoughtAsMarkdown: (value) => readBoolean(value, 'thoughtAsMarkdown'),
    keys: readKeys,
    sendWith: (value) => readOneOf(value, 'sendWith', ['enter', 'mod-enter']),
  };

/** The fields that can be read. ValueProblem when the value is no object. */
export function readSettings(value: unknown): Partial<StoredSettings> {
  const fields = readObject(value, 'settings');
  const read: Record<string, unknown> = {};
  for (const [key, reader] of Object.entries(READERS)) {
    if (fields[key] === undefined) continue;
    try {
      read[key] = reader(fields[key]);
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error; // A damaged field takes its default, the others stay.
    }
  }
  return read;
}

export class SettingsStore {
  readonly #backing: Backing;
  readonly #channel: TabChannel;

  constructor(backing: Backing, channel: TabChannel) {
    this.#backing = backing;
    this.#channel = channel;
  }

  /** What was kept and can be read; an empty object at the first visit. */
  async load(): Promise<Partial<StoredSettings>> {
    const value = await this.#backing.run(['settings'], 'readonly', (transaction) =>
      transaction.get('settings', KEY),
    );
    try {
      return value === undefined ? {} : readSettings(value);
    } catch (error) {
      if (error instanceof ValueProblem) return {};
      throw error;
    }
  }

  /** @throws EngineError `storage`, with nothing changed. */
  async save(values: StoredSettings): Promise<void> {
    await this.#backing.run(['settings'], 'readwrite', (transaction) =>
      transaction.put('settings', KEY, values),
    );
    this.#channel.post({ type: 'settings' });
  }

  /** Changes what is kept by these values; the rest stays. */
  async merge(values: Partial<StoredSettings>): Promise<void> {
    await this.#backing.run(['settings'], 'readwrite', async (transaction) => {
      const kept = await transaction.get('settings', KEY);
      const fields = typeof kept === 'object' && kept !== null ? kept : {};
      transaction.put('settings', KEY, { ...fields, ...values });
    });
    this.#channel.post({ type: 'settings' });
  }
}
