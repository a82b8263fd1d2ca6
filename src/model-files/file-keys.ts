/** Owns under which addresses the files of a model are kept, and the listing that a manifest amounts to. */
import { EngineError } from '../core/errors';
import type { ListedFile, ListedVariant, ModelListing, ModelSource } from '../core/model-listing';
import type { ModelManifest } from '../models/spec';
import { expectedHashOf } from './hashing';
import type { KeptKey } from './part-store';

/**
 * Stands in for the host of a hub: what was fetched from one mirror is found again when another is set. The name can
 * never be reached (RFC 2606).
 */
const HUB_KEYS = 'https://hub.tidepool.invalid/';
/** The same for models that were opened from a disk. */
const DISK_KEYS = 'https://disk.tidepool.invalid/';

/** The file that says which others belong to a model of our own site. */
export const MANIFEST = 'manifest.json';
/** Under which the listing of a model from a hub or a disk is kept; no file of a model has such a name. */
export const LISTING = '.tidepool-listing.json';

/** Prefix of the addresses under which all files of a model are kept. Of one from a hub or a disk: of one revision. */
export function keptPrefixOf(
  listing: Pick<ModelListing, 'source' | 'id' | 'revision' | 'baseUrl'>,
): string {
  const { source, id, revision, baseUrl } = listing;
  if (source === 'site') return baseUrl;
  return `${fileUrlOf(source === 'hub' ? HUB_KEYS : DISK_KEYS, `${id}/${revision ?? 'main'}`)}/`;
}

/** Where the model under such a prefix came from. */
export function sourceOfPrefix(prefix: string): ModelSource {
  if (prefix.startsWith(HUB_KEYS)) return 'hub';
  return prefix.startsWith(DISK_KEYS) ? 'disk' : 'site';
}

/** Address of a file in a folder. EngineError `model-corrupt` for a path that leads out of it. */
export function fileUrlOf(folder: string, path: string): string {
  const steps = path.split('/');
  if (steps.some((step) => step === '' || step === '.' || step === '..')) {
    throw new EngineError(
      'model-corrupt',
      `The list of files names ${JSON.stringify(path)}, which is no path inside the model's folder.`,
      'Choose another model.',
    );
  }
  return new URL(steps.map(encodeURIComponent).join('/'), folder).href;
}

/** Where a file is kept. The hash stands in the address: another content is another entry. */
export function keptKeyOf(
  prefix: string,
  file: Pick<ListedFile, 'path' | 'bytes' | 'sha256' | 'gitSha1'>,
): KeptKey {
  const hash = expectedHashOf(file);
  const mark = hash === null ? `bytes=${file.bytes}` : `${hash.kind}=${hash.hex}`;
  return {
    key: `${fileUrlOf(prefix, file.path)}?${mark}`,
    model: prefix,
    bytes: file.bytes,
  };
}

/** The listing of a model of our own site. */
export function listingOfManifest(manifest: ModelManifest, modelUrl: string): ModelListing {
  const files = manifest.files.map(({ path, bytes, sha256 }): ListedFile => ({
    path,
    bytes,
    sha256,
    gitSha1: null,
  }));
  const variants = Object.entries(manifest.variants).map(([dtype, path]): ListedVariant => ({
    dtype,
    graphs: {
      ...(manifest.drafts[dtype] === undefined ? {} : { mtp: manifest.drafts[dtype] }),
      model: path,
    },
    externalData: {
      model:
        manifest.parts.length > 0
          ? manifest.parts
          : files
              .filter(
                (file) =>
                  /^_data(?:_\d+)?$/.test(file.path.slice(path.length)) &&
                  file.path.startsWith(path),
              )
              .map((file) => file.path),
    },
  }));
  return { source: 'site', id: manifest.name, revision: null, baseUrl: modelUrl, files, variants };
}

/** Paths of a variant's files: its graphs and their external data. */
export function pathsOfVariant({ graphs, externalData }: ListedVariant): readonly string[] {
  return [...new Set([...Object.values(graphs), ...Object.values(externalData).flat()])];
}
