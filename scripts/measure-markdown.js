/**
 * `node scripts/measure-markdown.js`: this app's reader of Markdown beside three well-kept ones, for docs/markdown.md.
 * Owns no measurement (markdown/measure.ts).
 */
import { runTypeScript } from './run-typescript.js';

await runTypeScript({
  entry: new URL('markdown/measure.ts', import.meta.url),
  cacheDir: '.cache/vite-markdown',
});
