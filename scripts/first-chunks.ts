/**
 * Owns which modules a first visit fetches as one script: all that the chat needs before its first answer. Left to itself
 * the bundler cuts them by who else uses them, into some 65 files that pack a sixth worse. Owns not what is imported.
 */
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

/** It waits (`await` at the top), so what a later part needs may not lie beside it: that part would wait for itself. */
const CHAT = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const BENCH = fileURLToPath(new URL('../src/bench.ts', import.meta.url));

interface Graph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** What comes with a module: whatever it imports, and they in turn; nothing that is fetched later by `import()`. */
function reachOf(entry: string, graph: Graph): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [entry];
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const next of graph.getModuleInfo(id)?.importedIds ?? [])
      if (!reached.has(next)) {
        reached.add(next);
        open.push(next);
      }
  return reached;
}

/** The plugin, and the name of a module's script for `codeSplitting`; null: as the bundler has it. */
export function firstChunks(): { plugin: Plugin; nameOf: (id: string) => string | null } {
  let chat: ReadonlySet<string> = new Set();
  let bench: ReadonlySet<string> = new Set();
  return {
    plugin: {
      name: 'tidepool:first-chunks',
      apply: 'build',
      buildEnd() {
        chat = reachOf(CHAT, this);
        bench = reachOf(BENCH, this);
      },
    },
    // The page that measures a device shares some of it, and fetches no more than that.
    nameOf: (id) => (chat.has(id) ? (bench.has(id) ? 'shared' : 'first') : null),
  };
}
