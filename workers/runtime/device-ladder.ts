/**
 * Owns the order in which devices are tried and the plain reason for leaving each: probing the browser, planning the
 * rungs, judging a self-test. Owns no loading (engine.ts climbs).
 */
import type { DeviceAttempt, DeviceKind, DevicePreference } from '../../src/protocol/engine-api';
import { formatBytes } from '../../src/core/units';
import { probeGpu } from '../../src/models/device-probe';
import { threadsFor, type DeviceProfile } from '../../src/models/device-profile';
import type { ModelSpec } from '../../src/core/model-spec';
import type { GoldenLogits } from '../../src/models/spec';
import type { RuntimeBuild } from './session';

/** A rung that is worth trying. */
export interface Rung {
  readonly device: DeviceKind;
  readonly provider: 'wasm' | 'webgpu';
  readonly build: RuntimeBuild;
  readonly threads: number;
  /** dtype of the listing's variant. */
  readonly variant: string;
}

export interface Ladder {
  /** Rungs to try, best first. */
  readonly rungs: readonly Rung[];
  /** Rungs that need no try, with the reason. */
  readonly skipped: readonly DeviceAttempt[];
  /** A rung was skipped because the model does not fit on it. */
  readonly isTooLarge: boolean;
}

/** What planning must know of a model. */
export interface LadderModel {
  readonly name: string;
  /** By dtype: bytes of all weights, and of the largest tensor at most. */
  readonly variants: ReadonlyMap<string, { readonly bytes: number; readonly tensorBytes: number }>;
  /** The person chose the variant: it is tried wherever it can run at all. */
  readonly isChosen: boolean;
}

/** Asks the browser what it has. Never throws: what cannot be asked is missing. */
export async function probeDevice(): Promise<DeviceProfile> {
  const scope: {
    navigator?: { gpu?: GPU; hardwareConcurrency: number };
    crossOriginIsolated?: boolean;
  } = globalThis;
  return {
    gpu: await probeGpu(scope.navigator?.gpu),
    isIsolated: scope.crossOriginIsolated === true && typeof SharedArrayBuffer !== 'undefined',
    cores: scope.navigator?.hardwareConcurrency ?? 1,
    hasJspi: 'Suspending' in WebAssembly,
  };
}

/**
 * Best first. On a GPU int8 files compute on the CPU beside it, so they stay out. On WASM integers of 8 bits are fastest;
 * MatMulNBits decodes 4 bits several times slower; 16 bits are widened to 32 at every step, and cost twice.
 */
const VARIANTS: Readonly<Record<DeviceKind, readonly string[]>> = {
  'webgpu-f16': ['q4f16', 'fp16'],
  'webgpu-f32': ['q4', 'bnb4', 'fp32'],
  'wasm-threads': ['quantized', 'q8', 'int8', 'uint8', 'q4', 'fp32', 'bnb4', 'q4f16', 'fp16'],
  wasm: ['quantized', 'q8', 'int8', 'uint8', 'q4', 'fp32', 'bnb4', 'q4f16', 'fp16'],
};

/** Names said where none of them is there: the ones a person would look for. */
const USUAL: Readonly<Record<DeviceKind, string>> = {
  'webgpu-f16': 'q4f16',
  'webgpu-f32': 'q4 or fp32',
  'wasm-threads': 'quantized, q4 or fp32',
  wasm: 'quantized, q4 or fp32',
};

const KINDS: readonly DeviceKind[] = ['webgpu-f16', 'webgpu-f32', 'wasm-threads', 'wasm'];

/** WebAssembly addresses 4 GiB; weights, their copies at load and the states must fit. */
const WASM_WEIGHT_BYTES = 3.5 * 1024 ** 3;

function isHalf(dtype: string): boolean {
  return dtype.includes('16');
}

/** Bytes of the largest tensor at most: the vocabulary's matrix, or the whole file where that is less. */
export function largestTensorBytes(spec: ModelSpec, dtype: string, fileBytes: number): number {
  // Exports leave the vocabulary's matrix in floats, or quantise it as the rest.
  const width = isHalf(dtype) ? 2 : 4;
  return Math.min(fileBytes, spec.vocabSize * spec.hiddenSize * width);
}

function variantFor(device: DeviceKind, { variants, isChosen }: LadderModel): string | undefined {
  const preferred = VARIANTS[device].find((name) => variants.has(name));
  if (preferred !== undefined || !isChosen) return preferred;
  const [chosen] = variants.keys();
  return device === 'webgpu-f16' || chosen === undefined || isHalf(chosen) ? undefined : chosen;
}

/**
 * Plans the rungs for this browser, model and preference. `attempted` are rungs that an earlier worker has left; they
 * are neither tried nor reported again.
 */
