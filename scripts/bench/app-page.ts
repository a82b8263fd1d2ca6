/** Owns the measurement of the app as a person has it: its own page, loads, a reply, and the state lab open beside it. */
import type { Browser, Page } from '@playwright/test';
import { openFresh } from './browser';
import type { Samples } from './rounds';

/** What is asked in every round: long enough to time decoding. */
const QUESTION = 'Tell me a story about a fox and a kite.';

/** Milliseconds from the navigation's start until the model is ready. */
async function load(page: Page, url: string): Promise<number> {
  const startedAt = performance.now();
  await page.goto(url);
  await page.getByRole('button', { name: /^Model: (WASM|WebGPU)/ }).waitFor();
  return performance.now() - startedAt;
}

/** Asks in a new chat; tokens per second and the first token as the page itself shows them. */
async function ask(page: Page): Promise<{ firstTokenMs: number; tokensPerSecond: number }> {
  await page.getByRole('button', { name: 'New chat' }).click();
  await page.getByRole('textbox', { name: 'Message' }).fill(QUESTION);
  await page.getByRole('button', { name: 'Send' }).click();
  const log = page.getByRole('log', { name: 'Conversation' });
  await log
    .getByText(/tokens\/s/)
    .first()
    .waitFor();
  const text = (await log.textContent()) ?? '';
  const [, first, unit] = /([\d.]+)\s(ms|s) to first token/.exec(text) ?? [];
  const rate = /([\d.,]+)\stokens\/s/.exec(text)?.[1];
  if (first === undefined || rate === undefined)
    throw new Error(`the reply's figures can't be read from: ${text.slice(-200)}`);
  return {
    firstTokenMs: Number(first) * (unit === 's' ? 1000 : 1),
    tokensPerSecond: Number(rate.replaceAll(',', '')),
  };
}

/** Milliseconds of main-thread tasks over 50 ms while `work` runs. */
async function longTaskMs(page: Page, work: () => Promise<unknown>): Promise<number> {
  await page.evaluate(() => {
    const scope = globalThis as unknown as { longTaskMs: number };
    scope.longTaskMs = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) scope.longTaskMs += duration;
    }).observe({ type: 'longtask' });
  });
  await work();
  return page.evaluate(() => (globalThis as unknown as { longTaskMs: number }).longTaskMs);
}

/** Adds to `samples` under `app`, until `rounds` are done or the clock is past `deadline`. */
export async function measureApp(
  browser: Browser,
  url: string,
  samples: Samples,
  { rounds, deadline }: { readonly rounds: number; readonly deadline: number },
): Promise<void> {
  for (let round = 0; round < rounds && performance.now() < deadline; round += 1) {
    const page = await openFresh(browser);
    samples.add('app', 'coldLoadMs', await load(page, url));
    samples.add('app', 'warmLoadMs', await load(page, url));
    samples.add('app', 'firstTokenMs', (await ask(page)).firstTokenMs);
    // The first reply after a load compiles; with and without the lab are timed after it, in turns.
    for (const isWatched of round % 2 === 0 ? [false, true] : [true, false]) {
      if (isWatched) await page.getByRole('button', { name: 'State lab' }).first().click();
      const busy = await longTaskMs(page, async () => {
        const { tokensPerSecond } = await ask(page);
        samples.add('app', isWatched ? 'decodeLabOpen' : 'decode', tokensPerSecond);
      });
      samples.add('app', isWatched ? 'longTaskMsLabOpen' : 'longTaskMs', busy);
      if (isWatched)
        await page
          .getByRole('button', { name: /^Close/ })
          .first()
          .click();
    }
    await page.context().close();
  }
}
