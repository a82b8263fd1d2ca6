// The state lab on emulated WebGPU: states and inner values are read back off the GPU, in real numbers.
import { expect, test } from '@playwright/test';
import { ask, chooseWebgpu, log, openMicro, replied, thinkShortly } from './real-page';

test('the lab sees the micro model on WebGPU: bytes, heat map, half-lives, hidden attention', async ({
  page,
}) => {
  // A token takes a second or two on an emulated GPU, and the lab reads the reply once more.
  test.setTimeout(420_000);
  await openMicro(page);
  await chooseWebgpu(page);
  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await page.getByRole('tab', { name: 'Layers' }).click();
  await page.getByRole('button', { name: /^Layer 0, Mamba/ }).click({ timeout: 120_000 });

  await thinkShortly(page);
  await expect(page.getByText('Off, answers at once')).toBeVisible();
  await ask(page, 'What is 2 + 3?');
  await replied(page, 200_000);
  await expect(log(page)).toContainText('WebGPU');
  await expect(page.getByRole('group', { name: 'Thought' })).toHaveCount(0);

  // States came back from the GPU as numbers: a norm above zero, a rank of at least one direction, cells of two colours.
  const layer = page.getByRole('region', { name: 'Layer 0, Mamba' });
  const state = layer.getByRole('group', { name: /^The state of head 0/ });
  await expect(state).toContainText(/It uses [\d.]+ of \d+ directions/, { timeout: 60_000 });
  const said = (await state.textContent()) ?? '';
  expect(Number(/with a norm of ([\d.]+)/.exec(said)?.[1])).toBeGreaterThan(0);
  expect(Number(/It uses ([\d.]+) of/.exec(said)?.[1])).toBeGreaterThanOrEqual(1);
  const colours = await state.locator('canvas').evaluate((canvas) => {
    if (!(canvas instanceof HTMLCanvasElement)) return 0;
    const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
      data: new Uint8ClampedArray(),
    };
    const seen = new Set<number>();
    for (let at = 0; at < data.length; at += 4)
      seen.add(((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0));
    return seen.size;
  });
  expect(colours).toBeGreaterThan(16);

  // Probes of the graph (Δ, decay, B, C) came back too.
  await expect(layer.getByRole('group', { name: 'Half-life of each head' })).toContainText(
    /forgets fastest: half is gone after [\d.]+ token/,
  );
  await expect(layer.getByRole('group', { name: /^Step size/ })).toContainText(
    /The largest step, Δ = [\d.]+/,
  );
  await expect(layer.getByRole('group', { name: /^Hidden attention/ })).toContainText(
    /the last token takes most from/,
  );

  // And the meter counts the bytes of tensors that lie on the GPU.
  await page.getByRole('tab', { name: 'Memory' }).click();
  await expect(page.getByText(/exactly as the config says\./)).toBeVisible();
});
