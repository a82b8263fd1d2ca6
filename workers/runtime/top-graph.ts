/**
 * Owns the nodes that the app appends to a model so that the largest logits and the sums that sampling needs are computed
 * where the logits are: one small row comes over in place of the vocabulary. Owns no sampling (core/sampling/top-logits.ts).
 *
 * Everything is one output, one wait on a GPU: K values, their K ids as float32 (exact below 2^24), then Σ exp(x − max),
 * Σ exp(x − max)·(x − max) and Σ exp((x − max) / temperature) over the vocabulary.
 */
import type { TopLogits } from '../../src/core/sampling/top-logits';
import { block, fieldsOf, integer, readIntegers, readText, text } from './protobuf';

/** Output with the row, and input (float32 scalar) with 1 / temperature. */
export const TOP_OUTPUT = 'tidepool.top_logits';
export const TOP_INPUT = 'tidepool.inverse_temperature';

/** Length of the list: top-k is 50 at most in what models recommend, and top-p 0.95 of trained models lies within. */
const LIST = 128;

/** float32 has every whole number below this. */
const MAX_VOCABULARY = 2 ** 24;

/** From here on the vocabulary is large: 128 kB a token, and its sorting on the device is worth the dispatches. */
export const LARGE_VOCABULARY = 32_768;

/** Entries of the list for a vocabulary. */
function listLength(vocabSize: number): number {
  return Math.min(LIST, vocabSize);
}

/* Field numbers of onnx.proto. */
const MODEL_GRAPH = 7;
const MODEL_OPSET = 8;
const FLOAT = 1;
const INT64 = 7;
const AXIS_INPUTS_SINCE = 13;

function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, number>> = {},
): number[] {
  return block(1, [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(3, `/tidepool/${outputs[0] ?? ''}`),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      block(5, [...text(1, name), ...integer(3, value), ...integer(20, 2)]),
    ),
  ]);
}

function constant(name: string, type: number, dims: readonly number[], data: Uint8Array): number[] {
  return block(5, [
    ...dims.flatMap((dim) => integer(1, dim)),
    ...integer(2, type),
    ...text(8, name),
    ...block(9, Array.from(data)),
  ]);
}

function ints(name: string, value: bigint): number[] {
  return constant(name, INT64, [1], new Uint8Array(BigInt64Array.of(value).buffer));
}

/**
 * Columns of a nearly square arrangement of the vocabulary: sums go by row, then over rows. In one go ONNX Runtime's CPU
 * adds 131k float32 terms to 2e-4 only. Null where the vocabulary has no divisor for it.
 */
function columnsFor(vocabSize: number): number | null {
  for (let columns = Math.floor(Math.sqrt(vocabSize)); columns >= 16; columns -= 1)
    if (vocabSize % columns === 0) return columns;
  return null;
}

/** Version of the standard operators that the model asks for. */
function opsetOf(model: Uint8Array): number {
  for (const field of fieldsOf(model, 0, model.length)) {
    if (field.number !== MODEL_OPSET) continue;
    let domain = '';
    let version = 0;
    for (const part of fieldsOf(model, field.start, field.end)) {
      if (part.number === 1) domain = readText(model, part);
      else if (part.number === 2) [version = 0] = readIntegers(model, part);
    }
    if (domain === '' || domain === 'ai.onnx') return version;
  }
  return 0;
}

/**
 * The model with {@link TOP_OUTPUT} over the last row of its `logits` (1, rows, vocab); null where its operators are too
 * old or the vocabulary is beyond float32's whole numbers or prime. RangeError when `model` is no ONNX file.
 */
export function withTopLogits(model: Uint8Array, vocabSize: number): Uint8Array | null {
  const columns = columnsFor(vocabSize);
  if (opsetOf(model) < AXIS_INPUTS_SINCE || vocabSize > MAX_VOCABULARY || columns === null)
    return null;
  const t = (name: string): string => `tidepool.${name}`;
  /** Sum over the vocabulary, (1, 1, 1). */
  const sumOf = (terms: string, name: string): number[] => [
    ...node('Reshape', [t(terms), t('square')], [t(`${name}_square`)]),
    ...node('ReduceSum', [t(`${name}_square`), t('vocab')], [t(`${name}_rows`)]),
    ...node('ReduceSum', [t(`${name}_rows`), t('rows')], [t(name)]),
  ];
  const floor = new Uint8Array(Float32Array.of(-104).buffer);
  const added = [
    ...ints(t('last'), -1n),
    ...ints(t('end'), 2n ** 62n),
    ...ints(t('rows'), 1n),
    ...ints(t('vocab'), 2n),
    ...ints(t('zero'), 0n),
    ...ints(t('k'), BigInt(listLength(vocabSize))),
    ...constant(
      t('square'),
      INT64,
      [3],
      new Uint8Array(BigInt64Array.of(1n, BigInt(vocabSize / columns), BigInt(columns)).buffer),
    ),
    ...constant(t('floor'), FLOAT, [1], floor),
    ...node('Slice', ['logits', t('last'), t('end'), t('rows')], [t('row_as_is')]),
    ...node('Cast', [t('row_as_is')], [t('row')], { to: FLOAT }),
    ...node('TopK', [t('row'), t('k')], [t('values'), t('ids')]),
    ...node('Slice', [t('values'), t('zero'), t('rows'), t('vocab')], [t('max')]),
    ...node('Sub', [t('row'), t('max')], [t('below')]),
    // exp(-104) is below half the smallest float32, and -Infinity times 0 would be NaN.
    ...node('Max', [t('below'), t('floor')], [t('shifted')]),
    ...node('Exp', [t('shifted')], [t('weights')]),
    ...sumOf('weights', 'sum'),
    ...node('Mul', [t('weights'), t('shifted')], [t('products')]),
    ...sumOf('products', 'weighted'),
    ...node('Mul', [t('below'), TOP_INPUT], [t('cooled')]),
    ...node('Exp', [t('cooled')], [t('tempered_weights')]),
    ...sumOf('tempered_weights', 'tempered'),
    ...node('Cast', [t('ids')], [t('ids_float')], { to: FLOAT }),
    ...node(
      'Concat',
      [t('values'), t('ids_float'), t('sum'), t('weighted'), t('tempered')],
      [TOP_OUTPUT],
      { axis: 2 },
    ),
    ...block(11, [
      ...text(1, TOP_INPUT),
      ...block(2, block(1, [...integer(1, FLOAT), ...block(2, [])])),
    ]),
    ...block(12, text(1, TOP_OUTPUT)),
  ];
  const graph = block(MODEL_GRAPH, added);
  const bytes = new Uint8Array(model.length + graph.length);
  bytes.set(model);
  bytes.set(graph, model.length);
  return bytes;
}

/** What {@link TOP_OUTPUT} says; copies. */
export function readTopLogits(row: ArrayLike<number>, vocabSize: number): TopLogits {
  const count = listLength(vocabSize);
  const at = (from: number, length: number): number[] =>
    Array.from({ length }, (_, i) => row[from + i] ?? NaN);
  const [sum = NaN, weighted = NaN, tempered = NaN] = at(2 * count, 3);
  return { logits: at(0, count), ids: at(count, count), vocabSize, sum, weighted, tempered };
}
