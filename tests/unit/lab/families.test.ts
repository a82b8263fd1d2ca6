// The lab on hybrids of other families: parallel mixers, transposed states, delta rule, split and lone convolutions.
import { describe, expect, it } from 'vitest';
import type { ModelSpec } from '../../../src/core/model-spec';
import { parseSpec } from '../../../src/models/spec';
import { layerLetters, layerName, stripSentence } from '../../../src/state/lab/layer-words';
import { inspectLayers } from '../../../workers/lab/inspect';
import { missingQuantities } from '../../../workers/lab/layer-view';
import { operate } from '../../../workers/lab/operate';
import { layerStatesOf } from '../../../workers/runtime/layer-state';
import { LayerStates, stateNamesOf, type StateTensor } from '../../../workers/runtime/layer-states';
import type { ProbeNames } from '../../../workers/runtime/probe-graph';
import { elementsOf, floatsOf, TensorValues } from '../../../workers/runtime/tensor-values';

const NO_PROBES: ProbeNames = {
  delta: new Map(),
  decay: new Map(),
  b: new Map(),
  c: new Map(),
  query: new Map(),
  output: new Map(),
};

const FALCON = parseSpec(
  'falcon',
  {
    model_type: 'falcon_h1',
    hidden_size: 8,
    vocab_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 4,
    mamba_d_ssm: 4,
    mamba_n_heads: 2,
    mamba_d_head: 2,
    mamba_d_state: 3,
    mamba_d_conv: 4,
  },
  {},
);
const OLMO = parseSpec(
  'olmo',
  {
    model_type: 'olmo_hybrid',
    hidden_size: 8,
    vocab_size: 16,
    num_attention_heads: 2,
    num_hidden_layers: 1,
    layer_types: ['linear_attention'],
    linear_key_head_dim: 3,
    linear_value_head_dim: 6,
  },
  {},
);
const LFM2 = parseSpec(
  'lfm2',
  {
    model_type: 'lfm2',
    hidden_size: 8,
    vocab_size: 16,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    num_hidden_layers: 2,
    layer_types: ['conv', 'full_attention'],
    conv_L_cache: 3,
  },
  {},
);

const DIMS: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  falcon: {
    'past_conv.0': [1, 10, 4],
    // Hugging Face's way: channels first.
    'past_ssm.0': [1, 2, 2, 3],
    'past_key_values.0.key': [1, 1, 0, 4],
    'past_key_values.0.value': [1, 1, 0, 4],
  },
  olmo: {
    'past_conv.0.query': [1, 6, 4],
    'past_conv.0.key': [1, 6, 4],
    'past_conv.0.value': [1, 12, 4],
    'past_recurrent.0': [1, 2, 3, 6],
  },
  lfm2: {
    'past_conv.0': [1, 8, 3],
    'past_key_values.1.key': [1, 1, 0, 4],
    'past_key_values.1.value': [1, 1, 0, 4],
  },
};

function tensor(dims: readonly number[], data: Float32Array): StateTensor {
  return { dims, data, type: 'float32', location: 'cpu', gpuBuffer: null, dispose: () => {} };
}

/** States after three tokens, each tensor counting up from 1, and a session that reads and makes such. */
function stand(spec: ModelSpec) {
  const dimsOf = (name: string): readonly number[] | undefined => DIMS[spec.name]?.[name];
  const layers = layerStatesOf(spec, dimsOf, () => false);
  const tensors = new Map(
    spec.layers.flatMap(stateNamesOf).map((name) => {
      const dims = (dimsOf(name) ?? []).map((size) => (size === 0 ? 3 : size));
      const values = Float32Array.from({ length: elementsOf(dims) }, (_, at) => at + 1);
      return [name, tensor(dims, values)] as const;
    }),
  );
  const session = {
    probes: NO_PROBES,
    layers,
    hasLayerwiseKv: true,
    values: new TensorValues(async () => null),
    stateTensor: (type: string, bytes: Uint8Array, dims: readonly number[]) =>
      tensor(dims, floatsOf(type, bytes).slice()),
  };
  return { session, states: new LayerStates(tensors, 3) };
}

const look = (spec: ModelSpec, layer: number, head: number) => {
  const { session, states } = stand(spec);
  return inspectLayers(session, spec, [{ layer, head }], states, { probes: new Map(), states });
};

