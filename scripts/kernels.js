// Compiles workers/kernels/kernels.as and writes it as text to workers/kernels/kernels-wasm.ts: `npm run kernels`.
// The result is committed, so that building the app needs no compiler; a test holds both together.
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const SOURCE = 'workers/kernels/kernels.as';
const RESULT = 'workers/kernels/kernels-wasm.ts';

/**
 * The compiled module. Error with the compiler's own words.
 * @returns {Promise<Uint8Array>}
 */
export async function compileKernels() {
  const { default: asc } = await import('assemblyscript/asc');
  const source = await readFile(new URL(`../${SOURCE}`, import.meta.url), 'utf8');
  /** @type {Map<string, Uint8Array>} */
  const written = new Map();
  // The compiler wants a name that ends in .ts; the file has another, since it is no TypeScript.
  const { error, stderr } = await asc.main(
    [
      'kernels.ts',
      '-O3',
      '--noAssert',
      ...['--runtime', 'stub'],
      ...['--enable', 'simd'],
      ...['--outFile', 'kernels.wasm'],
    ],
    {
      readFile: (name) => (name === 'kernels.ts' ? source : null),
      writeFile: (name, contents) => {
        if (typeof contents !== 'string') written.set(name, contents);
      },
      listFiles: () => [],
    },
  );
  const wasm = written.get('kernels.wasm');
  if (error !== null || wasm === undefined) throw new Error(stderr.toString() || String(error));
  return wasm;
}

/**
 * The module as it is committed.
 * @param {Uint8Array} wasm
 */
export function asModule(wasm) {
  return [
    '// Made by `npm run kernels` out of kernels.as: change that, not this.',
    '/** The compiled kernels, base64. */',
    'export const KERNELS_WASM =',
    `  '${Buffer.from(wasm).toString('base64')}';`,
    '',
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const wasm = await compileKernels();
  await writeFile(new URL(`../${RESULT}`, import.meta.url), asModule(wasm));
  console.log(`${RESULT}: ${wasm.length} bytes of WebAssembly`);
}
