// A chat for others: as a link, a picture, a print page, and in another page's frame.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { expect, test } from './fake-site';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

test('a chat travels in a link, is read, and gone on from; a broken link says so', async ({
  chat,
  browser,
}) => {
  const { page } = chat;
  await chat.open('streams');
  await chat.ask('Why two memories?');
  await chat.replied();
  await page.getByRole('button', { name: 'Share this chat' }).click();
  const dialog = page.getByRole('dialog', { name: 'Share this chat' });
  const address = dialog.getByRole('textbox', { name: 'Link to this chat' });
  await expect(address).toHaveValue(/#\/shared\/1\./);
  await chat.expectAccessible();
  const withThoughts = await address.inputValue();
  await dialog.getByRole('radio', { name: 'Left out' }).check();
  await expect.poll(() => address.inputValue()).not.toBe(withThoughts);
  await dialog.getByRole('radio', { name: 'Folded' }).check();
  await dialog.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.getByText('The link is copied.')).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(withThoughts);

  // Someone else, who has nothing of it.
  const other = await browser.newPage();
  const engine = new URL(page.url()).search;
  const parts = new URL(copied);
  parts.search = engine;
  await other.goto(parts.href);
  const shared = other.getByRole('region', { name: 'Shared chat' });
  await expect(shared).toContainText('The pool is rewritten with each token.');
  await expect(other.getByRole('textbox', { name: 'Message' })).toHaveCount(0);
  await shared.getByText(/^Thought/).click();
  await expect(shared).toContainText('A table and a bit of code');
  await other.getByRole('button', { name: 'Go on from here' }).click();
  await expect(other).toHaveURL(/#\/chat\//);
  await other.getByRole('textbox', { name: 'Message' }).fill('And then?');
  await other.getByRole('button', { name: 'Send' }).click();
  await expect(other.getByRole('article', { name: 'Reply' })).toHaveCount(2);

  parts.hash = parts.hash.slice(0, -20);
  await other.goto(parts.href);
  await expect(other.getByRole('alert')).toContainText('cut short or mistyped');
  await other.getByRole('button', { name: 'Start a chat' }).click();
  await expect(other.getByRole('textbox', { name: 'Message' })).toBeVisible();
  await other.close();
});

test('a chat becomes a PNG and a print page; one that is too long for a link becomes a file', async ({
  chat,
}) => {
  const { page } = chat;
  await page.addInitScript(() => {
    Object.assign(globalThis, { print: () => Object.assign(globalThis, { hasPrinted: true }) });
  });
  await chat.open('streams');
  await chat.ask('Why two memories?');
  await chat.replied();
  const open = page.getByRole('button', { name: 'Share this chat' });
  await open.click();
  const dialog = page.getByRole('dialog', { name: 'Share this chat' });
  const saving = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Save as PNG' }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toBe('Why-two-memories.png');
  const png = await readFile(await saved.path());
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  // Width and height stand in its first chunk: twice 704, and as high as a chat with a table and code.
  expect(png.readUInt32BE(16)).toBe(1408);
  expect(png.readUInt32BE(20)).toBeGreaterThan(900);
  // A picture without words is some thousand bytes.
  expect(png.length).toBeGreaterThan(60_000);

  await dialog.getByRole('radio', { name: 'Left out' }).check();
  await dialog.getByRole('button', { name: 'Print' }).click();
  await expect(dialog).toBeHidden();
  await page.waitForFunction(() => Reflect.get(globalThis, 'hasPrinted') === true);
  await page.emulateMedia({ media: 'print' });
  const printed = page.locator('.printed-sheet');
  await expect(printed).toContainText('The pool is rewritten');
  await expect(printed).not.toContainText('Thought');
  await expect(page.getByRole('log', { name: 'Conversation' })).toBeHidden();
  await page.evaluate(() => dispatchEvent(new Event('afterprint')));
  await page.emulateMedia({ media: 'screen' });
  await expect(printed).toHaveCount(0);

  // Words that no packing makes shorter.
  const long = Array.from({ length: 5000 }, (_, at) => ((at * 2654435761) >>> 7).toString(36));
  await page.getByRole('button', { name: 'Edit message' }).click();
  await page.getByRole('textbox', { name: 'Edit message' }).fill(long.join(''));
  await page.getByRole('button', { name: 'Ask this instead' }).click();
  await expect(page.getByRole('group', { name: 'Versions of this question' })).toContainText(
    '2 of',
  );
  await open.click();
  await expect(dialog.getByText(/The link would have .* characters/)).toBeVisible();
  const filing = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Save as a file' }).click();
  expect((await filing).suggestedFilename()).toMatch(/\.json$/);
});

test('the example of the documentation shows a chat in a frame of another origin, and nothing of it is kept', async ({
  chat,
  fakeSite,
}) => {
  const { page } = chat;
  const example = await readFile(new URL('../../docs/embed.html', import.meta.url), 'utf8');
  const address = 'https://tidepool.example.org/?embed=1&amp;';
  expect(example).toContain(address);
  expect(await readFile(new URL('../../docs/embed.md', import.meta.url), 'utf8')).toContain(
    address,
  );
  const html = example.replace(
    address,
    `${fakeSite}?engine=fake:cut&amp;pace=0&amp;theme=dark&amp;embed=1&amp;`,
  );
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(html);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const port = (server.address() as { readonly port: number }).port;
  try {
    await page.goto(`http://localhost:${port}/`);
    const frame = page.frameLocator('iframe');
    await expect(frame.getByRole('slider', { name: 'Thinking limit' })).toHaveAttribute(
      'aria-valuetext',
      '64 tokens at most',
    );
    await frame.getByRole('textbox', { name: 'Message' }).fill('What is 23 + 58?');
    await frame.getByRole('button', { name: 'Send' }).click();
    const log = frame.getByRole('log', { name: 'Conversation' });
    await expect(log).toContainText('23 + 58 = 81');
    await expect(frame.getByRole('group', { name: 'Thought' })).toContainText(/of 64 tokens/);
    await expect(frame.getByRole('navigation')).toHaveCount(0);
    await chat.expectAccessible();
    await frame.getByRole('button', { name: 'Start over' }).click();
    await expect(log).not.toContainText('= 81');
  } finally {
    server.close();
  }

  // This browser refuses storage to frames of other sites; asked directly, the page would have it.
  await page.goto(`${fakeSite}?engine=fake:thinks&embed=1&limit=much`);
  await expect(page.getByText('The address names no thinking limit')).toBeVisible();
  await chat.ask('What is 23 + 58?');
  await expect(page.getByText('23 + 58 = 81')).toBeVisible();
  const kept = await page.evaluate(async () => [
    (await indexedDB.databases()).map(({ name }) => name),
    Object.keys(sessionStorage),
    location.hash,
  ]);
  expect(kept).toEqual([[], [], '']);
});
