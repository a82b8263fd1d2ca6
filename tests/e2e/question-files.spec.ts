// A file in the question: by button, drop, paste and from another app; counted, cut, shown, and a PDF read offline once used.
import { expect, test } from './fake-site';
import { tinyPdf } from '../tiny-pdf';

const LONG = 'The tide rises twice a day. '.repeat(2000);

test('a file is added with the plus sign, counted, cut with a notice, and goes with the question', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  await page.getByRole('button', { name: 'Add to the message' }).focus();
  await page.keyboard.press('Enter');
  const chosen = page.waitForEvent('filechooser');
  await expect(page.getByRole('menuitem', { name: /^A file/ })).toBeFocused();
  await chat.expectAccessible();
  await page.keyboard.press('Enter');
  await (
    await chosen
  ).setFiles([
    { name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('The pool is calm.') },
    { name: 'long.txt', mimeType: 'text/plain', buffer: Buffer.from(LONG) },
  ]);
  const files = page.getByRole('list', { name: 'Files of the message' });
  await expect(files.getByText(/^\d+ tokens$/)).toBeVisible();
  await expect(files.getByText(/^first \d+ %, [\d,]+ tokens$/)).toBeVisible();
  await expect(page.getByText(/Only the first \d+ % of “long.txt” will be read/)).toBeVisible();
  await expect(page.getByText(/of 2,048 tokens are taken, \d+ are kept/)).toBeVisible();
  await chat.expectAccessible();
  await files.getByRole('button', { name: 'Take away “long.txt”' }).click();
  await expect(files.getByRole('listitem')).toHaveCount(1);
  await chat.ask('What is calm?');
  await chat.replied();
  await expect(files).toHaveCount(0);
  const question = page.getByRole('article', { name: 'Your message' });
  await question.getByText('notes.md').click();
  await expect(question.getByRole('region', { name: 'Text of “notes.md”' })).toHaveText(
    'The pool is calm.',
  );
  await chat.expectAccessible();
  await page.reload();
  await expect(question.getByText('notes.md')).toBeVisible();
});

test('a dropped file is for the question, a dropped model opens as a model, a pasted file is taken', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  const drop = async (names: readonly string[]): Promise<void> => {
    const data = await page.evaluateHandle((all) => {
      const transfer = new DataTransfer();
      for (const name of all) transfer.items.add(new File(['one,two'], name));
      return transfer;
    }, names);
    await page.dispatchEvent('main', 'drop', { dataTransfer: data });
  };
  await drop(['table.csv', 'code.py']);
  const files = page.getByRole('list', { name: 'Files of the message' });
  await expect(files.getByRole('listitem')).toHaveCount(2);
  await page.getByRole('textbox', { name: 'Message' }).evaluate((box) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array([137, 80, 0])], 'picture.png'));
    box.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
  });
  await expect(page.getByRole('alert')).toHaveText(/“picture.png” is neither text nor PDF/);
  await chat.expectAccessible();
  await page.getByRole('button', { name: 'Understood' }).click();
  await drop(['config.json', 'model.onnx']);
  await expect(page.getByRole('dialog', { name: /models/i })).toBeVisible();
  await expect(files.getByRole('listitem', { includeHidden: true })).toHaveCount(2);
});

test.describe('with a service worker', () => {
  test.use({ serviceWorkers: 'allow' });

  test('a PDF is read within the policy of the page, again without a network, and from another app', async ({
    chat,
    fakeSite,
  }) => {
    const { page } = chat;
    const breaches: string[] = [];
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedScript/i.test(message.text()))
        breaches.push(message.text());
    });
    await chat.open('thinks');
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      while (navigator.serviceWorker.controller === null)
        await new Promise((claimed) => {
          navigator.serviceWorker.addEventListener('controllerchange', claimed, { once: true });
        });
    });
    const add = async (name: string, buffer: Buffer): Promise<void> => {
      const chosen = page.waitForEvent('filechooser');
      await page.getByRole('button', { name: 'Add to the message' }).click();
      await page.getByRole('menuitem', { name: /^A file/ }).click();
      await (await chosen).setFiles({ name, mimeType: 'application/pdf', buffer });
    };
    await add('tides.pdf', tinyPdf(['The tide has two', 'high waters a day.']));
    const files = page.getByRole('list', { name: 'Files of the message' });
    await expect(files.getByText(/^\d+ tokens$/)).toBeVisible();
    await add('scan.pdf', tinyPdf([]));
    await expect(page.getByRole('alert')).toHaveText(/“scan.pdf” has pictures of pages/);
    await add('torn.pdf', Buffer.from('%PDF-1.4 and nothing more'));
    await expect(page.getByRole('alert')).toHaveText(/“torn.pdf” is no PDF that can be read/);

    // Kept since it was used: the reader starts with the host gone.
    await expect
      .poll(() =>
        page.evaluate(async () =>
          (await (await caches.open('tidepool-runtime-v1')).keys()).map(({ url }) => url).join(' '),
        ),
      )
      .toMatch(/pdf\.worker-.*read-pdf-|read-pdf-.*pdf\.worker-/);
    const context = page.context();
    await context.setOffline(true);
    await page.reload();
    await add('tides.pdf', tinyPdf(['The tide has two', 'high waters a day.']));
    await expect(files.getByText(/^\d+ tokens$/)).toBeVisible();
    await context.setOffline(false);

    const landed = await page.evaluate(async () => {
      const form = new FormData();
      form.append('files', new File(['Salt water.'], 'shared.txt', { type: 'text/plain' }));
      const answer = await fetch('./', { method: 'POST', body: form });
      return new URL(answer.url).search;
    });
    expect(landed).toBe('?shared=1');
    await page.goto(`${fakeSite}?engine=fake:thinks&pace=0&shared=1`);
    await expect(files.getByText('shared.txt')).toBeVisible();
    await expect(page.getByText('The shared files are beside the message box.')).toBeVisible();
    expect(new URL(page.url()).search).toBe('?engine=fake%3Athinks&pace=0');
    expect(breaches).toEqual([]);
  });
});
