/** Owns the way from a model that is here to one file of it: which files, from where, packed. */
import { EngineError } from '../../core/errors';
import type { ModelListing } from '../../core/model-listing';
import { keptKeyOf, keptPrefixOf } from '../../model-files/file-keys';
import { filesForUse, variantOf, type ModelStore } from '../../model-files/model-store';
import { partCountOf } from '../../model-files/part-store';
import { makeBundle } from '../../models/bundle';

/** A kept file as one blob made of its parts; null when any is missing. */
export async function keptBlob(
  store: ModelStore,
  listing: ModelListing,
  path: string,
): Promise<Blob | null> {
  const file = listing.files.find((other) => other.path === path);
  if (file === undefined) return null;
  const key = keptKeyOf(keptPrefixOf(listing), file);
  const parts: Blob[] = [];
  for (let part = 0; part < partCountOf(file.bytes); part += 1) {
    const kept = await store.parts.read(key, part);
    if (kept === null) return null;
    // A blob of its own lets the browser put the bytes on disk before the next part is read.
    parts.push(new Blob([kept.bytes]));
  }
  return new Blob(parts);
}

/** Where the contents may come from. */
export interface PackSources {
  readonly blobs: ReadonlyMap<string, Blob> | null;
  readonly store: ModelStore;
  readonly fetch: (url: string) => Promise<Response>;
}

/** A bundle of all that a variant needs; `onShare` follows, 0…1. EngineError `model-missing` when a file is not here. */
export async function packModel(
  listing: ModelListing,
  dtype: string,
  { blobs, store, fetch }: PackSources,
  onShare: (share: number) => void,
): Promise<Blob> {
  const wanted = filesForUse(listing, variantOf(listing, dtype));
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  const files = new Map<string, Blob>();
  for (const { path } of wanted) {
    let blob = blobs?.get(path) ?? (await keptBlob(store, listing, path));
    if (blob === null && listing.source === 'site') {
      const response = await fetch(`${listing.baseUrl}${path}`);
      if (response.ok) blob = await response.blob();
    }
    if (blob === null) {
      throw new EngineError(
        'model-missing',
        `${path} of ${listing.id} is not kept in this browser.`,
        'Download the model again, then save it as one file.',
      );
    }
    files.set(path, blob);
  }
  let done = 0;
  return makeBundle(files, (bytes) => {
    done += bytes;
    onShare(done / Math.max(total, 1));
  });
}
