// Owns how the library is built: one module, its engine worker and the runtime's files beside it, and no page. As Vite's
// library mode would, but without its flag, which turns every file that a script names into text inside that script: of
// ONNX Runtime's WebAssembly 14 MB.
import { defaultClientConditions, defineConfig } from 'vite';
import { readModelHosts, readServers } from './src/core/security-policy.ts';

export default defineConfig({
  // The files find each other wherever they are put.
  base: './',
  publicDir: false,
  define: {
    __MODEL_HOSTS__: JSON.stringify(readModelHosts(process.env['TIDEPOOL_MODEL_HOSTS'] ?? '')),
    __SERVERS__: JSON.stringify(readServers('')),
  },
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  worker: { format: 'es' },
  build: {
    target: 'esnext',
    outDir: process.env['TIDEPOOL_LIB_DIST'] ?? 'dist-lib',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    // The worker with transformers.js in it, as in the app.
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      checks: { bundlerTimings: false },
      input: { tidepool: 'src/lib/tidepool.ts' },
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: '[name].js' },
    },
  },
});
