// The page against a real server: `transformers serve` of PyPI with the shipped model, whose thoughts are its own. Skipped
// where the recipe's Python or its packages for serving are not there; TIDEPOOL_PYTHON names one that has them.
import { expect, test } from '@playwright/test';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { graceTokens } from '../../src/core/budget/thinking-limit';
import { ask, log, openMicro } from './real-page';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIMIT = 32;
const NEEDED = ['transformers', 'torch', 'fastapi', 'uvicorn', 'openai', 'accelerate', 'onnx'];

/** The Python that .ci/run makes, or the one that is named. */
function findPython(): string {
  const named = process.env['TIDEPOOL_PYTHON'];
  if (named !== undefined && named !== '') return named;
  const project = readFileSync(join(ROOT, 'model/pyproject.toml'));
  const key = createHash('sha256').update(project).digest('hex').slice(0, 12);
  const cache = process.env['TIDEPOOL_VENVS'] ?? join(homedir(), '.cache/tidepool');
  return join(cache, `python-${key}`, 'bin/python');
}

/** Why there can be no server here; '' when there can. */
function whyNot(python: string): string {
  if (python.includes('/') && !existsSync(python)) return `there is no ${python}; .ci/run makes it`;
  const code = `import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n) is None])`;
  const { status, stdout } = spawnSync(python, ['-c', code, ...NEEDED], { encoding: 'utf8' });
  if (status !== 0) return `${python} does not run`;
  const missing = stdout.trim();
  return missing === '' ? '' : `${python} has no ${missing}; pip install "transformers[serving]"`;
}

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

const python = findPython();
const reason = whyNot(python);
/** One core of a machine that others use as well. */
const env = {
  ...process.env,
  OMP_NUM_THREADS: '1',
  HF_HUB_OFFLINE: '1',
  TOKENIZERS_PARALLELISM: 'false',
};

let folder = '';
let server: ChildProcess | null = null;

test.skip(reason !== '', `transformers serve: ${reason}`);
test.setTimeout(240_000);

test.afterEach(() => {
  server?.kill('SIGKILL');
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

test('transformers serve: the thought stops within the limit, an answer follows; stop, continue, lose it, ask here', async ({
  page,
}) => {
  folder = mkdtempSync(join(tmpdir(), 'tidepool-served-'));
  // The last part of the name is by which the page knows whose template it is.
  const model = join(folder, 'tidepool');
  const made = spawnSync(
    python,
    [
      '-m',
      'tidepool_model.export.serve_folder',
      '--model',
      '../public/models/tidepool',
      '--out',
      model,
    ],
    { cwd: join(ROOT, 'model'), env, encoding: 'utf8' },
  );
  expect(made.stderr).not.toContain('Error');
  expect(made.status).toBe(0);
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const place = `127.0.0.1:${port}`;
  const serve = [
    'serve',
    model,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--device',
    'cpu',
    '--enable-cors',
  ];
  server = spawn(
    python,
    ['-c', 'from transformers.cli.transformers import main; main()', ...serve],
    {
      env,
      stdio: 'ignore',
    },
  );
  await expect
    .poll(
      () =>
        fetch(`${address}/v1/models`).then(
          ({ ok }) => ok,
          () => false,
        ),
      { timeout: 90_000 },
    )
    .toBe(true);

  await openMicro(page);
  await page.getByRole('button', { name: /^Model: / }).click();
  await page.getByRole('button', { name: 'Choose another model' }).click();
  const form = page.getByRole('form', { name: 'Add a server' });
  await form.getByLabel('Address').fill(address);
  await form.getByRole('button', { name: 'Test and add' }).click();
  const row = page.getByRole('group', { name: `Server ${place}` });
  await expect(row).toContainText('It is transformers serve, with 1 model.');
  await row.getByRole('button', { name: 'Answer with it' }).click();
  await expect(
    page.getByRole('button', { name: new RegExp(`^Model: a server, ${place}`) }),
  ).toBeVisible();

  const slider = page.getByRole('slider', { name: 'Thinking limit' });
  await slider.focus();
  for (const key of ['Home', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
  await expect(slider).toHaveAttribute('aria-valuetext', new RegExp(`\\b${LIMIT}\\b`));
  await ask(page, 'What is 417 times 96?');
  const replies = log(page).getByRole('article', { name: 'Reply' });
  await expect(replies.last()).toContainText(/tokens\/s/, { timeout: 90_000 });
  const first = (await replies.last().textContent()) ?? '';
  const used = Number(new RegExp(`(\\d+) of ${LIMIT} tokens`).exec(first)?.[1]);
  expect(used).toBeGreaterThanOrEqual(LIMIT);
  expect(used).toBeLessThanOrEqual(LIMIT + graceTokens(LIMIT));
  expect(first).toContain('in the model’s published template');
  await expect(replies.last().locator('.answer')).toHaveText(/\S/);

  await slider.focus();
  await page.keyboard.press('End');
  await ask(page, 'Sort these numbers: 83, 12, 57, 40, 96, 31, 68, 25.');
  const thought = replies.last().getByLabel('Thought').locator('.text');
  await expect(thought).toHaveText(/\S{2}/, { timeout: 60_000 });
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(replies.last()).toContainText('You stopped it here.');
  const before = ((await thought.textContent()) ?? '').trim();
  await replies.last().getByRole('button', { name: 'Continue' }).click();
  await expect
    .poll(async () => (await thought.textContent())?.trim().length ?? 0, { timeout: 60_000 })
    .toBeGreaterThan(before.length + 2);
  expect(((await thought.textContent()) ?? '').trim().startsWith(before)).toBe(true);

  server.kill('SIGKILL');
  await expect(replies.last()).toContainText(
    `${place} stopped answering in the middle of the reply.`,
  );
  await replies.last().getByRole('button', { name: 'Answer here instead' }).click();
  await expect(page.getByRole('button', { name: /^Model: WASM.*, in this tab, / })).toBeVisible();
  await expect(replies.last()).toContainText(/tokens\/s/, { timeout: 90_000 });
});
