// The index that a build writes of its models, and its reading by the page.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { modelIndexText } from '../../scripts/model-index';
import { isOwnMachine } from '../../src/core/own-machine';
import { parseSiteIndex } from '../../src/models/site-index';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function siteWith(files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidepool-index-'));
  folders.push(folder);
  for (const file of files) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), '{}');
  }
  return folder;
}

it('names the folders that hold a manifest, and which have measured results', () => {
  const site = siteWith([
    'models/tidepool/manifest.json',
    'models/tidepool/eval.json',
    'models/micro/manifest.json',
    'models/half/onnx/model_q4.onnx',
  ]);
  expect([...parseSiteIndex(JSON.parse(modelIndexText(site)))]).toEqual([
    ['micro', { hasEval: false }],
    ['tidepool', { hasEval: true }],
  ]);
  expect([
    ...parseSiteIndex(JSON.parse(modelIndexText(site, new Set(['tidepool'])))).keys(),
  ]).toEqual(['micro']);
});

it('names none where there are no models', () => {
  expect(parseSiteIndex(JSON.parse(modelIndexText(siteWith(['index.html'])))).size).toBe(0);
});

it('refuses what is no index, with the place that is wrong', () => {
  expect(() => parseSiteIndex([])).toThrow('models/index.json is not an object');
  expect(() => parseSiteIndex({ models: { lagoon: true } })).toThrow('lagoon in models/index.json');
});

it('knows the names of its own machine, and those that only look alike', () => {
  for (const name of ['localhost', 'a.localhost', '127.0.0.1', '127.8.8.8', '[::1]'])
    expect(isOwnMachine(name), name).toBe(true);
  for (const name of ['localhost.example.org', '127.0.0.1.example.org', '192.168.0.7', '[::2]', ''])
    expect(isOwnMachine(name), name).toBe(false);
});
