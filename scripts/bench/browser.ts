/** Owns the browser under measurement: one Chromium, fresh contexts, and calls into the page of the contenders. */
import { chromium, type Browser, type Page } from '@playwright/test';
import type { Peers } from '../../tests/bench/peers/peers';
import { findChromium, noChromiumMessage, thisMachine } from '../find-chromium.js';

/** A page with nothing in its caches; closing it closes its context. */
export class PeersPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: Browser, url: string): Promise<PeersPage> {
    const page = await openFresh(browser);
    await page.goto(new URL('peers/', url).href);
    return new PeersPage(page);
  }

  async call<K extends Exclude<keyof Peers, symbol>>(
    method: K,
    ...given: Parameters<Peers[K]>
  ): Promise<Awaited<ReturnType<Peers[K]>>> {
    const answer: unknown = await this.page.evaluate(
      async ([name, values]) => {
        const { peers } = globalThis as unknown as {
          peers: Record<string, (...values: readonly unknown[]) => Promise<unknown>>;
        };
        return peers[name]?.(...values);
      },
      [method, given] as const,
    );
    return answer as Awaited<ReturnType<Peers[K]>>;
  }

  /** Bytes that the browser counts for the page and all its workers, after a garbage collection. */
  async memoryBytes(): Promise<number> {
    return this.page.evaluate(async () => {
      const { measureUserAgentSpecificMemory: measure } = performance as unknown as {
        measureUserAgentSpecificMemory: () => Promise<{ bytes: number }>;
      };
      return (await measure.call(performance)).bytes;
    });
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** A page in a context of its own, without service workers. */
export async function openFresh(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const page = await context.newPage();
  page.setDefaultTimeout(300_000);
  return page;
}

export async function launch(): Promise<Browser> {
  const found = findChromium(await thisMachine());
  if (found === undefined) throw new Error(noChromiumMessage);
  return chromium.launch({
    executablePath: found.path,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      // The memory of a page is counted when asked, not at the browser's next quiet moment.
      '--enable-blink-features=ForceEagerMeasureMemory',
    ],
  });
}
