// What another app shares with the installed one: texts go on in the address, files wait in a cache until they are read.
import { expect, test, vi } from 'vitest';
import { readLaunch, SHARED_TEXT_LIMIT } from '../../../src/core/launch';
import { readSharedFiles } from '../../../src/state/files/shared-files';
import { takeShared } from '../../../workers/offline/take-shared';
import { memoryCaches } from '../model-files/memory-caches';

const APP = 'https://host.example/app/';

function post(form: FormData): Request {
  return new Request(APP, { method: 'POST', body: form });
}

async function share(form: FormData, caches = withDelete()) {
  const response = await takeShared(post(form), APP, caches);
  expect(response.status).toBe(303);
  const url = new URL(response.headers.get('Location') ?? '');
  return { caches, launch: readLaunch(url.searchParams), url };
}

/** One cache, which can be dropped whole. */
function withDelete(): CacheStorage {
  const caches = memoryCaches();
  return Object.assign(caches, {
    delete: async () => {
      caches.stored.clear();
      return true;
    },
  });
}

test('files and texts arrive in their order, and are read once', async () => {
  const form = new FormData();
  form.set('title', 'Tides');
  form.append('files', new File(['a,b'], 'Größe & Maß.csv', { type: 'text/csv' }));
  form.append('files', new File(['# b'], 'b.md'));
  const { caches, launch } = await share(form);
  expect(launch).toMatchObject({ draft: 'Explain this:\nTides', files: 2 });
  const files = await readSharedFiles(caches);
  expect(files.map(({ name }) => name)).toEqual(['Größe & Maß.csv', 'b.md']);
  expect(await files[0]?.text()).toBe('a,b');
  expect(await readSharedFiles(caches)).toEqual([]);
});

test('a long text is cut, and still known to be cut', async () => {
  const form = new FormData();
  form.set('text', 'x'.repeat(50_000));
  const { launch, url } = await share(form);
  expect(url.href.length).toBeLessThan(SHARED_TEXT_LIMIT + 200);
  expect(launch).toMatchObject({ isCut: true, files: null });
});

test('what is no form, or has no room, is said to be missing', async () => {
  const noForm = new Request(APP, { method: 'POST', body: 'x' });
  const sent = await takeShared(noForm, APP, withDelete());
  expect(new URL(sent.headers.get('Location') ?? '').searchParams.get('shared')).toBe('0');
  const full = withDelete();
  vi.spyOn(full, 'open').mockRejectedValue(new DOMException('full', 'QuotaExceededError'));
  const form = new FormData();
  form.append('files', new File(['a'], 'a.txt'));
  expect((await share(form, full)).launch.files).toBe(0);
});
