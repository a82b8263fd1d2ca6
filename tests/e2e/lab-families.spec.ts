// The lab on models from a hub, of two families that the embedded one is not: meter, comparison, fork and teleport work,
// and what a family lacks is said. Micro models in the layout of the public exports, on WASM.
import type { Page } from '@playwright/test';
import { microModels } from '../conformance/micro-models';
import { expect as baseExpect, test } from './fake-site';
import { cardOf, chooseHub, lookUp, openLibrary } from './library-page';
import { ask, openMicro, thinkShortly } from './real-page';

const expect = baseExpect.configure({ timeout: 90_000 });

test.describe.configure({ timeout: 400_000 });

async function figure(page: Page, name: string, button: string): Promise<string[]> {
  await page.getByRole('button', { name: button }).click();
  const group = page.getByRole('group', { name, exact: true });
  await expect(group.getByText('As a table')).toBeVisible();
  return group.locator('[data-run]').allTextContents();
}

for (const family of ['lfm2', 'granitemoehybrid'] as const) {
  test(`${family}: meter, comparison, fork, teleport`, async ({ page, fakeSite, hub }) => {
    const model = microModels().find((one) => one.family === family);
    if (model === undefined) throw new Error(`no micro model of ${family}`);
    hub.add({ id: `school/${family}-ONNX`, files: model.files, license: 'apache-2.0' });
    await openMicro(page, fakeSite);
    await openLibrary(page);
    await chooseHub(page, hub);
    await lookUp(page, `school/${family}-ONNX`);
    const card = cardOf(page, family);
    await card.getByRole('button', { name: /^Download/ }).click();
    await card.getByRole('button', { name: 'Use it' }).click();
    await expect(
      page.getByRole('button', { name: new RegExp(`^Model: WASM.*, ${family}$`) }),
    ).toBeVisible();

    await page.getByRole('button', { name: 'State lab', exact: true }).click();
    await thinkShortly(page);
    await ask(page, '2 + 3');
    // Only what was measured of some tokens is said; stopped before them a reply has none.
    await page.getByRole('tab', { name: 'Memory' }).click();
    await expect(page.getByText(/Each token adds .* exactly as the config says\./)).toBeVisible();
    // Random weights seldom find the end of a turn.
    const stop = page.getByRole('button', { name: 'Stop', exact: true });
    if (await stop.isVisible()) await stop.click().catch(() => {});
    await expect(page.getByRole('button', { name: 'Send' })).toBeVisible();

    await expect(page.locator('[data-part="KV cache"]')).toContainText(/[1-9][\d,]* B/);

    await page.getByRole('tab', { name: 'Layers' }).click();
    if (family === 'lfm2') {
      await page.getByRole('button', { name: /^Layer 0,/ }).click();
      await expect(
        page.getByText(/A convolution has no state matrix, no decay and no attention to show/),
      ).toBeVisible();
    }

    await page.getByRole('tab', { name: 'Operate' }).click();
    // Without a recurrent state only the operations on the KV cache are offered.
    const operation = page.getByLabel('Operation').first();
    const offered = await operation.locator('option').allTextContents();
    expect(offered.some((title) => /state/i.test(title))).toBe(family !== 'lfm2');
    for (const [name, button] of [
      ['With and without', 'Compare with and without'],
      ['Fork', 'Fork here'],
    ] as const) {
      const runs = await figure(page, name, button);
      expect(runs.length, name).toBeGreaterThan(1);
      expect(runs.join('').trim(), name).not.toBe('');
    }

    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the state' }).click();
    const file = await (await download).path();
    await page.getByLabel('Open a state').setInputFiles(file);
    await expect(page.getByText(/tokens of memory arrived, exact to the bit/)).toBeVisible();
  });
}
