/** A thread that shares kernels with the engine's worker (crew.ts). */
import { kernelsOf, serve, type HelperStart } from './crew';

self.onmessage = ({ data }: MessageEvent<HelperStart>) => {
  void WebAssembly.instantiate(data.module, { env: { memory: data.memory } }).then((instance) => {
    self.postMessage('ready');
    serve(data, kernelsOf(instance.exports));
  });
};
