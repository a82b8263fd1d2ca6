// A compressed transfer: the wire carries packed files, and neither the bar nor what is verified and kept is misled.
import { expect, test } from '@playwright/test';
import { expectAnswer, openMicro, thinkShortly } from '../e2e/real-page';

test.use({ serviceWorkers: 'allow' });

test('compressed transfer: packed files on the wire, no bar over 100 %, true sizes kept', async ({
  page,
}) => {
  await page.addInitScript(() => {
    const seen: number[] = [];
    Object.assign(window, { drillShares: seen });
    new MutationObserver(() => {
      for (const bar of document.querySelectorAll('progress')) seen.push(bar.value / bar.max);
    }).observe(document, { subtree: true, childList: true, attributes: true });
  });
  await openMicro(page);
  await thinkShortly(page);
  await expectAnswer(page, 'What is 2 + 3?');
  await expect(page.getByText(/Ready offline/)).toBeVisible({ timeout: 60_000 });
  const carried = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter((entry) => entry instanceof PerformanceResourceTiming)
      .filter(({ name }) => /\/assets\/(?:index|first|shared)-[^/]*\.(?:js|css)$/.test(name))
      // A chunk of a few hundred bytes gains nothing and is sent as it is.
      .filter(({ decodedBodySize }) => decodedBodySize > 4096)
      .map(({ encodedBodySize, decodedBodySize }) => encodedBodySize / decodedBodySize),
  );
  expect(carried.length).toBeGreaterThan(1);
  for (const share of carried) expect(share).toBeLessThan(0.5);
  const kept = await page.evaluate(async () => {
    const files = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) files.push(url);
    return files;
  });
  const encodingOf = async (ending: string): Promise<string | undefined> => {
    const url = kept.find((one) => one.split('?', 1)[0]?.endsWith(ending) === true) ?? '';
    const response = await page.request.get(url, { headers: { 'Accept-Encoding': 'br, gzip' } });
    return response.headers()['content-encoding'];
  };
  expect(await encodingOf('.wasm')).toBe('br');
  // Models are read in ranges and counted on the wire.
  expect(await encodingOf('.onnx')).toBeUndefined();
  const shares = await page.evaluate(
    () => (window as unknown as { drillShares: number[] }).drillShares,
  );
  expect(shares.filter((share) => !(share >= 0 && share <= 1))).toEqual([]);
  const wasmBytes = await page.evaluate(async () => {
    const cache = await caches.open('tidepool-runtime-v1');
    const key = (await cache.keys()).find(({ url }) => url.endsWith('.wasm'));
    const wasm = key === undefined ? undefined : await cache.match(key);
    return (await wasm?.arrayBuffer())?.byteLength ?? 0;
  });
  const said = /([\d.]+) MiB/.exec(
    (await page.getByText(/Ready offline/).textContent()) ?? '',
  )?.[1];
  expect(Number(said) * 2 ** 20).toBeGreaterThan(wasmBytes);
});
