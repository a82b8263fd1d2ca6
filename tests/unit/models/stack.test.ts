// What the registry's configs tell of layers and states, against figures that the makers publish or that are reckoned by hand.
import { describe, expect, it } from 'vitest';
import { NEMOTRON_3_NANO_4B } from '../../../src/core/memory/reference-specs';
import { FLOAT32_WIDTHS, stateBytesAt } from '../../../src/core/memory/state-memory';
import { countParts } from '../../../src/models/families';
import { REGISTRY } from '../../../src/models/registry';
import { readStack, stackStateBytes, stateWidthsOf } from '../../../src/models/stack';

function stackOf(id: string) {
  return readStack(REGISTRY.find((entry) => entry.id === id)?.config);
}

function partsOf(id: string): Record<string, number> {
  return Object.fromEntries(countParts(stackOf(id).layers));
}

describe('the registry’s stacks', () => {
  it('have the layers that each maker publishes', () => {
    expect(partsOf('nemotron-3-nano-4b')).toEqual({ mamba: 21, attention: 4, mlp: 17 });
    expect(partsOf('granite-4.0-h-350m')).toEqual({ mamba: 28, attention: 4, mlp: 32 });
    expect(partsOf('granite-4.0-h-tiny')).toEqual({ mamba: 36, attention: 4, moe: 40 });
    expect(partsOf('falcon-h1-0.5b')).toEqual({ mamba: 36, attention: 36, mlp: 36 });
    expect(partsOf('lfm2.5-350m')).toEqual({ conv: 10, attention: 6, mlp: 16 });
    expect(partsOf('lfm2-8b-a1b')).toEqual({ conv: 18, attention: 6, mlp: 2, moe: 22 });
    expect(partsOf('qwen3.5-0.8b')).toEqual({ delta: 18, attention: 6, mlp: 24 });
    expect(partsOf('olmo-hybrid-7b')).toEqual({ delta: 24, attention: 8, mlp: 32 });
    expect(partsOf('qwen3-0.6b')).toEqual({ attention: 28, mlp: 28 });
  });

  it('remember what the gauge says of NVIDIA’s published shape', () => {
    for (const tokens of [0, 1, 4096])
      expect(stackStateBytes(stackOf('nemotron-3-nano-4b'), tokens, 'q4')).toBe(
        stateBytesAt(NEMOTRON_3_NANO_4B.spec, tokens, FLOAT32_WIDTHS).total,
      );
  });

  it('remember what is reckoned by hand', () => {
    // Float32: conv 10 layers × 1024 channels × 3 columns; KV 6 layers × 2 × 8 heads × 64.
    expect(stackStateBytes(stackOf('lfm2.5-350m'), 0, 'q4')).toBe(10 * 1024 * 3 * 4);
    expect(
      stackStateBytes(stackOf('lfm2.5-350m'), 1, 'q4') -
        stackStateBytes(stackOf('lfm2.5-350m'), 0, 'q4'),
    ).toBe(6 * 2 * 8 * 64 * 4);
    // Qwen3.5: 18 layers of 16 heads × 128 × 128, and (2 × 16 × 128 + 16 × 128) channels × 4 columns.
    expect(stackStateBytes(stackOf('qwen3.5-0.8b'), 0, 'q4')).toBe(
      18 * (16 * 128 * 128 + 6144 * 4) * 4,
    );
    // 16 bits: half for what grows and for convolutions, the recurrent state as it was.
    expect(stackStateBytes(stackOf('qwen3.5-0.8b'), 0, 'q4f16')).toBe(
      18 * (16 * 128 * 128 * 4 + 6144 * 4 * 2),
    );
    expect(stateWidthsOf('q4f16')).toEqual({ ssmBytes: 4, convBytes: 2, kvBytes: 2 });
  });
});

describe('readStack', () => {
  it('refuses a family it does not know, and a config that is none', () => {
    expect(() => readStack({ model_type: 'jamba' })).toThrow(/"jamba"/);
    expect(() => readStack(null)).toThrow('config.json is not an object');
    expect(() => readStack({})).toThrow('model_type');
  });

  it('makes nothing of a senseless length', () => {
    expect(() =>
      readStack({
        model_type: 'qwen3',
        hidden_size: 8,
        num_hidden_layers: 1e9,
        num_attention_heads: 1,
      }),
    ).toThrow('num_hidden_layers in config.json is 1000000000');
  });
});
