// Owns how the page of tests/bench/peers is built: apart from the app, into .cache/, never into what is shipped.
import { resolve } from 'node:path';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;

/** The page starts the engine's worker of the built site, so it needs none of its own. */
const noWorkerOfOurOwn: Plugin = {
  name: 'tidepool:no-worker',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('/src/engine/engine-client.ts')) return null;
    return code.replace(/new URL\([^)]*engine\.worker\.ts[^)]*\)/, "''");
  },
};

// Mode `stock` builds the page of the tests, which has no wllama.
export default defineConfig(({ mode }) => ({
  root,
  base: './',
  publicDir: false,
  logLevel: 'warn',
  plugins: [noWorkerOfOurOwn],
  // As in the app: ONNX Runtime's files are named by address.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  worker: { format: 'es' },
  build: {
    target: 'esnext',
    outDir: process.env['TIDEPOOL_PEERS'] ?? resolve(root, '../../../.cache/bench/peers'),
    emptyOutDir: true,
    rolldownOptions: { input: resolve(root, mode === 'stock' ? 'stock.html' : 'index.html') },
    chunkSizeWarningLimit: 3000,
  },
}));
