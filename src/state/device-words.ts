/** Devices and load stages in a person's words. Pure. */
import { placeOfDevice } from '../core/server/server-target';
import type { DeviceKind, LoadedModel, LoadProgress } from '../protocol/engine-api';
import { formatBytes } from '../core/units';

const DEVICE_WORDS: Readonly<Record<DeviceKind, string>> = {
  'webgpu-f16': 'WebGPU, 16-bit',
  'webgpu-f32': 'WebGPU, 32-bit',
  'wasm-threads': 'WASM, threads',
  wasm: 'WASM, one thread',
};

function isDeviceKind(device: string): device is DeviceKind {
  return Object.hasOwn(DEVICE_WORDS, device);
}

/** A device as kept with a reply; an unknown one (from a later version's file) is shown as it is. */
export function deviceInWords(device: string): string {
  return isDeviceKind(device) ? DEVICE_WORDS[device] : (placeOfDevice(device) ?? device);
}

/** A device with what is known of it, e.g. "WASM, 4 threads". */
export function modelDeviceInWords(model: Pick<LoadedModel, 'device' | 'threads'>): string {
  return model.device === 'wasm-threads'
    ? `WASM, ${model.threads} threads`
    : deviceInWords(model.device);
}

/** What a load is doing now; bytes only where they are true. */
export function progressInWords(progress: LoadProgress | null): string {
  if (progress === null) return 'Starting the engine';
  switch (progress.stage) {
    case 'manifest':
      return 'Reading the model’s contents';
    case 'runtime':
      return 'Starting ONNX Runtime';
    case 'weights': {
      if (progress.totalBytes === 0) return 'Fetching the model';
      const verb = progress.fromCache ? 'Reading the kept model' : 'Fetching the model';
      return `${verb}: ${formatBytes(progress.loadedBytes)} of ${formatBytes(progress.totalBytes)}`;
    }
    case 'session':
      return 'Building the network';
    case 'self-test':
      return 'Testing that this device computes right';
    case 'warm-up':
      return 'Warming up';
    case 'ready':
      return 'Ready';
    case 'server':
      return 'Asking the server';
    case 'browser':
      return progress.loadedBytes < progress.totalBytes
        ? `The browser fetches its model: ${Math.floor(100 * progress.loadedBytes)} %`
        : 'Starting the browser’s own model';
    default: {
      const never: never = progress.stage;
      return never;
    }
  }
}
