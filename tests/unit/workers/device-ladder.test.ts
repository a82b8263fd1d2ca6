import { describe, expect, it } from 'vitest';
import type { DeviceProfile, GpuProfile } from '../../../src/models/device-profile';
import {
  goldenDifference,
  needsFreshWorker,
  planLadder,
  type LadderModel,
} from '../../../workers/runtime/device-ladder';

const SIZES = { bytes: 20_000_000, tensorBytes: 20_000_000 };

const MODEL: LadderModel = {
  name: 'pond',
  variants: new Map(['q4', 'q4f16', 'quantized'].map((dtype) => [dtype, SIZES])),
  isChosen: false,
};

const GPU: GpuProfile = {
  hasF16: true,
  isEmulated: false,
  name: 'acme gen-1',
  maxBufferBytes: 268_435_456,
  maxStorageBindingBytes: 134_217_728,
};

const BEST: DeviceProfile = { gpu: GPU, isIsolated: true, cores: 8, hasJspi: true };

function reasons(ladder: ReturnType<typeof planLadder>): Record<string, string> {
  return Object.fromEntries(ladder.skipped.map(({ device, reason }) => [device, reason]));
}

describe('the ladder', () => {
  it('has all four rungs on a device that has everything', () => {
    const { rungs, skipped } = planLadder(BEST, MODEL, 'auto');
    expect(rungs).toEqual([
      { device: 'webgpu-f16', provider: 'webgpu', build: 'jspi', threads: 1, variant: 'q4f16' },
      { device: 'webgpu-f32', provider: 'webgpu', build: 'jspi', threads: 1, variant: 'q4' },
      {
        device: 'wasm-threads',
        provider: 'wasm',
        build: 'plain',
        threads: 4,
        variant: 'quantized',
      },
      { device: 'wasm', provider: 'wasm', build: 'plain', threads: 1, variant: 'quantized' },
    ]);
    expect(skipped).toEqual([]);
  });

  it('always ends on plain WASM, with a reason for every rung above', () => {
    const bare: DeviceProfile = {
      gpu: { missing: 'this browser has no WebGPU' },
      isIsolated: false,
      cores: 1,
      hasJspi: false,
    };
    const ladder = planLadder(bare, MODEL, 'auto');
    expect(ladder.rungs.map((rung) => rung.device)).toEqual(['wasm']);
    expect(reasons(ladder)).toEqual({
      'webgpu-f16': 'No WebGPU: this browser has no WebGPU.',
      'webgpu-f32': 'No WebGPU: this browser has no WebGPU.',
      'wasm-threads': expect.stringContaining('not cross-origin isolated') as string,
    });
  });

  it('takes asyncify where the browser has no JSPI', () => {
    const { rungs } = planLadder({ ...BEST, hasJspi: false }, MODEL, 'auto');
    expect(rungs[0]?.build).toBe('asyncify');
  });

  it('skips 16 bits without shader-f16 and names the device', () => {
    const ladder = planLadder({ ...BEST, gpu: { ...GPU, hasF16: false } }, MODEL, 'auto');
    expect(ladder.rungs[0]?.device).toBe('webgpu-f32');
    expect(reasons(ladder)['webgpu-f16']).toContain('acme gen-1');
  });

  it('uses an emulated GPU only when asked to', () => {
    const profile = { ...BEST, gpu: { ...GPU, isEmulated: true } };
    expect(planLadder(profile, MODEL, 'auto').rungs[0]?.device).toBe('wasm-threads');
    expect(planLadder(profile, MODEL, 'webgpu').rungs[0]?.device).toBe('webgpu-f16');
  });

  it('keeps WASM below WebGPU that was asked for, and leaves WebGPU out when WASM was', () => {
    expect(planLadder(BEST, MODEL, 'webgpu').rungs).toHaveLength(4);
    expect(planLadder(BEST, MODEL, 'wasm').rungs.map((rung) => rung.device)).toEqual([
      'wasm-threads',
      'wasm',
    ]);
  });

  it('skips a GPU that cannot bind the weights, with both sizes', () => {
    const ladder = planLadder(
      { ...BEST, gpu: { ...GPU, maxStorageBindingBytes: 1000 } },
      MODEL,
      'auto',
    );
    expect(reasons(ladder)['webgpu-f32']).toMatch(/20000000 bytes.*1000 at most/);
  });

  it('skips a variant that the model does not have', () => {
    const ladder = planLadder(
      BEST,
      { ...MODEL, variants: new Map([['quantized', SIZES]]) },
      'auto',
    );
    expect(ladder.rungs.map((rung) => rung.device)).toEqual(['wasm-threads', 'wasm']);
    expect(reasons(ladder)['webgpu-f16']).toBe('The model pond has no q4f16 file.');
  });

  it('goes on below what an earlier worker has left', () => {
    const attempted = [
      { device: 'webgpu-f16' as const, outcome: 'failed' as const, reason: 'x' },
      { device: 'webgpu-f32' as const, outcome: 'failed' as const, reason: 'y' },
    ];
    const ladder = planLadder(BEST, MODEL, 'auto', attempted);
    expect(ladder.rungs[0]?.device).toBe('wasm-threads');
    expect(ladder.skipped).toEqual([]);
  });

  it('knows when a rung needs another worker', () => {
    const [f16, f32, threads, wasm] = planLadder(BEST, MODEL, 'auto').rungs;
    if (f16 === undefined || f32 === undefined || threads === undefined || wasm === undefined)
      throw new Error('rungs');
    expect(needsFreshWorker(null, f16)).toBe(false);
    expect(needsFreshWorker({ build: 'jspi', threads: 1 }, f32)).toBe(false);
    expect(needsFreshWorker({ build: 'jspi', threads: 1 }, threads)).toBe(true);
    expect(needsFreshWorker({ build: 'plain', threads: 4 }, wasm)).toBe(true);
  });
});

describe('the self-test', () => {
  const golden = { topIds: [2, 0], topLogits: [5, 1], tolerance: 0.1 };

  it('measures the largest difference on the golden ids only', () => {
    expect(goldenDifference(Float32Array.of(1.25, 99, 5.5), golden)).toBeCloseTo(0.5);
  });

  it('is not fooled by NaN or a short row', () => {
    expect(goldenDifference(Float32Array.of(NaN, 0, 5), golden)).toBe(Infinity);
    expect(goldenDifference(Float32Array.of(1), golden)).toBe(Infinity);
  });
});
