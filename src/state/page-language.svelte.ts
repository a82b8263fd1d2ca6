/** Owns which language the page speaks, and that what shows it notices a change. Owns no words. */
import { loadLanguage, preferredLanguage } from '../core/language/load-language';
import { onLanguageRead, speak, type LanguageCode } from '../core/language/translate';

/** What a person chose: a language, or the browser's. */
export type LanguageChoice = 'system' | LanguageCode;

export class PageLanguage {
  #spoken = $state<LanguageCode>('en');
  /** The newest choice: an older one that arrives later is too late. */
  #wanted: LanguageCode = 'en';
  readonly #preferred: () => readonly string[];
  readonly #load: typeof loadLanguage;

  /** `preferred`: the browser's languages, the best first. */
  constructor(preferred: () => readonly string[], load = loadLanguage) {
    this.#preferred = preferred;
    this.#load = load;
    onLanguageRead(() => this.#spoken);
  }

  get spoken(): LanguageCode {
    return this.#spoken;
  }

  /** Speaks it as soon as its words are here. False where they did not arrive: the page goes on in the language it has. */
  async follow(choice: LanguageChoice): Promise<boolean> {
    const wanted = choice === 'system' ? preferredLanguage(this.#preferred()) : choice;
    this.#wanted = wanted;
    if (wanted === this.#spoken) return true;
    try {
      const words = wanted === 'en' ? undefined : await this.#load(wanted);
      if (this.#wanted !== wanted) return true;
      speak(wanted, words);
      this.#spoken = wanted;
      return true;
    } catch {
      return false;
    }
  }
}
