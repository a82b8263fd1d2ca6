/**
 * Owns reading aloud and dictation, with voices and recognition of this device alone: where the browser would send words or
 * sound away, both are absent. Knows the browser only through what it is given.
 */
import { t } from '../../core/language/translate';
import { spokenPieces } from '../../core/text/spoken';
import type { BrowserSpeech, Recognition } from './browser-speech';

/**
 * `absent`: the browser has no recognition; `away`: it has one that would send the sound away, or that does not say;
 * `pack`: on this device once the browser has fetched the language.
 */
export type Dictation = 'unknown' | 'absent' | 'away' | 'pack' | 'fetching' | 'ready';

const DICTATION_PROBLEMS: Readonly<Record<string, string>> = {
  get 'not-allowed'() {
    return t(
      'The browser does not let this page hear you. Allow the microphone beside the address, then dictate again.',
    );
  },
  get 'service-not-allowed'() {
    return t(
      'The browser does not let this page recognise speech. Allow it in the browser’s settings, or type.',
    );
  },
  get 'audio-capture'() {
    return t('No microphone was found. Connect one, then dictate again.');
  },
  get 'no-speech'() {
    return t('Nothing was heard. Try again, closer to the microphone.');
  },
  get 'language-not-supported'() {
    return t(
      'The language pack for English speech is not on this device. Try again, so that the browser fetches it.',
    );
  },
};

export class Voice {
  /** Voices of this device; empty until the browser has told them. */
  voices = $state.raw<readonly SpeechSynthesisVoice[]>([]);
  /** Of what is being read aloud. */
  speaking = $state<string | null>(null);
  dictation = $state<Dictation>('unknown');
  isListening = $state(false);
  /** What went wrong with dictation, and what to do; '' for nothing. */
  problem = $state('');

  readonly #speech: BrowserSpeech;
  #recognition: Recognition | null = null;
  /** Grows with every reading: pieces of one that was overtaken are not said. */
  #readings = 0;

  constructor(speech: BrowserSpeech) {
    this.#speech = speech;
    const { synthesis } = speech;
    const read = (): void => {
      this.voices = synthesis?.getVoices().filter(({ localService }) => localService) ?? [];
    };
    read();
    synthesis?.addEventListener('voiceschanged', read);
  }

  get canSpeak(): boolean {
    return this.voices.length > 0 && this.#speech.utterance !== null;
  }

  /** True while there is something to say of dictation. */
  get isHeard(): boolean {
    return this.isListening || this.dictation === 'fetching' || this.problem !== '';
  }

