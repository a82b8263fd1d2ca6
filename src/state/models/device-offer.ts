/** Owns the asking of the browser what this device offers a model: memory, graphics, storage. Judges nothing (models/fit). */
import type { DeviceOffer } from '../../models/fit';
import { probeGpu, toldMemoryBytes } from '../../models/device-probe';

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
  const { gpu: asked } = navigator as Partial<Navigator>;
  const [gpu, storage] = await Promise.all([probeGpu(asked), storageOffer()]);
  return { memoryBytes: toldMemoryBytes(), gpu, storage };
}
