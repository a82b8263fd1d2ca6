// The page on scripted engines: what a person sees and can do, whatever the model says.
import { expect, test } from './fake-site';
import { expectKept } from './kept';

test('a question gets a thought with its figures, an answer and its statistics', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  const log = page.getByRole('log', { name: 'Conversation' });
  await expect(log.getByText('23 + 58 = 81')).toBeVisible();
  const thought = page.getByRole('group', { name: 'Thought' });
  await expect(thought).toContainText(/Thought for \d+\.\d s, \d+ of 128 tokens/);
  await expect(thought).toContainText('It ended by itself.');
  await expect(log).toContainText(/to first token/);
  await expect(log).toContainText(/tokens\/s/);
  await expect(page).toHaveURL(/#\/chat\//);
});

test('the limit cuts a rambling thought within its grace, and says how', async ({ chat }) => {
  const { page } = chat;
  await chat.open('cut');
  const slider = page.getByRole('slider', { name: 'Thinking limit' });
  await slider.focus();
  await page.keyboard.press('Home');
  await expect(slider).toHaveAttribute('aria-valuetext', 'Off, answers at once');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(slider).toHaveAttribute('aria-valuetext', '32 tokens at most');
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  const thought = page.getByRole('group', { name: 'Thought' });
  await expect(thought).toContainText(/At the limit/);
  const used = Number(/(\d+) of 32 tokens/.exec((await thought.textContent()) ?? '')?.[1]);
  expect(used).toBeGreaterThanOrEqual(32);
  expect(used).toBeLessThanOrEqual(32 + 16);
  await expect(page.getByRole('log').getByText('23 + 58 = 81')).toBeVisible();
});

test('"Answer now" ends a thought that has no limit; with the limit off there is none', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('cut', 20);
  await page.getByRole('slider', { name: 'Thinking limit' }).focus();
  await page.keyboard.press('End');
  await chat.ask('What is 23 + 58?');
  await page.getByRole('button', { name: 'Answer now' }).click();
  await chat.replied();
  await expect(page.getByRole('group', { name: 'Thought' })).toContainText('Ended by “Answer now”');
  await page.getByRole('slider', { name: 'Thinking limit' }).focus();
  await page.keyboard.press('Home');
  await chat.ask('And 1 + 1?');
  await chat.replied();
  await expect(page.getByRole('group', { name: 'Thought' })).toHaveCount(1);
});

test('Escape stops; the reply goes on when asked; another answer is another branch', async ({
  chat,
}) => {
  const { page } = chat;
  // Five seconds of reply, stopped in their midst.
  await chat.open('streams', 50);
  await chat.ask('Why two memories?');
  await expect(page.getByRole('log').getByText('A hybrid keeps')).toBeVisible();
  await page.keyboard.press('Escape');
  await chat.replied();
  await expect(page.getByText('You stopped it here.')).toBeVisible();
  await page.getByRole('button', { name: 'Continue' }).click();
  await chat.replied();
  await expect(page.getByText('You stopped it here.')).toBeHidden();
  await expect(page.getByRole('log').getByText(/adds/)).toBeVisible();
  await page.getByRole('button', { name: 'Regenerate' }).click();
  await chat.replied();
  const versions = page.getByRole('group', { name: 'Versions of this reply' });
  await expect(versions).toContainText('2 of 2');
  await versions.getByRole('button', { name: 'Earlier version' }).click();
  await expect(versions).toContainText('1 of 2');
});

test('an edited question is asked beside the old one', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  await chat.ask('first words');
  await chat.replied();
  await page.getByRole('button', { name: 'Edit message' }).click();
  await page.getByRole('textbox', { name: 'Edit message' }).fill('better words');
  await page.getByRole('button', { name: 'Ask this instead' }).click();
  await chat.replied();
  await expect(page.getByRole('log')).toContainText('better words');
  await expect(page.getByRole('group', { name: 'Versions of this question' })).toContainText(
    '2 of 2',
  );
});

test('a failed load says what and what to do, and a retry works', async ({ chat }) => {
  const { page } = chat;
  await chat.open('load-error');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('ended after');
  await expect(alert).toContainText('try again');
  await alert.getByRole('button', { name: 'Try again' }).click();
  await expect(alert).toBeHidden();
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  await expect(page.getByRole('log').getByText('23 + 58 = 81')).toBeVisible();
});

test('an engine that dies in mid-reply leaves its words and offers to generate again', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('dies');
  await chat.ask('Tell me a story');
  await expect(page.getByRole('log').getByText('A fox found a red kite')).toBeVisible();
  await page.getByRole('button', { name: 'Generate again' }).click();
  await expect(page.getByRole('log').getByText('learned to run a little lighter')).toBeVisible();
  await expect(page.getByRole('group', { name: 'Versions of this reply' })).toContainText('2 of 2');
});

test('bad input: blank, 20,000 letters, emoji alone', async ({ chat }) => {
  const { page } = chat;
  await chat.open('thinks');
  const box = page.getByRole('textbox', { name: 'Message' });
  const send = page.getByRole('button', { name: 'Send' });
  await expect(send).toBeDisabled();
  await box.fill('   ');
  await expect(send).toBeDisabled();
  await box.press('Enter');
  await expect(page.getByText('Write a message first.')).toBeVisible();

  const long = 'tide '.repeat(4000);
  await box.fill(long);
  await expect(page.getByText('20,000 letters')).toBeVisible();
  await send.click();
  await expect(page.getByRole('alert')).toContainText('2048');
  await expect(box).toHaveValue(long);

  await chat.ask('🦀🌊');
  await chat.replied();
  await expect(page.getByRole('alert')).toBeHidden();
  await expect(page.getByRole('log')).toContainText('🦀🌊');
});

