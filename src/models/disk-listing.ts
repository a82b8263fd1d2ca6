/** Owns the reading of a folder or bundle from disk as a ModelListing with its contents. Owns no picking and no unzipping. */
import { EngineError } from '../core/errors';
import type { ModelListing } from '../core/model-listing';
import { withoutOuterFolder } from './bundle';
import { isSafePath, makeListing } from './hub-listing';

/** A model whose files are at hand. */
export interface DiskModel {
  readonly listing: ModelListing;
  /** Contents by path of the listing. */
  readonly blobs: ReadonlyMap<string, Blob>;
}

/** More files than this are a whole disk dropped by mistake. */
const MAX_FILES = 2000;

/** Name of a model from disk as part of an address. */
function asId(name: string): string {
  const id = name.replace(/\.tidepool$/i, '').replace(/[^\w.-]+/g, '-');
  return /^[\w]/.test(id) ? id.slice(0, 80) : 'model';
}

/**
 * The model in `files`, paths relative to the picked folder with forward slashes; the folder itself may be their first
 * part. EngineError `model-missing` when it is no model.
 */
export function diskModel(name: string, files: ReadonlyMap<string, Blob>): DiskModel {
  if (files.size === 0)
    throw new EngineError(
      'model-missing',
      'Nothing was in what was dropped or picked.',
      'Choose the folder that holds config.json and onnx/.',
    );
  if (files.size > MAX_FILES)
    throw new EngineError(
      'model-missing',
      `The folder holds ${files.size} files; a model has a few dozen at most.`,
      'Choose the model’s own folder, the one with config.json in it.',
    );
  const inside = withoutOuterFolder(files);
  const id = asId(name);
  const listed = [...inside]
    .filter(([path]) => isSafePath(path))
    .map(([path, { size }]) => ({ path, bytes: size, sha256: null, gitSha1: null }));
  const listing = makeListing(
    { source: 'disk', id, revision: null, baseUrl: `disk:${id}/` },
    listed,
  );
  const empty = listing.files.find(({ bytes }) => bytes === 0);
  if (empty !== undefined)
    throw new EngineError(
      'model-truncated',
      `${empty.path} is empty.`,
      'Copy the model’s files again; a download that broke off leaves such files.',
    );
  const blobs = new Map(
    listing.files.flatMap(({ path }) => {
      const blob = inside.get(path);
      return blob === undefined ? [] : [[path, blob] as const];
    }),
  );
  return { listing, blobs };
}
