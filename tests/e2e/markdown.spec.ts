// Markdown of the model in the real browser: hostile outputs do nothing, good ones look and work as they should.
import type { Page } from '@playwright/test';
import hostile from '../fixtures/hostile-outputs.json' with { type: 'json' };
import { appendMessage, EMPTY_TREE } from '../../src/core/chat/conversation-tree';
import { replyWith } from '../replies';
import type { ConversationRecord, SummaryRecord } from '../../src/storage/stored-conversation';
import { expect, test, type ChatPage } from './fake-site';
import { expectKept } from './kept';

/** Puts a conversation with these replies into the database of the page and opens it. */
async function openReplies(chat: ChatPage, texts: readonly string[]): Promise<void> {
  let tree = EMPTY_TREE;
  texts.forEach((text, index) => {
    const createdAt = index;
    tree = appendMessage(tree, {
      id: `q${index}`,
      createdAt,
      role: 'user',
      text: `${index}: ${text}`,
    });
    const reply = { ...replyWith(128, text, text), finish: 'end' } as const;
    tree = appendMessage(tree, { id: `a${index}`, createdAt, role: 'assistant', reply });
  });
  const summary = {
    id: 'seeded',
    title: texts[0]?.slice(0, 100) ?? '',
    createdAt: 1,
    updatedAt: 1,
  };
  const fields = { isNamed: true, systemPrompt: '', thinkingLimit: 128, tree } as const;
  const record: ConversationRecord = { conversation: { ...summary, ...fields }, revision: 1 };
  const listed: SummaryRecord = { summary, order: 1 };
  await chat.open('thinks');
  await chat.page.evaluate(
    ([conversation, line]) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('tidepool');
        opening.onerror = () => reject(new Error('the database did not open'));
        opening.onsuccess = () => {
          const database = opening.result;
          const transaction = database.transaction(['conversations', 'summaries'], 'readwrite');
          transaction.objectStore('conversations').put(conversation, 'seeded');
          transaction.objectStore('summaries').put(line, 'seeded');
          transaction.onerror = () => reject(new Error('the conversation was not kept'));
          transaction.oncomplete = () => {
            database.close();
            resolve();
          };
        };
      }),
    [record, listed] as const,
  );
  await chat.page.evaluate(() => {
    location.hash = '#/chat/seeded';
  });
  await chat.page.reload();
  await expect(chat.page.getByRole('article', { name: 'Reply' })).toHaveCount(texts.length);
}

/** Requests from now on that are not for the app's own built files. */
function foreignRequests(page: Page, site: string): string[] {
  const foreign: string[] = [];
  page.on('request', (request) => {
    const url = request.url();
    const path = url.startsWith(site) ? url.slice(site.length) : null;
    if (path === null || !/^(?:$|\?engine=|assets\/|icons\/|models\/index\.json$)/.test(path))
      foreign.push(url);
  });
  return foreign;
}

