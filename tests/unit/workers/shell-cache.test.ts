import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RUNTIME_CACHE } from '../../../src/core/offline';
import { isolated } from '../../../workers/offline/isolate';
import { ShellCache, type ShellBuild } from '../../../workers/offline/shell-cache';

const BASE = 'https://host.example/app/';
const OLD_WASM = 'assets/ort-wasm-simd-threaded-AAAAAAAA.wasm';
const NEW_WASM = 'assets/ort-wasm-simd-threaded-BBBBBBBB.wasm';

/** Cache Storage in memory: name -> address -> response. */
function memoryCaches(): CacheStorage {
  const caches = new Map<string, Map<string, Response>>();
  const cacheOf = (stored: Map<string, Response>) => ({
    match: async (key: string | Request) =>
      stored.get(typeof key === 'string' ? key : key.url)?.clone(),
    put: async (key: string, response: Response) => void stored.set(key, response),
    delete: async (key: Request) => stored.delete(key.url),
    keys: async () => [...stored.keys()].map((url) => new Request(url)),
  });
  return {
    open: async (name: string) => {
      const stored = caches.get(name) ?? new Map<string, Response>();
      caches.set(name, stored);
      return cacheOf(stored);
    },
    has: async (name: string) => caches.has(name),
    keys: async () => [...caches.keys()],
    delete: async (name: string) => caches.delete(name),
    match: async (key: string) =>
      [...caches.values()].map((stored) => stored.get(key)?.clone()).find(Boolean),
  } as unknown as CacheStorage;
}

type Site = Readonly<Record<string, string>>;

function buildOf(version: string, site: Site, runtime: readonly string[] = []): ShellBuild {
  const files = Object.entries(site).map(([path, text]) => ({
    path,
    bytes: text.length,
    sha256: createHash('sha256').update(text).digest('hex'),
  }));
  return { version, files, runtime };
}

/** The shell of a build on a host that has `served`; index.html is asked for as the folder. */
function shellOf(
  build: ShellBuild,
  served: Site,
  caches: CacheStorage,
): { shell: ShellCache; fetched: string[] } {
  const fetched: string[] = [];
  const shell = new ShellCache({
    build,
    baseUrl: BASE,
    caches,
    fetch: async (url) => {
      const path = url.slice(BASE.length);
      fetched.push(path);
      const text = served[path === '' ? 'index.html' : path];
      return text === undefined ? new Response('', { status: 404 }) : new Response(text);
    },
  });
  return { shell, fetched };
}

const FIRST: Site = { 'index.html': 'page 1', 'assets/a.js': 'code', 'assets/b.css': 'look' };
const SECOND: Site = { ...FIRST, 'index.html': 'page 2' };

async function textOf(shell: ShellCache, path: string): Promise<string | undefined> {
  return (await shell.match(path))?.text();
}

