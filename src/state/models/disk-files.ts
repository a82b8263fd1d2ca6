/**
 * Owns what it takes to keep a model from disk as one from a hub is kept: a revision that tells its content, an address,
 * and answers to requests for its files.
 */
import type { ModelListing } from '../../core/model-listing';
import { answerFrom } from '../../model-files/answer-from';
import { keptPrefixOf } from '../../model-files/file-keys';
import { RunningHash } from '../../model-files/hashing';

/** Of each file so much is read from either end to tell one version from another. In bytes. */
const SAMPLE_BYTES = 64 * 1024;

/** 16 hex digits that differ where paths, lengths, or the ends of any file do. Reads little of large files. */
async function revisionOf(
  { files }: ModelListing,
  blobs: ReadonlyMap<string, Blob>,
): Promise<string> {
  const hash = new RunningHash('sha256', 0);
  for (const { path, bytes } of files) {
    const blob = blobs.get(path) ?? new Blob();
    const ends = [blob.slice(0, SAMPLE_BYTES), blob.slice(-SAMPLE_BYTES)];
    hash.update(new TextEncoder().encode(`${path}\0${bytes}\0`));
    for (const end of ends) hash.update(new Uint8Array(await end.arrayBuffer()));
  }
  return hash.hex().slice(0, 16);
}

/** The listing of a model from disk under which it can be kept. */
export async function keepable(
  listing: ModelListing,
  blobs: ReadonlyMap<string, Blob>,
): Promise<ModelListing> {
  const revision = await revisionOf(listing, blobs);
  return { ...listing, revision, baseUrl: keptPrefixOf({ ...listing, revision }) };
}

/** Answers requests for files of the model with what is on the disk, from the byte that is asked for. */
export function fetchFromDisk(
  { baseUrl }: ModelListing,
  blobs: ReadonlyMap<string, Blob>,
): (url: string, init?: RequestInit) => Promise<Response> {
  return (url, init) => {
    const blob = blobs.get(decodeURIComponent(url.slice(baseUrl.length)));
    if (blob === undefined) return Promise.resolve(new Response(null, { status: 404 }));
    return Promise.resolve(answerFrom(blob, init));
  };
}
