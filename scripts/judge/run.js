// Measures the shipped models as judges of the page's own rubric: `npm run judge -- --help`. Owns no measuring (main.ts).
import { root, runTypeScript } from '../run-typescript.js';

await runTypeScript({
  entry: new URL('main.ts', import.meta.url),
  cacheDir: '.cache/vite-judge',
  alias: [
    {
      find: /^@huggingface\/transformers$/,
      replacement: `${root}node_modules/@huggingface/transformers/dist/transformers.web.js`,
    },
  ],
});
