/**
 * Owns the reading of a list of files (the hub's tree, a folder, a bundle) as a ModelListing, by the names that
 * transformers.js 4.3.1 gives: `onnx/<session>_<dtype>.onnx`, weights beside it in `.onnx_data`, `.onnx_data_1`… Owns
 * no fetching.
 */
import { EngineError } from '../core/errors';
import type { ListedFile, ListedVariant, ModelListing } from '../core/model-listing';
import { packedWeightsOf, PACKING_NOTE } from './packed-weights';

/** The hub that is asked unless a mirror is set. */
export const DEFAULT_HUB = 'https://huggingface.co';

/** More than any model repository of this kind has; a longer list is not read. */
const MAX_FILES = 10_000;
/** Chunks of one graph's data that transformers.js numbers. */
const MAX_CHUNKS = 100;

/** Sessions of a text model: one graph, or the vocabulary apart from the rest. */
const LAYOUTS: readonly (readonly string[])[] = [
  ['model'],
  ['embed_tokens', 'decoder_model_merged'],
];

/** Without these no model answers. */
const REQUIRED = ['config.json', 'tokenizer.json', 'tokenizer_config.json'] as const;
/** Taken where they are. `manifest.json` comes with models that were packaged for this app. */
const OPTIONAL = [
  'generation_config.json',
  'chat_template.jinja',
  'manifest.json',
  PACKING_NOTE,
] as const;

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * True for a path that names a file inside a folder and nothing else: no way up, no root, no backslash, no blank parts.
 */
