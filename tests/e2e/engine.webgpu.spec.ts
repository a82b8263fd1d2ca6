// The real engine on emulated WebGPU: the self-test passes, the micro model answers, states stay on the GPU.
import { expect, test } from '@playwright/test';
import { ask, chooseWebgpu, log, openMicro, replied, thinkShortly } from './real-page';

test('the micro model answers on WebGPU when it is asked for', async ({ page }) => {
  const fetched: string[] = [];
  page.on('request', (request) => {
    const name = new URL(request.url()).pathname.split('/').at(-1) ?? '';
    if (/\.(wasm|onnx)$/.test(name)) fetched.push(name);
  });
  await openMicro(page);
  await chooseWebgpu(page);

  // With a thought: it stops within limit and grace, and an answer follows (lab.webgpu.spec asks with thinking off).
  await thinkShortly(page);
  await page.keyboard.press('ArrowRight');
  await ask(page, 'What is 15 + 46?');
  await replied(page, 200_000);
  await expect(log(page)).toContainText('WebGPU');
  const thought = (await page.getByRole('group', { name: 'Thought' }).textContent()) ?? '';
  const used = Number(/(\d+) of 16 tokens/.exec(thought)?.[1]);
  expect(used).toBeGreaterThan(0);
  expect(used).toBeLessThanOrEqual(16 + 16);
  const figures = (await log(page).textContent()) ?? '';
  expect(
    Number(/(\d+) tokens(?!\/s)/.exec(figures.slice(figures.indexOf('tokens/s')))?.[1]),
  ).toBeGreaterThan(used);

  expect(fetched).toContain('model_q4.onnx');
  expect(fetched.some((name) => /jspi|asyncify/.test(name))).toBe(true);
});
