/** Owns the measurement of loads and memory: each contender alone on a page whose caches are empty, then warm. */
import type { Browser } from '@playwright/test';
import { PeersPage } from './browser';
import type { Entry } from './contenders';
import type { Prompt } from '../../src/core/bench/prompts';
import type { Samples } from './rounds';

/** Adds to `samples`, until `rounds` are done or the clock is past `deadline`. */
export async function measureLoads(
  browser: Browser,
  url: string,
  { entries, prompt }: { readonly entries: readonly Entry[]; readonly prompt: Prompt },
  samples: Samples,
  { rounds, deadline }: { readonly rounds: number; readonly deadline: number },
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    if (performance.now() > deadline) return;
    for (const { name, options, isCounted } of entries) {
      const page = await PeersPage.open(browser, url);
      const empty = await page.memoryBytes();
      samples.add(name, 'coldLoadMs', (await page.call('load', name, options)).loadMs);
      await page.call('dispose', name);
      samples.add(name, 'warmLoadMs', (await page.call('load', name, options)).loadMs);
      await page.call('run', name, {
        promptIds: prompt.ids,
        promptText: prompt.text,
        newTokens: 16,
        reuse: false,
      });
      if (isCounted !== false) samples.add(name, 'memoryBytes', (await page.memoryBytes()) - empty);
      await page.close();
    }
  }
}
