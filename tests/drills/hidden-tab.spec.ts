// A reply that is written while nobody looks: the tab hidden, drawing nothing; and the tab frozen as a phone freezes it.
import { expect, test } from '@playwright/test';
import { ask, expectAnswer, log, openMicro } from '../e2e/real-page';

test('tab hidden for the length of a reply: the reply is whole when it is looked at again', async ({
  page,
}) => {
  // As browsers do in the back: no frames at all, and it says so.
  await page.addInitScript(() => {
    let isHidden = false;
    const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => (isHidden ? 0 : frame(draw));
    Object.defineProperty(document, 'visibilityState', {
      get: () => (isHidden ? 'hidden' : 'visible'),
    });
    Object.defineProperty(document, 'hidden', { get: () => isHidden });
    window.addEventListener('drill-hide', () => {
      isHidden = !isHidden;
      document.dispatchEvent(new Event('visibilitychange'));
    });
  });
  const toggle = () => page.evaluate(() => window.dispatchEvent(new Event('drill-hide')));
  await openMicro(page);
  await expectAnswer(page, 'What is 2 + 3?');
  // Hidden while frames wait to be drawn, which then never come.
  await ask(page, 'What is 23 + 58?');
  await toggle();
  const reply = log(page).getByRole('article', { name: 'Reply' }).last();
  await expect(reply).toContainText(/tokens\/s/, { timeout: 60_000 });
  await toggle();
  await expect(reply).toHaveAttribute('aria-busy', 'false');
  await expectAnswer(page, 'What is 4 + 4?');
});

test('tab frozen in mid-reply: it goes on when it is thawed, and the engine counts as alive', async ({
  page,
}) => {
  await openMicro(page);
  await expectAnswer(page, 'What is 2 + 3?');
  const devtools = await page.context().newCDPSession(page);
  await ask(page, 'What is 23 + 58?');
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  const reply = log(page).getByRole('article', { name: 'Reply' }).last();
  await expect(reply).toContainText(/tokens\/s/, { timeout: 60_000 });
  await expect(page.getByText(/engine has stopped/)).toHaveCount(0);
  await expectAnswer(page, 'What is 4 + 4?');
});
