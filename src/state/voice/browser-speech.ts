/** The browser's voices and ears as far as they are used here. No type of the DOM has the newer of them yet. */

export type Availability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

interface RecognitionOptions {
  readonly langs: readonly string[];
  readonly processLocally: boolean;
}

/** The part of SpeechRecognition's result list that is read. */
export interface Heard {
  readonly resultIndex: number;
  readonly results: ArrayLike<
    ArrayLike<{ readonly transcript: string }> & { readonly isFinal: boolean }
  >;
}

export interface Recognition {
  lang: string;
  continuous: boolean;
  interimResults: boolean;
  /** True: the sound never leaves the device. */
  processLocally?: boolean;
  onresult: ((event: Heard) => void) | null;
  onerror: ((event: { readonly error: string }) => void) | null;
  onend: (() => void) | null;
  start(): void;
  stop(): void;
  abort(): void;
}

export interface RecognitionClass {
  new (): Recognition;
  available?: (options: RecognitionOptions) => Promise<Availability>;
  install?: (options: RecognitionOptions) => Promise<boolean>;
}

/** What a page is given; null where the browser has none. */
export interface BrowserSpeech {
  readonly synthesis: SpeechSynthesis | null;
  readonly utterance: ((text: string) => SpeechSynthesisUtterance) | null;
  readonly Recognition: RecognitionClass | null;
  readonly language: string;
}

export function browserSpeech(): BrowserSpeech {
  const has = globalThis as unknown as {
    readonly speechSynthesis?: SpeechSynthesis;
    readonly SpeechSynthesisUtterance?: typeof SpeechSynthesisUtterance;
    readonly SpeechRecognition?: RecognitionClass;
    readonly webkitSpeechRecognition?: RecognitionClass;
  };
  const Utterance = has.SpeechSynthesisUtterance;
  return {
    synthesis: has.speechSynthesis ?? null,
    utterance: Utterance === undefined ? null : (text) => new Utterance(text),
    Recognition: has.SpeechRecognition ?? has.webkitSpeechRecognition ?? null,
    // The models here speak English; which English the person does.
    language: navigator.language.startsWith('en') ? navigator.language : 'en-US',
  };
}