describe('shell cache', () => {
  it('stores a version whole and answers the folder and its files, with any query', async () => {
    const { shell } = shellOf(buildOf('1', FIRST), FIRST, memoryCaches());
    await shell.install();
    expect(shell.pathOf(new URL(`${BASE}?model=micro#/chat/1`))).toBe('index.html');
    expect(shell.pathOf(new URL('https://host.example/other'))).toBeNull();
    expect(await textOf(shell, 'index.html')).toBe('page 1');
    expect(await textOf(shell, 'assets/a.js')).toBe('code');
    expect(await shell.match('models/x/manifest.json')).toBeNull();
  });

  it.each([
    ['is missing', { 'index.html': 'page 2', 'assets/b.css': 'look' }],
    ['is of another version', { ...SECOND, 'assets/a.js': 'code of yesterday' }],
  ])('leaves the old version as it was when a file %s', async (_what, served) => {
    const caches = memoryCaches();
    const { shell: old } = shellOf(buildOf('1', FIRST), FIRST, caches);
    await old.install();
    const second = { ...SECOND, 'assets/a.js': 'new code' };
    await expect(shellOf(buildOf('2', second), served, caches).shell.install()).rejects.toThrow(
      'assets/a.js',
    );
    expect((await caches.keys()).filter((name) => name.includes('shell'))).toHaveLength(1);
    expect(await textOf(old, 'index.html')).toBe('page 1');
    expect(await textOf(old, 'assets/a.js')).toBe('code');
  });

  it('fetches only what changed, and drops the old version when it tidies', async () => {
    const caches = memoryCaches();
    await shellOf(buildOf('1', FIRST), FIRST, caches).shell.install();
    const { shell, fetched } = shellOf(buildOf('2', SECOND), SECOND, caches);
    await shell.install();
    expect(fetched).toEqual(['']);
    await shell.tidy(() => true);
    expect((await caches.keys()).filter((name) => name.includes('shell'))).toHaveLength(1);
    expect(await textOf(shell, 'index.html')).toBe('page 2');
    expect(await textOf(shell, 'assets/b.css')).toBe('look');
  });

  it('does not take a version that waits to be asked for a left-over', async () => {
    const caches = memoryCaches();
    const { shell: old } = shellOf(buildOf('1', FIRST), FIRST, caches);
    await old.install();
    const { shell: next } = shellOf(buildOf('2', SECOND), SECOND, caches);
    await next.install();
    await old.tidy(() => false);
    expect(await textOf(next, 'index.html')).toBe('page 2');
    expect(await textOf(old, 'index.html')).toBe('page 1');
  });

  it('installs a changed script over the same files without losing them', async () => {
    const caches = memoryCaches();
    await shellOf(buildOf('1', FIRST), FIRST, caches).shell.install();
    const { shell, fetched } = shellOf(buildOf('1', FIRST), {}, caches);
    await shell.install();
    expect(fetched).toEqual([]);
    expect(await textOf(shell, 'index.html')).toBe('page 1');
  });

  it('keeps the runtime on first use, and brings its next version with an update', async () => {
    const caches = memoryCaches();
    const { shell: old } = shellOf(buildOf('1', FIRST, [OLD_WASM]), FIRST, caches);
    await old.install();
    expect(await old.match(OLD_WASM)).toBeNull();
    expect(await old.keepRuntime(OLD_WASM, new Response('wasm 1'))).toBe(true);
    const page = new Response('<!doctype html>', { headers: { 'Content-Type': 'text/html' } });
    expect(await old.keepRuntime(NEW_WASM, page)).toBe(false);

    const jspi = 'assets/ort-wasm-simd-threaded.jspi-CCCCCCCC.wasm';
    const served = { ...SECOND, [NEW_WASM]: 'wasm 2', [jspi]: 'unused' };
    const { shell, fetched } = shellOf(buildOf('2', SECOND, [NEW_WASM, jspi]), served, caches);
    await shell.install();
    expect(fetched).not.toContain(jspi);
    expect(await textOf(shell, NEW_WASM)).toBe('wasm 2');
    // Until the old page is gone it finds its own.
    expect(await textOf(old, OLD_WASM)).toBe('wasm 1');
    await shell.tidy(() => true);
    expect((await (await caches.open(RUNTIME_CACHE)).keys()).map(({ url }) => url)).toEqual([
      BASE + NEW_WASM,
    ]);
  });
});

describe('isolation headers', () => {
  it('are added to what a plain host sends, and a policy to the script of a worker only', async () => {
    const response = isolated(new Response('x', { headers: { 'X-Own': '1' } }), 'document');
    expect(response.headers.get('Cross-Origin-Embedder-Policy')).toBe('require-corp');
    expect(response.headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
    expect(response.headers.get('X-Own')).toBe('1');
    expect(response.headers.has('Content-Security-Policy')).toBe(false);
    expect(await response.text()).toBe('x');
    const worker = isolated(new Response('x'), 'worker');
    expect(worker.headers.get('Content-Security-Policy')).toContain("connect-src 'self'");
  });

  it('leave a script, a style or WASM untouched, so that the browser finds its compiled code', () => {
    const response = new Response('x');
    for (const part of ['script', 'style', 'font', ''] as const)
      expect(isolated(response, part)).toBe(response);
  });

  it('leave an error and an empty answer what they are', () => {
    const error = Response.error();
    expect(isolated(error, '')).toBe(error);
    expect(isolated(new Response(null, { status: 304 }), 'document').status).toBe(304);
  });
});
