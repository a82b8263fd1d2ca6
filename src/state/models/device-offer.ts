/**
 * Owns the asking of the browser what this device offers a model: memory, graphics, storage, its connection. Judges nothing
 * (models/fit, models/larger-start).
 */
import type { DeviceOffer } from '../../models/fit';
import type { Connection } from '../../models/larger-start';
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

/** NetworkInformation, which Chromium alone has; not in TypeScript's library. */
interface NetworkTold {
  readonly saveData?: boolean;
  readonly type?: string;
  readonly effectiveType?: string;
}

export function readConnection(): Connection {
  const { connection: told = {} } = navigator as { readonly connection?: NetworkTold };
  return {
    savesData: told.saveData === true || matchMedia('(prefers-reduced-data: reduce)').matches,
    isMetered: told.type === 'cellular',
    isSlow: ['slow-2g', '2g', '3g'].includes(told.effectiveType ?? ''),
  };
}

/** A phone, as far as the browser tells: what it has of memory is shared with everything else that it does. */
export function isPhone(): boolean {
  const { userAgentData, userAgent } = navigator as Navigator & {
    readonly userAgentData?: { readonly mobile?: boolean };
  };
  return userAgentData?.mobile ?? /Mobi|Android/.test(userAgent);
}
