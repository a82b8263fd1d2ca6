/** Owns the look-up of a model on the fake hub, as the page does it. */
import type { ModelListing } from '../../src/core/model-listing';
import { hubListing } from '../../src/models/hub-listing';
import type { FakeHub } from './fake-hub';

/** The listing of the newest commit. */
export async function listingFrom(hub: FakeHub, id: string): Promise<ModelListing> {
  const info = (await (await fetch(`${hub.origin}/api/models/${id}`)).json()) as { sha: string };
  const tree: unknown = await (
    await fetch(`${hub.origin}/api/models/${id}/tree/${info.sha}?recursive=1`)
  ).json();
  return hubListing(hub.origin, id, info.sha, tree);
}
