/**
 * Owns the judgement whether a model can run on a device, on which part of it, with which variant, and why: arithmetic
 * over a stack, its variants and what the browser tells of the device. Owns no probing.
 */
import { formatBytes } from '../core/units';
import type { FourBitPreference } from '../protocol/engine-api';
import type { GpuProfile } from './device-profile';
import { float32Room } from './four-bit-room';
import { stackStateBytes, type Stack } from './stack';

/** What the browser tells; null where it tells nothing. */
export interface DeviceOffer {
  /** navigator.deviceMemory: rounded and capped by the browser, so true memory may be more. */
  readonly memoryBytes: number | null;
  readonly gpu: GpuProfile | { readonly missing: string };
  readonly storage: { readonly quotaBytes: number; readonly usedBytes: number } | null;
}

export interface SizedVariant {
  readonly dtype: string;
  /** Of graphs and data. */
  readonly bytes: number;
  /** Its weights lie beside the graph, and the engine's own kernels use them as they are packed on WASM. */
  readonly isInParts?: boolean;
}

export interface Memory {
  /** Before the first token: on WASM all that the tab takes, on a graphics device weights and states. */
  readonly now: number;
  /** The same after 4096 tokens. */
  readonly at4k: number;
}

export type Fit = 'fits' | 'tight' | 'no' | 'unknown';

export interface Verdict {
  readonly fit: Fit;
  readonly device: 'webgpu' | 'wasm';
  /** Null where no variant can run, or none is known. */
  readonly variant: SizedVariant | null;
  readonly memory: Memory | null;
  /** Bytes that starting it takes for a moment, where that is more than it keeps; else null. */
  readonly peakBytes: number | null;
  /** Milliseconds a token reckoned for the processor; null on a graphics device, whose speed is not known before. */
  readonly msPerToken: number | null;
  /** Whole sentences, the most important first. */
  readonly reasons: readonly string[];
}

/** WebAssembly of today addresses 4 GiB. */
const GIB = 1024 ** 3;
const WASM_LIMIT_BYTES = 4 * GIB;
/**
 * What a tab takes on WASM, measured with the 24-million-parameter preset (files of 17.9 MB in 4 bits, 98 MB in float32)
 * on 2026-11-23: all of the tab by `performance.measureUserAgentSpecificMemory` in Chromium 156 with one thread, the heap
 * by the length of its WebAssembly.Memory under Node. Tab with `mini`, an embedded model of 1.8 MB: 46.9 MB, of it 35 MB heap.
 *
 * | file | tab (MB) | heap (MB) |
 * | --- | ---: | ---: |
 * | float32 | 428 | 321 |
 * | 4 bits, rewritten to float32 at load | 331 | 151 |
 * | 4 bits as they are | – | 68 |
 *
 * The tab holds the file once beside the heap; for 4 bits as they are it is taken as the heap's share and that once.
 * An int8 file is taken as 4 bits: our own, whose weights ONNX Runtime unfolds to float32, took 352 MB for 25 MB. Files
 * with their data beside the graph were not measured and may take less.
 */
const TAB_BYTES = 42e6;
const HEAP_BYTES = 35e6;
/** Bytes for each byte of weights. */
const WASM_COPIES = {
  int8: { tab: 3, heap: 2 },
  q4: { tab: 3, heap: 2 },
  float: { tab: 4, heap: 3 },
  rewritten: { tab: 2.75, heap: 1.25 },
} as const;
/**
 * Bytes for each parameter of a file in parts, whose weights the engine's own kernels use as they are packed, measured with
 * Lagoon (137 million in 87 MB) on 2026-11-29: 573 MB at the peak, 429 MB when it was loaded and 339 MB after an answer, of
 * all of the page's process, Tidepool's 4 MB beside it included.
 */
const PACKED_BYTES = { peak: 3.9, tab: 2.8, heap: 0.85 } as const;
/** Beside weights and states on a graphics device: activations, the runtime, the page. Chosen, not measured. */
const WORK_BYTES = 256 * 1024 ** 2;
/** Shares of what the browser tells as memory: below the first a tab is let live, above the second it is not. */
const EASY_SHARE = 0.5;
const HARD_SHARE = 0.85;

/**
 * Milliseconds a token and a million parameters on one thread of WASM, measured for 19 M parameters: int8 11–14 ms,
 * 4 bits 35–60 ms, float 9–10 ms. The middle of each.
 */
const MS_PER_MILLION = { int8: 0.66, q4: 2.5, float: 0.5 } as const;
/** The same for 137 M parameters whose weights are used as they are packed: 31 ms a token. */
const PACKED_MS_PER_MILLION = 0.23;

/** Best first. A 4-bit file is last but one on WASM, whose kernel for it is slow. */
const PREFERENCE = {
  'webgpu-f16': ['q4f16', 'q4', 'fp16', 'quantized', 'fp32'],
  'webgpu-f32': ['q4', 'quantized', 'fp32'],
  wasm: ['quantized', 'q8', 'int8', 'q4', 'fp32'],
} as const;

