// Scroll, keyboard, stillness while streaming, screen readers.
import { expect, test } from './fake-site';

test.describe('scrolling', () => {
  test.use({ viewport: { width: 900, height: 520 } });

  test('follows the reply, lets go when the person scrolls up, and comes back on request', async ({
    chat,
  }) => {
    const { page } = chat;
    await chat.open('streams', 50);
    await chat.ask('Why two memories?');
    const log = page.getByRole('log');
    const distance = (): Promise<number> =>
      log.evaluate((box) => box.scrollHeight - box.clientHeight - box.scrollTop);
    await expect(log.getByText('KV cache', { exact: true })).toBeVisible();
    // There is more above than the wheel will turn back to.
    await expect.poll(() => log.evaluate((box) => box.scrollTop)).toBeGreaterThan(180);
    await expect.poll(distance).toBeLessThan(4);

    await log.hover();
    await page.mouse.wheel(0, -180);
    const jump = page.getByRole('button', { name: 'Jump to latest' });
    await expect(jump).toBeVisible();
    const top = await log.evaluate((box) => box.scrollTop);
    await expect(page.getByRole('log').getByText(/adds/)).toBeAttached();
    await chat.replied();
    // A smooth scroll may still have gone further up; down it must not go.
    expect(await log.evaluate((box) => box.scrollTop)).toBeLessThanOrEqual(top + 1);
    await jump.click();
    await expect(jump).toBeHidden();
    await expect.poll(distance).toBeLessThan(4);
  });
});

test('what is written above does not move while a reply streams and ends', async ({ chat }) => {
  const { page } = chat;
  await chat.open('streams', 8);
  await page.evaluate(() => {
    const shifts: number[] = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if ('value' in entry && typeof entry.value === 'number') shifts.push(entry.value);
      }
    }).observe({ type: 'layout-shift', buffered: false });
  });
  await chat.ask('Why two memories?');
  await chat.replied();
  const total = await page.evaluate(() => {
    const shifts = Reflect.get(globalThis, 'shifts') as number[];
    return shifts.reduce((sum, value) => sum + value, 0);
  });
  expect(total).toBeLessThan(0.1);
});

interface TraceEvent {
  readonly name: string;
  readonly tid: number;
  readonly pid: number;
  /** Microseconds of processor time, which a busy machine does not stretch. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

test('a streaming reply leaves the main thread free: no task takes 50 ms', async ({
  chat,
  browser,
}) => {
  const { page } = chat;
  await chat.open('streams', 8);
  await chat.ask('warm');
  await chat.replied();
  await browser.startTracing(page, {
    categories: ['disabled-by-default-devtools.timeline', 'devtools.timeline', '__metadata'],
  });
  await chat.ask('Why two memories?');
  await chat.replied();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const mains = trace.traceEvents
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => `${pid}:${tid}`);
  const tasks = trace.traceEvents.filter(
    ({ name, pid, tid, tdur }) =>
      name === 'RunTask' && tdur !== undefined && mains.includes(`${pid}:${tid}`),
  );
  expect(tasks.length, 'tasks seen').toBeGreaterThan(50);
  const longest = Math.max(...tasks.map(({ tdur }) => tdur ?? 0)) / 1000;
  expect(longest, 'ms of processor time').toBeLessThan(50);
});

test('everything by keyboard: ask, stop, new chat, help', async ({ chat }) => {
  const { page } = chat;
  // Slow enough to be stopped, on any machine.
  await chat.open('streams', 100);
  await page.keyboard.press('/');
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeFocused();
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('one\ntwo');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
  await page.keyboard.press('Escape');
  await chat.replied();
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeFocused();
  await page.keyboard.press('Alt+n');
  await expect(page.getByRole('heading', { name: 'A small mind' })).toBeVisible();
  await page.keyboard.press('Tab');
  await page.getByRole('log').focus();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Help' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('whole sentences are announced, tokens are not', async ({ chat }) => {
  const { page } = chat;
  // A word and its frame are shown before the next comes, and before the engine dies.
  await chat.open('dies', 100);
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    const region = document.querySelector('p[aria-live="polite"]');
    if (region === null) throw new Error('no live region');
    new MutationObserver(() => {
      const text = region.textContent.trim();
      if (text !== '') said.push(text);
    }).observe(region, { childList: true, characterData: true, subtree: true });
  });
  await chat.ask('Tell me a story');
  await expect(page.getByRole('button', { name: 'Generate again' })).toBeVisible();
  const said = await page.evaluate(() => Reflect.get(globalThis, 'said') as string[]);
  expect(said.slice(0, 2)).toEqual([
    'The model is thinking.',
    'A fox found a red kite in the reeds.',
  ]);
  expect(said.length).toBeLessThanOrEqual(4);
  await expect(page.getByRole('log')).toHaveAttribute('aria-live', 'off');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`axe, ${colorScheme}`, () => {
    test.use({ colorScheme });

    test('finds nothing in the empty page, a chat, trouble and the dialogs', async ({ chat }) => {
      const { page } = chat;
      await chat.open('tools');
      await chat.expectAccessible();
      await chat.ask('417 × 96?');
      await chat.replied();
      await chat.expectAccessible();
      for (const name of ['Settings', 'Help', /^Model:/, 'Export, import']) {
        await page.getByRole('button', { name }).first().click();
        await expect(page.getByRole('dialog')).toBeVisible();
        await chat.expectAccessible();
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toBeHidden();
      }
      await chat.open('dies');
      await chat.ask('a story');
      await expect(page.getByRole('button', { name: 'Generate again' })).toBeVisible();
      await chat.expectAccessible();
      await chat.open('load-error');
      await expect(page.getByRole('alert')).toBeVisible();
      await chat.expectAccessible();
    });
  });
}

test.describe('a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('has the whole chat without sideways scrolling, and axe finds nothing', async ({ chat }) => {
    const { page } = chat;
    await chat.open('streams');
    await chat.ask('Why two memories?');
    await chat.replied();
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    await chat.expectAccessible();
    await page.getByRole('button', { name: 'Open the gauge' }).click();
    await expect(page.getByRole('dialog', { name: 'Pool and tide' })).toContainText(
      'The pool holds',
    );
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: 'Conversations' }).click();
    await chat.expectAccessible();
    await page.getByRole('button', { name: 'New chat' }).click();
    await expect(page.getByRole('dialog')).toBeHidden();
    await expect(page.getByRole('heading', { name: 'A small mind' })).toBeVisible();
  });
});
