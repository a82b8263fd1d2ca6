/**
 * Runs the evaluation: `npm run eval -- --help`. Tokenizer, template, budget and decode loop are the app's and no copies.
 * Owns no evaluation (main.ts).
 */
import { root, runTypeScript } from '../run-typescript.js';

// The clock tool speaks local time, and a problem's time must exist in every zone.
process.env['TZ'] = 'UTC';

await runTypeScript({
  entry: new URL('main.ts', import.meta.url),
  cacheDir: '.cache/vite-eval',
  alias: [
    {
      // As the unit tests: Node's own build of the library wants native parts, which are not installed.
      find: /^@huggingface\/transformers$/,
      replacement: `${root}node_modules/@huggingface/transformers/dist/transformers.web.js`,
    },
  ],
});
