/**
 * Owns what another app shares with the installed one, files above all: the browser posts it, which no static host takes,
 * so it is answered here. Texts go on in the address, files wait in a cache until the page has read them.
 */
import { SHARED_CACHE, SHARED_PARAMETER } from '../../src/core/offline';
import { SHARED_TEXT_LIMIT } from '../../src/core/launch';

/** As many as a question takes. */
const MOST_FILES = 8;
const TEXTS = ['title', 'text', 'url'] as const;

/** Keeps the posted files and sends the browser on to the app, with the texts in its address. */
export async function takeShared(
  request: Request,
  appUrl: string,
  caches: CacheStorage,
): Promise<Response> {
  const target = new URL(appUrl);
  try {
    const form = await request.formData();
    for (const name of TEXTS) {
      const text = form.get(name);
      // One letter more than fits, so that the page can say that it was cut.
      if (typeof text === 'string' && text !== '')
        target.searchParams.set(name, text.slice(0, SHARED_TEXT_LIMIT + 1).toWellFormed());
    }
    const files = form
      .getAll('files')
      .filter((entry): entry is File => entry instanceof File)
      .slice(0, MOST_FILES);
    if (files.length > 0) {
      await caches.delete(SHARED_CACHE);
      const cache = await caches.open(SHARED_CACHE);
      for (const [at, file] of files.entries()) {
        const headers = {
          'Content-Type': file.type === '' ? 'application/octet-stream' : file.type,
          'X-Tidepool-Name': encodeURIComponent(file.name),
        };
        await cache.put(new URL(`shared-${at}`, appUrl).href, new Response(file, { headers }));
      }
      target.searchParams.set(SHARED_PARAMETER, String(files.length));
    }
  } catch {
    // No form, or no room for the files: the page says that they did not arrive.
    target.searchParams.set(SHARED_PARAMETER, '0');
  }
  return Response.redirect(target.href, 303);
}
