// The library as another page has it: built, and opened by the example in docs/ with the micro model in the larger's place.
import { expect, test } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findFile, typeOf } from '../../scripts/static-files.js';
import type { LanguageModelFactory } from '../../src/lib/language-model';

const ROOT = resolve(import.meta.dirname, '../..');
const OUT = mkdtempSync(join(tmpdir(), 'tidepool-lib-'));

test.beforeAll(() => {
  test.setTimeout(300_000);
  execFileSync(
    process.execPath,
    ['node_modules/vite/bin/vite.js', 'build', '--config=vite.lib.config.ts', '--logLevel=warn'],
    {
      cwd: ROOT,
      env: { ...process.env, TIDEPOOL_LIB_DIST: OUT },
    },
  );
});

test('the example page of docs/ answers, and a schema is held to', async ({ page }) => {
  await page.route('http://library.localhost/**', (route) => {
    const path = new URL(route.request().url()).pathname.replace(
      '/models/tidepool/',
      '/models/micro/',
    );
    const found = path.startsWith('/dist-lib/')
      ? findFile(OUT, path.slice(10))
      : findFile(ROOT, path.slice(1));
    return found === null
      ? route.fulfill({ status: 404 })
      : route.fulfill({ path: found.file, contentType: typeOf(found.file) });
  });
  await page.goto('http://library.localhost/docs/library.html');
  const answer = page.locator('#answer');
  await expect(answer).not.toHaveText(/^(Loading…)?$/, { timeout: 90_000 });
  const told = await page.evaluate(async () => {
    const address = new URL('../dist-lib/tidepool.js', location.href).href;
    const { languageModel } = (await import(address)) as {
      languageModel: (options: object) => LanguageModelFactory;
    };
    const model = languageModel({ modelUrl: '../public/models/tidepool/', thinkingLimit: 16 });
    const progress: number[] = [];
    const session = await model.create({
      initialPrompts: [{ role: 'system', content: 'Be brief.' }],
      monitor: (monitor) =>
        monitor.addEventListener('downloadprogress', (event) =>
          progress.push((event as ProgressEvent).loaded),
        ),
    });
    const schema = {
      type: 'object',
      properties: { sum: { type: 'integer', minimum: 0, maximum: 99 } },
      required: ['sum'],
    };
    const json = await session.prompt('What is 23 + 58?', { responseConstraint: schema });
    const refused = await session
      .prompt('x', { responseConstraint: { type: 'string', pattern: 'a' } })
      .catch((error: unknown) => (error as DOMException).name);
    return { json, refused, progress, usage: session.contextUsage, window: session.contextWindow };
  });
  expect((JSON.parse(told.json) as { sum: number }).sum).toBeLessThanOrEqual(99);
  expect(told.refused).toBe('NotSupportedError');
  expect(told.progress[0]).toBe(0);
  expect(told.progress.at(-1)).toBe(1);
  expect(told.usage).toBeGreaterThan(0);
  expect(told.window).toBeGreaterThan(told.usage);
});
