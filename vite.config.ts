// Owns how the site is built, served and unit-tested; not what is in it.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defaultClientConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { serviceWorker } from './scripts/build-service-worker.ts';
import { firstChunks } from './scripts/first-chunks.ts';
import { modelIndex } from './scripts/model-index.ts';
import { packFiles } from './scripts/pack-files.ts';
import { sharedParts } from './scripts/shared-parts.ts';
import {
  pagePolicy,
  readModelHosts,
  readServers,
  workerPolicy,
} from './src/core/security-policy.ts';

// Together these make the page cross-origin isolated, which SharedArrayBuffer, and so WASM threads, need.
// `no-cache` makes the browser ask again after a rebuild; the preview server answers 304 where nothing changed.
const serverHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

const modelFileType = /\.(?:onnx|onnx_data(?:_\d+)?|bin|safetensors)$/;

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

/** Gives model weights the type `application/octet-stream`; the servers know no type for them. */
function typeModelFiles(
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  if (modelFileType.test(pathOf(request)))
    response.setHeader('Content-Type', 'application/octet-stream');
  next();
}

const modelFiles: Plugin = {
  name: 'tidepool:model-files',
  configureServer: (server) => void server.middlewares.use(typeModelFiles),
  configurePreviewServer: (server) => void server.middlewares.use(typeModelFiles),
};

/** KaTeX names each font in three formats; every browser that runs this app reads WOFF2, so 40 files (0.8 MB) stay out. */
const katexFonts: Plugin = {
  name: 'tidepool:katex-fonts',
  enforce: 'pre',
  transform(code, id) {
    if (!/katex[^/]*\.css$/.test(id.split('?', 1)[0] ?? '')) return null;
    return code.replaceAll(/,url\([^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, '');
  },
};

/** Other hosts that may have models, such as a mirror of the hub; docs/serving.md says how. */
const modelHosts = readModelHosts(process.env['TIDEPOOL_MODEL_HOSTS'] ?? '');

/** Servers that may answer in the model's place; the README says how. */
const servers = readServers(process.env['TIDEPOOL_SERVERS'] ?? '');

/** The page's policy stands in the page, so that it holds on any host; the development server writes inline scripts and is left without. */
const securityPolicy: Plugin = {
  name: 'tidepool:security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: pagePolicy(modelHosts, servers) },
      injectTo: 'head-prepend',
    },
  ],
};

/** From the second visit on the service worker gives workers their policy; this server can from the first. */
const workerHeaders: Plugin = {
  name: 'tidepool:worker-headers',
  configurePreviewServer: (server) =>
    void server.middlewares.use((request, response, next) => {
      if (/\/[\w-]+\.worker-[\w-]+\.js$/.test(pathOf(request)))
        response.setHeader('Content-Security-Policy', workerPolicy(modelHosts));
      next();
    }),
};

/** The measured figures, which the page at bench/ shows; they are written beside the benchmark that writes them. */
const BENCH_RESULTS = fileURLToPath(new URL('tests/bench/results.json', import.meta.url));
const benchResults: Plugin = {
  name: 'tidepool:bench-results',
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      if (request.url?.endsWith('/bench/results.json') !== true) next();
      else response.setHeader('Content-Type', 'application/json').end(readFileSync(BENCH_RESULTS));
    });
  },
  generateBundle() {
    this.emitFile({
      type: 'asset',
      fileName: 'bench/results.json',
      source: readFileSync(BENCH_RESULTS),
    });
  },
};

const first = firstChunks();

const isUnitTest = process.env['VITEST'] !== undefined;

export default defineConfig({
  // Relative addresses: the built site works at any path of any static host.
  base: './',
  // Not a single-page app to the servers: a missing file is 404, never index.html. transformers.js
  // asks for optional files and would read a page as JSON.
  appType: 'mpa',
  plugins: [
    svelte(),
    first.plugin,
    modelFiles,
    sharedParts(),
    katexFonts,
    securityPolicy,
    benchResults,
    modelIndex(),
    workerHeaders,
    serviceWorker(modelHosts),
    packFiles(),
  ],
  define: {
    __MODEL_HOSTS__: JSON.stringify(modelHosts),
    __SERVERS__: JSON.stringify(servers),
  },
  resolve: {
    // ONNX Runtime's entry points without their own copy of the WebAssembly glue: we name the .mjs and
    // .wasm files ourselves (`?url`), so only what a device needs is emitted and fetched, from our origin.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
    // Vitest runs in Node and would pick the Node build, whose native parts are not installed here.
    alias: isUnitTest
      ? [
          {
            find: /^@huggingface\/transformers$/,
            replacement: new URL(
              'node_modules/@huggingface/transformers/dist/transformers.web.js',
              import.meta.url,
            ).pathname,
          },
        ]
      : [],
  },
  optimizeDeps: { exclude: ['@huggingface/transformers', 'onnxruntime-web'] },
  worker: { format: 'es' },
  build: {
    target: 'esnext',
    // Another folder lets two people (or a test and a running site) build at the same time.
    outDir: process.env['TIDEPOOL_DIST'] ?? 'dist',
    emptyOutDir: true,
    // Fonts stay files: one as a data: address would need `font-src data:` in the Content-Security-Policy.
    assetsInlineLimit: (path) => (path.endsWith('.woff2') ? false : undefined),
    // The largest script is the worker with transformers.js in it, about 1 MB before compression.
    chunkSizeWarningLimit: 1500,
    // On a busy machine the shares of plugins say nothing.
    rolldownOptions: {
      checks: { bundlerTimings: false },
      // The chat, and the page that measures a device.
      input: { index: 'index.html', bench: 'bench/index.html' },
      output: { codeSplitting: { groups: [{ name: first.nameOf }] } },
    },
  },
  server: { port: 5180, headers: serverHeaders },
  preview: { port: 4310, headers: serverHeaders },
  test: {
    environment: 'node',
    include: ['tests/{unit,conformance,drills}/**/*.test.ts'],
    // Two cores are the floor: more workers only fight for them.
    maxWorkers: 2,
    restoreMocks: true,
    // Property tests take seconds on a slow machine that does other things as well.
    testTimeout: 60_000,
  },
});