test('hostile outputs run nothing, request nothing and leave their box nowhere', async ({
  chat,
  fakeSite,
}) => {
  const { page } = chat;
  const foreign = foreignRequests(page, fakeSite);
  const surprises: string[] = [];
  page.on('dialog', (dialog) => {
    surprises.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('popup', (popup) => surprises.push(`popup: ${popup.url()}`));
  page.on('framenavigated', (frame) => {
    if (new URL(frame.url()).origin !== new URL(page.url()).origin)
      surprises.push(`went to ${frame.url()}`);
  });
  await openReplies(
    chat,
    hostile.map(({ text }) => text),
  );

  // Formulas and colours come late; what they make is looked at too.
  await expect(page.locator('.prose .katex').first()).toBeAttached();
  await expect(page.locator('.prose .hljs-keyword').first()).toBeAttached();

  const dangers = await page.evaluate(async () => {
    const found: string[] = [];
    // All that a pointer or a keyboard could set off, but for following a link.
    document.addEventListener('click', (event) => {
      if (event.target instanceof Element && event.target.closest('a')) event.preventDefault();
    });
    for (const element of document.querySelectorAll<HTMLElement>('.prose, .prose *')) {
      for (const type of ['mouseover', 'mouseenter', 'focus', 'toggle', 'click']) {
        element.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true }));
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    const forbidden =
      'script, img, picture, iframe, object, embed, link, style, form, input, textarea, select, video, audio, source, base, meta, dialog, template, foreignObject, use, animate, [srcdoc], [src], [srcset], [action], [formaction], [background], [id]';
    for (const prose of document.querySelectorAll('.prose')) {
      for (const element of prose.querySelectorAll(forbidden))
        found.push(element.outerHTML.slice(0, 120));
      for (const element of prose.querySelectorAll('*')) {
        for (const { name } of element.attributes)
          if (name.startsWith('on')) found.push(`${element.tagName} ${name}`);
        const { position, backgroundImage } = getComputedStyle(element);
        const isOfMaths = element.closest('.katex') !== null;
        if (position === 'fixed' || position === 'sticky')
          found.push(`${element.tagName} is ${position}`);
        if (backgroundImage !== 'none' && !isOfMaths)
          found.push(`${element.tagName} has a background`);
      }
      for (const link of prose.querySelectorAll('a')) {
        if (!/^(?:https?|mailto):/.test(link.href)) found.push(link.href);
        if (link.target !== '_blank' || !link.relList.contains('noopener'))
          found.push(`${link.href} lacks rel or target`);
      }
    }
    for (const name of Object.keys(window))
      if (name.includes('pwned')) found.push(`window.${name}`);
    if (window.frames.length > 0) found.push(`${window.frames.length} frames`);
    return found;
  });
  expect(dangers).toEqual([]);

  // Wherever the page is scrolled to, the message box is the thing at the place of the message box.
  const box = page.getByRole('textbox', { name: 'Message' });
  const replies = await page.locator('.prose').all();
  for (const reply of replies.filter((_, index) => index % 4 === 0)) {
    await reply.evaluate((element) => element.scrollIntoView({ block: 'end' }));
    const isOnTop = await box.evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return document.elementFromPoint(left + width / 2, top + height / 2) === element;
    });
    expect(isOnTop).toBe(true);
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);

  await box.fill('Are you still there?');
  await page.getByRole('button', { name: 'Send' }).click();
  await chat.replied();
  expect(surprises).toEqual([]);
  expect(foreign).toEqual([]);
});

const SAMPLE = `# What a reply may hold

A **bold** word, an *aside*, \`code\`, a [link](https://example.com/) and $e^{i\\pi} = -1$.

\`\`\`python
def area(radius: float) -> float:
    # pi r squared, ${'a long comment that goes on and on '.repeat(6)}
    return 3.14159 * radius ** 2  # "about"
\`\`\`

| Name | Value | ${Array.from({ length: 14 }, (_, at) => `Column ${at}`).join(' | ')} |
| --- | --: | ${'--- | '.repeat(14)}
| pool | 1 | ${'cell | '.repeat(14)}

$$
\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}
$$

- [x] done
- [ ] to do

> quoted`;

test('a reply with code, a table and maths is accessible, in light and dark', async ({ chat }) => {
  const { page } = chat;
  await openReplies(chat, [SAMPLE]);
  await expect(page.locator('.prose .katex')).toHaveCount(2);
  await expect(page.locator('.prose .hljs-comment').first()).toBeVisible();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await chat.expectAccessible();
  }
});

test('code, tables and formulas scroll in their own boxes on a phone', async ({ chat }) => {
  const { page } = chat;
  await page.setViewportSize({ width: 360, height: 740 });
  await openReplies(chat, [SAMPLE]);
  await expect(page.locator('.prose .katex')).toHaveCount(2);
  for (const selector of ['.prose pre', '.prose .table-scroll']) {
    const box = page.locator(selector);
    expect(await box.evaluate((element) => element.scrollWidth > element.clientWidth)).toBe(true);
  }
  const reply = await page.locator('.prose').boundingBox();
  expect(reply?.x).toBeGreaterThanOrEqual(0);
  expect((reply?.x ?? 0) + (reply?.width ?? 0)).toBeLessThanOrEqual(360);
});

