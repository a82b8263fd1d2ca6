// Checks when `npm start` builds the site again.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { reasonToBuild } from '../../scripts/build-state.js';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'tidepool-build-'))));
afterEach(() => rmSync(root, { recursive: true }));

/** Writes a file whose time of change is `second` seconds after the epoch. */
function writeAt(path: string, second: number): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, '');
  utimesSync(full, second, second);
}

it('builds when there is no built site', () => {
  writeAt('src/main.ts', 100);
  expect(reasonToBuild(root, join(root, 'dist'))).toBe('there is no built site yet');
});

it('keeps a built site that is newer than every source', () => {
  writeAt('src/ui/chat/Composer.svelte', 100);
  writeAt('dist/index.html', 200);
  expect(reasonToBuild(root, join(root, 'dist'))).toBeUndefined();
});

it('names the source that changed after the build', () => {
  writeAt('dist/index.html', 200);
  writeAt('workers/engine.ts', 300);
  expect(reasonToBuild(root, join(root, 'dist'))).toBe(
    `${join('workers', 'engine.ts')} is newer than the built site`,
  );
});

it.each([
  ['https://llm.example.org', '', /differs/],
  ['https://llm.example.org/', 'https://llm.example.org', undefined],
  ['none', 'http://localhost:*', /differs/],
  ['none', '', undefined],
  [undefined, 'http://localhost:*', undefined],
])('with TIDEPOOL_SERVERS=%s looks at what the page allows (%s)', (servers, policy, reason) => {
  writeAt('dist/index.html', 200);
  writeFileSync(join(root, 'dist/index.html'), `<meta content="connect-src 'self' ${policy};">`);
  const said = reasonToBuild(root, join(root, 'dist'), servers);
  if (reason === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(reason);
});
