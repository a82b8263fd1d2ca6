// The state lab on the fake engine: what a person sees and can do in it, by mouse, keyboard and screen reader.
import { expect, test } from './fake-site';

test('it is closed at first, and its code comes only when it is opened', async ({ chat }) => {
  const { page } = chat;
  const scripts: string[] = [];
  page.on('request', (request) => scripts.push(request.url()));
  await chat.open('thinks');
  const button = page.getByRole('button', { name: 'State lab', exact: true });
  await expect(button).toHaveAttribute('aria-expanded', 'false');
  expect(scripts.filter((url) => url.includes('LabPanel'))).toEqual([]);
  await button.click();
  await expect(page.getByRole('tab', { name: 'Memory' })).toHaveAttribute('aria-selected', 'true');
  expect(scripts.filter((url) => url.includes('LabPanel')).length).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Close the state lab' }).click();
  await expect(page.getByRole('tab', { name: 'Memory' })).toHaveCount(0);
});

test('every view is accessible, and its tabs go by arrow keys', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  await page.getByRole('tab', { name: 'Memory' }).focus();
  for (const name of [
    'Memory',
    'Layers',
    'Tokens',
    'Operate',
    'Recall',
    'Family',
    'Lessons',
    'Race',
    'Class',
  ]) {
    await expect(page.getByRole('tab', { name })).toHaveAttribute('aria-selected', 'true');
    await chat.expectAccessible();
    await page.keyboard.press('ArrowRight');
  }
});

test('a layer opens from the strip with its state, half-lives and matrices, each with a table', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  await page.getByRole('tab', { name: 'Layers' }).click();
  await page.getByRole('button', { name: /^Layer 0, Mamba/ }).click();
  const layer = page.getByRole('region', { name: 'Layer 0, Mamba' });
  await expect(layer).toContainText(/Head 0 remembers in 32 × 32 numbers/);
  await expect(layer).toContainText(/forgets fastest/);
  await expect(layer).toContainText(/Read as attention, the last token takes most from/);
  await layer
    .getByRole('group', { name: 'Half-life of each head' })
    .getByText('As a table')
    .click();
  await expect(layer.getByRole('table')).toContainText('Half-life');
  await chat.expectAccessible();
  await page.getByRole('button', { name: /^Layer 5, attention/ }).click();
  const attention = page.getByRole('region', { name: 'Layer 5, attention' });
  await expect(attention).toContainText(/attention, more than any other/);
  await expect(attention.getByRole('group', { name: 'Hidden attention, layer 0' })).toBeVisible();
});

test('another candidate makes a branch of the reply', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  await page.getByRole('tab', { name: 'Tokens' }).click();
  await page.getByRole('button', { name: /^Token 1, / }).click();
  await page
    .getByRole('button', { name: /go on from here as a branch/ })
    .first()
    .click();
  await chat.replied();
  await expect(page.getByRole('log', { name: 'Conversation' })).toContainText('2 of 2');
});

test('a lesson asks for a prediction, runs, reveals, and is linked', async ({ chat, page }) => {
  await chat.open('thinks');
  const { origin, pathname, search } = new URL(page.url());
  await page.goto(`${origin}${pathname}${search}&again#lesson=the-state`);
  await expect(page.getByRole('heading', { name: '2. What the state is' })).toBeVisible();
  const run = page.getByRole('button', { name: 'Run it' });
  await expect(run).toBeDisabled();
  await page.getByRole('radio', { name: 'It stays the same' }).check();
  await run.click();
  await expect(page.getByRole('group', { name: 'What happened' })).toContainText(
    /The two part at token 2/,
  );
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save “What happened” as SVG' }).click();
  expect((await download).suggestedFilename()).toBe('lesson-the-state.svg');
  await chat.expectAccessible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test('it covers the page, and gives it back', async ({ chat }) => {
    const { page } = chat;
    await chat.open('thinks');
    await page.getByRole('button', { name: 'State lab', exact: true }).click();
    await expect(page.getByRole('tab', { name: 'Memory' })).toBeVisible();
    // Nothing below it can be reached by keyboard or screen reader.
    await expect(page.locator('main')).toHaveJSProperty('inert', true);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Close the state lab' }).click();
    await expect(page.locator('main')).toHaveJSProperty('inert', false);
    await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
  });
});
