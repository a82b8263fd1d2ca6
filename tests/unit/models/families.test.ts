import { describe, expect, it } from 'vitest';
import {
  attentionLayers,
  allAttentionTwin,
  convStateBytes,
  kvBytesPerToken,
  mambaLayers,
  recurrentLayers,
  ssmStateBytes,
  stateBytesAt,
} from '../../../src/core/memory/state-memory';
import type { ModelSpec } from '../../../src/core/model-spec';
import { countParts } from '../../../src/models/families';
import { parseSpec } from '../../../src/models/spec';
import { stateNamesOf } from '../../../workers/runtime/layer-states';

const WIDTHS = { ssmBytes: 4, convBytes: 2, kvBytes: 2 };

function read(config: object): ModelSpec {
  return parseSpec('x', config, {});
}

function parts(spec: ModelSpec): object {
  return Object.fromEntries(countParts(spec.layers));
}

/* Fields as published (config.json on the hub, copied in public repositories; the rest of each file plays no part). */

const GRANITE_TINY = {
  model_type: 'granitemoehybrid',
  hidden_size: 1536,
  vocab_size: 100352,
  max_position_embeddings: 131072,
  num_hidden_layers: 40,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  num_local_experts: 64,
  num_experts_per_tok: 6,
  mamba_n_heads: 48,
  mamba_d_head: 64,
  mamba_d_state: 128,
  mamba_n_groups: 1,
  mamba_d_conv: 4,
  mamba_expand: 2,
  layer_types: Array.from({ length: 40 }, (_, i) =>
    [5, 15, 25, 35].includes(i) ? 'attention' : 'mamba',
  ),
  eos_token_id: 100257,
};

const FALCON_05B = {
  model_type: 'falcon_h1',
  hidden_size: 1024,
  vocab_size: 32784,
  max_position_embeddings: 16384,
  num_hidden_layers: 36,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  head_dim: 64,
  mamba_d_ssm: 1536,
  mamba_n_heads: 24,
  mamba_d_head: 64,
  mamba_d_state: 128,
  mamba_n_groups: 1,
  mamba_d_conv: 4,
  mamba_expand: 2,
  attn_layer_indices: null,
  eos_token_id: 11,
};

const LFM2_350M = {
  model_type: 'lfm2',
  hidden_size: 1024,
  vocab_size: 65536,
  max_position_embeddings: 128000,
  num_hidden_layers: 16,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  conv_L_cache: 3,
  full_attn_idxs: [2, 5, 8, 10, 12, 14],
  eos_token_id: 7,
};

const LFM2_8B_A1B = {
  model_type: 'lfm2_moe',
  hidden_size: 2048,
  vocab_size: 65536,
  max_position_embeddings: 128000,
  num_hidden_layers: 24,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  conv_L_cache: 3,
  num_dense_layers: 2,
  num_experts: 32,
  num_experts_per_tok: 4,
  layer_types: Array.from({ length: 24 }, (_, i) =>
    [2, 6, 10, 14, 18, 21].includes(i) ? 'full_attention' : 'conv',
  ),
  eos_token_id: 7,
};

const QWEN35_27B = {
  model_type: 'qwen3_5',
  text_config: {
    model_type: 'qwen3_5_text',
    hidden_size: 5120,
    vocab_size: 248320,
    max_position_embeddings: 262144,
    num_hidden_layers: 64,
    full_attention_interval: 4,
    num_attention_heads: 24,
    num_key_value_heads: 4,
    head_dim: 256,
    linear_conv_kernel_dim: 4,
    linear_key_head_dim: 128,
    linear_num_key_heads: 16,
    linear_num_value_heads: 48,
    linear_value_head_dim: 128,
    eos_token_id: 248044,
  },
};

const QWEN3_NEXT_80B = {
  model_type: 'qwen3_next',
  hidden_size: 2048,
  vocab_size: 151936,
  max_position_embeddings: 262144,
  num_hidden_layers: 48,
  num_attention_heads: 16,
  num_key_value_heads: 2,
  head_dim: 256,
  linear_conv_kernel_dim: 4,
  linear_key_head_dim: 128,
  linear_num_key_heads: 16,
  linear_num_value_heads: 32,
  linear_value_head_dim: 128,
  decoder_sparse_step: 1,
  mlp_only_layers: [],
  num_experts: 512,
  eos_token_id: 151645,
};

/** The head sizes are not in the file: transformers derives them. */
const OLMO_HYBRID_7B = {
  model_type: 'olmo_hybrid',
  hidden_size: 3840,
  vocab_size: 100352,
  max_position_embeddings: 65536,
  num_hidden_layers: 32,
  num_attention_heads: 30,
  eos_token_id: 100257,
};

const QWEN3_06B = {
  model_type: 'qwen3',
  hidden_size: 1024,
  vocab_size: 151936,
  max_position_embeddings: 40960,
  num_hidden_layers: 28,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
  eos_token_id: 151645,
};

