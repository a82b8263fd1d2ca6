/**
 * Owns the reading of layers: which tensors hold what (states, probes), and their numbers as the lab shows them. Owns no
 * running of the model.
 */
import type { AttentionLayerSpec, MambaLayerSpec, ModelSpec } from '../../src/core/model-spec';
import { attentionRow } from '../../src/core/state-math/attention';
import { frobeniusNorm } from '../../src/core/state-math/singular-values';
import type {
  LabCapabilities,
  LabMatrix,
  LabOpened,
  LabQuantity,
  MissingQuantity,
} from '../../src/protocol/lab-api';
import type { LayerStates, StateTensor } from '../runtime/layer-states';
import type { ProbeNames } from '../runtime/probe-graph';
import { elementsOf, type TensorRange, type TensorValues } from '../runtime/tensor-values';

export function mambaLayersOf(spec: ModelSpec): MambaLayerSpec[] {
  return spec.layers.filter((layer): layer is MambaLayerSpec => layer.kind === 'mamba');
}

function quantitiesOf(kind: ModelSpec['layers'][number]['kind']): readonly LabQuantity[] {
  switch (kind) {
    case 'mamba':
      return ['delta', 'decay', 'b', 'c', 'output'];
    case 'attention':
      return ['query', 'output'];
    case 'delta':
    case 'conv':
    case 'mlp':
    case 'moe':
      return ['output'];
    default: {
      const unknown: never = kind;
      throw new RangeError(`unknown layer kind ${JSON.stringify(unknown)}`);
    }
  }
}

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

/** Which quantities the graph does not name, by layer. */
export function missingQuantities(spec: ModelSpec, probes: ProbeNames): MissingQuantity[] {
  const missing = new Map<LabQuantity, number[]>();
  for (const layer of spec.layers) {
    for (const quantity of quantitiesOf(layer.kind)) {
      if (probes[quantity].has(layer.index)) continue;
      missing.set(quantity, [...(missing.get(quantity) ?? []), layer.index]);
    }
  }
  return [...missing].map(([quantity, layers]) => ({
    quantity,
    layers,
    reason: REASONS[quantity],
  }));
}

export function capabilitiesOf(
  spec: ModelSpec,
  session: { readonly probes: ProbeNames; readonly hasLayerwiseKv: boolean },
  modelId: string,
): LabCapabilities {
  return {
    missing: missingQuantities(spec, session.probes),
    hasLayerwiseKv: session.hasLayerwiseKv,
    modelId,
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
export function groupOffset(layer: MambaLayerSpec, head: number): number {
  return Math.floor(head / (layer.heads / layer.groups)) * layer.stateSize;
}

/** Norms of all heads of a state (heads, stateSize, headDim). */
export function headNorms(state: Float32Array, layer: MambaLayerSpec): Float32Array {
  const size = layer.stateSize * layer.headDim;
  return Float32Array.from({ length: layer.heads }, (_, head) =>
    frobeniusNorm(state.subarray(head * size, (head + 1) * size)),
  );
}

export function headState(state: Float32Array, layer: MambaLayerSpec, head: number): LabMatrix {
  const { stateSize, headDim } = layer;
  const size = stateSize * headDim;
  return {
    rows: stateSize,
    columns: headDim,
    values: state.slice(head * size, (head + 1) * size),
  };
}

export function convWindow(numbers: Float32Array, layer: MambaLayerSpec): LabMatrix {
  return { rows: layer.convDim, columns: layer.convKernel - 1, values: numbers.slice() };
}

/** The open Mamba layer, to be asked for after the reading. */
export function wantMamba(
  reading: Reading,
  layer: MambaLayerSpec,
  head: number,
  states: LayerStates,
  probe: (quantity: LabQuantity) => StateTensor | undefined,
): () => LabOpened {
  const state = reading.want({ tensor: states.tensor(`past_ssm.${layer.index}`) });
  const conv = reading.want({ tensor: states.tensor(`past_conv.${layer.index}`) });
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
    kind: 'mamba',
    layer: layer.index,
    head,
    state: headState(state(), layer, head),
    b: b?.().slice() ?? null,
    c: c?.().slice() ?? null,
    convWindow: convWindow(conv(), layer),
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
