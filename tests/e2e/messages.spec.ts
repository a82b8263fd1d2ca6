// What can be done with single messages, and two models on one question.
import { expect, test } from './fake-site';
import { expectKept } from './kept';

test('an answer is edited, a message deleted and brought back, a chat forked, a thought shown as Markdown', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('streams');
  await chat.ask('Why two memories?');
  await chat.replied();
  const log = page.getByRole('log', { name: 'Conversation' });
  const reply = log.getByRole('article', { name: 'Reply' });

  await reply.getByRole('button', { name: 'More' }).click();
  await chat.expectAccessible();
  await reply.getByRole('button', { name: 'Edit answer' }).click();
  const editor = page.getByRole('textbox', { name: 'Edit answer' });
  await expect(editor).toBeFocused();
  await editor.fill('Because **one** forgets.');
  await editor.press('Control+Enter');
  await expect(reply).toContainText('Because one forgets.');
  await expect(reply).toContainText('edited by you');
  await expect(page.getByRole('group', { name: 'Versions of this reply' })).toContainText('2 of 2');

  await chat.ask('And then?');
  await chat.replied();
  const second = log.getByRole('article', { name: 'Your message' }).nth(1);
  await second.getByRole('button', { name: 'More' }).click();
  await second.getByRole('button', { name: 'Delete from here on' }).click();
  await expect(log).toBeFocused();
  await expect(log).not.toContainText('And then?');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(log).toContainText('And then?');

  await reply.first().getByRole('button', { name: 'More' }).click();
  await reply.first().getByRole('button', { name: 'Fork into a new chat' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Fork of Why two memories?');
  await expect(reply).toHaveCount(1);
  await expect(reply).toContainText('Because one forgets.');

  const thought = page.getByRole('group', { name: 'Thought' });
  await thought.getByText(/^Thought/).click();
  const asMarkdown = thought.getByRole('button', { name: 'Markdown' });
  await asMarkdown.click();
  await expect(asMarkdown).toHaveAttribute('aria-pressed', 'true');
  await expect(thought.locator('p', { hasText: 'A table and a bit of code' })).toBeVisible();
  await chat.expectAccessible();
  await expectKept(page, 'Because **one** forgets.', 'Fork of Why two memories?');
});

test('two models answer one question side by side, and the chat goes on from the one that is picked', async ({
  chat,
}) => {
  const { page } = chat;
  await chat.open('thinks', 5);
  await page.getByRole('button', { name: /^Model:/ }).click();
  await page.getByRole('button', { name: 'Ask a second model too' }).click();
  const dialog = page.getByRole('dialog', { name: 'Ask a second model too' });
  await dialog.getByRole('radio', { name: /^Micro/ }).check();
  await expect(dialog.getByRole('status')).toContainText('answer at the same time');
  await chat.expectAccessible();
  await page.keyboard.press('Escape');
  await expect(page.getByText('Micro answers too, in this tab.')).toBeVisible();

  await chat.ask('What is 23 + 58?');
  await chat.replied();
  const versions = page.getByRole('region', { name: 'Versions side by side' });
  const first = versions.getByRole('region', { name: 'Version 1' });
  const second = versions.getByRole('region', { name: 'Version 2' });
  await expect(first).toContainText('Tidepool');
  await expect(first).toContainText('23 + 58 = 81');
  await expect(first).toContainText('The chat goes on from this one');
  await expect(second).toContainText('Micro');
  await expect(second).toContainText('23 + 58 = 81');
  await expect(second).toContainText(/tokens\/s/);
  const left = await first.boundingBox();
  const right = await second.boundingBox();
  expect(right?.y).toBe(left?.y);
  expect(right?.x).toBeGreaterThan(left?.x ?? Infinity);
  await chat.expectAccessible();

  await second.getByRole('button', { name: 'Go on from this one' }).click();
  await expect(second).toContainText('The chat goes on from this one');
  await page.getByRole('button', { name: 'Ask one model' }).click();
  await chat.ask('Sure?');
  await chat.replied();
  await expectKept(page, 'Sure?');
  await page.reload();
  const group = page.getByRole('group', { name: 'Versions of this reply' });
  await expect(group).toContainText('2 of 2');
  await expect(page.getByRole('article', { name: 'Reply' })).toHaveCount(2);
});
