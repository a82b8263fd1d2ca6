/**
 * Owns which states each layer keeps, and how their numbers lie in the tensors: one face over the conv, SSM, delta-rule
 * and KV states of all families, found in what the ONNX file says of its inputs. Owns no tensors (layer-states.ts).
 */
import { EngineError } from '../../src/core/errors';
import {
  mixersOf,
  type AttentionLayerSpec,
  type MixerSpec,
  type ModelSpec,
  type RecurrentLayerSpec,
} from '../../src/core/model-spec';

/** A matrix for each head: `past_ssm.N` or `past_recurrent.N`. */
export interface RecurrentState {
  readonly name: string;
  readonly heads: number;
  readonly stateSize: number;
  readonly headDim: number;
  /**
   * False: (1, heads, stateSize, headDim), as ONNX Runtime's LinearAttention and the delta-rule exports keep it. True:
   * (1, heads, headDim, stateSize), as Hugging Face's Mamba-2 does.
   */
  readonly isTransposed: boolean;
}

/** Last inputs of a causal convolution, (1, channels, columns), newest right. */
export interface ConvState {
  readonly name: string;
  /** Which of OLMo-Hybrid's three convolutions; `all` where one convolution has all channels. */
  readonly part: 'all' | 'query' | 'key' | 'value';
  readonly channels: number;
  /** Width of the convolution, or one less: the oldest column may lie outside the next window. */
  readonly columns: number;
}

/** Keys and values, (1, kvHeads, tokens, headDim) each. */
export interface KvState {
  readonly key: string;
  readonly value: string;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** What one layer remembers; a layer with parallel mixers has several. */
export interface LayerState {
  readonly layer: number;
  readonly recurrent: RecurrentState | null;
  readonly conv: readonly ConvState[];
  readonly kv: KvState | null;
}

/** Dims of a state input of the file; 0 stands for the number of keys. */
type DimsOf = (name: string) => readonly number[] | undefined;

function disagree(layer: number, what: string): EngineError {
  return new EngineError(
    'model-corrupt',
    `config.json and the model file disagree on layer ${layer}: ${what}.`,
    'Use the config.json that belongs to this model file.',
  );
}

function dimsFor(name: string, layer: number, dimsOf: DimsOf): readonly number[] {
  const dims = dimsOf(name);
  if (dims === undefined) throw disagree(layer, `the file has no input "${name}"`);
  return dims;
}

function recurrentOf(
  mixer: RecurrentLayerSpec,
  dimsOf: DimsOf,
  isStateFirst: boolean,
): RecurrentState {
  const { index, heads, stateSize, headDim } = mixer;
  const name = mixer.kind === 'mamba' ? `past_ssm.${index}` : `past_recurrent.${index}`;
  const dims = dimsFor(name, index, dimsOf);
  const [, foundHeads, rows, columns] = dims;
  const fits = (a: number, b: number): boolean =>
    dims.length === 4 && foundHeads === heads && rows === a && columns === b;
  const isAsSpec = fits(stateSize, headDim);
  if (!isAsSpec && !fits(headDim, stateSize)) {
    throw disagree(
      index,
      `"${name}" is ${dims.join(' × ')}, expected 1 × ${heads} × ${stateSize} × ${headDim} or transposed`,
    );
  }
  // Square states tell nothing by their shape.
  const isTransposed = stateSize === headDim ? !isStateFirst : !isAsSpec;
  return { name, heads, stateSize, headDim, isTransposed };
}

const CONV_PARTS = ['query', 'key', 'value'] as const;

function convOf(mixer: Exclude<MixerSpec, AttentionLayerSpec>, dimsOf: DimsOf): ConvState[] {
  const { index, convDim } = mixer;
  const isSplit = mixer.kind === 'delta' && mixer.hasSplitConv;
  const parts = isSplit ? CONV_PARTS : (['all'] as const);
  const states = parts.map((part): ConvState => {
    const name = part === 'all' ? `past_conv.${index}` : `past_conv.${index}.${part}`;
    const dims = dimsFor(name, index, dimsOf);
    const [, channels = 0, columns = 0] = dims;
    if (dims.length !== 3) throw disagree(index, `"${name}" is ${dims.join(' × ')}`);
    return { name, part, channels, columns };
  });
  const channels = states.reduce((sum, state) => sum + state.channels, 0);
  if (channels !== convDim) {
    throw disagree(index, `its convolution has ${channels} channels, expected ${convDim}`);
  }
  return states;
}

function kvOf({ index, kvHeads, headDim }: AttentionLayerSpec, dimsOf: DimsOf): KvState {
  const key = `past_key_values.${index}.key`;
  const value = `past_key_values.${index}.value`;
  for (const name of [key, value]) {
    const dims = dimsFor(name, index, dimsOf);
    if (dims.length !== 4 || dims[1] !== kvHeads || dims[3] !== headDim) {
      throw disagree(
        index,
        `"${name}" is ${dims.join(' × ')}, expected 1 × ${kvHeads} × tokens × ${headDim}`,
      );
    }
  }
  return { key, value, kvHeads, headDim };
}

/**
 * The states of all layers that have some, by layer. `isStateFirst` decides for Mamba states that are square: whether
 * rows are the state's. EngineError `model-corrupt` where config.json and the file disagree.
 */
export function layerStatesOf(
  spec: ModelSpec,
  dimsOf: DimsOf,
  isStateFirst: (layer: number) => boolean,
): ReadonlyMap<number, LayerState> {
  const states = new Map<number, LayerState>();
  for (const layer of spec.layers) {
    let state: LayerState = { layer: layer.index, recurrent: null, conv: [], kv: null };
    for (const mixer of mixersOf(layer)) {
      if (mixer.kind === 'attention') {
        state = { ...state, kv: kvOf(mixer, dimsOf) };
        continue;
      }
      state = { ...state, conv: convOf(mixer, dimsOf) };
      if (mixer.kind === 'conv') continue;
      const first = mixer.kind === 'delta' || isStateFirst(layer.index);
      state = { ...state, recurrent: recurrentOf(mixer, dimsOf, first) };
    }
    if (state.recurrent !== null || state.conv.length > 0 || state.kv !== null)
      states.set(layer.index, state);
  }
  return states;
}

/** Turns (rows, columns) into (columns, rows). */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      turned[column * rows + row] = values[row * columns + column] ?? 0;
  return turned;
}

/** A head's state (stateSize, headDim), a copy, out of the numbers of the layer's whole state. */
export function readHead(values: Float32Array, state: RecurrentState, head: number): Float32Array {
  const { stateSize, headDim, isTransposed } = state;
  const size = stateSize * headDim;
  const own = values.slice(head * size, (head + 1) * size);
  return isTransposed ? transpose(own, headDim, stateSize) : own;
}

/** Writes a head's state (stateSize, headDim) into the numbers of the layer's whole state. */
export function writeHead(
  values: Float32Array,
  state: RecurrentState,
  head: number,
  matrix: Float32Array,
): void {
  const { stateSize, headDim, isTransposed } = state;
  const own = isTransposed ? transpose(matrix, stateSize, headDim) : matrix;
  values.set(own, head * stateSize * headDim);
}
