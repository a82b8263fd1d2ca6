// Owns how the browser tests run: which Chromium, with which flags, against which server. `npm test` builds first.
import { defineConfig } from '@playwright/test';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { findChromium, noChromiumMessage, thisMachine } from './scripts/find-chromium.js';

// A host that a spec makes for itself serves no larger model either, unless the spec asks for it.
process.env['TIDEPOOL_LEAVE_OUT'] ??= 'lagoon';

const found = findChromium(await thisMachine());
if (found === undefined) throw new Error(noChromiumMessage);

/** A port that nothing listens on, so that several runs on one machine do not meet. */
async function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port given'));
        else resolve(address.port);
      });
    });
  });
}

// Playwright loads this file again in every worker; the environment carries the first choice there.
const port = (process.env['TIDEPOOL_TEST_PORT'] ??= String(await findFreePort()));
const baseURL = `http://127.0.0.1:${port}/`;

// `npm test` and `.ci/run` count from this folder.
const reports = process.env['TIDEPOOL_REPORTS'] ?? '.cache/reports';

const quietArgs = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** WebGPU without a GPU: SwiftShader draws on the CPU, in f32 only, 1–2 s a token. Use the micro model. */
const emulatedWebgpuArgs = [
  '--enable-unsafe-webgpu',
  '--enable-unsafe-swiftshader',
  '--use-webgpu-adapter=swiftshader',
];

export default defineConfig({
  testDir: 'tests',
  testMatch: '{e2e,drills}/*.spec.ts',
  outputDir: 'test-results',
  // One page at a time: the model itself uses every core of a small machine.
  workers: 1,
  fullyParallel: false,
  // A browser on a shared machine: what passes only when tried again is named at the end of the run, see count-results.js.
  retries: process.env['CI'] === undefined ? 0 : 1,
  forbidOnly: process.env['CI'] !== undefined,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['json', { outputFile: join(reports, 'playwright.json') }]],
  use: {
    baseURL,
    trace: 'off',
    screenshot: 'only-on-failure',
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    // Tests of the service worker turn this on for themselves.
    serviceWorkers: 'block',
  },
  projects: [
    {
      name: 'wasm',
      testIgnore: '**/*.webgpu.spec.ts',
      use: { launchOptions: { executablePath: found.path, args: quietArgs } },
    },
    {
      name: 'webgpu',
      testMatch: '{e2e,drills}/*.webgpu.spec.ts',
      timeout: 240_000,
      use: {
        launchOptions: { executablePath: found.path, args: [...quietArgs, ...emulatedWebgpuArgs] },
      },
    },
  ],
  webServer: {
    command: `node node_modules/vite/bin/vite.js preview --host 127.0.0.1 --port ${port} --strictPort`,
    url: baseURL,
    // Served from this machine the larger model loads by itself; tests of it have a host of their own.
    env: { ...(process.env as Record<string, string>), TIDEPOOL_LEAVE_OUT: 'lagoon' },
    reuseExistingServer: false,
    timeout: 60_000,
  },
});
