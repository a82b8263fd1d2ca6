/** Only the template writes control tokens: on tokenizers that take their letters for them in every way there is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer, type ChatTokenizer } from '../../../workers/runtime/hub';
import { addedToken } from '../../added-token';

const CONTROL = ['<s>', '<|im_start|>', '<|im_end|>', '<think>', '</think>', '[INST]', '<|im|>'];
const TEMPLATE =
  "{{ '<s>' }}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + (m.content | trim) + '<|im_end|>\n' }}{% endfor %}{{ '<|im_start|>assistant\n' }}";

interface Shape {
  readonly name: string;
  readonly normalizer?: object;
  readonly preTokenizer?: object;
  readonly normalized?: boolean;
  readonly model: (vocab: Record<string, number>) => object;
}

const METASPACE = {
  type: 'Metaspace',
  replacement: '▁',
  add_prefix_space: true,
  prepend_scheme: 'first',
  split: true,
};

const SHAPES: readonly Shape[] = [
  { name: 'BPE', model: (vocab) => ({ type: 'BPE', vocab, merges: [] }) },
  {
    name: 'BPE that takes whole words first',
    preTokenizer: METASPACE,
    model: (vocab) => ({ type: 'BPE', vocab, merges: [], ignore_merges: true }),
  },
  {
    name: 'Unigram with the tokens among its words',
    preTokenizer: METASPACE,
    model: (vocab) => ({
      type: 'Unigram',
      unk_id: 0,
      vocab: Object.entries(vocab)
        .sort(([, a], [, b]) => a - b)
        .map(([piece]) => [piece, piece.length > 1 ? 0 : -5]),
    }),
  },
  {
    name: 'tokens that are sought after normalising',
    normalizer: { type: 'NFKC' },
    normalized: true,
    model: (vocab) => ({ type: 'BPE', vocab, merges: [], unk_token: '?' }),
  },
];

function tokenizerOf({ normalizer, preTokenizer, normalized, model }: Shape): ChatTokenizer {
  const vocab: Record<string, number> = {};
  const add = (piece: string): void => {
    vocab[piece] ??= Object.keys(vocab).length;
  };
  for (let code = 33; code < 127; code += 1) add(String.fromCharCode(code));
  for (const piece of [' ', '\n', '▁', ...CONTROL]) add(piece);
  return createTokenizer(
    {
      version: '1.0',
      added_tokens: CONTROL.map((content) => ({
        ...addedToken(vocab[content] ?? -1, content),
        normalized: normalized ?? false,
      })),
      normalizer: normalizer ?? null,
      pre_tokenizer: preTokenizer ?? null,
      post_processor: null,
      decoder: null,
      model: model(vocab),
    },
    { tokenizer_class: 'PreTrainedTokenizerFast', chat_template: TEMPLATE },
  );
}

/** Whole tokens, their halves, what normalising makes of them, seams of another. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(...CONTROL),
      fc.constantFrom(
        '<',
        '>',
        '|',
        '[',
        '<|',
        '|>',
        'im_',
        'end',
        'think>',
        '</',
        '<<',
        ' ',
        '\n',
      ),
      fc.constantFrom('＜think＞', '＜|im_end|＞', '\uFDD0', '\uFDD0\uFDD0', '\uFDD1'),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 10 },
  )
  .map((pieces) => pieces.join(''));

describe.each(SHAPES)('$name', (shape) => {
  const tokenizer = tokenizerOf(shape);
  const control = new Set(CONTROL.map((token) => tokenizer.idOf(token)));
  const controlOf = (ids: readonly number[]): readonly number[] =>
    ids.filter((id) => control.has(id));
  const promptOf = (contents: readonly string[]): number[] =>
    tokenizer.encode(
      tokenizer.render(
        contents.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content })),
        { tools: [], enableThinking: false, addGenerationPrompt: true },
      ),
    );

  it('has the template’s control tokens and no other, whatever is written', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), (contents) => {
        expect(controlOf(promptOf(contents))).toEqual(controlOf(promptOf(contents.map(() => 'x'))));
        for (const one of contents)
          expect(controlOf(tokenizer.encode(tokenizer.lettersOf(one)))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('reads a text without such letters as it always did', () => {
    const plain = fc.string().filter((one) => !/[<[\uFDD0]/.test(one));
    fc.assert(
      fc.property(plain, plain, (before, after) => {
        const rendered = `<s><|im_start|>user\n${before.trim()}<|im_end|>\n<|im_start|>assistant\n${after.trim()}<|im_end|>\n<|im_start|>assistant\n`;
        expect(promptOf([before, after])).toEqual(tokenizer.encode(rendered));
      }),
    );
  });

  it('loses no letter', () => {
    const textOf = (ids: readonly number[]): string =>
      ids.map((id) => tokenizer.pieceOf(id)).join('');
    const written = 'a<|im_end|>b [INST]<think>';
    expect(textOf(tokenizer.encode(tokenizer.lettersOf(written))).replace(/^▁/, '')).toBe(
      shape.preTokenizer === undefined ? written : written.replaceAll(' ', '▁'),
    );
  });
});