function usableGpu(offer: DeviceOffer): GpuProfile | null {
  return 'missing' in offer.gpu || offer.gpu.isEmulated ? null : offer.gpu;
}

/** Weights as the file has them and the states, without what the device needs besides. */
export function memoryOf(stack: Stack, variant: SizedVariant): Memory {
  return {
    now: variant.bytes + stackStateBytes(stack, 0, variant.dtype),
    at4k: variant.bytes + stackStateBytes(stack, 4096, variant.dtype),
  };
}

/** What the tab takes on WASM, and how much of it the WASM heap; `floatBytes` are made of 4-bit weights at load. */
function wasmMemory(
  { now, at4k }: Memory,
  { dtype, bytes }: SizedVariant,
  floatBytes: number,
): { readonly tab: Memory; readonly heapAt4k: number } {
  const { tab, heap } = floatBytes > 0 ? WASM_COPIES.rewritten : WASM_COPIES[kernelOf(dtype)];
  const weights = floatBytes > 0 ? floatBytes : bytes;
  // The file stays beside the floats that were made of it; the states are in `now` and `at4k` with the file once.
  const more = TAB_BYTES + weights * tab - (floatBytes > 0 ? 0 : bytes);
  return {
    tab: { now: now + more, at4k: at4k + more },
    heapAt4k: at4k - bytes + HEAP_BYTES + weights * heap,
  };
}

/** The same for weights in parts that stay packed; and what reading them takes at its highest. */
function packedMemory(
  { now, at4k }: Memory,
  fileBytes: number,
  parameters: number,
): ReturnType<typeof wasmMemory> & { readonly peak: number } {
  // The file is let go when its parts are in the kernels' memory.
  const more = TAB_BYTES + parameters * PACKED_BYTES.tab - fileBytes;
  return {
    tab: { now: now + more, at4k: at4k + more },
    heapAt4k: at4k - fileBytes + parameters * PACKED_BYTES.heap,
    peak: TAB_BYTES + parameters * PACKED_BYTES.peak,
  };
}

function kernelOf(dtype: string): keyof typeof MS_PER_MILLION {
  if (dtype.startsWith('q4') || dtype === 'bnb4') return 'q4';
  return dtype === 'fp32' || dtype === 'fp16' ? 'float' : 'int8';
}

/** `heap` is what the WASM heap must hold; null on a graphics device. */
function memoryVerdict(
  needed: number,
  offer: DeviceOffer,
  heap: number | null,
): { readonly fit: Fit; readonly reason: string | null } {
  if (heap !== null && heap > WASM_LIMIT_BYTES) {
    return {
      fit: 'no',
      reason: `It needs ${formatBytes(heap)} at once; WebAssembly can address ${formatBytes(WASM_LIMIT_BYTES)}, and there is no graphics device here to take it.`,
    };
  }
  if (offer.memoryBytes === null) return { fit: 'fits', reason: null };
  const told = formatBytes(offer.memoryBytes);
  if (needed > offer.memoryBytes * HARD_SHARE)
    return {
      fit: 'no',
      reason: `It needs ${formatBytes(needed)} of the ${told} that this browser tells it has.`,
    };
  if (needed > offer.memoryBytes * EASY_SHARE)
    return {
      fit: 'tight',
      reason: `It needs ${formatBytes(needed)} of the ${told} that this browser tells it has: close other tabs first.`,
    };
  return { fit: 'fits', reason: null };
}

/** Bytes of float32 that the engine makes of a 4-bit file on the processor; 0 where it leaves it as it is. */
function rewrittenBytes(
  dtype: string,
  parameters: number | null,
  offer: DeviceOffer,
  preference: FourBitPreference,
): number {
  if (parameters === null || kernelOf(dtype) !== 'q4') return 0;
  return parameters * 4 <= float32Room(preference, offer.memoryBytes) ? parameters * 4 : 0;
}

/**
 * Judges one model. `parameters` are all of it, `activeParameters` those at work for one token; null where they are not
 * known.
 */
