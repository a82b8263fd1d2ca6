import { describe, expect, it } from 'vitest';
import { manifestFile, parseManifest, parseSpec } from '../../../src/models/spec';
import { thinkFormatOf } from '../../../src/models/think-format';

const CONFIG = {
  model_type: 'nemotron_h',
  hidden_size: 64,
  vocab_size: 4096,
  max_position_embeddings: 2048,
  layers_block_type: ['mamba', 'mlp', 'attention'],
  mamba_num_heads: 2,
  mamba_head_dim: 64,
  ssm_state_size: 32,
  n_groups: 1,
  conv_kernel: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  eos_token_id: 3,
};

describe('parseSpec', () => {
  it('reads the layers with their sizes', () => {
    expect(parseSpec('x', CONFIG, {})).toEqual({
      name: 'x',
      modelType: 'nemotron_h',
      hiddenSize: 64,
      vocabSize: 4096,
      maxPositions: 2048,
      layers: [
        {
          kind: 'mamba',
          index: 0,
          heads: 2,
          headDim: 64,
          stateSize: 32,
          groups: 1,
          convKernel: 4,
          convDim: 192,
        },
        { kind: 'mlp', index: 1 },
        { kind: 'attention', index: 2, heads: 4, kvHeads: 2, headDim: 16 },
      ],
      eosTokenIds: [3],
    });
  });

  it('reads Nemotron’s letters and Hugging Face’s newer names too', () => {
    const bare = { ...CONFIG, layers_block_type: undefined };
    const kinds = (config: object): string[] =>
      parseSpec('x', config, {}).layers.map((layer) => layer.kind);
    expect(kinds({ ...bare, hybrid_override_pattern: 'M-*E' })).toEqual([
      'mamba',
      'mlp',
      'attention',
      'moe',
    ]);
    expect(kinds({ ...bare, layer_types: ['linear_attention', 'full_attention'] })).toEqual([
      'mamba',
      'attention',
    ]);
  });

  it('names an unknown letter or kind and its place', () => {
    const bare = { ...CONFIG, layers_block_type: undefined };
    expect(() => parseSpec('x', { ...bare, hybrid_override_pattern: 'M-X' }, {})).toThrow(
      'Layer 2 of the model is of an unknown kind: the letter "X"',
    );
    expect(() => parseSpec('x', { ...CONFIG, layers_block_type: ['mamba', 'rwkv'] }, {})).toThrow(
      'Layer 1 of the model is of an unknown kind: "rwkv"',
    );
  });

  it('takes the end tokens of generation_config.json first', () => {
    expect(parseSpec('x', CONFIG, { eos_token_id: [5, 6] }).eosTokenIds).toEqual([5, 6]);
  });

  it('names the field that is missing or wrong', () => {
    expect(() => parseSpec('x', { ...CONFIG, ssm_state_size: undefined }, {})).toThrow(
      'ssm_state_size in config.json',
    );
    expect(() => parseSpec('x', { ...CONFIG, vocab_size: -4 }, {})).toThrow(
      'vocab_size in config.json is -4',
    );
    expect(() => parseSpec('x', { ...CONFIG, layers_block_type: 'M' }, {})).toThrow(
      'is not a list',
    );
    expect(() => parseSpec('x', null, {})).toThrow('config.json is not an object');
  });

  it('refuses another architecture by name', () => {
    expect(() => parseSpec('x', { ...CONFIG, model_type: 'rwkv7' }, {})).toThrow(
      'of the kind "rwkv7"',
    );
  });
});

const MANIFEST = {
  name: 'x',
  parameters: 10,
  files: [{ path: 'a.onnx', bytes: 3, sha256: 'ff' }],
  variants: { q4: 'a.onnx' },
  golden: { input_ids: [1, 2], q4: { top_ids: [7], top_logits: [-0.5], tolerance: 0.1 } },
};

describe('parseManifest', () => {
  it('reads files, variants and golden values', () => {
    const manifest = parseManifest(MANIFEST);
    expect(manifest.golden['q4']).toEqual({ topIds: [7], topLogits: [-0.5], tolerance: 0.1 });
    expect(manifest.goldenIds).toEqual([1, 2]);
    expect(manifestFile(manifest, 'a.onnx').bytes).toBe(3);
  });

  it('names what is wrong', () => {
    expect(() => parseManifest({ ...MANIFEST, files: [{ path: 'a', bytes: '3' }] })).toThrow(
      'files[0].bytes in manifest.json is "3"',
    );
    expect(() => parseManifest({ ...MANIFEST, golden: { input_ids: [1] } })).toThrow(
      'golden.q4 in manifest.json',
    );
    expect(() => parseManifest([])).toThrow('manifest.json is not an object');
    expect(() => manifestFile(parseManifest(MANIFEST), 'b.onnx')).toThrow('b.onnx is not listed');
  });
});

describe('thinkFormatOf', () => {
  const ids: Record<string, number> = {
    '<think>': 4,
    '</think>': 5,
    '<|im_start|>': 2,
    '<|im_end|>': 3,
    '<|endoftext|>': 0,
  };

  it('reads tags and ends of turn from the tokenizer', () => {
    expect(thinkFormatOf((token) => ids[token], [3])).toEqual({
      think: { openId: 4, closeId: 5, closeText: '\n</think>\n' },
      toolCall: null,
      turnStartId: 2,
      endIds: [3, 0],
    });
  });

  it('knows a model that does not think', () => {
    expect(thinkFormatOf(() => undefined, [9])).toEqual({
      think: null,
      toolCall: null,
      turnStartId: null,
      endIds: [9],
    });
  });
});
