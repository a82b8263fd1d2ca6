/** Owns the reading of files that another app has shared and the service worker has put by: each is read once. */
import { t } from '../../core/language/translate';
import { SHARED_CACHE } from '../../core/offline';
import type { Notices } from '../notices.svelte';
import type { FileSlot } from './file-slot.svelte';

/** The files that wait, in their order; afterwards none do. Rejects where Cache Storage is forbidden. */
export async function readSharedFiles(storage: CacheStorage): Promise<readonly File[]> {
  const cache = await storage.open(SHARED_CACHE);
  const files: File[] = [];
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    if (response === undefined) continue;
    const name = decodeURIComponent(response.headers.get('X-Tidepool-Name') ?? 'shared');
    const type = response.headers.get('Content-Type') ?? '';
    files.push(new File([await response.blob()], name, { type }));
  }
  await storage.delete(SHARED_CACHE);
  return files;
}

/** Puts the shared files beside the message box, and says so. */
export async function takeSharedFiles(slot: FileSlot, notices: Notices): Promise<void> {
  const files = await readSharedFiles(caches).catch(() => []);
  if (files.length === 0) {
    notices.show(
      t(
        'The shared files did not arrive. Add them here with the plus sign beside the message box.',
      ),
      { tone: 'trouble' },
    );
    return;
  }
  await slot.add(files);
  notices.show(
    t(
      'The shared files are beside the message box. Write what you want to know; nothing is sent until you send it.',
    ),
  );
}
