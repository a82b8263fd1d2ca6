/**
 * Owns the inspection of the live state: what stands in it now, and what the last tokens did, from reading them again
 * with the inner values fetched. Owns no live state.
 */
import {
  mixersOf,
  type AttentionLayerSpec,
  type MixerKind,
  type MixerSpec,
  type ModelSpec,
  type RecurrentLayerSpec,
} from '../../src/core/model-spec';
import { attentionWindow } from '../../src/core/state-math/attention';
import { hiddenAttention } from '../../src/core/state-math/hidden-attention';
import { effectiveRank, singularValues } from '../../src/core/state-math/singular-values';
import { EngineError } from '../../src/core/errors';
import type { InspectedLayer, LabMatrix, LabQuantity } from '../../src/protocol/lab-api';
import type { LayerStates, StateTensor } from '../runtime/layer-states';
import type { ModelSession } from '../runtime/session';
import { elementsOf } from '../runtime/tensor-values';
import {
  groupOffset,
  headNorms,
  headState,
  Reading,
  recurrentOf,
  stateOf,
  wantConv,
} from './layer-view';

export interface InspectTarget {
  readonly layer: number;
  readonly head: number;
}

/** The window read again: its probes by name, and the states after it. */
export interface Reread {
  readonly probes: ReadonlyMap<string, StateTensor>;
  readonly states: LayerStates;
}

/** The mixers of the layer that a target names; EngineError when it has no state or no such head. */
export function inspectable(
  spec: ModelSpec,
  { layer: index, head }: InspectTarget,
): readonly MixerSpec[] {
  const layer = spec.layers[index];
  const mixers = layer === undefined ? [] : mixersOf(layer);
  if (mixers.length === 0) {
    throw new EngineError(
      'internal',
      `Layer ${index} ${layer === undefined ? 'does not exist' : `is of the kind ${layer.kind}, which keeps no state`}.`,
      'Open a layer that mixes tokens.',
    );
  }
  const heads = Math.max(...mixers.map((mixer) => (mixer.kind === 'conv' ? 1 : mixer.heads)));
  if (!(Number.isInteger(head) && head >= 0 && head < heads)) {
    throw new EngineError(
      'internal',
      `Layer ${index} has heads 0 to ${heads - 1}, not ${head}.`,
      'Choose one of them.',
    );
  }
  return mixers;
}

const NEEDED: Readonly<Record<MixerKind, readonly LabQuantity[]>> = {
  mamba: ['delta', 'decay', 'b', 'c'],
  delta: ['delta', 'decay'],
  conv: [],
  attention: ['query'],
};

/** Names of the probes that the mixers need. */
export function probesFor(
  session: Pick<ModelSession, 'probes'>,
  mixers: readonly MixerSpec[],
): string[] {
  const names = mixers.flatMap((mixer) =>
    NEEDED[mixer.kind].flatMap((quantity) => session.probes[quantity].get(mixer.index) ?? []),
  );
  return [...new Set(names)];
}

/** Columns `offset`… of the rows (tokens, width) of a probe. */
function columnsOf(
  numbers: Float32Array,
  tensor: StateTensor,
  offset: number,
  columns: number,
): LabMatrix {
  const rows = tensor.dims[1] ?? 0;
  const width = elementsOf(tensor.dims) / Math.max(1, rows);
  const values = new Float32Array(rows * columns);
  for (let t = 0; t < rows; t += 1)
    values.set(numbers.subarray(t * width + offset, t * width + offset + columns), t * columns);
  return { rows, columns, values };
}

function columnOf({ rows, columns, values }: LabMatrix, column: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, t) => values[t * columns + column] ?? 0);
}

