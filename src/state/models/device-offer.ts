/** Owns the asking of the browser what this device offers a model: memory, graphics, storage. Judges nothing (models/fit). */
import type { DeviceOffer } from '../../models/fit';

const GIB = 1024 ** 3;

/** deviceMemory is Chromium's alone, so no type of the DOM names it. */
type MemoryNavigator = Navigator & { readonly deviceMemory?: number };

async function gpuOffer(): Promise<DeviceOffer['gpu']> {
  const { gpu } = navigator as Partial<Navigator>;
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
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

async function storageOffer(): Promise<DeviceOffer['storage']> {
  const { storage } = navigator as Partial<Navigator>;
  if (storage === undefined) return null;
  try {
    const { quota, usage } = await storage.estimate();
    return quota === undefined ? null : { quotaBytes: quota, usedBytes: usage ?? 0 };
  } catch {
    // Some private windows refuse to tell.
    return null;
  }
}

/** Never rejects: what cannot be asked is null or missing. */
export async function readDeviceOffer(): Promise<DeviceOffer> {
  const { deviceMemory } = navigator as MemoryNavigator;
  const [gpu, storage] = await Promise.all([gpuOffer(), storageOffer()]);
  return { memoryBytes: deviceMemory === undefined ? null : deviceMemory * GIB, gpu, storage };
}
