// The real engine behind the real page: the micro model answers on WASM, and what goes wrong is said in a sentence.
import { expect, test } from '@playwright/test';
import { ask, openMicro, replied, thinkShortly } from './real-page';

test('a question is thought about within the limit and answered, from our own origin only', async ({
  page,
  baseURL,
}) => {
  const foreign: string[] = [];
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(baseURL ?? '').origin)
      foreign.push(request.url());
  });
  await openMicro(page);
  await thinkShortly(page);
  await page.keyboard.press('ArrowRight');
  await ask(page, 'What is 23 + 58?');
  await replied(page);
  const thought = page.getByRole('group', { name: 'Thought' });
  const used = Number(/(\d+) of 16 tokens/.exec((await thought.textContent()) ?? '')?.[1]);
  expect(used).toBeGreaterThan(0);
  expect(used).toBeLessThanOrEqual(16 + 16);
  await expect(page.getByRole('log', { name: 'Conversation' })).toContainText('WASM');
  expect(foreign).toEqual([]);
});

test('with thinking off there is no thought', async ({ page }) => {
  await openMicro(page);
  await thinkShortly(page);
  await ask(page, 'What is 2 + 3?');
  await replied(page);
  await expect(page.getByRole('group', { name: 'Thought' })).toHaveCount(0);
});

test('only one build of ONNX Runtime is fetched, and only the weights that are used', async ({
  page,
}) => {
  const fetched: string[] = [];
  page.on('request', (request) => {
    const name = new URL(request.url()).pathname.split('/').at(-1) ?? '';
    if (/\.(wasm|onnx)$/.test(name)) fetched.push(name.replace(/-[\w-]{8}\.wasm$/, '.wasm'));
  });
  await openMicro(page);
  await ask(page, 'Hello');
  await replied(page);
  expect(fetched.sort()).toEqual(['model_quantized.onnx', 'ort-wasm-simd-threaded.wasm']);
});

test('a model file that is missing, cut off or replaced by a page leads to a sentence and a working page', async ({
  page,
}) => {
  const answers = {
    404: { status: 404, body: 'not found' },
    'cut off': { status: 200, body: Buffer.alloc(1000, 7) },
    'web page': {
      status: 200,
      body: '<!doctype html><title>Home</title>',
      contentType: 'text/html',
    },
  };
  for (const [name, answer] of Object.entries(answers)) {
    await page.unrouteAll();
    await page.route('**/model_quantized.onnx', (route) => route.fulfill(answer));
    await page.goto('about:blank');
    await openMicro(page);
    const problem = page.getByText(/model_quantized\.onnx/).first();
    await expect(problem, name).toBeVisible({ timeout: 60_000 });
    await expect(page.getByRole('textbox', { name: 'Message' })).toBeEditable();
  }
});
