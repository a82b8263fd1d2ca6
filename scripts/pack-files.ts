/**
 * Owns the packed twins of a build's files: `x.js.br` and `x.js.gz` beside `x.js`, for hosts that send them as they are.
 * Packing the runtimes takes half a minute, so what was packed once is taken from a cache, by content.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { existsSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

/** Not models: they gain under 10 %, are read in ranges, and are checked by their length on the wire. */
const PACKED = /\.(?:js|mjs|css|html|json|svg|webmanifest|wasm)$/;
/** Below this a packed file saves no packet. In bytes. */
const LEAST_BYTES = 1024;
/** The strongest brotli takes a minute for each of the runtimes and gains 3 % on them. In bytes. */
const STRONGEST_UP_TO = 2 ** 21;

const CACHE = fileURLToPath(new URL('../node_modules/.cache/tidepool-packed', import.meta.url));

/** Raised when the same content would be packed otherwise. */
const RECIPE = 'v1';

async function pack(bytes: Uint8Array, kind: 'br' | 'gz'): Promise<Uint8Array> {
  if (kind === 'gz') return promisify(gzip)(bytes, { level: 9 });
  return promisify(brotliCompress)(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: bytes.length <= STRONGEST_UP_TO ? 11 : 9,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

async function packFile(file: string): Promise<void> {
  const bytes = readFileSync(file);
  const hash = createHash('sha256').update(bytes).digest('hex');
  for (const kind of ['br', 'gz'] as const) {
    const kept = join(CACHE, `${RECIPE}-${hash}.${kind}`);
    if (!existsSync(kept)) {
      // Named anew when it is whole: two builds at a time do not meet.
      const part = `${kept}.${process.pid}`;
      writeFileSync(part, await pack(bytes, kind));
      renameSync(part, kept);
    }
    if (statSync(kept).size < bytes.length) copyFileSync(kept, `${file}.${kind}`);
  }
}

/** The packed file that answers this request, as an address, or null. */
function packedFor(request: IncomingMessage, dist: string): string | null {
  const [path = '/', ...query] = (request.url ?? '/').split('?');
  // A part of a packed file is no part of the file.
  if (request.headers.range !== undefined) return null;
  const accepted = [request.headers['accept-encoding'] ?? ''].flat().join();
  const plain = path.endsWith('/') ? `${path}index.html` : path;
  for (const [name, kind] of [
    ['br', 'br'],
    ['gzip', 'gz'],
  ] as const) {
    if (!new RegExp(`\\b${name}\\b`).test(accepted)) continue;
    const file = resolve(dist, `.${decodeURIComponent(plain)}.${kind}`);
    if (file.startsWith(dist) && existsSync(file)) return [`${plain}.${kind}`, ...query].join('?');
  }
  return null;
}

/** Packs the files of a production build, and serves the packed ones under `npm start` and `vite preview`. */
export function packFiles(): Plugin {
  let dist = '';
  let isProduction = false;
  return {
    name: 'tidepool:pack-files',
    configResolved(config) {
      dist = resolve(config.root, config.build.outDir);
      isProduction = config.mode === 'production' && config.command === 'build';
    },
    closeBundle: {
      // After the service worker has been written.
      order: 'post',
      sequential: true,
      async handler() {
        if (!isProduction) return;
        mkdirSync(CACHE, { recursive: true });
        const files = readdirSync(dist, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && PACKED.test(entry.name))
          .map((entry) => join(entry.parentPath, entry.name))
          .filter((file) => statSync(file).size >= LEAST_BYTES);
        await Promise.all(files.map(packFile));
      },
    },
    configurePreviewServer(server) {
      server.middlewares.use((request, response, next) => {
        response.setHeader('Vary', 'Accept-Encoding');
        const packed = packedFor(request, dist);
        // The server behind knows both endings: it gives the type of what is inside, and Content-Encoding.
        if (packed !== null) request.url = packed;
        next();
      });
    },
  };
}
