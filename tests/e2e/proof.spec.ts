// The promise of the project on the shipped model: it thinks within its limit in the tab, and its sums come out right.
import { expect, test, type Page } from '@playwright/test';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ask, log, replied, thinkShortly } from './real-page';

/** Sums on the test side of the recipe's split: their problems are in no training file. */
const HELD_OUT_SUMS = [
  [15, 46],
  [18, 74],
  [20, 45],
] as const;

async function setLimit(page: Page, stop: 'Off' | '16' | '128'): Promise<void> {
  await thinkShortly(page);
  const presses = { Off: 0, '16': 1, '128': 4 }[stop];
  for (let i = 0; i < presses; i += 1) await page.keyboard.press('ArrowRight');
}

test('the sums asked here are on the test side of the split', () => {
  const python = process.env['TIDEPOOL_PYTHON'] ?? 'python3';
  test.skip(!existsSync('model/tasks/split.py'), 'the recipe is not here');
  const canonical = HELD_OUT_SUMS.map(([a, b]) => `add:${a}+${b}`);
  const code =
    'import sys; from tasks.split import split_of; print(" ".join(split_of(c) for c in sys.argv[1:]))';
  const asked = spawnSync(python, ['-c', code, ...canonical], { cwd: 'model', encoding: 'utf8' });
  test.skip(asked.error !== undefined, 'there is no Python here');
  expect(asked.stderr).toBe('');
  expect(asked.stdout.trim().split(' ')).toEqual(['test', 'test', 'test']);
});

test('sums it was not trained on are thought about in sight, and come out right', async ({
  page,
}) => {
  await page.goto('./');
  await setLimit(page, '128');
  for (const [a, b] of HELD_OUT_SUMS) {
    await ask(page, `What is ${a} + ${b}?`);
    const thought = page.getByRole('group', { name: 'Thought' });
    // It streams: there is thought to read while the reply still runs.
    await expect(thought).toContainText(/\d \+ \d = \d/, { timeout: 90_000 });
    await replied(page);
    const used = Number(/(\d+) of 128 tokens/.exec((await thought.textContent()) ?? '')?.[1]);
    expect(used).toBeGreaterThan(8);
    expect(used).toBeLessThanOrEqual(128 + 16);
    await expect(log(page)).toContainText(`${a} + ${b} = ${a + b}.`);
    await page.getByRole('button', { name: 'New chat' }).click();
  }
});

test('a thought that needs more than its limit is cut within the grace, and an answer follows', async ({
  page,
}) => {
  await page.goto('./');
  await setLimit(page, '16');
  await ask(page, 'What is 4827 + 3956?');
  await replied(page);
  const thought = page.getByRole('group', { name: 'Thought' });
  const text = (await thought.textContent()) ?? '';
  const used = Number(/(\d+) of 16 tokens/.exec(text)?.[1]);
  expect(used).toBeGreaterThanOrEqual(16);
  expect(used).toBeLessThanOrEqual(16 + 16);
  expect(text).not.toContain('It ended by itself');
  await expect(log(page)).toContainText(/4827 \+ 3956 = \d+/);
});

test('with thinking off it answers at once', async ({ page }) => {
  await page.goto('./');
  await setLimit(page, 'Off');
  await ask(page, 'What is 15 + 46?');
  await replied(page);
  await expect(page.getByRole('group', { name: 'Thought' })).toHaveCount(0);
  await expect(log(page)).toContainText(/15 \+ 46 = \d+/);
});
