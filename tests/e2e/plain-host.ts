// A plain static host as a process of its own, one for each test that asks for it, so that a test can kill it; and a newer
// version of the built site.
import { test as base, expect } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = resolve(process.env['TIDEPOOL_DIST'] ?? 'dist');
const HOST = fileURLToPath(new URL('../../scripts/plain-host.js', import.meta.url));
const SUB_PATH = '/some/deep/folder/';

export class PlainHost {
  /** Address of the app. */
  readonly url: string;
  #process: ChildProcess;
  readonly #folders: readonly string[];

  private constructor(url: string, process: ChildProcess, folders: readonly string[]) {
    this.url = url;
    this.#process = process;
    this.#folders = folders;
  }

  /**
   * Serves the built site at a port that is free. Without `hasLarger` it names no larger model: a page from this machine would
   * fetch its ninety megabytes by itself, in tests of other things.
   */
  static async start(hasLarger = false): Promise<PlainHost> {
    const folders = hasLarger ? [DIST] : [...smallerSite(), DIST];
    const { url, child } = await serve('0', folders);
    return new PlainHost(url, child, folders);
  }

  /** Ends the process at once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** At the same address, killed and started with the files of `overlay` before those of the built site. */
  async replace(overlay: string): Promise<void> {
    await this.kill();
    const { child } = await serve(new URL(this.url).port, [overlay, ...this.#folders]);
    this.#process = child;
  }
}

async function serve(
  port: string,
  folders: readonly string[],
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [HOST, SUB_PATH, port, ...folders], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), child };
}

export const test = base.extend<{ host: PlainHost; hasLarger: boolean }>({
  hasLarger: [false, { option: true }],
  host: async ({ hasLarger }, use) => {
    const host = await PlainHost.start(hasLarger);
    await use(host);
    await host.kill();
  },
});

export { expect };

const LARGER = 'lagoon';

/** The built site's index of models without the larger one; null where it names none. */
export function indexWithoutLarger(): Uint8Array | null {
  const index = JSON.parse(readFileSync(join(DIST, 'models/index.json'), 'utf8')) as {
    models: Record<string, unknown>;
  };
  if (!(LARGER in index.models)) return null;
  const models = Object.entries(index.models).filter(([name]) => name !== LARGER);
  return Buffer.from(`${JSON.stringify({ models: Object.fromEntries(models) })}\n`);
}

/** The folder that, laid over the built site, takes the larger model out of it; none where the build has none. */
function smallerSite(): readonly string[] {
  const index = indexWithoutLarger();
  if (index === null) return [];
  const folder = mkdtempSync(join(tmpdir(), 'tidepool-smaller-'));
  mkdirSync(join(folder, 'models'));
  writeFileSync(join(folder, 'models/index.json'), index);
  writeFileSync(join(folder, 'service-worker.js'), workerWithIndex(index));
  return [folder];
}

/** The built site's service worker as a build with another index of models has it. */
export function workerWithIndex(
  index: Uint8Array,
  others: ReadonlyMap<string, Uint8Array> = new Map(),
): Uint8Array {
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const worker = readFileSync(join(DIST, 'service-worker.js'), 'utf8');
  const exchange = (text: string, path: string, bytes: Uint8Array): string =>
    text.replaceAll(sha256(readFileSync(join(DIST, path))), sha256(bytes));
  let changed = exchange(worker, 'models/index.json', index);
  if (changed === worker) throw new Error('service-worker.js does not list models/index.json');
  for (const [path, bytes] of others)
    if (existsSync(join(DIST, path))) changed = exchange(changed, path, bytes);
  return Buffer.from(changed);
}

/** A folder that, laid over the built site, makes it version `name`; with `lacking` its list names a file that is not there. */
export function newerVersion(name: string, options: { lacking?: boolean } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidepool-newer-'));
  const page = readFileSync(join(DIST, 'index.html'), 'utf8');
  const newPage = page.replace('<head>', `<head><meta name="test-version" content="${name}" />`);
  const index = indexWithoutLarger();
  const worker =
    index === null
      ? readFileSync(join(DIST, 'service-worker.js'), 'utf8')
      : Buffer.from(workerWithIndex(index)).toString();
  const version = /version:[`"']([\da-f]{12})[`"']/.exec(worker)?.[1];
  if (version === undefined) throw new Error('service-worker.js names no version');
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  let newWorker = worker
    .replaceAll(version, sha256(name).slice(0, 12))
    .replaceAll(sha256(page), sha256(newPage));
  if (newWorker === worker) throw new Error('service-worker.js does not list index.html');
  if (options.lacking === true)
    newWorker = newWorker.replace('icons/favicon.svg', 'icons/not-uploaded.svg');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), newPage);
  writeFileSync(join(folder, 'service-worker.js'), newWorker);
  return folder;
}