test('without WebGPU and threads there is a notice and a working page', async ({ chat }) => {
  const { page } = chat;
  await chat.open('no-threads');
  await expect(page.getByText('No WebGPU and no threads here')).toBeVisible();
  await page.getByRole('button', { name: /^Model:/ }).click();
  await expect(page.getByRole('dialog')).toContainText('not cross-origin isolated');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  await expect(page.getByRole('log').getByText('23 + 58 = 81')).toBeVisible();
});

test('tools are off at first, shown as steps when on, and can be switched off', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('tools');
  await chat.ask('417 × 96?');
  await chat.replied();
  const steps = page.getByRole('list', { name: 'Tool steps' });
  await expect(steps).toHaveCount(0);
  await page.keyboard.press('Alt+s');
  await page.getByRole('checkbox', { name: 'Calculator' }).check();
  await page.getByRole('checkbox', { name: 'Clock' }).check();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Regenerate' }).click();
  await chat.replied();
  await expect(steps.getByRole('listitem')).toHaveText([/calculator.*40032/s, /clock.*09:15/s]);
  await page.keyboard.press('Alt+s');
  await page.getByRole('checkbox', { name: 'Calculator' }).uncheck();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Regenerate' }).click();
  await chat.replied();
  await expect(steps.getByRole('listitem')).toHaveText([/clock/]);
});

test('a reply of several rounds is shown, counted, copied and kept in the order it came', async ({
  chat,
}) => {
  const { page } = chat;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await chat.open('rounds');
  await page.keyboard.press('Alt+s');
  await page.getByRole('checkbox', { name: 'Calculator' }).check();
  await page.keyboard.press('Escape');
  await chat.ask('417 × 96, and half of it?');
  await chat.replied();
  const reply = page.getByRole('article', { name: 'Reply' });
  const expectOrder = async (): Promise<void> => {
    const shown = (): Promise<string[]> =>
      reply
        .locator('details.thought, ol, .answer')
        .evaluateAll((all) =>
          all.map((one) => one.getAttribute('aria-label') ?? one.textContent.trim()),
        );
    await expect
      .poll(shown)
      .toEqual([
        ...['Thought', 'First the product.', 'Tool steps'],
        ...['Thought', 'Then its half.', 'Tool steps'],
        '417 × 96 is 40032, and half of it is 20016.',
      ]);
    // One meter, for both thoughts: it stands at the last.
    const meter = reply.getByRole('meter', { name: 'Thought tokens used' });
    await expect(meter).toHaveCount(1);
    const each = await reply.locator('.used').allTextContents();
    const first = Number(/^, (\d+) tokens$/.exec(each[0] ?? '')?.[1]);
    const inAll = Number(/^, (\d+) of 128 tokens in all$/.exec(each[1] ?? '')?.[1]);
    expect(inAll).toBeGreaterThan(first);
    await expect(meter).toHaveAttribute('aria-valuenow', String(inAll));
  };
  await expectOrder();
  await reply.getByRole('button', { name: 'Copy reply' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    'First the product.\n\nThen its half.\n\n417 × 96 is **40032**, and half of it is **20016**.',
  );
  await chat.expectAccessible();
  await expectKept(page, 'half of it is **20016**', '"finish":"end"');
  await page.reload();
  await expectOrder();
});

test('what the limit buys: the shipped curve, and one that is measured here', async ({ chat }) => {
  const { page } = chat;
  const limits = { '0': 0.2, '32': 0.4, '128': 0.7, unlimited: 0.75 };
  await page.route('**/eval.json', (route) =>
    route.fulfill({
      json: {
        overall: limits,
        interval: Object.fromEntries(
          Object.entries(limits).map(([key, share]) => [key, [share - 0.05, share + 0.05]]),
        ),
        tokens: limits,
        thoughtTokens: { '0': 0, '32': 20, '128': 60, unlimited: 80 },
        n: 600,
        inChat: {
          problems: 160,
          alone: 0.75,
          second: 0.5,
          fourth: 0.25,
          interval: { alone: [0.68, 0.81], second: [0.42, 0.58], fourth: [0.19, 0.32] },
        },
      },
    }),
  );
  await chat.open('thinks');
  await page.getByRole('button', { name: 'What does it buy?' }).click();
  const dialog = page.getByRole('dialog', { name: 'What the limit buys' });
  await expect(dialog).toContainText('measured before shipping, 600 problems');
  await expect(dialog).toContainText('160 of these problems');
  await expect(dialog.getByRole('row', { name: /^Second/ })).toContainText('50 % (42–58)');
  await dialog.getByRole('combobox', { name: 'Problems' }).selectOption('5');
  await dialog.getByRole('checkbox', { name: 'Unlimited' }).uncheck();
  await dialog.getByRole('button', { name: 'Measure' }).click();
  await expect(dialog.getByText('Done: 15 replies.').first()).toBeVisible();
  await expect(dialog).toContainText('measured in this tab, 5 problems');
  await dialog.getByText('The same in numbers').click();
  await expect(dialog.getByRole('row', { name: /^128/ })).toContainText('70 % (65–75)');
  await chat.expectAccessible();
});
