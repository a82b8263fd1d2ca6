// Finds the file behind an address and its type, for the servers of tests and measurements. Owns no server.
import { statSync } from 'node:fs';
import { extname, resolve, sep } from 'node:path';

/** @type {Readonly<Record<string, string>>} */
const types = {
  '.html': 'text/html',
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
 * @param {string} path
 * @returns {string} Media type by the name's ending.
 */
export function typeOf(path) {
  return types[extname(path)] ?? 'application/octet-stream';
}

/**
 * The file in `folder` that an address means: a folder's index.html for '' and for what ends in a slash, nothing outside.
 *
 * @param {string} folder
 * @param {string} inside Rest of the address after the folder's, decoded.
 * @returns {{ file: string, bytes: number, modifiedMs: number } | null}
 */
export function findFile(folder, inside) {
  const root = resolve(folder);
  const file = resolve(root, /(^|\/)$/.test(inside) ? `${inside}index.html` : inside);
  if (!file.startsWith(root + sep)) return null;
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() ? { file, bytes: found.size, modifiedMs: found.mtimeMs } : null;
}