/** Looks at the targets in `live` and in the window that was read again. */
export async function inspectLayers(
  session: Pick<ModelSession, 'probes' | 'values' | 'layers'>,
  spec: ModelSpec,
  targets: readonly InspectTarget[],
  live: LayerStates,
  reread: Reread,
): Promise<InspectedLayer[]> {
  const reading = new Reading();
  const probe = (quantity: LabQuantity, layer: number, offset: number, columns: number) => {
    const tensor = reread.probes.get(session.probes[quantity].get(layer) ?? '');
    if (tensor === undefined) return null;
    const numbers = reading.want({ tensor });
    return () => columnsOf(numbers(), tensor, offset, columns);
  };
  const looks = targets.flatMap((target) =>
    inspectable(spec, target).map((mixer): (() => InspectedLayer) => {
      if (mixer.kind === 'conv') {
        const window = wantConv(reading, stateOf(session.layers, mixer).conv, live);
        return () => ({ kind: 'conv', layer: mixer.index, convWindow: window() });
      }
      // Of two mixers side by side one may have fewer heads.
      const head = Math.min(target.head, mixer.heads - 1);
      return mixer.kind === 'attention'
        ? lookAtAttention(mixer, head, reread.states, reading, probe)
        : lookAtRecurrent(mixer, session.layers, head, live, reading, probe);
    }),
  );
  await reading.run(session.values);
  return looks.map((look) => look());
}

type WantProbe = (
  quantity: LabQuantity,
  layer: number,
  offset: number,
  columns: number,
) => (() => LabMatrix) | null;

function lookAtRecurrent(
  layer: RecurrentLayerSpec,
  layers: ModelSession['layers'],
  head: number,
  live: LayerStates,
  reading: Reading,
  probe: WantProbe,
): () => InspectedLayer {
  const { index, heads, stateSize, headDim } = layer;
  const group = groupOffset(layer, head);
  const recurrent = recurrentOf(layers, layer);
  const state = reading.want({ tensor: live.tensor(recurrent.name) });
  const conv = wantConv(reading, stateOf(layers, layer).conv, live);
  const readDelta = probe('delta', index, 0, heads);
  const readDecay = probe('decay', index, 0, heads);
  const readB = probe('b', index, group, stateSize);
  const readC = probe('c', index, group, stateSize);
  return () => {
    const own = headState(state(), recurrent, head);
    const singular = singularValues(own.values, stateSize, headDim);
    const delta = readDelta?.() ?? null;
    const log = readDecay?.() ?? null;
    // The graph holds the decay's logarithm, A·Δ.
    const decay = log === null ? null : { ...log, values: log.values.map(Math.exp) };
    const b = readB?.() ?? null;
    const c = readC?.() ?? null;
    let matrix: LabMatrix | null = null;
    // The delta rule writes otherwise, so this product would not be what it does.
    if (layer.kind === 'mamba' && delta !== null && decay !== null && b !== null && c !== null) {
      const values = hiddenAttention({
        delta: columnOf(delta, head),
        decay: columnOf(decay, head),
        b: b.values,
        c: c.values,
        stateSize,
      });
      matrix = { rows: delta.rows, columns: delta.rows, values: Float32Array.from(values) };
    }
    return {
      kind: layer.kind,
      layer: index,
      head,
      state: own,
      stateNorm: headNorms(state(), layer),
      singularValues: singular,
      effectiveRank: effectiveRank(singular),
      convWindow: conv(),
      delta,
      decay,
      b,
      c,
      hiddenAttention: matrix,
    };
  };
}

function lookAtAttention(
  { index, heads, kvHeads, headDim }: AttentionLayerSpec,
  head: number,
  states: LayerStates,
  reading: Reading,
  probe: WantProbe,
): () => InspectedLayer {
  const keys = states.kvTokens(index);
  const kvHead = Math.floor(head / (heads / kvHeads));
  const cache = reading.want({
    tensor: states.tensor(`past_key_values.${index}.key`),
    offset: kvHead * keys * headDim,
    count: keys * headDim,
  });
  const readQuery = probe('query', index, head * headDim, headDim);
  return () => {
    const query = readQuery?.() ?? null;
    if (query === null)
      return { kind: 'attention', layer: index, head, attention: null, outside: null };
    const { matrix, outside } = attentionWindow(query.values, cache(), headDim);
    const attention = { rows: query.rows, columns: query.rows, values: matrix };
    return { kind: 'attention', layer: index, head, attention, outside };
  };
}
