/**
 * `node scripts/record-outputs.js`: what the shipped model really writes, thoughts and answers, for the tests of Markdown
 * (tests/fixtures/real-outputs.json). Greedy, by the app's own loop. Owns no generation (eval/record-outputs.ts).
 */
import { root, runTypeScript } from './run-typescript.js';

process.env['TZ'] = 'UTC';

await runTypeScript({
  entry: new URL('eval/record-outputs.ts', import.meta.url),
  cacheDir: '.cache/vite-eval',
  alias: [
    {
      // As the evaluation: Node's own build of the library wants native parts, which are not installed.
      find: /^@huggingface\/transformers$/,
      replacement: `${root}node_modules/@huggingface/transformers/dist/transformers.web.js`,
    },
  ],
});
