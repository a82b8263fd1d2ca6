// The list of commands, keys that are changed, and saved prompts: all by keyboard and by name.
import { expect, test } from './fake-site';

test('Ctrl K finds actions and chats by typing; keys are changed; Ctrl+Enter sends when that is chosen', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  await chat.ask('What is 23 + 58?');
  await chat.replied();
  const box = page.getByRole('textbox', { name: 'Message' });
  const commands = page.getByRole('combobox', { name: 'Command, chat, model or lesson' });

  await box.press('Control+k');
  await expect(commands).toBeFocused();
  await expect(page.getByRole('option', { name: /New chat/ })).toBeVisible();
  await chat.expectAccessible();
  await commands.fill('new ch');
  await commands.press('Enter');
  await expect(page.getByRole('article')).toHaveCount(0);
  await expect(box).toBeFocused();
  await box.press('Control+k');
  await commands.fill('23');
  await expect(page.getByRole('option', { name: /What is 23/ })).toHaveAttribute(
    'aria-selected',
    'true',
  );
  await commands.press('Enter');
  await expect(page.getByRole('article', { name: 'Your message' })).toHaveText(/What is 23/);
  await box.press('Control+k');
  await commands.fill('dark');
  await page.getByRole('option', { name: /Dark colours/ }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');

  await page.getByRole('button', { name: 'Help' }).click();
  const change = page.getByRole('dialog').getByRole('button', { name: 'Change New chat' });
  await change.click();
  await page.keyboard.press('Control+w');
  await expect(page.getByText('The browser keeps these keys for itself.')).toBeVisible();
  await page.keyboard.press('Alt+s');
  await expect(page.getByText('These keys already mean “Settings”.')).toBeVisible();
  await page.keyboard.press('Alt+m');
  await expect(page.getByRole('row', { name: /Alt M New chat/ })).toBeVisible();
  await page.getByRole('radio', { name: 'Ctrl and Enter send, Enter makes a new line' }).check();
  await chat.expectAccessible();
  await page.keyboard.press('Escape');
  await page.reload();
  await expect(page.getByRole('article', { name: 'Reply' })).toBeVisible();
  await page.keyboard.press('Alt+m');
  await expect(page.getByRole('article')).toHaveCount(0);
  await box.fill('one');
  await box.press('Enter');
  await box.pressSequentially('two');
  await box.press('Control+Enter');
  await expect(page.getByRole('article', { name: 'Your message' })).toHaveText(/one\s*two/);
});

test('a prompt with blanks is written, filled in and asked; instructions go to the chat; a file says what is wrong in it', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks');
  const box = page.getByRole('textbox', { name: 'Message' });
  await page.getByRole('button', { name: 'Add to the message' }).click();
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'New prompt' }).click();
  await page.getByLabel('Name').fill('Explain');
  await page.getByLabel('Text', { exact: true }).fill('Explain {{topic}} in a {{length}}.');
  await chat.expectAccessible();
  await page.getByRole('button', { name: 'Save prompt' }).click();
  await page.locator('input[type=file][accept^=".json"]').setInputFiles({
    name: 'prompts.json',
    mimeType: 'application/json',
    buffer: Buffer.from(
      JSON.stringify({
        format: 'tidepool-prompts',
        version: 1,
        prompts: [
          { kind: 'system', name: 'Terse', text: 'Answer in one sentence.' },
          { kind: 'song', name: 'x', text: 'y' },
        ],
      }),
    ),
  });
  await expect(page.getByText('1 prompt was added.')).toBeVisible();
  await expect(page.getByText(/Prompt 2, field “kind”/)).toBeVisible();
  await chat.expectAccessible();
  await page.getByRole('button', { name: /^Terse/ }).click();
  await expect(page.getByText('“Terse” are this chat’s instructions')).toBeVisible();

  await box.press('Control+k');
  await page.getByRole('combobox').fill('explain');
  await page.keyboard.press('Enter');
  await page.getByLabel('topic').fill('a tide');
  await page.getByLabel('length').fill('word');
  await chat.expectAccessible();
  await page.keyboard.press('Enter');
  await expect(box).toHaveValue('Explain a tide in a word.');
  await page.reload();
  await box.press('Control+k');
  await page.getByRole('combobox').fill('terse');
  await expect(page.getByRole('option', { name: /Terse/ })).toBeVisible();
});
