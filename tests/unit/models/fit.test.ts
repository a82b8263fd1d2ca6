// What runs where, and why not: by memory, by 16 bits, by the vocabulary's size, by storage; and what is recommended.
import { describe, expect, it } from 'vitest';
import { judge, memoryOf, recommend, type DeviceOffer } from '../../../src/models/fit';
import { REGISTRY } from '../../../src/models/registry';
import { readStack } from '../../../src/models/stack';

const GIB = 1024 ** 3;
const GPU = {
  hasF16: true,
  isEmulated: false,
  name: 'test gpu',
  maxBufferBytes: 2 * GIB,
  maxStorageBindingBytes: GIB,
};
const DESKTOP: DeviceOffer = {
  memoryBytes: 8 * GIB,
  gpu: GPU,
  storage: { quotaBytes: 60 * GIB, usedBytes: 0 },
};
const PHONE: DeviceOffer = {
  memoryBytes: 4 * GIB,
  gpu: { missing: 'this browser has no WebGPU' },
  storage: null,
};

function modelOf(id: string) {
  const entry = REGISTRY.find((other) => other.id === id);
  if (entry === undefined) throw new Error(`no ${id}`);
  return {
    stack: readStack(entry.config),
    variants: entry.variants,
    parameters: entry.parameters,
    activeParameters: entry.activeParameters,
  };
}

describe('judge', () => {
  it('takes the 16-bit file on a device with 16 bits, the q4 file on one without', () => {
    expect(judge(modelOf('granite-4.0-h-350m'), DESKTOP)).toMatchObject({
      fit: 'fits',
      device: 'webgpu',
      variant: { dtype: 'q4f16' },
      msPerToken: null,
      reasons: [],
    });
    const old = { ...DESKTOP, gpu: { ...GPU, hasF16: false } };
    expect(judge(modelOf('granite-4.0-h-350m'), old).variant?.dtype).toBe('q4');
  });

  it('says when only 16-bit files are there and the device has none', () => {
    const verdict = judge(modelOf('qwen3-0.6b'), { ...DESKTOP, gpu: { ...GPU, hasF16: false } });
    expect(verdict.fit).toBe('no');
    expect(verdict.reasons[0]).toMatch(/16 bits only \(q4f16\).*test gpu/);
  });

  it('says when memory is too small, with both figures', () => {
    expect(judge(modelOf('lfm2-8b-a1b'), PHONE)).toMatchObject({ fit: 'no', device: 'wasm' });
    expect(judge(modelOf('lfm2-8b-a1b'), PHONE).reasons[0]).toMatch(
      /needs 10\.\d GiB at once.*4\.00 GiB/,
    );
    const small = { ...DESKTOP, memoryBytes: 2 * GIB };
    const verdict = judge(modelOf('nemotron-3-nano-4b'), small);
    expect(verdict.fit).toBe('no');
    expect(verdict.reasons[0]).toContain('2.00 GiB that this browser tells');
    expect(judge(modelOf('nemotron-3-nano-4b'), { ...DESKTOP, memoryBytes: 4 * GIB }).fit).toBe(
      'tight',
    );
  });

  it('treats an emulated graphics device as none', () => {
    const emulated = { ...DESKTOP, gpu: { ...GPU, isEmulated: true } };
    expect(judge(modelOf('granite-4.0-h-350m'), emulated).device).toBe('wasm');
  });

  it('says when the vocabulary is too large for one binding', () => {
    const tiny = { ...DESKTOP, gpu: { ...GPU, maxStorageBindingBytes: 100 * 1024 ** 2 } };
    const verdict = judge(modelOf('qwen3.5-0.8b'), {
      ...tiny,
      gpu: { ...tiny.gpu, hasF16: false },
    });
    expect(verdict).toMatchObject({ fit: 'no' });
    expect(verdict.reasons[0]).toContain('vocabulary');
  });

  it('warns of a processor’s pace and of full storage', () => {
    const slow = judge(modelOf('lfm2.5-1.2b'), PHONE);
    expect(slow.fit).toBe('tight');
    expect(slow.msPerToken).toBeCloseTo(2925);
    expect(slow.reasons.join(' ')).toContain('about 3 s');
    const full = { ...DESKTOP, storage: { quotaBytes: GIB, usedBytes: GIB - 1000 } };
    expect(judge(modelOf('granite-4.0-h-350m'), full).reasons[0]).toContain('1000 B left');
  });

  it('knows what it does not know', () => {
    expect(judge(modelOf('olmo-hybrid-7b'), DESKTOP)).toMatchObject({
      fit: 'unknown',
      memory: null,
    });
  });

  it('reckons memory at 4,096 tokens from the config alone', () => {
    const { stack } = modelOf('qwen3-0.6b');
    const memory = memoryOf(stack, { dtype: 'q4f16', bytes: 1000 });
    expect(memory.now).toBe(1000);
    expect(memory.at4k - memory.now).toBe(28 * 2 * 8 * 128 * 2 * 4096);
  });
});

