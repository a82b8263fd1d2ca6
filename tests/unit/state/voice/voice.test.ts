// Reading aloud and dictation: only voices and ears of this device, and nothing else is ever started.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spokenPieces } from '../../../../src/core/text/spoken';
import type {
  Availability,
  BrowserSpeech,
  Heard,
  Recognition,
  RecognitionClass,
} from '../../../../src/state/voice/browser-speech';
import { Voice } from '../../../../src/state/voice/voice.svelte';

const voiceOf = (name: string, lang: string, localService: boolean): SpeechSynthesisVoice => ({
  name,
  lang,
  localService,
  default: false,
  voiceURI: name,
});

/** A browser with these voices, whose utterances end when the test says so. */
function speechWith(voices: readonly SpeechSynthesisVoice[], Recognition?: RecognitionClass) {
  const said: SpeechSynthesisUtterance[] = [];
  let cancelled = 0;
  const synthesis = {
    getVoices: () => voices,
    addEventListener: () => {},
    speak: (utterance: SpeechSynthesisUtterance) => void said.push(utterance),
    cancel: () => void (cancelled += 1),
  } as unknown as SpeechSynthesis;
  const speech: BrowserSpeech = {
    synthesis,
    utterance: (text) => ({ text }) as SpeechSynthesisUtterance,
    Recognition: Recognition ?? null,
    language: 'en-GB',
  };
  const end = (at: number): void => {
    const utterance = said[at];
    utterance?.onend?.call(utterance, {} as SpeechSynthesisEvent);
  };
  return { speech, said, end, cancels: () => cancelled };
}

/** A recognition that notes what was asked of it. */
function recognitionClass(availability: Availability | null, canInstall = true) {
  const made: Recognition[] = [];
  let now = availability;
  class Fake {
    lang = '';
    continuous = false;
    interimResults = false;
    processLocally = false;
    onresult: Recognition['onresult'] = null;
    onerror: Recognition['onerror'] = null;
    onend: Recognition['onend'] = null;
    isStarted = false;
    constructor() {
      made.push(this);
    }
    start(): void {
      this.isStarted = true;
    }
    stop(): void {
      this.onend?.();
    }
    abort(): void {}
  }
  const asked: unknown[] = [];
  if (now !== null)
    Object.assign(Fake, {
      available: async (options: unknown) => {
        asked.push(options);
        return now;
      },
      install: async () => {
        if (canInstall) now = 'available';
        return canInstall;
      },
    });
  return { Class: Fake as unknown as RecognitionClass, made, asked };
}

const heard = (...texts: readonly string[]): Heard => ({
  resultIndex: 0,
  results: texts.map((transcript) => Object.assign([{ transcript }], { isFinal: true })),
});

describe('reading aloud', () => {
  test('only voices of this device speak, sentence after sentence, and a second reading ends the first', () => {
    const { speech, said, end } = speechWith([
      voiceOf('cloud', 'en-GB', false),
      voiceOf('own', 'en-US', true),
    ]);
    const voice = new Voice(speech);
    expect(voice.canSpeak).toBe(true);
    voice.read('a', 'The **answer** is `81`. Is it?');
    expect(said.map(({ text }) => text)).toEqual(['The answer is 81.']);
    expect(said[0]?.voice?.name).toBe('own');
    end(0);
    expect(said[1]?.text).toBe('Is it?');
    voice.read('b', 'Other.');
    end(1);
    expect(voice.speaking).toBe('b');
    expect(said).toHaveLength(3);
    end(2);
    expect(voice.speaking).toBeNull();
  });

  test('where every voice would send the words away, none speaks, and that can be said', () => {
    const { speech, said } = speechWith([voiceOf('cloud', 'en-GB', false)]);
    const voice = new Voice(speech);
    voice.read('a', 'Hello.');
    expect([voice.canSpeak, voice.speaksOnlyAway, voice.speaking]).toEqual([false, true, null]);
    expect(said).toEqual([]);
  });

  test('code and formulas are named, marks are not read, and every piece is short', () => {
    expect(
      spokenPieces('# Sum\n\n- see [here](https://x.example)\n\n```js\na()\n```\nDone.'),
    ).toEqual(['Sum', 'see here', 'A piece of code.', 'Done.']);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 900 }), (text) => {
        for (const piece of spokenPieces(text)) expect(piece.length).toBeLessThanOrEqual(220);
      }),
    );
    const words = 'tide '.repeat(200).trim();
    expect(spokenPieces(words).join(' ')).toBe(words);
  });
});

describe('dictation', () => {
  test.each([
    ['no recognition at all', undefined, 'absent'],
    ['one that does not say where it listens', recognitionClass(null), 'away'],
    ['one that listens elsewhere', recognitionClass('unavailable'), 'away'],
  ] as const)('%s: it is never started', async (_name, fake, state) => {
    const voice = new Voice(speechWith([], fake?.Class).speech);
    await voice.look();
    expect(voice.dictation).toBe(state);
    await voice.listen(() => {});
    expect(voice.isListening).toBe(false);
    expect(fake?.made ?? []).toEqual([]);
  });

  test('on this device it writes after what stands in the box, and leaves what is typed meanwhile', async () => {
    const { Class, made, asked } = recognitionClass('available');
    const voice = new Voice(speechWith([], Class).speech);
    const box = { draft: 'Note:' };
    await voice.dictateInto(box);
    expect(asked[0]).toEqual({ langs: ['en-GB'], processLocally: true });
    expect(made[0]?.processLocally).toBe(true);
    made[0]?.onresult?.(heard('the tide'));
    made[0]?.onresult?.(heard('the tide', 'rises'));
    expect(box.draft).toBe('Note: the tide rises');
    box.draft = 'The tide rises';
    made[0]?.onresult?.(heard('the tide', 'rises', 'twice'));
    expect(box.draft).toBe('The tide rises twice');
    box.draft = '';
    made[0]?.onresult?.(heard('the tide', 'rises', 'twice', 'a day'));
    expect(box.draft).toBe('a day');
    voice.stopListening();
    expect(voice.isListening).toBe(false);
  });

  test('the language pack is fetched first; where it does not come, that is said and nothing starts', async () => {
    const here = recognitionClass('downloadable');
    const voice = new Voice(speechWith([], here.Class).speech);
    await voice.listen(() => {});
    expect(voice.isListening).toBe(true);
    const gone = recognitionClass('downloadable', false);
    const other = new Voice(speechWith([], gone.Class).speech);
    await other.listen(() => {});
    expect(other.problem).toMatch(/could not fetch its language pack/);
    expect(gone.made).toEqual([]);
  });

  test('what goes wrong is a sentence with what to do', async () => {
    const { Class, made } = recognitionClass('available');
    const voice = new Voice(speechWith([], Class).speech);
    await voice.listen(() => {});
    made[0]?.onerror?.({ error: 'not-allowed' });
    made[0]?.onend?.();
    expect(voice.problem).toMatch(/Allow the microphone/);
    expect(voice.isListening).toBe(false);
  });
});
