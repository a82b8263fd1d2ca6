/**
 * Owns the reading of layers: which tensors hold what (states, probes), and their numbers as the lab shows them. Owns no
 * running of the model.
 */
import {
  mixersOf,
  type AttentionLayerSpec,
  type LayerSpec,
  type MixerKind,
  type ModelSpec,
  type RecurrentLayerSpec,
} from '../../src/core/model-spec';
import { attentionRow } from '../../src/core/state-math/attention';
import { frobeniusNorm } from '../../src/core/state-math/singular-values';
import type {
  LabCapabilities,
  LabMatrix,
  LabOpened,
  LabQuantity,
  MissingQuantity,
} from '../../src/protocol/lab-api';
import { readHead, type ConvState, type LayerState } from '../runtime/layer-state';
import type { LayerStates, StateTensor } from '../runtime/layer-states';
import type { ProbeNames } from '../runtime/probe-graph';
import type { RouterNames } from '../runtime/router-graph';
import { elementsOf, type TensorRange, type TensorValues } from '../runtime/tensor-values';

/** What can be asked of a mixer beside its states. */
const MIXER_QUANTITIES: Readonly<Record<MixerKind, readonly LabQuantity[]>> = {
  mamba: ['delta', 'decay', 'b', 'c'],
  delta: ['delta', 'decay', 'b', 'c'],
  conv: [],
  attention: ['query'],
};

const REASONS: Readonly<Record<LabQuantity, string>> = {
  delta:
    'This model file has no value named for the step size Δ, so Δ and what follows from it are not shown.',
  decay: 'This model file computes the recurrence in another way, so the decay cannot be read.',
  b: 'This model file computes the recurrence in another way, so B cannot be read.',
  c: 'This model file computes the recurrence in another way, so C cannot be read.',
  query:
    'This model file computes attention in another way, so queries and attention rows cannot be read.',
  output:
    'This model file has no value named for what these layers add, so their activity is not shown.',
};

/** Why a layer of the delta rule has no such thing, whatever its file names. */
const DELTA_REASONS: Readonly<Partial<Record<LabQuantity, string>>> = {
  delta:
    'A delta-rule layer has no step size Δ: it writes with a strength β that this model file does not name.',
  decay:
    'This model file names no decay of its delta-rule layers, so half-lives cannot be read. The state itself can.',
  b: 'The delta rule erases what stood under a key before it writes, so no one product says what a token takes from another: it has no hidden attention to show.',
  c: 'The delta rule erases what stood under a key before it writes, so no one product says what a token takes from another: it has no hidden attention to show.',
};

function reasonOf(quantity: LabQuantity, layer: LayerSpec): string {
  return (layer.kind === 'delta' ? DELTA_REASONS[quantity] : undefined) ?? REASONS[quantity];
}

/** Which quantities the graph does not name, by layer. */
export function missingQuantities(spec: ModelSpec, probes: ProbeNames): MissingQuantity[] {
  const missing: { quantity: LabQuantity; reason: string; layers: number[] }[] = [];
  for (const layer of spec.layers) {
    const asked = mixersOf(layer).flatMap((mixer) => MIXER_QUANTITIES[mixer.kind]);
    for (const quantity of [...asked, 'output' as const]) {
      if (probes[quantity].has(layer.index)) continue;
      const reason = reasonOf(quantity, layer);
      const found = missing.find((one) => one.quantity === quantity && one.reason === reason);
      if (found === undefined) missing.push({ quantity, reason, layers: [layer.index] });
      else found.layers.push(layer.index);
    }
  }
  return missing;
}

export function capabilitiesOf(
  spec: ModelSpec,
  session: {
    readonly probes: ProbeNames;
    readonly hasLayerwiseKv: boolean;
    readonly routers?: RouterNames;
  },
  modelId: string,
): LabCapabilities {
  const routers = [...(session.routers ?? [])].map(([layer, { experts }]) => ({
    layer,
    experts,
  }));
  return {
    missing: missingQuantities(spec, session.probes),
    hasLayerwiseKv: session.hasLayerwiseKv,
    modelId,
    ...(routers.length === 0 ? {} : { routers }),
  };
}

/**
 * Collects ranges of tensors, reads all of them in one go, and then answers with the numbers of each. On the CPU the
 * numbers are views of the tensors: copy what is kept.
 */
export class Reading {
  readonly #ranges: TensorRange[] = [];
  #numbers: Float32Array[] = [];

  /** Returns a function that gives the numbers once {@link run} has ended. */
  want(range: TensorRange): () => Float32Array {
    const at = this.#ranges.push(range) - 1;
    return () => {
      const numbers = this.#numbers[at];
      if (numbers === undefined) throw new RangeError('the reading has not been run');
      return numbers;
    };
  }

  async run(values: TensorValues): Promise<void> {
    this.#numbers = await values.read(this.#ranges);
  }
}

