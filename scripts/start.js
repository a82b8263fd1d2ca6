// `npm start`: builds the site when needed, serves it, prints its address and opens a browser where there is a desktop.
import { build, preview } from 'vite';
import { resolve } from 'node:path';
import { reasonToBuild } from './build-state.js';

const root = resolve(import.meta.dirname, '..');
const dist = resolve(root, process.env['TIDEPOOL_DIST'] ?? 'dist');

const reason = reasonToBuild(root, dist, process.env['TIDEPOOL_SERVERS']);
if (reason !== undefined) {
  console.log(`Building: ${reason}.`);
  await build({ root, logLevel: 'warn' });
}

const wishedPort = Number(process.env['PORT'] ?? 4310);
const isDesktop =
  process.stdout.isTTY &&
  process.env['CI'] === undefined &&
  (process.platform !== 'linux' ||
    process.env['DISPLAY'] !== undefined ||
    process.env['WAYLAND_DISPLAY'] !== undefined);

// A busy port is not an error: Vite takes the next free one, and the line below names it.
const server = await preview({ root, preview: { port: wishedPort, open: isDesktop } });
const url = server.resolvedUrls?.local[0] ?? `http://localhost:${wishedPort}/`;
console.log(`Tidepool is at ${url} (Ctrl+C stops it).`);