describe('the memory of a tab on WASM', () => {
  // What was measured (see fit.ts), against what the formula gives for the same files, in MB.
  const NO_STATES = { ...modelOf('qwen3-0.6b').stack, layers: [] };
  const BASE = { stack: NO_STATES, parameters: 24_500_000 };
  it.each([
    ['fp32', 98_050_090, 'auto', 428],
    ['q4', 17_884_173, 'auto', 331],
  ] as const)('%s: within a tenth of the measured', (dtype, bytes, preference, measured) => {
    const { memory } = judge({ ...BASE, variants: [{ dtype, bytes }] }, PHONE, preference);
    expect((memory?.now ?? 0) / 1e6 / measured).toBeGreaterThan(0.9);
    expect((memory?.now ?? 0) / 1e6 / measured).toBeLessThan(1.1);
  });
});

describe('recommend', () => {
  const candidates = (offer: DeviceOffer) =>
    REGISTRY.filter(({ config }) => config !== null).map(({ id }) => {
      const model = modelOf(id);
      return { id, parameters: model.parameters, verdict: judge(model, offer) };
    });

  it('takes the largest that fits on a graphics device, with the figure', () => {
    expect(recommend(candidates(DESKTOP), DESKTOP, 'tidepool')).toEqual({
      id: 'nemotron-3-nano-4b',
      reason: expect.stringMatching(/largest that fits.*GiB at 4,096 tokens/) as string,
    });
  });

  it('takes what a processor runs at reading pace once 4 bits are rewritten', () => {
    const desk = { ...DESKTOP, gpu: PHONE.gpu };
    expect(recommend(candidates(desk), desk, 'tidepool')).toEqual({
      id: 'falcon-h1-tiny-90m',
      reason: expect.stringContaining('reading pace') as string,
    });
    const falcon = modelOf('falcon-h1-tiny-90m');
    expect(judge(falcon, desk, 'auto').msPerToken).toBeCloseTo(45);
    expect(judge(falcon, desk, 'off').msPerToken).toBeCloseTo(225);
    // The tab, the file, the float32 weights and their copies; without the rewriting the file thrice.
    const states = memoryOf(falcon.stack, { dtype: 'q4', bytes: 0 }).now;
    expect(judge(falcon, desk, 'auto').memory?.now).toBe(42e6 + 147e6 + 2.75 * 90e6 * 4 + states);
    expect(judge(falcon, desk, 'off').memory?.now).toBe(42e6 + 3 * 147e6 + states);
  });

  it('stays with the embedded model on a small phone, and says why', () => {
    const small = { ...PHONE, memoryBytes: GIB };
    expect(recommend(candidates(small), small, 'tidepool')).toEqual({
      id: 'tidepool',
      reason: expect.stringContaining('processor') as string,
    });
  });

  it('never advises gigabytes to a browser that says nothing of its memory', () => {
    const silent = { ...DESKTOP, memoryBytes: null };
    const { id } = recommend(candidates(silent), silent, 'tidepool');
    expect(modelOf(id).variants[0]?.bytes ?? 0).toBeLessThan(GIB);
  });
});
