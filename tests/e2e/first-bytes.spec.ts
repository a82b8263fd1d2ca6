// What a first answer moves, counted on the built site: few scripts, no more bytes than were allowed, no language but its own.
import { expect, test } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { openMicro } from './real-page';

/** Brotli: what it was before files, voice, prompts, languages, servers and the class came (issue 17). */
const MOST_BYTES = 398_748;

test('a first visit moves no more bytes than before, in few files', () => {
  const table = execFileSync('node', ['scripts/bytes.js'], { encoding: 'utf8' });
  const row = table.split('\n').find((line) => line.includes('page and engine, to a first answer'));
  const [files = NaN, , , brotli = NaN] = (row ?? '')
    .split('|')
    .slice(2, 6)
    .map((cell) => Number(cell.replaceAll(',', '')));
  expect(files).toBeLessThanOrEqual(12);
  expect(brotli).toBeLessThanOrEqual(MOST_BYTES);
});

test('a first visit in English fetches the words of no other language', async ({ page }) => {
  const scripts: string[] = [];
  page.on('request', (request) => {
    const name = /\/assets\/([^/]+)\.js$/.exec(request.url())?.[1];
    if (name !== undefined) scripts.push(name);
  });
  await openMicro(page);
  expect(scripts.filter((name) => name.startsWith('first-'))).toHaveLength(1);
  expect(scripts.filter((name) => /^(?:de|es)-/.test(name))).toEqual([]);
});
