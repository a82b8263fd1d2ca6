/** Owns what page and worker alike ask the browser of its device: graphics and memory. */
import type { GpuProfile } from './device-profile';

/** The adapter, or why there is none, as part of a sentence. Never rejects. `gpu` is that of the navigator. */
export async function probeGpu(
  gpu: GPU | undefined,
): Promise<GpuProfile | { readonly missing: string }> {
  if (gpu === undefined) return { missing: 'this browser has no WebGPU' };
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) return { missing: 'the browser offers no graphics device to WebGPU' };
    const { info, limits } = adapter;
    const name = [info.vendor, info.architecture].filter((part) => part !== '').join(' ');
    return {
      hasF16: adapter.features.has('shader-f16'),
      isEmulated:
        info.isFallbackAdapter ||
        /swiftshader|llvmpipe|basic render/i.test(`${name} ${info.description}`),
      name: name === '' ? 'unnamed' : name,
      maxBufferBytes: limits.maxBufferSize,
      maxStorageBindingBytes: limits.maxStorageBufferBindingSize,
    };
  } catch (error) {
    return {
      missing: `WebGPU failed when asked for a device (${error instanceof Error ? error.message : String(error)})`,
    };
  }
}

/** What the browser tells of the device's memory, in bytes: rounded, 8 GiB at most, by Chromium alone; else null. */
export function toldMemoryBytes(): number | null {
  const scope: { readonly navigator?: unknown } = globalThis;
  // Not in TypeScript's library.
  const { deviceMemory } = (scope.navigator ?? {}) as { readonly deviceMemory?: number };
  return deviceMemory === undefined ? null : deviceMemory * 1024 ** 3;
}
