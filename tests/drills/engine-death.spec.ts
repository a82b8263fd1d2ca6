// The engine's worker is really ended while it loads, reads and writes; and it hangs for good. What was written stays,
// a sentence says what happened, and the next question is answered.
import { expect, test } from '@playwright/test';
import {
  ask,
  breakAtEvent,
  chip,
  engineWorker,
  expectAnswer,
  killNow,
  log,
  openMicro,
  thinkShortly,
} from '../e2e/real-page';

test('worker killed in load: it is started again, said so, and the question that waited is answered', async ({
  page,
}) => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isAsked: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  await page.route('**/model_quantized.onnx', async (route) => {
    isAsked();
    await held;
    await route.continue().catch(() => {
      // The worker that asked is dead.
    });
  });
  await openMicro(page);
  await thinkShortly(page);
  await asked;
  await ask(page, 'What is 2 + 3?');
  await killNow(await engineWorker(page));
  await expect(page.getByText(/The engine stopped while the model was loading/)).toBeVisible();
  release();
  await expect(log(page)).toContainText(/tokens\/s/, { timeout: 60_000 });
  await expect(log(page)).toContainText('What is 2 + 3?');
  await expectAnswer(page, 'What is 4 + 4?');
});

// In decode a long reply: ten tokens of this small model come in one frame, and the reply is over before the worker is.
for (const [name, kind, count, question] of [
  ['in prefill', 'prefill', 1, 'What is 23 + 58?'],
  ['in decode', 'token', 5, 'Tell me a story.'],
] as const) {
  test(`worker killed ${name}: the chat is kept, the death is said, the next question is answered`, async ({
    page,
  }) => {
    await openMicro(page);
    await thinkShortly(page);
    await expectAnswer(page, 'What is 2 + 3?');
    await breakAtEvent(await engineWorker(page), 'worker', kind, count);
    await ask(page, question);
    await expect(log(page).getByText(/The engine has stopped working/)).toBeVisible();
    await expect(log(page).getByRole('button', { name: 'Generate again' })).toBeVisible();
    await expect(chip(page)).toBeVisible();
    await expectAnswer(page, 'What is 4 + 4?');
    await page.reload();
    for (const text of ['What is 2 + 3?', question, 'What is 4 + 4?'])
      await expect(log(page).getByText(text)).toBeVisible();
  });
}
