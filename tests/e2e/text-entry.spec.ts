// Writing in every script and on every keyboard: composition, letters behind Alt, touch, a keyboard over the page, right to left.
import type { Page } from '@playwright/test';
import { expect, test } from './fake-site';

interface Press {
  readonly key: string;
  readonly code?: string;
  readonly keyCode?: number;
  readonly isComposing?: boolean;
  readonly altKey?: boolean;
}

/** A key press as an input method or another keyboard gives it; false when the page took it for itself. */
async function press(page: Page, given: Press): Promise<boolean> {
  return page.evaluate((init) => {
    const event = new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init });
    return document.activeElement?.dispatchEvent(event) ?? false;
  }, given);
}

const box = (page: Page) => page.getByRole('textbox', { name: 'Message' });
const questions = (page: Page) => page.getByRole('article', { name: 'Your message' });

test('the Enter and Escape of an input method send nothing, stop nothing and close nothing', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('streams', 100);
  await box(page).fill('とうきょう');
  // Safari ends the composition first, Chromium and Firefox after the key.
  expect(await press(page, { key: 'Enter', code: 'Enter', keyCode: 229 })).toBe(true);
  expect(await press(page, { key: 'Enter', code: 'Enter', isComposing: true })).toBe(true);
  await expect(box(page)).toHaveValue('とうきょう');
  await expect(questions(page)).toHaveCount(0);

  await box(page).press('Enter');
  await expect(questions(page)).toHaveText(['とうきょう']);
  await press(page, { key: 'Escape', code: 'Escape', isComposing: true });
  await press(page, { key: 'Escape', code: 'Escape', keyCode: 229 });
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();

  await page.getByRole('navigation').getByText('とうきょう').hover();
  await page.getByRole('button', { name: 'Rename “とうきょう”' }).click();
  const title = page.getByRole('textbox', { name: 'New title' });
  await title.fill('東京');
  await press(page, { key: 'Escape', code: 'Escape', isComposing: true });
  await expect(title).toHaveValue('東京');
  await title.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('東京');
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
});

test('letters behind Alt are written', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await chat.ask('one');
  await chat.replied();
  await box(page).focus();
  for (const [key, code] of [
    ['ń', 'KeyN'],
    ['ś', 'KeyS'],
    ['ą', 'KeyA'],
    ['ß', 'KeyS'],
    ['Dead', 'KeyN'],
  ] as const)
    expect(await press(page, { key, code, altKey: true }), key).toBe(true);
  await expect(questions(page)).toHaveCount(1);
  await expect(page.getByRole('dialog')).toBeHidden();
  expect(await press(page, { key: 's', code: 'KeyS', altKey: true })).toBe(false);
  await expect(page.getByRole('dialog', { name: 'Settings' })).toBeVisible();
});

test('Hebrew and Arabic run from the right, wherever a person wrote them', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  const question = 'שלום עולם (abc).';
  await box(page).fill(question);
  const directionOf = (what: ReturnType<typeof box>) =>
    what.evaluate((element) => getComputedStyle(element).direction);
  expect(await directionOf(box(page))).toBe('rtl');
  await box(page).press('Enter');
  await chat.replied();
  expect(await directionOf(questions(page).getByText(question))).toBe('rtl');
  expect(await directionOf(page.getByRole('heading', { level: 1 }))).toBe('rtl');
  expect(await directionOf(page.getByRole('button', { name: question, exact: true }).first())).toBe(
    'rtl',
  );
  // The frame of the page stays as it is.
  expect(await directionOf(page.getByRole('main'))).toBe('ltr');
});

test.describe('a touch device', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('Enter of a keyboard with keys sends, of one on the screen it makes a new line', async ({
    chat,
  }) => {
    const { page } = chat;
    await chat.open('thinks');
    await box(page).fill('one');
    expect(await press(page, { key: 'Enter', keyCode: 13 })).toBe(true);
    await expect(questions(page)).toHaveCount(0);
    await box(page).press('Enter');
    await expect(questions(page)).toHaveText(['one']);
    await chat.replied();
    await box(page).fill('two');
    await box(page).press('Control+Enter');
    await expect(questions(page)).toHaveText(['one', 'two']);
  });

  test('the message box stays above a keyboard that covers the page', async ({ chat }) => {
    const { page } = chat;
    // Safari's way: the page keeps its size, only the part that is seen gets smaller, and is pushed up.
    await page.addInitScript(() => {
      const seen = Object.assign(new EventTarget(), { height: 844, offsetTop: 0, scale: 1 });
      Object.defineProperty(globalThis, 'visualViewport', { value: seen });
    });
    const cover = (height: number, offsetTop: number): Promise<void> =>
      page.evaluate(
        (change) => {
          const seen = globalThis.visualViewport;
          Object.assign(seen ?? {}, change);
          seen?.dispatchEvent(new Event('resize'));
        },
        { height, offsetTop },
      );
    await chat.open('streams');
    await chat.ask('Why two memories?');
    await chat.replied();
    await cover(508, 40);
    const place = await box(page).boundingBox();
    expect(place?.y).toBeGreaterThan(40);
    expect((place?.y ?? 0) + (place?.height ?? 0)).toBeLessThan(548);
    // Its Enter is the only way to a new line, even where it names the key.
    await box(page).fill('two');
    await box(page).press('Enter');
    await expect(questions(page)).toHaveCount(1);
    await cover(844, 0);
    await expect.poll(async () => (await box(page).boundingBox())?.y).toBeGreaterThan(600);
  });
});

test('the page asks Chromium to make room for a keyboard', async ({ chat }) => {
  await chat.open('thinks');
  await expect(chat.page.locator('meta[name=viewport]')).toHaveAttribute(
    'content',
    /interactive-widget=resizes-content/,
  );
});