export function planLadder(
  profile: DeviceProfile,
  model: LadderModel,
  preference: DevicePreference,
  attempted: readonly DeviceAttempt[] = [],
): Ladder {
  const rungs: Rung[] = [];
  const skipped: DeviceAttempt[] = [];
  let isTooLarge = false;
  for (const device of KINDS) {
    if (attempted.some((attempt) => attempt.device === device)) continue;
    const variant = variantFor(device, model);
    const tooLarge = variant === undefined ? null : reasonOfSize(device, variant, profile, model);
    const reason = reasonToSkip(device, variant, profile, model, preference) ?? tooLarge;
    if (reason !== null || variant === undefined) {
      isTooLarge ||= reason === tooLarge && tooLarge !== null;
      skipped.push({ device, outcome: 'skipped', reason: reason ?? '' });
      continue;
    }
    const isGpu = device.startsWith('webgpu');
    rungs.push({
      device,
      provider: isGpu ? 'webgpu' : 'wasm',
      // JSPI: 16.8 MB to fetch against 26.8. onnxruntime-web/webgpu's glue drives both builds; with 1.31-dev in
      // Chromium 156 JSPI answered through to the end, asyncify was seen to load its files only.
      build: isGpu ? (profile.hasJspi ? 'jspi' : 'asyncify') : 'plain',
      threads: device === 'wasm-threads' ? threadsFor(profile.cores) : 1,
      variant,
    });
  }
  return { rungs, skipped, isTooLarge };
}

/** Why the weights do not fit on a device; null where they may. */
function reasonOfSize(
  device: DeviceKind,
  variant: string,
  { gpu }: DeviceProfile,
  { name, variants }: LadderModel,
): string | null {
  const { bytes, tensorBytes } = variants.get(variant) ?? { bytes: 0, tensorBytes: 0 };
  if (device === 'wasm' || device === 'wasm-threads') {
    return bytes > WASM_WEIGHT_BYTES
      ? `${name} has ${formatBytes(bytes)} of weights as ${variant}; WebAssembly can hold about ${formatBytes(WASM_WEIGHT_BYTES)}.`
      : null;
  }
  if ('missing' in gpu) return null;
  const most = Math.min(gpu.maxBufferBytes, gpu.maxStorageBindingBytes);
  return tensorBytes > most
    ? `The largest part of the weights has ${tensorBytes} bytes; the graphics device (${gpu.name}) binds ${most} at most.`
    : null;
}

function reasonToSkip(
  device: DeviceKind,
  variant: string | undefined,
  profile: DeviceProfile,
  model: LadderModel,
  preference: DevicePreference,
): string | null {
  switch (device) {
    case 'webgpu-f16':
    case 'webgpu-f32': {
      if (preference === 'wasm') return 'WASM was asked for.';
      const { gpu } = profile;
      if ('missing' in gpu) return `No WebGPU: ${gpu.missing}.`;
      if (gpu.isEmulated && preference === 'auto') {
        return `The graphics device (${gpu.name}) is emulated on the CPU, slower than WASM.`;
      }
      if (variant === undefined) return `The model ${model.name} has no ${USUAL[device]} file.`;
      if (device === 'webgpu-f16' && !gpu.hasF16) {
        return `The graphics device (${gpu.name}) has no 16-bit shaders (shader-f16), which ${variant} needs.`;
      }
      return null;
    }
    case 'wasm-threads':
      if (variant === undefined) return `The model ${model.name} has no ${USUAL[device]} file.`;
      if (!profile.isIsolated)
        return 'The page is not cross-origin isolated, so WASM threads cannot share memory.';
      if (threadsFor(profile.cores) < 2)
        return `This device has ${profile.cores} processor core(s): threads gain nothing.`;
      return null;
    case 'wasm':
      return variant === undefined ? `The model ${model.name} has no ${USUAL[device]} file.` : null;
    default: {
      const unknown: never = device;
      return `Unknown device ${String(unknown)}.`;
    }
  }
}

/** Largest |logit - golden| over the golden ids; NaN counts as infinitely wrong. */
export function goldenDifference(logits: Float32Array, golden: GoldenLogits): number {
  let worst = 0;
  golden.topIds.forEach((id, i) => {
    const difference = Math.abs((logits[id] ?? NaN) - (golden.topLogits[i] ?? NaN));
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  });
  return worst;
}

/** True when switching from the bound runtime to this rung needs a fresh worker. */
export function needsFreshWorker(
  bound: { build: RuntimeBuild; threads: number } | null,
  rung: Rung,
): boolean {
  return bound !== null && (bound.build !== rung.build || bound.threads !== rung.threads);
}