describe('layers of other families', () => {
  it('are named by all that they do', () => {
    const [layer] = FALCON.layers;
    if (layer === undefined) throw new Error('no layer');
    expect(layerLetters(layer)).toBe('M*');
    expect(layerName(layer)).toMatch(/^Mamba beside attention/);
    expect(stripSentence(LFM2.layers, null, new Float32Array())).toMatch(
      /1 convolution, 1 attention/,
    );
  });

  it('show both mixers where two stand side by side, and a transposed state as it is meant', async () => {
    const looks = await look(FALCON, 0, 1);
    expect(looks.map(({ kind }) => kind)).toEqual(['mamba', 'attention']);
    const [mamba] = looks;
    if (mamba?.kind !== 'mamba') throw new Error('no Mamba layer');
    // Head 1 lies as (2 channels, 3 states): 7 8 9 / 10 11 12.
    expect(mamba.state).toEqual({
      rows: 3,
      columns: 2,
      values: Float32Array.of(7, 10, 8, 11, 9, 12),
    });
    expect(mamba.stateNorm[1]).toBeCloseTo(Math.hypot(7, 8, 9, 10, 11, 12), 4);
    expect(mamba.convWindow).toMatchObject({ rows: 10, columns: 4 });
  });

  it('show the fewer heads of one mixer beside the more of the other', async () => {
    const looks = await look(FALCON, 0, 3);
    expect(looks.map((one) => ('head' in one ? one.head : null))).toEqual([1, 3]);
    await expect(look(FALCON, 0, 4)).rejects.toThrow('heads 0 to 3');
  });

  it('show the state and all three convolutions of a delta-rule layer', async () => {
    const [delta] = await look(OLMO, 0, 0);
    if (delta?.kind !== 'delta') throw new Error('no delta-rule layer');
    expect(delta.state).toMatchObject({ rows: 3, columns: 6 });
    expect(delta.state.values[0]).toBe(1);
    expect(delta.convWindow).toMatchObject({ rows: 24, columns: 4 });
    expect(delta.hiddenAttention).toBeNull();
    expect(delta.effectiveRank).toBeGreaterThanOrEqual(1);
  });

  it('show the window of a lone convolution, which is all it has', async () => {
    expect(await look(LFM2, 0, 0)).toMatchObject([
      { kind: 'conv', layer: 0, convWindow: { rows: 8, columns: 3 } },
    ]);
  });

  it('say what they lack and why', () => {
    const said = (spec: ModelSpec) =>
      missingQuantities(spec, NO_PROBES).map(({ quantity, reason }) => `${quantity}: ${reason}`);
    expect(said(OLMO).join('\n')).toMatch(/b: The delta rule erases .* no hidden attention/);
    expect(said(OLMO).join('\n')).toMatch(/delta: A delta-rule layer has no step size/);
    expect(said(FALCON).join('\n')).toMatch(/query: .*attention rows cannot be read/);
    // A convolution is asked for nothing that it could lack but its activity.
    expect(
      missingQuantities(LFM2, NO_PROBES).filter(({ layers }) => layers.includes(0)),
    ).toMatchObject([{ quantity: 'output' }]);
  });
});

describe('surgery on other families', () => {
  it('zeroes one head of a delta-rule state and leaves the rest', async () => {
    const { session, states } = stand(OLMO);
    const cut = await operate(session, OLMO, states, [
      { kind: 'zero', target: { scope: 'head', layer: 0, head: 1 } },
    ]);
    const [values] = await session.values.read([{ tensor: cut.tensor('past_recurrent.0') }]);
    expect(Array.from(values?.subarray(0, 18) ?? [])).toEqual(
      Array.from({ length: 18 }, (_, at) => at + 1),
    );
    expect(values?.subarray(18).every((value) => value === 0)).toBe(true);
  });

  it('drops the cache of an attention mixer beside Mamba, and keeps the state', async () => {
    const { session, states } = stand(FALCON);
    const cut = await operate(session, FALCON, states, [{ kind: 'kv-drop', layer: null }]);
    expect(cut.tensor('past_key_values.0.key').dims).toEqual([1, 1, 0, 4]);
    expect(cut.tensor('past_ssm.0')).toBe(states.tensor('past_ssm.0'));
  });

  it('refuses where there is no recurrent state, and says so', async () => {
    const { session, states } = stand(LFM2);
    await expect(
      operate(session, LFM2, states, [{ kind: 'zero', target: { scope: 'all' } }]),
    ).rejects.toThrow('no recurrent state to operate on');
  });
});
