// Serves the built site, the page of the contenders and the models that are measured from one origin, with the headers
// that make a page cross-origin isolated.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { findFile, typeOf } from '../static-files.js';

/**
 * @param {readonly (readonly [prefix: string, folder: string])[]} mounts Address prefixes with both slashes and the
 *   folders behind them; the first that has a file gives it.
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} `url` ends in a slash.
 */
export async function serve(mounts) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const found = find(mounts, decodeURIComponent(pathname));
    if (found === null) {
      response.writeHead(404).end();
      return;
    }
    const tag = `"${found.bytes}-${found.modifiedMs}"`;
    const headers = {
      'Content-Type': typeOf(found.file),
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-cache',
      ETag: tag,
    };
    if (request.headers['if-none-match'] === tag) {
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
 */
function find(mounts, path) {
  for (const [prefix, folder] of mounts) {
    const found = path.startsWith(prefix) ? findFile(folder, path.slice(prefix.length)) : null;
    if (found !== null) return found;
  }
  return null;
}
