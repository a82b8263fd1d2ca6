// Runs a tool that is written in TypeScript with the app's own modules: Vite turns them into what Node can run.
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** The repository's folder, with its closing slash. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Calls `main` of the module with the repository's folder and the command line's arguments; what it gives is the
 * process's exit code.
 *
 * @param {{ entry: URL, cacheDir: string, alias?: { find: RegExp, replacement: string }[] }} tool
 */
export async function runTypeScript({ entry, cacheDir, alias = [] }) {
  const server = await createServer({
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    cacheDir,
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
    resolve: { alias },
  });
  try {
    const { main } = /** @type {{ main: (root: string, args: string[]) => Promise<number> }} */ (
      await server.ssrLoadModule(fileURLToPath(entry))
    );
    process.exitCode = await main(root, process.argv.slice(2));
  } finally {
    await server.close();
  }
}
