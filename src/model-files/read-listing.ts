/** Owns the reading of a listing that was kept or came from outside: checked in every field and held to limits. */
import type { ListedFile, ListedVariant, ModelListing } from '../core/model-listing';

/** More than any model on a hub has. */
const MOST_FILES = 2000;
/** A file of this length fits no browser's memory. In bytes. */
const MOST_BYTES = 2 ** 40;

class ListingProblem extends Error {}

function fail(what: string): never {
  throw new ListingProblem(`the list of the model's files is damaged: ${what}`);
}

type Fields = Readonly<Record<string, unknown>>;

function object(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(what);
  return value as Fields;
}

function text(value: unknown, what: string): string {
  return typeof value === 'string' && value.length <= 1000 ? value : fail(what);
}

function hex(value: unknown, length: number, what: string): string | null {
  if (value === null) return null;
  const found = text(value, what);
  return found.length === length && /^[\da-f]+$/.test(found) ? found : fail(what);
}

function list<T>(value: unknown, what: string, read: (item: unknown) => T): readonly T[] {
  if (!Array.isArray(value) || value.length > MOST_FILES) fail(what);
  return (value as unknown[]).map(read);
}

function record<T>(value: unknown, what: string, read: (item: unknown) => T): Record<string, T> {
  const entries = Object.entries(object(value, what));
  if (entries.length > MOST_FILES) fail(what);
  return Object.fromEntries(entries.map(([key, item]) => [key, read(item)]));
}

function readFile(value: unknown): ListedFile {
  const file = object(value, 'files');
  const { bytes } = file;
  if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes < 0 || bytes > MOST_BYTES)
    fail('bytes');
  return {
    path: text(file['path'], 'path'),
    bytes: bytes,
    sha256: hex(file['sha256'], 64, 'sha256'),
    gitSha1: hex(file['gitSha1'], 40, 'gitSha1'),
  };
}

function readVariant(value: unknown): ListedVariant {
  const variant = object(value, 'variants');
  const path = (item: unknown): string => text(item, 'path of a variant');
  return {
    dtype: text(variant['dtype'], 'dtype'),
    graphs: record(variant['graphs'], 'graphs', path),
    externalData: record(variant['externalData'], 'externalData', (paths) =>
      list(paths, 'externalData', path),
    ),
  };
}

/** The listing; Error with a sentence when any field is not as it should be. */
export function readListing(value: unknown): ModelListing {
  const listing = object(value, 'no object');
  const source = listing['source'];
  if (source !== 'site' && source !== 'hub' && source !== 'disk') fail('source');
  const files = list(listing['files'], 'files', readFile);
  const variants = list(listing['variants'], 'variants', readVariant);
  const paths = new Set(files.map(({ path }) => path));
  for (const { dtype, graphs, externalData } of variants) {
    const named = [...Object.values(graphs), ...Object.values(externalData).flat()];
    if (!named.every((path) => paths.has(path)))
      fail(`variant ${dtype} names a file that is not listed`);
  }
  return {
    source: source,
    id: text(listing['id'], 'id'),
    revision: listing['revision'] === null ? null : text(listing['revision'], 'revision'),
    baseUrl: text(listing['baseUrl'], 'baseUrl'),
    files,
    variants,
  };
}