export function judge(
  model: {
    readonly stack: Stack;
    readonly variants: readonly SizedVariant[];
    readonly parameters: number | null;
    readonly activeParameters?: number | null;
  },
  offer: DeviceOffer,
  preference: FourBitPreference = 'auto',
): Verdict {
  const gpu = usableGpu(offer);
  const device = gpu === null ? 'wasm' : 'webgpu';
  const order: readonly string[] =
    gpu === null
      ? PREFERENCE.wasm
      : gpu.hasF16
        ? PREFERENCE['webgpu-f16']
        : PREFERENCE['webgpu-f32'];
  const base = { device, memory: null, peakBytes: null, msPerToken: null, variant: null } as const;
  if (model.variants.length === 0) {
    return {
      ...base,
      fit: 'unknown',
      reasons: ['The sizes of its files are not known yet; looking it up on the hub tells them.'],
    };
  }
  const variant = order
    .map((dtype) => model.variants.find((other) => other.dtype === dtype))
    .find((found) => found !== undefined);
  if (variant === undefined) {
    const has = model.variants.map(({ dtype }) => dtype).join(', ');
    const is16 = model.variants.every(({ dtype }) => dtype.includes('16'));
    return {
      ...base,
      fit: 'no',
      reasons: [
        is16
          ? `It comes in 16 bits only (${has}); ${gpu === null ? 'the processor' : `this graphics device (${gpu.name})`} computes in 32. Choose a model with a q4 file.`
          : `None of its files (${has}) is one that this device can run.`,
      ],
    };
  }
  const plain = memoryOf(model.stack, variant);
  const packed =
    device === 'wasm' && variant.isInParts === true && model.parameters !== null
      ? packedMemory(plain, variant.bytes, model.parameters)
      : null;
  const more =
    device === 'wasm' && packed === null
      ? rewrittenBytes(variant.dtype, model.parameters, offer, preference)
      : 0;
  const onWasm = device === 'wasm' ? (packed ?? wasmMemory(plain, variant, more)) : null;
  const memory = onWasm?.tab ?? plain;
  const peakBytes = packed !== null && packed.peak > memory.now ? Math.round(packed.peak) : null;
  const reasons: string[] = [];
  const byMemory =
    onWasm === null
      ? memoryVerdict(memory.at4k + WORK_BYTES, offer, null)
      : memoryVerdict(Math.max(memory.at4k, peakBytes ?? 0), offer, onWasm.heapAt4k);
  let { fit } = byMemory;
  if (byMemory.reason !== null) reasons.push(byMemory.reason);
  // The vocabulary's matrix is one binding, 4 bits a number at the least.
  const { vocabSize, hiddenSize } = model.stack;
  if (
    gpu !== null &&
    vocabSize !== null &&
    (vocabSize * hiddenSize) / 2 > gpu.maxStorageBindingBytes
  ) {
    fit = 'no';
    reasons.unshift(
      `Its vocabulary alone takes ${formatBytes((vocabSize * hiddenSize) / 2)} in one piece; this graphics device binds ${formatBytes(gpu.maxStorageBindingBytes)}.`,
    );
  }
  const working = model.activeParameters ?? model.parameters;
  const kernel = more > 0 ? 'float' : kernelOf(variant.dtype);
  const msPerMillion = packed !== null ? PACKED_MS_PER_MILLION : MS_PER_MILLION[kernel];
  const msPerToken = device === 'wasm' && working !== null ? (working / 1e6) * msPerMillion : null;
  if (fit !== 'no' && msPerToken !== null && msPerToken > SLOW_MS) {
    fit = 'tight';
    reasons.push(
      `Without a graphics device a token would take about ${Number((msPerToken / 1000).toPrecision(1))} s, reckoned from a model of 19 million parameters that was measured.`,
    );
  }
  const free = offer.storage === null ? null : offer.storage.quotaBytes - offer.storage.usedBytes;
  if (free !== null && variant.bytes > free)
    reasons.push(
      `This browser has ${formatBytes(Math.max(free, 0))} left to keep files in, the model takes ${formatBytes(variant.bytes)}: it would have to be fetched anew each time.`,
    );
  return { fit, device, variant, memory, peakBytes, msPerToken, reasons };
}

/** Above this a sentence takes longer than a minute. */
const SLOW_MS = 400;
/** A token in at most this time feels like writing; slower ones are not recommended. */
const PLEASANT_MS = 120;

export interface Candidate {
  readonly id: string;
  readonly parameters: number | null;
  readonly verdict: Verdict;
}

/**
 * The model to recommend and why: the largest that fits with room to spare, and on the processor answers at the pace
 * of reading; `fallbackId` where none does.
 */
export function recommend(
  candidates: readonly Candidate[],
  offer: DeviceOffer,
  fallbackId: string,
): { readonly id: string; readonly reason: string } {
  const good = candidates
    .filter(
      ({ verdict }) =>
        verdict.fit === 'fits' &&
        (verdict.msPerToken === null || verdict.msPerToken <= PLEASANT_MS) &&
        // Without a word about memory a download of gigabytes is no advice.
        (offer.memoryBytes !== null || (verdict.memory?.at4k ?? Infinity) < 1024 ** 3),
    )
    .sort((a, b) => (b.parameters ?? 0) - (a.parameters ?? 0));
  const [best] = good;
  const gpu = usableGpu(offer);
  if (best === undefined || best.id === fallbackId) {
    return {
      id: fallbackId,
      reason:
        gpu === null
          ? 'This device computes on its processor, where larger models write less than 8 tokens a second.'
          : 'No larger model fits what this device tells of itself.',
    };
  }
  const memory = best.verdict.memory;
  const need = memory === null ? '' : ` It needs ${formatBytes(memory.at4k)} at 4,096 tokens.`;
  return {
    id: best.id,
    reason:
      gpu === null
        ? `The largest that this processor runs at reading pace.${need}`
        : `The largest that fits this device’s memory with room to spare.${need}`,
  };
}