export function isSafePath(path: string): boolean {
  return (
    path.length > 0 &&
    path.length <= 255 &&
    // eslint-disable-next-line no-control-regex -- control characters in a name are what is refused here.
    !/[\\\u0000-\u001f\u007f:?#*"<>|]/.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

function hex(value: unknown, length: number): string | null {
  return typeof value === 'string' && new RegExp(`^[0-9a-f]{${length}}$`).test(value)
    ? value
    : null;
}

/** The hub did not answer what its API promises. */
function unreadable(what: string): EngineError {
  return new EngineError(
    'network',
    `The hub’s list of files cannot be read: ${what}.`,
    'Try again later; if a mirror is set, check its address in “Hub and mirror”.',
  );
}

/** Files of the hub's `tree` answer: `[{ type, path, size, oid, lfs?: { oid, size } }]`. EngineError `network`. */
export function readHubTree(json: unknown): readonly ListedFile[] {
  if (!Array.isArray(json)) throw unreadable('it is no list');
  if (json.length > MAX_FILES) throw unreadable(`it has ${json.length} entries`);
  const files: ListedFile[] = [];
  for (const entry of json as unknown[]) {
    if (!isObject(entry)) throw unreadable('an entry is no object');
    if (entry['type'] !== 'file') continue;
    const { path, lfs } = entry;
    if (typeof path !== 'string' || !isSafePath(path)) continue;
    const large = isObject(lfs) ? lfs : null;
    const bytes = large?.['size'] ?? entry['size'];
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0)
      throw unreadable(`the size of ${path} is missing`);
    files.push({
      path,
      bytes,
      sha256: hex(large?.['oid'], 64),
      gitSha1: large === null ? hex(entry['oid'], 40) : null,
    });
  }
  return files;
}

/** Folder of the graphs, with closing slash or ''; `onnx/` where both have some. */
function graphFolder(files: readonly ListedFile[]): string {
  const hasGraph = (folder: string): boolean =>
    files.some(
      ({ path }) => path.startsWith(folder) && /^[^/]+\.onnx$/.test(path.slice(folder.length)),
    );
  return hasGraph('onnx/') ? 'onnx/' : '';
}

/** Data files of a graph in order; null when one in the middle is missing. */
function dataOf(graph: string, paths: ReadonlySet<string>): readonly string[] | null {
  const chunks: string[] = [];
  for (let index = 0; index < MAX_CHUNKS; index += 1) {
    const path = index === 0 ? `${graph}_data` : `${graph}_data_${index}`;
    if (!paths.has(path)) break;
    chunks.push(path);
  }
  for (let index = chunks.length + 1; index < MAX_CHUNKS; index += 1) {
    if (paths.has(`${graph}_data_${index}`)) return null;
  }
  return chunks;
}

/** The variants that are whole, smallest first. A vision or audio graph beside them is left out. */
export function listVariants(files: readonly ListedFile[]): readonly ListedVariant[] {
  const folder = graphFolder(files);
  const paths = new Set(files.map(({ path }) => path));
  const packed = packedWeightsOf(paths);
  const bytesOf = new Map(files.map(({ path, bytes }) => [path, bytes]));
  for (const sessions of LAYOUTS) {
    const [first = ''] = sessions;
    const suffixes = files
      .map(({ path }) => path)
      .filter((path) => path.startsWith(`${folder}${first}`) && path.endsWith('.onnx'))
      .map((path) => path.slice(folder.length + first.length, -'.onnx'.length))
      .filter((suffix) => suffix === '' || /^_[a-z0-9]+$/i.test(suffix));
    const variants: ListedVariant[] = [];
    for (const suffix of suffixes) {
      const graphs: Record<string, string> = {};
      const externalData: Record<string, readonly string[]> = {};
      let isWhole = true;
      for (const session of sessions) {
        const graph = `${folder}${session}${suffix}.onnx`;
        const data = paths.has(graph) ? dataOf(graph, paths) : null;
        if (data === null) isWhole = false;
        else {
          graphs[session] = graph;
          externalData[session] = data.length === 0 ? packed : data;
        }
      }
      const dtype = suffix === '' ? 'fp32' : suffix.slice(1);
      if (isWhole) variants.push({ dtype, graphs, externalData });
    }
    if (variants.length > 0) {
      const size = (variant: ListedVariant): number =>
        graphPaths(variant).reduce((sum, path) => sum + (bytesOf.get(path) ?? 0), 0);
      return variants.sort((a, b) => size(a) - size(b));
    }
  }
  return [];
}

function graphPaths(variant: ListedVariant): readonly string[] {
  return [...Object.values(variant.graphs), ...Object.values(variant.externalData).flat()];
}

function notAModel(id: string, what: string): EngineError {
  return new EngineError(
    'model-missing',
    `${id} ${what}.`,
    'Choose a repository or folder in the layout of transformers.js: config.json, tokenizer.json, tokenizer_config.json and onnx/model….onnx. On the hub such a repository often ends in “-ONNX”.',
  );
}

/**
 * A listing of `files`, of which only what a text model needs is kept. EngineError `model-missing` when a file that no
 * model can do without is not there.
 */
export function makeListing(
  place: Pick<ModelListing, 'source' | 'id' | 'revision' | 'baseUrl'>,
  files: readonly ListedFile[],
): ModelListing {
  const hasGraphs = files.some(({ path }) => path.endsWith('.onnx'));
  if (!hasGraphs) {
    const other = files.find(({ path }) => /\.(?:safetensors|gguf|bin|pt)$/.test(path));
    const instead =
      other === undefined ? '' : `: it has ${other.path}, which a browser cannot run here`;
    throw notAModel(place.id, `has no ONNX file${instead}`);
  }
  const variants = listVariants(files);
  if (variants.length === 0)
    throw notAModel(
      place.id,
      'has ONNX files, but none of a whole text model (model….onnx, or embed_tokens… with decoder_model_merged…, and all of their data files)',
    );
  const missing = REQUIRED.filter((path) => !files.some((file) => file.path === path));
  if (missing.length > 0)
    throw notAModel(place.id, `lacks ${missing.join(' and ')}, without which it cannot be used`);
  const wanted = new Set<string>([...REQUIRED, ...OPTIONAL, ...variants.flatMap(graphPaths)]);
  return { ...place, files: files.filter(({ path }) => wanted.has(path)), variants };
}

/** The listing of a hub repository at a commit, from its `tree`. */
export function hubListing(
  hub: string,
  repo: string,
  revision: string,
  tree: unknown,
): ModelListing {
  return makeListing(
    { source: 'hub', id: repo, revision, baseUrl: `${hub}/${repo}/resolve/${revision}/` },
    readHubTree(tree),
  );
}

/** Bytes of the graphs and data of `dtype`: what memory holds as weights. */
export function weightBytesOf(listing: ModelListing, dtype: string): number {
  const variant = listing.variants.find((other) => other.dtype === dtype);
  const own = new Set(variant === undefined ? [] : graphPaths(variant));
  return listing.files.reduce((sum, { path, bytes }) => sum + (own.has(path) ? bytes : 0), 0);
}

/** What is kept of a mirror's address (settings-store.ts). */
export const LONGEST_HUB = 500;

/** The origin and path of a hub or mirror, without closing slash; null when `text` is no such address. */
export function parseHub(text: string): string | null {
  const trimmed = text.trim().replace(/\/+$/, '');
  if (trimmed.length > LONGEST_HUB || !URL.canParse(trimmed)) return null;
  const url = new URL(trimmed);
  const isLocal = url.hostname === 'localhost' || url.hostname === '127.0.0.1';
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
  if (!isSafe || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return null;
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** What a chat template tells about thoughts. */
export function thinkingOfTemplate(template: string): {
  readonly kind: 'never' | 'switch' | 'always';
  readonly how: string;
} {
  const hasTag = /<\|?think|\[THINK\]/.test(template);
  if (template.includes('enable_thinking'))
    return { kind: 'switch', how: 'enable_thinking in its template.' };
  if (/\bthinking\b/.test(template) && hasTag)
    return { kind: 'switch', how: 'A variable named thinking in its template.' };
  if (hasTag) return { kind: 'always', how: 'Its template writes thoughts and has no switch.' };
  return { kind: 'never', how: 'Its template has no place for a thought.' };
}
