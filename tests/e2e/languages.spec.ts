// The page in Spanish by its address and in German by its settings, kept over a reload; nothing overflows on a phone.
import { expect, test } from './fake-site';

test('beside the lab the marks of the limit and the header have room, in each language', async ({
  chat,
}) => {
  const { page } = chat;
  await page.setViewportSize({ width: 1280, height: 900 });
  await chat.open('thinks');
  for (const [code, lab] of [
    ['es', 'Laboratorio'],
    ['de', 'Zustandslabor'],
  ] as const) {
    const address = new URL(page.url());
    address.searchParams.set('lang', code);
    await page.goto(address.href);
    await page.getByRole('button', { name: lab, exact: true }).click();
    await expect(page.getByRole('tablist')).toBeVisible();
    const gaps = await page.locator('.ticks span').evaluateAll((marks) => {
      const boxes = marks.map((mark) => mark.getBoundingClientRect());
      return boxes.slice(1).map((box, at) => box.left - (boxes[at]?.right ?? 0));
    });
    const beyond = await page
      .locator('main header')
      .evaluate((header) => header.scrollWidth - header.clientWidth);
    expect(beyond).toBeLessThanOrEqual(0);
    expect(gaps.length).toBeGreaterThan(5);
    expect(Math.min(...gaps)).toBeGreaterThan(1);
  }
});

test('the page speaks Spanish by ?lang=es and German by choice, and keeps the choice', async ({
  chat,
}) => {
  const { page } = chat;
  await page.setViewportSize({ width: 390, height: 844 });
  await chat.open('thinks');
  const address = new URL(page.url());
  address.searchParams.set('lang', 'es');
  await page.goto(address.href);
  const html = page.locator('html');
  await expect(html).toHaveAttribute('lang', 'es');
  await expect(page.getByRole('textbox', { name: 'Mensaje' })).toBeVisible();
  await chat.expectAccessible();

  await page.getByRole('button', { name: 'Ajustes' }).first().click();
  await page.getByLabel('Idioma de la página').selectOption('Deutsch');
  await expect(html).toHaveAttribute('lang', 'de');
  await expect(page.getByRole('heading', { name: 'Sprache', exact: true })).toBeVisible();
  expect(new URL(page.url()).searchParams.has('lang')).toBe(false);
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Nachricht' })).toBeVisible();
  await expect(html).toHaveAttribute('lang', 'de');
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBeLessThanOrEqual(0);
});
