// Owns the index of the models that a build has: models/index.json names each folder under models/ that holds a manifest,
// and whether measured results lie beside it, so that the page never asks for what is not there. Owns no folder's contents.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';

/** Ends of the index's address, whatever folder the app stands in. */
const ADDRESS = '/models/index.json';
const WORKER = '/service-worker.js';

/** The index of a public folder or a built site, as text; without the models that are to be left out. */
export function modelIndexText(folder: string, leftOut: ReadonlySet<string> = new Set()): string {
  const models = join(folder, 'models');
  const names = existsSync(models) ? readdirSync(models).sort() : [];
  const listed = names
    .filter((name) => !leftOut.has(name) && existsSync(join(models, name, 'manifest.json')))
    .map((name) => [name, { hasEval: existsSync(join(models, name, 'eval.json')) }] as const);
  return `${JSON.stringify({ models: Object.fromEntries(listed) })}\n`;
}

/** The built service worker as a build without some models has it: what it keeps is held to the index's hash. */
function workerFor(dist: string, leftOut: ReadonlySet<string>): string {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const worker = readFileSync(join(dist, WORKER), 'utf8');
  return worker.replaceAll(
    sha256(readFileSync(join(dist, ADDRESS), 'utf8')),
    sha256(modelIndexText(dist, leftOut)),
  );
}

/**
 * Writes the index into the build and gives it to the development server. A preview server that is told to leave models
 * out (TIDEPOOL_LEAVE_OUT, names with commas) answers as a build without them: browser tests of other things then fetch no
 * model of ninety megabytes.
 */
export function modelIndex(): Plugin {
  let publicDir = '';
  let dist = '';
  return {
    name: 'tidepool:model-index',
    configResolved(config) {
      publicDir = config.publicDir;
      dist = resolve(config.root, config.build.outDir);
    },
    generateBundle() {
      this.emitFile({
        type: 'asset',
        fileName: 'models/index.json',
        source: modelIndexText(publicDir),
      });
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (request.url?.split('?', 1)[0]?.endsWith(ADDRESS) !== true) return next();
        response.setHeader('Content-Type', 'application/json').end(modelIndexText(publicDir));
      });
    },
    configurePreviewServer(server) {
      const names = (process.env['TIDEPOOL_LEAVE_OUT'] ?? '').split(',').filter(Boolean);
      if (names.length === 0) return;
      const leftOut = new Set(names);
      server.middlewares.use((request, response, next) => {
        const path = request.url?.split('?', 1)[0] ?? '';
        if (path.endsWith(ADDRESS)) {
          response.setHeader('Content-Type', 'application/json').end(modelIndexText(dist, leftOut));
        } else if (path.endsWith(WORKER)) {
          response.setHeader('Content-Type', 'text/javascript').end(workerFor(dist, leftOut));
        } else next();
      });
    },
  };
}
