// `npm run bytes`: what a first visit moves, by part, raw and packed; from the built site. docs/offline.md quotes it.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const dist = resolve(process.env['TIDEPOOL_DIST'] ?? 'dist');

/**
 * Bytes on the wire: of the packed file where there is one, else of the file.
 * @param {string} path
 * @param {'' | '.gz' | '.br'} ending
 */
function bytesOf(path, ending) {
  return (
    statSync(join(dist, path + ending), { throwIfNoEntry: false })?.size ??
    statSync(join(dist, path)).size
  );
}

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/\.(?:br|gz)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name).slice(dist.length + 1))
  .map((path) => path.replaceAll('\\', '/'))
  .sort();
const worker = readFileSync(join(dist, 'service-worker.js'), 'utf8');
const page = readFileSync(join(dist, 'index.html'), 'utf8');
const named = files.filter((path) => path === 'index.html' || page.includes(`./${path}`));
const first = new Set([
  ...named.filter((path) => !path.startsWith('icons/')),
  ...files.filter((path) => /^assets\/commissioner-latin|^assets\/engine\.worker/.test(path)),
]);
/** @type {(runtime: string) => (path: string) => boolean} */
const runtime = (build) => (path) =>
  new RegExp(`^assets/ort-wasm-simd-threaded${build}-[\\w-]{8}\\.(?:mjs|wasm)$`).test(path);
/** @param {string} variant */
const model = (variant) => {
  const folder = 'models/tidepool/';
  /** @type {{ files: { path: string }[], variants: Record<string, string> }} */
  const manifest = JSON.parse(readFileSync(join(dist, folder, 'manifest.json'), 'utf8'));
  const variants = Object.values(manifest.variants);
  return files.filter(
    (path) =>
      path.startsWith(folder) &&
      (path === `${folder}manifest.json` ||
        manifest.files.some((file) => folder + file.path === path)) &&
      (!variants.includes(path.slice(folder.length)) ||
        path === `${folder}${manifest.variants[variant] ?? ''}`),
  );
};

/** @type {readonly (readonly [string, readonly string[]])[]} */
const parts = [
  ['page and engine, to a first answer', [...first]],
  ['ONNX Runtime for WASM', files.filter(runtime(''))],
  ['embedded model, 8 bits (WASM)', model('quantized')],
  ['first answer on WASM, in all', [...first, ...files.filter(runtime('')), ...model('quantized')]],
  [
    'afterwards: the rest of the app, for offline',
    files.filter(
      (path) =>
        !first.has(path) &&
        !path.includes('ort-wasm') &&
        (worker.includes(`\`${path}\``) || worker.includes(`"${path}"`)),
    ),
  ],
  ['ONNX Runtime for WebGPU, instead (JSPI)', files.filter(runtime('\\.jspi'))],
  ['embedded model, 4 bits (WebGPU), instead', model('q4')],
];

const number = new Intl.NumberFormat('en');
console.log('| part | files | raw | gzip | brotli |\n| --- | ---: | ---: | ---: | ---: |');
for (const [name, paths] of parts) {
  const sums = /** @type {const} */ (['', '.gz', '.br']).map((ending) =>
    paths.reduce((sum, path) => sum + bytesOf(path, ending), 0),
  );
  console.log(
    `| ${name} | ${paths.length} | ${sums.map((sum) => number.format(sum)).join(' | ')} |`,
  );
}
