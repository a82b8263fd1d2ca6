// Serves the built site, the page of the contenders and the models that are measured from one origin, with the headers
// that make a page cross-origin isolated.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, resolve, sep } from 'node:path';

/** @type {Readonly<Record<string, string>>} */
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/**
 * @param {readonly (readonly [prefix: string, folder: string])[]} mounts Address prefixes with both slashes and the
 *   folders behind them; the first that has a file gives it.
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} `url` ends in a slash.
 */
export async function serve(mounts) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const found = find(mounts, decodeURIComponent(pathname));
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const headers = {
      'Content-Type': types[extname(found.file)] ?? 'application/octet-stream',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-cache',
      ETag: found.tag,
    };
    if (request.headers['if-none-match'] === found.tag) {
      response.writeHead(304, headers).end();
      return;
    }
    response.writeHead(200, { ...headers, 'Content-Length': found.bytes });
    if (request.method === 'HEAD') response.end();
    else createReadStream(found.file).pipe(response);
  });
  await new Promise((listening) => {
    server.listen(0, '127.0.0.1', () => listening(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {readonly (readonly [prefix: string, folder: string])[]} mounts
 * @param {string} path
 * @returns {{ file: string, bytes: number, tag: string } | undefined}
 */
function find(mounts, path) {
  for (const [prefix, folder] of mounts) {
    if (!path.startsWith(prefix)) continue;
    const inside = path.slice(prefix.length);
    const file = resolve(
      folder,
      inside === '' || inside.endsWith('/') ? `${inside}index.html` : inside,
    );
    if (!file.startsWith(resolve(folder) + sep)) continue;
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFile())
      return { file, bytes: found.size, tag: `"${found.size}-${found.mtimeMs}"` };
  }
  return undefined;
}