/** The last token's row of a probe (1, tokens, width…). */
export function lastRow(tensor: StateTensor): TensorRange {
  const tokens = tensor.dims[1] ?? 1;
  const width = elementsOf(tensor.dims) / tokens;
  return { tensor, offset: (tokens - 1) * width, count: width };
}

/** First entry of the head's group in a row of B or C (groups · stateSize). */
export function groupOffset(layer: RecurrentLayerSpec, head: number): number {
  return Math.floor(head / (layer.heads / layer.groups)) * layer.stateSize;
}

/** The states of a mixer's layer, as they lie in this file. RangeError for a layer without. */
export function stateOf(
  layers: ReadonlyMap<number, LayerState>,
  { index }: { readonly index: number },
): LayerState {
  const state = layers.get(index);
  if (state === undefined) throw new RangeError(`layer ${index} keeps no state`);
  return state;
}

/** The recurrent state of a mixer; RangeError where there is none. */
export function recurrentOf(
  layers: ReadonlyMap<number, LayerState>,
  mixer: RecurrentLayerSpec,
): NonNullable<LayerState['recurrent']> {
  const { recurrent } = stateOf(layers, mixer);
  if (recurrent === null) throw new RangeError(`layer ${mixer.index} has no recurrent state`);
  return recurrent;
}

/** Norms of all heads of a state; how it lies does not matter. */
export function headNorms(state: Float32Array, layer: RecurrentLayerSpec): Float32Array {
  const size = layer.stateSize * layer.headDim;
  return Float32Array.from({ length: layer.heads }, (_, head) =>
    frobeniusNorm(state.subarray(head * size, (head + 1) * size)),
  );
}

/** One head's state (stateSize, headDim), however the file lays it. */
export function headState(
  state: Float32Array,
  recurrent: NonNullable<LayerState['recurrent']>,
  head: number,
): LabMatrix {
  const { stateSize, headDim } = recurrent;
  return { rows: stateSize, columns: headDim, values: readHead(state, recurrent, head) };
}

/** All convolution windows of a layer below each other; a function that gives them once the reading has run. */
export function wantConv(
  reading: Reading,
  conv: readonly ConvState[],
  states: LayerStates,
): () => LabMatrix {
  const parts = conv.map(({ name }) => reading.want({ tensor: states.tensor(name) }));
  const rows = conv.reduce((sum, { channels }) => sum + channels, 0);
  const columns = conv[0]?.columns ?? 0;
  return () => {
    const values = new Float32Array(rows * columns);
    let at = 0;
    for (const part of parts) {
      const numbers = part();
      values.set(numbers, at);
      at += numbers.length;
    }
    return { rows, columns, values };
  };
}

/** An open layer with a recurrent state, to be asked for after the reading. */
export function wantRecurrent(
  reading: Reading,
  layer: RecurrentLayerSpec,
  layers: ReadonlyMap<number, LayerState>,
  head: number,
  states: LayerStates,
  probe: (quantity: LabQuantity) => StateTensor | undefined,
): () => LabOpened {
  const recurrent = recurrentOf(layers, layer);
  const state = reading.want({ tensor: states.tensor(recurrent.name) });
  const conv = wantConv(reading, stateOf(layers, layer).conv, states);
  const vector = (quantity: LabQuantity): (() => Float32Array) | null => {
    const tensor = probe(quantity);
    if (tensor === undefined) return null;
    const row = lastRow(tensor);
    const offset = (row.offset ?? 0) + groupOffset(layer, head);
    return reading.want({ tensor, offset, count: layer.stateSize });
  };
  const b = vector('b');
  const c = vector('c');
  return () => ({
    kind: layer.kind,
    layer: layer.index,
    head,
    state: headState(state(), recurrent, head),
    b: b?.().slice() ?? null,
    c: c?.().slice() ?? null,
    convWindow: conv(),
  });
}

/** The open attention layer: the last token's rows over the cache that it was computed with. */
export function wantAttention(
  reading: Reading,
  layer: AttentionLayerSpec,
  head: number,
  states: LayerStates,
  query: StateTensor | undefined,
): () => LabOpened {
  const { heads, kvHeads, headDim } = layer;
  const keys = states.kvTokens(layer.index);
  const cache = reading.want({ tensor: states.tensor(`past_key_values.${layer.index}.key`) });
  // Queries come first where queries, keys and values are packed in one row.
  const queries =
    query === undefined ? null : reading.want({ ...lastRow(query), count: heads * headDim });
  return () => {
    let rows: LabMatrix | null = null;
    if (queries !== null) {
      const values = new Float32Array(heads * keys);
      for (let h = 0; h < heads; h += 1) {
        const kvHead = Math.floor(h / (heads / kvHeads));
        const own = cache().subarray(kvHead * keys * headDim, (kvHead + 1) * keys * headDim);
        attentionRow(
          queries().subarray(h * headDim, (h + 1) * headDim),
          own,
          keys,
          values,
          h * keys,
        );
      }
      rows = { rows: heads, columns: keys, values };
    }
    return { kind: 'attention', layer: layer.index, head, rows, firstKey: states.tokens - keys };
  };
}
