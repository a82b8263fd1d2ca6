// Owns the last step of a build: the service worker, with the list of the files that it keeps.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { isKeptOnUse } from '../src/core/offline.ts';

const ENTRY = fileURLToPath(new URL('../workers/service-worker.ts', import.meta.url));
const NAME = 'service-worker.js';

/**
 * Not of the shell: the files of models, which the engine verifies and keeps (their index and measured figures are a
 * page's), and files packed for the wire, which stand for one that is listed.
 */
const isOutside = (path: string): boolean =>
  (path.startsWith('models/') &&
    !/\/(?:eval|index|family|family-curves|posttraining|posttraining-curves|impact)\.json$/.test(
      path,
    )) ||
  path === NAME ||
  // The page that measures a device is for those who look for it, and holds a library the app does without.
  path.startsWith('bench/') ||
  /^assets\/(?:bench|transformers\.worker)-/.test(path) ||
  // Shown by the system, which fetches them when the app is installed.
  (/^(?:icons|screenshots)\//.test(path) && path.endsWith('.png')) ||
  /\.(?:br|gz|map)$/.test(path);

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Lists a built site for its service worker. */
function describeShell(dist: string): {
  version: string;
  files: { path: string; bytes: number; sha256: string }[];
  runtime: string[];
} {
  const paths = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !isOutside(path))
    .sort();
  const files = paths
    .filter((path) => !isKeptOnUse(path))
    .map((path) => {
      const bytes = readFileSync(join(dist, path));
      return { path, bytes: bytes.length, sha256: sha256(bytes) };
    });
  const runtime = paths.filter(isKeptOnUse);
  const version = sha256(new TextEncoder().encode(JSON.stringify([files, runtime]))).slice(0, 12);
  return { version, files, runtime };
}

/** Writes service-worker.js beside index.html when everything else is there; `modelHosts` go into its workers' policy. */
export function serviceWorker(modelHosts: readonly string[]): Plugin {
  let dist = '';
  return {
    name: 'tidepool:service-worker',
    apply: 'build',
    configResolved(config) {
      dist = resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      await build({
        configFile: false,
        publicDir: false,
        logLevel: 'warn',
        define: {
          __SHELL_BUILD__: JSON.stringify(describeShell(dist)),
          __MODEL_HOSTS__: JSON.stringify(modelHosts),
        },
        build: {
          target: 'esnext',
          outDir: dist,
          emptyOutDir: false,
          // A classic script: not every browser takes a module as service worker.
          rolldownOptions: {
            input: ENTRY,
            output: { format: 'iife', entryFileNames: NAME },
          },
        },
      });
    },
  };
}