  /** True where the browser has voices, and each would get the words sent to a server. */
  get speaksOnlyAway(): boolean {
    return !this.canSpeak && (this.#speech.synthesis?.getVoices().length ?? 0) > 0;
  }

  /** Reads a reply aloud, and ends what is being read; `id` tells one from another. */
  read(id: string, markdown: string): void {
    this.stopReading();
    const { synthesis, utterance, language } = this.#speech;
    const voice = this.#voice(language);
    const pieces = spokenPieces(markdown);
    if (synthesis === null || utterance === null || voice === null || pieces.length === 0) return;
    const own = this.#readings;
    this.speaking = id;
    const say = (at: number): void => {
      if (own !== this.#readings) return;
      const piece = pieces[at];
      if (piece === undefined) {
        this.speaking = null;
        return;
      }
      const said = utterance(piece);
      // Without a voice named, the browser would take one of its own, which may not be of this device.
      said.voice = voice;
      said.lang = voice.lang;
      said.onend = () => say(at + 1);
      said.onerror = () => {
        if (own === this.#readings) this.speaking = null;
      };
      synthesis.speak(said);
    };
    say(0);
  }

  stopReading(): void {
    this.#readings += 1;
    this.speaking = null;
    this.#speech.synthesis?.cancel();
  }

  #voice(language: string): SpeechSynthesisVoice | null {
    const of = (start: string): SpeechSynthesisVoice[] =>
      this.voices.filter(({ lang }) => lang.replace('_', '-').startsWith(start));
    const [own, english, any] = [of(language), of('en'), this.voices];
    const best = [own, english, any].find((list) => list.length > 0) ?? [];
    return best.find((voice) => voice.default) ?? best[0] ?? null;
  }

  /** Asks the browser whether it recognises speech on this device. */
  async look(): Promise<Dictation> {
    this.dictation = await this.#lookUp();
    return this.dictation;
  }

  async #lookUp(): Promise<Dictation> {
    const { Recognition } = this.#speech;
    if (Recognition === null) return 'absent';
    if (Recognition.available === undefined) return 'away';
    try {
      const found = await Recognition.available(this.#options);
      if (found === 'available') return 'ready';
      return found === 'unavailable' || Recognition.install === undefined ? 'away' : 'pack';
    } catch {
      return 'away';
    }
  }

  get #options(): { langs: readonly string[]; processLocally: true } {
    return { langs: [this.#speech.language], processLocally: true };
  }

  /** Has the browser fetch its language pack; true once it is here. */
  async #fetchPack(): Promise<boolean> {
    this.dictation = 'fetching';
    const isHere = await (
      this.#speech.Recognition?.install?.(this.#options) ?? Promise.resolve(false)
    ).catch(() => false);
    const found = await this.look();
    if (!isHere)
      this.problem = t(
        'The browser could not fetch its language pack for English speech. Check the connection, then try again.',
      );
    return isHere && found === 'ready';
  }

  /**
   * Listens until it is stopped. `onText` is given all that was heard so far, what is still uncertain included.
   * Does nothing where the sound would leave the device.
   */
  async listen(onText: (heard: string) => void): Promise<void> {
    const { Recognition } = this.#speech;
    if (this.isListening || Recognition === null) return;
    this.problem = '';
    // Asked each time: the browser may have dropped the pack.
    const found = await this.look();
    if (found !== 'ready' && (found !== 'pack' || !(await this.#fetchPack()))) return;
    const recognition = new Recognition();
    recognition.processLocally = true;
    recognition.lang = this.#speech.language;
    recognition.continuous = true;
    recognition.interimResults = true;
    recognition.onresult = ({ results }) => {
      const heard = Array.from(results, (result) => result[0]?.transcript.trim() ?? '');
      onText(heard.filter(Boolean).join(' '));
    };
    recognition.onerror = ({ error }) => {
      if (error === 'aborted') return;
      this.problem =
        DICTATION_PROBLEMS[error] ?? t('Dictation ended ({error}). Try again, or type.', { error });
    };
    recognition.onend = () => {
      this.isListening = false;
      this.#recognition = null;
    };
    this.#recognition = recognition;
    this.isListening = true;
    // What is read aloud would be heard.
    this.stopReading();
    try {
      recognition.start();
    } catch {
      this.isListening = false;
      this.#recognition = null;
      this.problem = t('Dictation did not start. Try again, or type.');
    }
  }

  /** Writes what is heard after what stands in a box; what is typed or sent meanwhile is left as it is. */
  dictateInto(box: { draft: string }): Promise<void> {
    let base = box.draft;
    let written = box.draft;
    let heardBefore = '';
    let heardLast = '';
    return this.listen((heard) => {
      if (box.draft !== written) {
        base = box.draft;
        heardBefore = heardLast;
      }
      heardLast = heard;
      const fresh = (
        heard.startsWith(heardBefore) ? heard.slice(heardBefore.length) : heard
      ).trim();
      if (fresh === '') return;
      box.draft = base.trim() === '' ? fresh : `${base.trimEnd()} ${fresh}`;
      written = box.draft;
    });
  }

  /** Ends it; what was still being heard comes as a last text. */
  stopListening(): void {
    this.#recognition?.stop();
  }
}
