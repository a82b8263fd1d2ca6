/** Devices and load stages in a person's words. Pure. */
import { t } from '../core/language/translate';
import { placeOfDevice } from '../core/server/server-target';
import type { DeviceKind, LoadedModel, LoadProgress } from '../protocol/engine-api';
import { formatBytes } from '../core/units';

const DEVICE_WORDS: Readonly<Record<DeviceKind, string>> = {
  get 'webgpu-f16'() {
    return t('WebGPU, 16-bit');
  },
  get 'webgpu-f32'() {
    return t('WebGPU, 32-bit');
  },
  get 'wasm-threads'() {
    return t('WASM, threads');
  },
  get wasm() {
    return t('WASM, one thread');
  },
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
    ? t('WASM, {threads} threads', { threads: model.threads })
    : deviceInWords(model.device);
}

/** What a load is doing now; bytes only where they are true. */
export function progressInWords(progress: LoadProgress | null): string {
  if (progress === null) return t('Starting the engine');
  switch (progress.stage) {
    case 'manifest':
      return t('Reading the model’s contents');
    case 'runtime':
      return t('Starting ONNX Runtime');
    case 'weights': {
      if (progress.totalBytes === 0) return t('Fetching the model');
      const verb = progress.fromCache ? t('Reading the kept model') : t('Fetching the model');
      return t('{verb}: {loadedBytes} of {totalBytes}', {
        verb,
        loadedBytes: formatBytes(progress.loadedBytes),
        totalBytes: formatBytes(progress.totalBytes),
      });
    }
    case 'session':
      return t('Building the network');
    case 'self-test':
      return t('Testing that this device computes right');
    case 'warm-up':
      return t('Warming up');
    case 'ready':
      return t('Ready');
    case 'server':
      return t('Asking the server');
    case 'browser':
      return progress.loadedBytes < progress.totalBytes
        ? t('The browser fetches its model: {loadedBytes} %', {
            loadedBytes: Math.floor(100 * progress.loadedBytes),
          })
        : t('Starting the browser’s own model');
    default: {
      const never: never = progress.stage;
      return never;
    }
  }
}