test('the copy button copies the code and says so', async ({ chat, context }) => {
  const { page } = chat;
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openReplies(chat, ['```js\nconst a = 1;\n\nconst b = 2;\n```']);
  const code = page.getByRole('group', { name: 'Code' });
  await code.getByRole('button').click();
  await expect(code.getByRole('button')).toHaveText('Copied');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    'const a = 1;\n\nconst b = 2;',
  );
  await expect(page.getByText('Code copied')).toBeAttached();
  await expect(code.getByRole('button')).toHaveText('Copy');
});

test('code that may not be copied is selected instead', async ({ chat }) => {
  const { page } = chat;
  await openReplies(chat, ['```js\nlet a;\n```']);
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error('denied'));
  });
  const button = page.getByRole('group', { name: 'Code' }).getByRole('button');
  await button.click();
  await expect(button).toHaveText('Selected');
  expect(await page.evaluate(() => getSelection()?.toString().trim())).toBe('let a;');
});

test('a selection in a reply stays while the reply is written', async ({ chat }) => {
  const { page } = chat;
  await chat.open('streams', 25);
  await chat.ask('Tell me of memory.');
  const first = page.locator('.prose p').first();
  await expect(first).toContainText('hybrid');
  await first.evaluate((element) => {
    const text = element.firstChild;
    if (text === null) throw new Error('no text yet');
    getSelection()?.setBaseAndExtent(text, 2, text, 8);
  });
  await chat.replied();
  expect(await page.evaluate(() => getSelection()?.toString())).toBe('hybrid');
});

test('what streamed looks the same as what is read again', async ({ chat }) => {
  const { page } = chat;
  await chat.open('streams', 1);
  await chat.ask('Tell me of memory.');
  await chat.replied();
  await expect(page.locator('.prose .hljs-keyword').first()).toBeVisible();
  const blocks = (): Promise<string[]> =>
    page
      .locator('.prose .block')
      .evaluateAll((elements) => elements.map((element) => element.innerHTML));
  const streamed = await blocks();
  await expectKept(page, '"finish":"end"');
  await page.reload();
  await expect(page.locator('.prose .hljs-keyword').first()).toBeVisible();
  expect(await blocks()).toEqual(streamed);
});

test('Markdown needs no hole in a strict Content-Security-Policy with Trusted Types', async ({
  chat,
  fakeSite,
}) => {
  const { page } = chat;
  const policy = [
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types default svelte-trusted-html tidepool-markdown',
  ].join('; ');
  await page.route(`${fakeSite}?engine=*`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      headers: { ...response.headers(), 'Content-Security-Policy': policy },
    });
  });
  await page.addInitScript(() => {
    const violations: string[] = [];
    document.addEventListener(
      'securitypolicyviolation',
      ({ violatedDirective, blockedURI, sample }) =>
        violations.push(`${violatedDirective} ${blockedURI} ${sample}`),
    );
    Object.assign(window, { violations });
  });
  await openReplies(chat, [SAMPLE, ...hostile.map(({ text }) => text)]);
  await expect(page.locator('.prose .katex').first()).toBeVisible();
  await expect(page.locator('.prose .hljs-comment').first()).toBeVisible();
  expect(
    await page.evaluate(() => (window as unknown as { violations: string[] }).violations),
  ).toEqual([]);

  // The policy was in force: markup that no policy has stamped is refused.
  const isRefused = await page.evaluate(() => {
    try {
      document.createElement('p').innerHTML = '<b>x</b>';
      return false;
    } catch (error) {
      return error instanceof TypeError;
    }
  });
  expect(isRefused).toBe(true);
});

test('a formula is copied once, as TeX', async ({ chat, context }) => {
  const { page } = chat;
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openReplies(chat, ['The sum $x^2+1$ is here.\n\n$$\n\\frac{1}{2}\n$$\n\nDone.']);
  await expect(page.locator('.prose .katex').nth(1)).toBeVisible();
  await page
    .locator('.prose')
    .first()
    .evaluate((prose) => getSelection()?.selectAllChildren(prose));
  await page.keyboard.press('ControlOrMeta+c');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.replaceAll(/\s+/g, ' ').trim()).toBe(
    'The sum $x^2+1$ is here. $$\\frac{1}{2}$$ Done.',
  );
  await expect(page.locator('.prose .katex').first()).toBeVisible();
});
