// Compiles workers/kernels/kernels.as and writes it as text to workers/kernels/kernels-wasm.ts: `npm run kernels`.
// The result is committed, so that building the app needs no compiler; a test holds both together.
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const SOURCE = 'workers/kernels/kernels.as';
/** Not named in the import: its types change those of arrays in all of this project's scripts and tests. */
const COMPILER = 'assemblyscript/asc';
/**
 * @typedef {{ readFile: (name: string) => string | null, writeFile: (name: string, contents: Uint8Array | string) => void,
 *   listFiles: () => string[], stderr: { write: (text: string) => void } }} Host
 * @typedef {{ main: (args: string[], host: Host) => Promise<{ error: Error | null }> }} Compiler
 */
const RESULT = 'workers/kernels/kernels-wasm.ts';

/** Most memory that threads can share, in pages of 64 kB: 2 GiB, which a device must have room for in its addresses. */
const MOST_PAGES = 32_768;

/**
 * The compiled module; `isShared`: its memory is given to it, and threads compute in it together. Error with the compiler's
 * own words.
 * @param {boolean} isShared
 * @returns {Promise<Uint8Array>}
 */
async function compile(isShared) {
  /** @type {{ default: Compiler }} */
  const { default: asc } = await import(COMPILER);
  const source = await readFile(new URL(`../${SOURCE}`, import.meta.url), 'utf8');
  /** @type {Map<string, Uint8Array>} */
  const written = new Map();
  let words = '';
  // The compiler wants a name that ends in .ts; the file has another, since it is no TypeScript.
  const { error } = await asc.main(
    [
      'kernels.ts',
      '-O3',
      '--noAssert',
      ...['--runtime', 'stub'],
      ...['--enable', 'simd'],
      ...['--outFile', 'kernels.wasm'],
      ...(isShared
        ? ['--enable', 'threads', '--importMemory', '--sharedMemory', '--initialMemory', '1']
        : []),
      ...(isShared ? ['--maximumMemory', String(MOST_PAGES)] : []),
    ],
    {
      readFile: (name) => (name === 'kernels.ts' ? source : null),
      writeFile: (name, contents) => {
        if (typeof contents !== 'string') written.set(name, contents);
      },
      listFiles: () => [],
      stderr: {
        write: (text) => {
          words += text;
        },
      },
    },
  );
  const wasm = written.get('kernels.wasm');
  if (error !== null || wasm === undefined)
    throw new Error(`${error?.message ?? 'nothing was written'}
${words}`);
  return wasm;
}

/**
 * The module as it is committed.
 * @returns {Promise<string>}
 */
export async function kernelsModule() {
  const [own, shared] = [await compile(false), await compile(true)];
  return [
    '// Made by `npm run kernels` out of kernels.as: change that, not this.',
    '/** The compiled kernels, base64, with a memory of their own. */',
    'export const KERNELS_WASM =',
    `  '${Buffer.from(own).toString('base64')}';`,
    '',
    '/** The same for threads that share the memory `env.memory`, base64. */',
    'export const SHARED_KERNELS_WASM =',
    `  '${Buffer.from(shared).toString('base64')}';`,
    '',
    '/** Pages of 64 kB that the shared memory may grow to. */',
    `export const MOST_SHARED_PAGES = ${MOST_PAGES};`,
    '',
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = await kernelsModule();
  await writeFile(new URL(`../${RESULT}`, import.meta.url), text);
  console.log(`${RESULT}: ${text.length} bytes`);
}
