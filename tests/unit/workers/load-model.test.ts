import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../../src/models/spec';
import { ladderModelOf, readsSinglyFaster } from '../../../workers/load-model';
import { planLadder } from '../../../workers/runtime/device-ladder';
import { explainSessionError } from '../../../workers/runtime/session-errors';

const SPEC = parseSpec(
  'pond',
  {
    model_type: 'lfm2',
    hidden_size: 1024,
    vocab_size: 65536,
    num_hidden_layers: 1,
    num_attention_heads: 16,
    layer_types: ['conv'],
    eos_token_id: 7,
  },
  {},
);

function listingOf(sizes: Record<string, number>) {
  return {
    source: 'hub' as const,
    id: 'some/pond',
    revision: null,
    baseUrl: 'https://hub/some/pond/',
    files: Object.entries(sizes).flatMap(([dtype, bytes]) => [
      { path: `onnx/model_${dtype}.onnx`, bytes: 1000, sha256: null, gitSha1: null },
      { path: `onnx/model_${dtype}.onnx_data`, bytes, sha256: null, gitSha1: null },
    ]),
    variants: Object.keys(sizes).map((dtype) => ({
      dtype,
      graphs: { model: `onnx/model_${dtype}.onnx` },
      externalData: { model: [`onnx/model_${dtype}.onnx_data`] },
    })),
  };
}

const GPU = {
  hasF16: false,
  isEmulated: false,
  name: 'acme',
  maxBufferBytes: 2 ** 28,
  maxStorageBindingBytes: 2 ** 28,
};
const BARE = { isIsolated: false, cores: 2, hasJspi: true };

describe('ladderModelOf', () => {
  const plan = (
    sizes: Record<string, number>,
    gpu: typeof GPU | { missing: string },
    wanted?: string,
  ) =>
    planLadder(
      { ...BARE, gpu },
      ladderModelOf({ spec: SPEC, listing: listingOf(sizes) }, wanted),
      'auto',
    );

  it('counts data beside the graph, and the largest tensor at most', () => {
    const { variants } = ladderModelOf({ spec: SPEC, listing: listingOf({ q4: 4e8 }) });
    expect(variants.get('q4')).toEqual({ bytes: 4e8 + 1000, tensorBytes: 65536 * 1024 * 4 });
  });

  it('takes for each device the best that there is', () => {
    const variants = (sizes: Record<string, number>): string[] =>
      plan(sizes, { ...GPU, hasF16: true }).rungs.map(
        ({ device, variant }) => `${device} ${variant}`,
      );
    expect(variants({ q4: 1e6, q4f16: 1e6, fp16: 1e6, fp32: 1e6 })).toEqual([
      'webgpu-f16 q4f16',
      'webgpu-f32 q4',
      'wasm q4',
    ]);
    expect(variants({ fp16: 1e6 })).toEqual(['webgpu-f16 fp16', 'wasm fp16']);
    expect(variants({ uint8: 1e6, fp32: 1e6 })).toEqual(['webgpu-f32 fp32', 'wasm uint8']);
  });

  it('says that 16 bits need a device that has them', () => {
    const { skipped } = plan({ q4f16: 1e6 }, GPU);
    expect(skipped[0]?.reason).toContain('no 16-bit shaders (shader-f16), which q4f16 needs');
  });

  it('tries a chosen variant where it can run, and names those there are', () => {
    const devices = plan({ q4: 1e6, quantized: 1e6 }, GPU, 'quantized').rungs;
    expect(devices.map(({ device, variant }) => [device, variant])).toEqual([
      ['webgpu-f32', 'quantized'],
      ['wasm', 'quantized'],
    ]);
    expect(() => plan({ q4: 1e6 }, GPU, 'q8')).toThrow('no variant "q8"; it has q4');
  });

  it('says that a model is too large', () => {
    const { rungs, skipped, isTooLarge } = plan({ q4: 5e9 }, { ...GPU, maxBufferBytes: 1e6 });
    expect([rungs, isTooLarge]).toEqual([[], true]);
    expect(skipped.map(({ reason }) => reason).join(' ')).toMatch(
      /binds 1000000 at most.*WebAssembly can hold about/s,
    );
    expect(plan({ q4: 1e6 }, { missing: 'none' }).isTooLarge).toBe(false);
  });
});

describe('readsSinglyFaster', () => {
  it('wants a clear difference', () => {
    expect(readsSinglyFaster(900, 100)).toBe(true);
    expect(readsSinglyFaster(140, 100)).toBe(false);
  });
});

describe('explainSessionError', () => {
  // As ONNX Runtime 1.30 and 1.31-dev say it.
  it.each([
    [
      'Could not find an implementation for GatedDeltaNet(1) node with name x',
      'model-unsupported',
      'GatedDeltaNet',
    ],
    [
      'Error No Op registered for GroupQueryRetention with domain_version of 1',
      'model-unsupported',
      'GroupQueryRetention',
    ],
    [
      'Fatal error: com.microsoft:FancyOp(-1) is not a registered function/op',
      'model-unsupported',
      'FancyOp',
    ],
    ['std::bad_alloc', 'out-of-memory', 'not enough memory for the model on WASM'],
    ['protobuf parsing failed', 'model-corrupt', 'no ONNX file'],
  ])('knows "%s"', (text, code, words) => {
    const error = explainSessionError(new Error(text), 'wasm');
    expect(error).toMatchObject({ code });
    expect(String(error)).toContain(words);
  });

  it('leaves alone what it does not know', () => {
    const error = new Error('something else');
    expect(explainSessionError(error, 'wasm')).toBe(error);
  });
});
