// Measures drafting with a module of multi-token prediction: `npm run drafts -- --help`. Owns no measuring (main.ts).
import { root, runTypeScript } from '../run-typescript.js';

// The clock tool speaks local time, and a problem's time must exist in every zone.
process.env['TZ'] = 'UTC';

await runTypeScript({
  entry: new URL('main.ts', import.meta.url),
  cacheDir: '.cache/vite-drafts',
  alias: [
    {
      find: /^@huggingface\/transformers$/,
      replacement: `${root}node_modules/@huggingface/transformers/dist/transformers.web.js`,
    },
  ],
});
