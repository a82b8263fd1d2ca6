/** Owns a site that has the built app, its models and a page on which a test drives engines by hand; never part of the app. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { serve } from '../../scripts/bench/server.js';

const root = resolve(import.meta.dirname, '../..');
const dist = resolve(process.env['TIDEPOOL_DIST'] ?? 'dist');

export interface PeersSite {
  /** Address of the site, and of the page with `peers` on it. */
  readonly url: string;
  readonly page: string;
  /** The worker of the built app. */
  readonly workerUrl: string;
  close(): Promise<void>;
}

/** Builds the page and serves it; the site has models/ of the repository and, as built-models/, of the build. */
export async function peersSite(): Promise<PeersSite> {
  const built = mkdtempSync(join(tmpdir(), 'tidepool-peers-'));
  await build({
    configFile: resolve(root, 'tests/bench/peers/vite.config.ts'),
    mode: 'stock',
    build: { outDir: built },
  });
  const host = await serve([
    ['/stock/', built],
    ['/models/', resolve(root, 'public/models')],
    ['/built-models/', join(dist, 'models')],
    ['/', dist],
  ]);
  const worker = readdirSync(join(dist, 'assets')).find((file) => file.startsWith('engine.worker'));
  return {
    url: host.url,
    page: `${host.url}stock/stock.html`,
    workerUrl: `/assets/${worker ?? 'no engine worker in the built site'}`,
    close: async () => {
      await host.close();
      rmSync(built, { recursive: true, force: true });
    },
  };
}
