// The larger model itself, on the production build served from this machine: it comes by itself, looks a thing up that it was
// just told, thinks within the slider's limit, and does so without a network after a reload.
import type { Page } from '@playwright/test';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from './plain-host';
import { log, readyOffline } from './real-page';

const DIST = resolve(process.env['TIDEPOOL_DIST'] ?? 'dist');
/** Its thought has more than the limit's 16 tokens and a grace of 16, whatever it is worth. */
const LONG_SUM = 'What is 4587 + 3679?';
const QUESTION = 'Idris keeps his kite in the attic and his drum in the cellar. Where is the drum?';
/** Ninety megabytes are read and checked, on a machine that does other things as well. */
const LOAD_MS = 180_000;

test.skip(
  !existsSync(join(DIST, 'models/lagoon/manifest.json')),
  'this build has no models/lagoon/: its weights are not in the repository',
);
test.use({ serviceWorkers: 'allow', hasLarger: true });
test.setTimeout(600_000);

async function lagoonAnswers(page: Page): Promise<void> {
  await expect(page.getByRole('button', { name: /^Model: .*, Lagoon$/ })).toBeVisible({
    timeout: LOAD_MS,
  });
}

/** Asks in a new chat with the slider at `stop`; returns the reply when it has ended. */
async function askAt(page: Page, stop: string, presses: number, question = QUESTION) {
  await page.getByRole('button', { name: 'New chat' }).first().click();
  const slider = page.getByRole('slider', { name: 'Thinking limit' });
  await slider.focus();
  await page.keyboard.press('Home');
  for (let i = 0; i < presses; i += 1) await page.keyboard.press('ArrowRight');
  await expect(slider).toHaveAttribute('aria-valuetext', stop);
  await page.getByRole('textbox', { name: 'Message' }).fill(question);
  await page.getByRole('button', { name: 'Send' }).click();
  const reply = log(page).getByRole('article', { name: 'Reply' });
  await expect(reply).toContainText(/tokens\/s/, { timeout: LOAD_MS });
  return reply;
}

test('it looks up what it was told, with a thought cut at 16 tokens and whole at 128, offline after a reload', async ({
  page,
  host,
}) => {
  await page.goto(host.url);
  await lagoonAnswers(page);
  const whole = await askAt(page, '128 tokens at most', 4);
  await expect(whole).toContainText(/cellar/i);
  await expect(whole).toContainText('It ended by itself.');
  await expect(whole).toContainText('Lagoon');
  // What it looks up is quoted in fewer than 16 tokens; a sum is not worked out in them.
  await expect(await askAt(page, '16 tokens at most', 1)).toContainText(/cellar/i);
  await expect(await askAt(page, '16 tokens at most', 1, LONG_SUM)).toContainText('At the limit');

  await readyOffline(page);
  await host.kill();
  await page.goto(host.url);
  await lagoonAnswers(page);
  await expect(await askAt(page, '128 tokens at most', 4)).toContainText(/cellar/i);
});
