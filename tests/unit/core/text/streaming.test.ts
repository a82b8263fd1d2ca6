import { PreTrainedTokenizer } from '@huggingface/transformers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfPiece } from '../../../../src/core/text/byte-level';
import { createDetokeniser, type Vocabulary } from '../../../../src/core/text/detokeniser';
import { createTokenizer } from '../../../../workers/runtime/hub';
import { createSentenceSegmenter } from '../../../../src/core/text/sentences';
import { createStopMatcher } from '../../../../src/core/text/stop-matcher';
import { addedToken } from '../../../added-token';

/** A text and where it is cut into pushes. */
function cut(text: string, at: readonly number[]): string[] {
  const edges = [...new Set([0, ...at.map((x) => x % (text.length + 1)), text.length])].sort(
    (a, b) => a - b,
  );
  return edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
}
const cuts = fc.array(fc.nat(200), { maxLength: 20 });

describe('byte alphabet', () => {
  test('known pieces of GPT-2 style vocabularies', () => {
    expect([...bytesOfPiece('Ġthe')]).toEqual([0x20, 0x74, 0x68, 0x65]);
    expect([...bytesOfPiece('Ċ')]).toEqual([0x0a]);
    expect(new TextDecoder().decode(bytesOfPiece('Ã©'))).toBe('é');
    expect(new TextDecoder().decode(bytesOfPiece('ðŁĺĢ'))).toBe('😀');
    expect([...bytesOfPiece('Ń')]).toEqual([0xad]);
  });
});

describe('detokeniser', () => {
  /** One token for each byte, then one added token. */
  const pieceOfByte = (byte: number): string => {
    for (let code = 0; code < 0x200; code += 1) {
      const char = String.fromCharCode(code);
      const bytes = bytesOfPiece(char);
      if (bytes.length === 1 && bytes[0] === byte) return char;
    }
    throw new RangeError(`byte ${byte} has no character`);
  };
  const pieces = [...Array.from({ length: 256 }, (_, byte) => pieceOfByte(byte)), '<think>'];
  const vocabulary: Vocabulary = { pieceOf: (id) => pieces[id], isAdded: (id) => id === 256 };

  // Any code point but surrogates; fast-check's own 'binary' strings take seconds to set up.
  const codePoint = fc.oneof(
    fc.nat(0x7f),
    fc.nat(0xd7ff),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  );
  const texts = fc.array(codePoint).map((points) => String.fromCodePoint(...points));

  test('byte by byte gives the text back, and never a half character', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const detokeniser = createDetokeniser(vocabulary);
        let streamed = '';
        let isPrefix = true;
        for (const byte of new TextEncoder().encode(text)) {
          streamed += detokeniser.push(byte);
          isPrefix &&= text.startsWith(streamed);
        }
        expect(isPrefix).toBe(true);
        expect(streamed + detokeniser.flush()).toBe(text);
      }),
    );
  });

  test('a half character at the end becomes one U+FFFD, and the next stream starts clean', () => {
    const detokeniser = createDetokeniser(vocabulary);
    expect(detokeniser.push(0xf0) + detokeniser.push(0x9f)).toBe('');
    expect(detokeniser.flush()).toBe('\uFFFD');
    expect(detokeniser.push(0x41)).toBe('A');
  });

  test('added tokens are plain text; a byte order mark stays', () => {
    const detokeniser = createDetokeniser(vocabulary);
    expect(detokeniser.push(256)).toBe('<think>');
    expect(detokeniser.push(0xef) + detokeniser.push(0xbb) + detokeniser.push(0xbf)).toBe('\uFEFF');
  });

  test('an unknown id is an error with the id', () => {
    expect(() => createDetokeniser(vocabulary).push(999)).toThrow(/Token 999/);
  });
});

