/** Owns what a person has chosen for the whole app; keeps it through a store it is given. */
import type { SettingsStore, StoredSettings } from '../storage/settings-store';
import { DEFAULT_HUB } from '../models/hub-listing';
import { DEFAULT_THINKING_LIMIT } from './thinking-limits';

export type SettingsValues = StoredSettings;
export type Theme = SettingsValues['theme'];

export const DEFAULT_SETTINGS: SettingsValues = {
  theme: 'system',
  language: 'system',
  device: 'auto',
  // A model this small is at its best close to greedy: sums are either right or not.
  sampling: {
    temperature: 0.2,
    topK: 40,
    topP: 0.95,
    minP: 0.1,
    // Off: columns of digits and running counts repeat by right.
    repetitionPenalty: 1,
    seed: 1,
  },
  maxAnswerTokens: 256,
  bestOf: 1,
  closingSentence: '',
  // Off until asked for: with a calculator on offer the model leaves small sums to guesswork.
  tools: [],
  systemPrompt: '',
  thinkingLimit: DEFAULT_THINKING_LIMIT,
  model: null,
  hub: DEFAULT_HUB,
  rewriteFourBit: 'auto',
  thoughtAsMarkdown: false,
  keys: {},
  sendWith: 'enter',
};

/** What is needed of the store; a Map in tests. */
export type SettingsKeeping = Pick<SettingsStore, 'load' | 'save'>;

export class Settings {
  values = $state.raw<SettingsValues>(DEFAULT_SETTINGS);

  readonly #store: SettingsKeeping;
  readonly #onProblem: (error: unknown) => void;

  constructor(store: SettingsKeeping, onProblem: (error: unknown) => void) {
    this.#store = store;
    this.#onProblem = onProblem;
  }

  async load(): Promise<void> {
    try {
      this.values = { ...DEFAULT_SETTINGS, ...(await this.#store.load()) };
    } catch (error) {
      this.#onProblem(error);
    }
  }

  change(change: Partial<SettingsValues>): void {
    this.values = { ...this.values, ...change };
    this.#store.save(this.values).catch(this.#onProblem);
  }
}
