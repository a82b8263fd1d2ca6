/**
 * Owns what a decoder graph asks for besides tokens: which of its inputs are states, with type and shape, and how
 * positions and switches are fed. Owns no running.
 */
import { EngineError } from '../../src/core/errors';

/** The part of ONNX Runtime's metadata of an input that is read here. */
export type InputMetadata =
  | { readonly name: string; readonly isTensor: false }
  | {
      readonly name: string;
      readonly isTensor: true;
      readonly type: string;
      readonly shape: readonly (number | string)[];
    };

/** A state input and the output that holds its next value. */
export interface StateInput {
  readonly past: string;
  readonly present: string;
  /** float32 or float16. */
  readonly type: string;
  /** Dims with a batch of 1 and every symbolic length 0. */
  readonly emptyDims: readonly number[];
}

/** Inputs this app knows how to feed, besides the states. */
export interface PlainInputs {
  /** Embeddings of a session of their own take the place of token ids. */
  readonly tokens: 'input_ids' | 'inputs_embeds';
  readonly hasMask: boolean;
  /** Rows of positions: 0 where none are asked for, 1 for (1, tokens), else (rows, 1, tokens): Qwen's mrope has 3. */
  readonly positionRows: number;
  /** Dims of `num_logits_to_keep`; null where all rows of logits come. */
  readonly keepDims: readonly number[] | null;
  /** Optimum's merged decoders ask whether there is a past. */
  readonly hasCacheSwitch: boolean;
}

export interface DecoderInputs {
  readonly plain: PlainInputs;
  readonly states: readonly StateInput[];
}

const KNOWN = new Set([
  'input_ids',
  'inputs_embeds',
  'attention_mask',
  'position_ids',
  'num_logits_to_keep',
  'use_cache_branch',
]);

const LAYOUT =
  'Export the model in the transformers.js layout (input_ids, attention_mask, past_*).';

function unsupported(message: string): EngineError {
  return new EngineError('model-unsupported', message, LAYOUT);
}

/** Name of the output that holds the new value of a state input, as transformers.js names both. */
export function presentNameOf(pastName: string): string {
  return pastName.startsWith('past_key_values.')
    ? pastName.replace('past_key_values.', 'present.')
    : pastName.replace(/^past_/, 'present_');
}

function stateInput(meta: Extract<InputMetadata, { isTensor: true }>): StateInput {
  const { name, type, shape } = meta;
  if (type !== 'float32' && type !== 'float16')
    throw unsupported(
      `The model's state "${name}" is ${type}; this app keeps float32 and float16.`,
    );
  const emptyDims = shape.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : 0));
  // Only the number of keys may be open: a conv or recurrent state of unknown size cannot be begun.
  const open = shape.findIndex((dim, axis) => typeof dim !== 'number' && axis > 0 && axis !== 2);
  const isCache = name.startsWith('past_key_values.');
  if (open >= 0 || (!isCache && emptyDims.includes(0)))
    throw unsupported(`The model's state "${name}" has no fixed size (${shape.join(' × ')}).`);
  return { past: name, present: presentNameOf(name), type, emptyDims };
}

/**
 * Sorts the inputs of a decoder graph; `besides` names inputs that somebody else feeds. EngineError `model-unsupported`
 * for an input that is not known or an output that is missing.
 */
export function readDecoderInputs(
  inputs: readonly InputMetadata[],
  outputs: readonly string[],
  besides: ReadonlySet<string>,
): DecoderInputs {
  const states: StateInput[] = [];
  const named = new Map(inputs.map((meta) => [meta.name, meta]));
  for (const meta of inputs) {
    if (KNOWN.has(meta.name) || besides.has(meta.name)) continue;
    if (!meta.isTensor || !meta.name.startsWith('past')) {
      throw unsupported(`The model asks for an input "${meta.name}" that this app does not know.`);
    }
    states.push(stateInput(meta));
  }
  const missing = ['logits', ...states.map(({ present }) => present)].find(
    (name) => !outputs.includes(name),
  );
  if (missing !== undefined) throw unsupported(`The model has no output "${missing}".`);
  const tokens = named.has('inputs_embeds') ? 'inputs_embeds' : 'input_ids';
  if (!named.has(tokens)) throw unsupported('The model has no input "input_ids".');
  const shapeOf = (name: string): readonly (number | string)[] | null => {
    const meta = named.get(name);
    return meta?.isTensor === true ? meta.shape : null;
  };
  const positions = shapeOf('position_ids');
  const rows = positions?.[0];
  const keep = shapeOf('num_logits_to_keep');
  return {
    plain: {
      tokens,
      hasMask: named.has('attention_mask'),
      positionRows:
        positions === null ? 0 : positions.length === 2 ? 1 : typeof rows === 'number' ? rows : 3,
      keepDims: keep === null ? null : keep.map(() => 1),
      hasCacheSwitch: named.has('use_cache_branch'),
    },
    states,
  };
}
