// `npm run bench -- --help`: measures this app's engine beside others. Vite turns the TypeScript into what Node can run.
// Owns no measurement (main.ts). Never part of a test run.
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
const server = await createServer({
  root,
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  cacheDir: '.cache/vite-bench',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true, include: [] },
});
try {
  const { main } = /** @type {typeof import('./main.ts')} */ (
    await server.ssrLoadModule(fileURLToPath(new URL('main.ts', import.meta.url)))
  );
  process.exitCode = await main(root, process.argv.slice(2));
} finally {
  await server.close();
}