describe('a SentencePiece vocabulary', () => {
  const pieces = [
    ...['<unk>', '<s>', '</s>'],
    ...Array.from(
      { length: 256 },
      (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    ),
    ...['\u2581', '\u2581the', '\u2581\u2581', 'pool', 'é', 'の', '<0x', '\n'],
  ];
  const decoders = {
    // Llama 2, TinyLlama, Mistral: bytes and a space put before the text.
    'with byte fallback': {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    'without a space before': {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
      ],
    },
    'as Metaspace': {
      type: 'Metaspace',
      replacement: '\u2581',
      add_prefix_space: true,
      prepend_scheme: 'always',
    },
  };
  const files = (decoder: unknown): [unknown, unknown] => [
    {
      version: '1.0',
      added_tokens: ['<s>', '</s>'].map((content, i) => addedToken(i + 1, content)),
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder,
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
        merges: [],
        byte_fallback: true,
      },
    },
    { tokenizer_class: 'PreTrainedTokenizerFast' },
  ];
  // The bytes of é, 😀 and の among others, cut anywhere.
  const some = fc.constantFrom(
    ...Array.from(new TextEncoder().encode('é😀のa '), (byte) => byte + 3),
  );
  const replies = fc.array(
    fc.oneof(
      fc.integer({ min: 259, max: pieces.length - 1 }),
      some,
      fc.integer({ min: 3, max: 258 }),
    ),
    { minLength: 1, maxLength: 12 },
  );

  test.each(Object.entries(decoders))(
    'streams what the library decodes as a whole: %s',
    (_, decoder) => {
      const whole = new PreTrainedTokenizer(...files(decoder));
      const vocabulary = createTokenizer(...files(decoder));
      fc.assert(
        fc.property(replies, (ids) => {
          const detokeniser = createDetokeniser(vocabulary);
          const streamed = ids.map((id) => detokeniser.push(id)).join('') + detokeniser.flush();
          const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
          expect(streamed).toBe(whole.decode(ids, options));
        }),
        { numRuns: 300 },
      );
    },
  );

  test('a token inside a text keeps its space; bytes wait for their character', () => {
    const vocabulary = createTokenizer(...files(decoders['with byte fallback']));
    const id = (piece: string): number => pieces.indexOf(piece);
    const inside = createDetokeniser(vocabulary, { isInside: true });
    expect(inside.push(id('\u2581the'))).toBe(' the');
    const reply = createDetokeniser(vocabulary);
    expect(reply.push(id('\u2581the')) + reply.push(id('\u2581the'))).toBe('the the');
    expect(reply.push(id('<0xC3>'))).toBe('');
    expect(reply.push(id('<0xA9>'))).toBe('é');
    expect(reply.push(id('<0x0A>'))).toBe('\n');
  });
});

describe('stop strings', () => {
  /** The definition: the stop string complete first, of those the longest. */
  function firstStop(
    text: string,
    stops: readonly string[],
  ): { shown: string; stop: string | null } {
    for (let end = 1; end <= text.length; end += 1) {
      const found = stops.filter((stop) => stop !== '' && text.slice(0, end).endsWith(stop));
      const stop = found.sort((a, b) => b.length - a.length)[0];
      if (stop !== undefined) return { shown: text.slice(0, end - stop.length), stop };
    }
    return { shown: text, stop: null };
  }
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 });
  const stopLists = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), {
    maxLength: 3,
  });

  test('however the text is cut, the shown text and the stop are those of the whole', () => {
    fc.assert(
      fc.property(letters, stopLists, cuts, (text, stops, at) => {
        const matcher = createStopMatcher(stops);
        let shown = '';
        let stop: string | null = null;
        for (const piece of cut(text, at)) {
          const match = matcher.push(piece);
          shown += match.text;
          stop ??= match.stop;
        }
        shown += matcher.flush();
        expect({ shown, stop }).toEqual(firstStop(text, stops));
      }),
      { numRuns: 2000 },
    );
  });

  test('only what may begin a stop string waits', () => {
    const matcher = createStopMatcher(['</s>', 'END']);
    expect(matcher.push('so <')).toEqual({ text: 'so ', stop: null });
    expect(matcher.push('/b> E')).toEqual({ text: '</b> ', stop: null });
    expect(matcher.push('ND and more')).toEqual({ text: '', stop: 'END' });
    expect(matcher.push('lost')).toEqual({ text: '', stop: null });
    expect(matcher.flush()).toBe('');
  });
});

describe('sentences', () => {
  test('decimals, abbreviations and quotes hold together', () => {
    const segmenter = createSentenceSegmenter();
    const text = 'Pi is 3.14, says Dr. Crab. "Is it?" Yes!\nA list\n\nand';
    expect(segmenter.push(text)).toEqual([
      'Pi is 3.14, says Dr. Crab.',
      '"Is it?"',
      'Yes!',
      'A list',
    ]);
    expect(segmenter.flush()).toBe('and');
    expect(segmenter.flush()).toBe('');
  });

  test('sentences don’t depend on the cuts, and no word is lost', () => {
    const texts = fc.string({
      unit: fc.constantFrom('a', 'M', 'r', '.', '!', '"', ' ', '\n', '3', '。'),
      maxLength: 60,
    });
    const segment = (pieces: readonly string[]): string[] => {
      const segmenter = createSentenceSegmenter();
      return [...pieces.flatMap((piece) => segmenter.push(piece)), segmenter.flush()];
    };
    fc.assert(
      fc.property(texts, cuts, (text, at) => {
        const whole = segment([text]);
        expect(segment(cut(text, at))).toEqual(whole);
        expect(whole.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      }),
      { numRuns: 1000 },
    );
  });
});
