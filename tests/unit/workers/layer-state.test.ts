import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../../src/models/spec';
import { layerStatesOf, readHead, writeHead } from '../../../workers/runtime/layer-state';
import { readDecoderInputs } from '../../../workers/runtime/session-inputs';

const FALCON = {
  model_type: 'falcon_h1',
  hidden_size: 8,
  vocab_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  mamba_d_ssm: 4,
  mamba_n_heads: 2,
  mamba_d_head: 2,
  mamba_d_state: 3,
  mamba_d_conv: 4,
};

function statesOf(config: object, dims: Record<string, readonly number[]>, isStateFirst = false) {
  return layerStatesOf(
    parseSpec('x', config, {}),
    (name) => dims[name],
    () => isStateFirst,
  );
}

const FALCON_DIMS = {
  'past_conv.0': [1, 10, 4],
  'past_ssm.0': [1, 2, 2, 3],
  'past_key_values.0.key': [1, 1, 0, 4],
  'past_key_values.0.value': [1, 1, 0, 4],
};

describe('layerStatesOf', () => {
  it('finds all states of a layer with parallel mixers, and how they lie', () => {
    expect(statesOf(FALCON, FALCON_DIMS).get(0)).toEqual({
      layer: 0,
      recurrent: { name: 'past_ssm.0', heads: 2, stateSize: 3, headDim: 2, isTransposed: true },
      conv: [{ name: 'past_conv.0', part: 'all', channels: 10, columns: 4 }],
      kv: {
        key: 'past_key_values.0.key',
        value: 'past_key_values.0.value',
        kvHeads: 1,
        headDim: 4,
      },
    });
    const stateFirst = { ...FALCON_DIMS, 'past_ssm.0': [1, 2, 3, 2] };
    expect(statesOf(FALCON, stateFirst).get(0)?.recurrent?.isTransposed).toBe(false);
  });

  it('asks the graph where a state is square', () => {
    const square = { ...FALCON, mamba_d_state: 2 };
    const dims = { ...FALCON_DIMS, 'past_conv.0': [1, 8, 4], 'past_ssm.0': [1, 2, 2, 2] };
    expect(statesOf(square, dims, true).get(0)?.recurrent?.isTransposed).toBe(false);
    expect(statesOf(square, dims, false).get(0)?.recurrent?.isTransposed).toBe(true);
  });

  it('finds the three convolutions of OLMo-Hybrid', () => {
    const config = {
      model_type: 'olmo_hybrid',
      hidden_size: 8,
      vocab_size: 16,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      layer_types: ['linear_attention'],
      linear_key_head_dim: 3,
      linear_value_head_dim: 6,
    };
    const dims = {
      'past_conv.0.query': [1, 6, 4],
      'past_conv.0.key': [1, 6, 4],
      'past_conv.0.value': [1, 12, 4],
      'past_recurrent.0': [1, 2, 3, 6],
    };
    const state = statesOf(config, dims).get(0);
    expect(state?.conv.map(({ part, channels }) => [part, channels])).toEqual([
      ['query', 6],
      ['key', 6],
      ['value', 12],
    ]);
    expect(state?.recurrent?.isTransposed).toBe(false);
  });

  it('says where config.json and the file disagree', () => {
    const says =
      (dims: Record<string, readonly number[]>): (() => unknown) =>
      () =>
        statesOf(FALCON, { ...FALCON_DIMS, ...dims });
    expect(says({ 'past_ssm.0': [1, 2, 5, 3] })).toThrow('"past_ssm.0" is 1 × 2 × 5 × 3');
    expect(says({ 'past_conv.0': [1, 9, 4] })).toThrow('9 channels, expected 10');
    expect(says({ 'past_key_values.0.value': [1, 2, 0, 4] })).toThrow('expected 1 × 1 × tokens');
    expect(() => statesOf(FALCON, {})).toThrow('the file has no input "past_conv.0"');
  });
});

describe('readHead and writeHead', () => {
  it('give a head as (stateSize, headDim) whichever way it lies', () => {
    const shape = { name: 'past_ssm.0', heads: 2, stateSize: 3, headDim: 2 };
    const values = Float32Array.from({ length: 12 }, (_, i) => i);
    const turned = { ...shape, isTransposed: true };
    expect([...readHead(values, { ...shape, isTransposed: false }, 1)]).toEqual([
      6, 7, 8, 9, 10, 11,
    ]);
    expect([...readHead(values, turned, 1)]).toEqual([6, 9, 7, 10, 8, 11]);
    const copy = new Float32Array(12);
    for (const head of [0, 1]) writeHead(copy, turned, head, readHead(values, turned, head));
    expect(copy).toEqual(values);
  });
});

describe('readDecoderInputs', () => {
  const input = (name: string, shape: (number | string)[], type = 'float32') =>
    ({ name, isTensor: true, type, shape }) as const;
  const INPUTS = [
    input('inputs_embeds', ['batch_size', 'sequence_length', 8]),
    input('attention_mask', ['batch_size', 'total_sequence_length'], 'int64'),
    input('position_ids', [3, 'batch_size', 'sequence_length'], 'int64'),
    input('num_logits_to_keep', [], 'int64'),
    input('past_recurrent.0', ['batch_size', 2, 3, 4], 'float16'),
    input('past_key_values.1.key', ['batch_size', 1, 'past_sequence_length', 4]),
  ];
  const OUTPUTS = ['present_recurrent.0', 'logits', 'present.1.key'];

  it('tells states from what is fed anew', () => {
    expect(readDecoderInputs(INPUTS, OUTPUTS, new Set())).toEqual({
      plain: {
        tokens: 'inputs_embeds',
        hasMask: true,
        positionRows: 3,
        keepDims: [],
        hasCacheSwitch: false,
      },
      states: [
        {
          past: 'past_recurrent.0',
          present: 'present_recurrent.0',
          type: 'float16',
          emptyDims: [1, 2, 3, 4],
        },
        {
          past: 'past_key_values.1.key',
          present: 'present.1.key',
          type: 'float32',
          emptyDims: [1, 1, 0, 4],
        },
      ],
    });
  });

  it('names what it cannot feed or does not find', () => {
    const says =
      (
        inputs: Parameters<typeof readDecoderInputs>[0],
        outputs: string[] = OUTPUTS,
      ): (() => unknown) =>
      () =>
        readDecoderInputs(inputs, outputs, new Set());
    expect(says([...INPUTS, input('pixel_values', [1])])).toThrow('"pixel_values"');
    expect(says(INPUTS, ['logits'])).toThrow('no output "present_recurrent.0"');
    expect(says(INPUTS.slice(1))).toThrow('no input "input_ids"');
    expect(says([input('input_ids', [1, 1]), input('past_ssm.0', [1, 2, 'x', 4])])).toThrow(
      'no fixed size (1 × 2 × x × 4)',
    );
    expect(says([input('input_ids', [1, 1]), input('past_ssm.0', [1, 2, 3, 4], 'int8')])).toThrow(
      'is int8',
    );
  });
});
