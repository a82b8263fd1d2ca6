// `npm run bench -- --help`: measures this app's engine beside others. Owns no measurement (main.ts). Never part of a test
// run.
import { runTypeScript } from '../run-typescript.js';

await runTypeScript({
  entry: new URL('main.ts', import.meta.url),
  cacheDir: '.cache/vite-bench',
});