describe('parseSpec over the families', () => {
  it('reads Granite 4: Mamba or attention, each with a feed-forward part', () => {
    const spec = read(GRANITE_TINY);
    expect(parts(spec)).toEqual({ mamba: 36, attention: 4, moe: 40 });
    expect(spec.layers[0]).toEqual({
      kind: 'mamba',
      index: 0,
      heads: 48,
      headDim: 64,
      stateSize: 128,
      groups: 1,
      convKernel: 4,
      convDim: 3328,
      feedForward: 'moe',
    });
    // 1536 / 12, not in the file.
    expect(spec.layers[5]).toMatchObject({
      kind: 'attention',
      heads: 12,
      kvHeads: 4,
      headDim: 128,
    });
    expect(parts(read({ ...GRANITE_TINY, num_local_experts: 0 }))).toMatchObject({ mlp: 40 });
    // transformers 5 writes its own names for the same layers; `auto` stands for expand · hidden / heads.
    const renamed = read({
      ...GRANITE_TINY,
      mamba_d_head: 'auto',
      layer_types: GRANITE_TINY.layer_types.map((name) =>
        name === 'mamba' ? 'linear_attention' : 'full_attention',
      ),
    });
    expect(renamed.layers).toEqual(spec.layers);
  });

  it('reads Falcon-H1: Mamba and attention side by side in every layer', () => {
    const spec = read(FALCON_05B);
    expect(parts(spec)).toEqual({ mamba: 36, attention: 36, mlp: 36 });
    expect(mambaLayers(spec)).toHaveLength(36);
    expect(attentionLayers(spec).map(({ index }) => index)).toEqual(
      Array.from({ length: 36 }, (_, i) => i),
    );
    const [layer] = spec.layers;
    if (layer === undefined) throw new Error('no layers');
    expect(stateNamesOf(layer)).toEqual([
      'past_conv.0',
      'past_ssm.0',
      'past_key_values.0.key',
      'past_key_values.0.value',
    ]);
    // Published shapes: conv (1, 1792, 4), SSM (1, 24, 64, 128), KV (1, 2, tokens, 64).
    expect(stateBytesAt(spec, 100, WIDTHS)).toEqual({
      ssm: 36 * 24 * 64 * 128 * 4,
      conv: 36 * 1792 * 4 * 2,
      kv: 36 * 2 * 2 * 64 * 100 * 2,
      total: 36 * (24 * 64 * 128 * 4 + 1792 * 4 * 2 + 2 * 2 * 64 * 100 * 2),
    });
  });

  it('reads LFM2: layers that are a short convolution only', () => {
    const spec = read(LFM2_350M);
    expect(parts(spec)).toEqual({ conv: 10, attention: 6, mlp: 16 });
    expect(spec.layers[0]).toEqual({
      kind: 'conv',
      index: 0,
      convKernel: 3,
      convDim: 1024,
      feedForward: 'mlp',
    });
    expect(ssmStateBytes(spec, 4)).toBe(0);
    expect(convStateBytes(spec, 2, 'kernel')).toBe(10 * 1024 * 3 * 2);
    expect(kvBytesPerToken(spec, 2)).toBe(6 * 2 * 8 * 64 * 2);
    expect(parts(read(LFM2_8B_A1B))).toEqual({ conv: 18, attention: 6, mlp: 2, moe: 22 });
  });

  it('reads the delta rule of Qwen3.5 and Qwen3-Next', () => {
    const spec = read(QWEN35_27B);
    expect(spec).toMatchObject({ modelType: 'qwen3_5', vocabSize: 248320, eosTokenIds: [248044] });
    expect(parts(spec)).toEqual({ delta: 48, attention: 16, mlp: 64 });
    expect(spec.layers[0]).toEqual({
      kind: 'delta',
      index: 0,
      heads: 48,
      headDim: 128,
      stateSize: 128,
      groups: 16,
      convKernel: 4,
      convDim: 48 * 128 + 2 * 16 * 128,
      hasSplitConv: false,
      feedForward: 'mlp',
    });
    expect(
      recurrentLayers(spec)
        .map(({ index }) => index)
        .slice(0, 5),
    ).toEqual([0, 1, 2, 4, 5]);
    expect(mambaLayers(spec)).toEqual([]);
    expect(ssmStateBytes(spec, 4)).toBe(48 * 48 * 128 * 128 * 4);
    expect(parts(read(QWEN3_NEXT_80B))).toEqual({ delta: 36, attention: 12, moe: 48 });
  });

  it('reads OLMo-Hybrid: a convolution each for query, key and value', () => {
    const spec = read(OLMO_HYBRID_7B);
    expect(parts(spec)).toEqual({ delta: 24, attention: 8, mlp: 32 });
    const [layer] = spec.layers;
    if (layer?.kind !== 'delta') throw new Error('no delta layer');
    expect(layer).toMatchObject({ groups: 30, heads: 30, stateSize: 96, headDim: 192 });
    expect(stateNamesOf(layer)).toEqual([
      'past_conv.0.key',
      'past_conv.0.value',
      'past_conv.0.query',
      'past_recurrent.0',
    ]);
    // Key and query 30·96, value 30·192 channels.
    expect(layer.convDim).toBe(2 * 2880 + 5760);
  });

  it('reads a pure transformer', () => {
    const spec = read(QWEN3_06B);
    expect(parts(spec)).toEqual({ attention: 28, mlp: 28 });
    expect(stateBytesAt(spec, 1, WIDTHS)).toEqual({
      ssm: 0,
      conv: 0,
      kv: 28 * 2 * 8 * 128 * 2,
      total: 28 * 2 * 8 * 128 * 2,
    });
  });

  it('puts attention in place of every recurrence and convolution of the twin', () => {
    for (const config of [GRANITE_TINY, FALCON_05B, LFM2_350M, QWEN35_27B, OLMO_HYBRID_7B]) {
      const spec = read(config);
      const twin = allAttentionTwin(spec);
      if (twin === null) throw new Error('no twin');
      expect(attentionLayers(twin)).toHaveLength(spec.layers.length);
      expect(ssmStateBytes(twin, 4) + convStateBytes(twin, 4, 'kernel')).toBe(0);
    }
  });

  it('names a layer of an unknown kind', () => {
    expect(() => read({ ...LFM2_350M, layer_types: ['conv', 'mamba'] })).toThrow(
      'Layer 1 of the model is of an unknown kind: "mamba"',
    );
  });
});
