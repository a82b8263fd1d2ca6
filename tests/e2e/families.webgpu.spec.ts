// Micro models in the layouts of public exports, downloaded from the fake hub and run on emulated WebGPU: states of each
// family stay on the GPU from token to token, external data and split sessions load in the browser.
import { microModels } from '../conformance/micro-models';
import { expect as baseExpect, test } from './fake-site';
import { cardOf, chooseHub, lookUp, openLibrary } from './library-page';
import { ask, chooseWebgpu, log, replied, thinkShortly } from './real-page';

const expect = baseExpect.configure({ timeout: 120_000 });

test.describe.configure({ timeout: 480_000 });

/** Mamba and attention in turn; side by side; convolutions only, data in several files; delta rule, two sessions. */
const FAMILIES = ['granitemoehybrid', 'falcon_h1', 'lfm2', 'qwen3_5'] as const;

for (const family of FAMILIES) {
  test(`${family} answers on WebGPU`, async ({ page, fakeSite, hub }) => {
    const model = microModels().find((one) => one.family === family);
    if (model === undefined) throw new Error(`no micro model of ${family}`);
    const name = family.replaceAll('_', '-');
    hub.add({ id: `school/${name}-ONNX`, files: model.files, license: 'apache-2.0' });
    await page.goto(`${fakeSite}?model=micro`);

    await openLibrary(page);
    await chooseHub(page, hub);
    await lookUp(page, `school/${name}-ONNX`);
    const card = cardOf(page, name);
    // What an emulated GPU can run: it has no 16-bit shaders.
    await card.getByRole('combobox', { name: /^Variant of/ }).selectOption('q4');
    await card.getByRole('button', { name: /^Download/ }).click();
    const use = card.getByRole('button', { name: 'Use it' });
    await expect(use).toBeEnabled();
    await use.click();
    await expect(
      page.getByRole('button', { name: new RegExp(`^Model: .*, ${name}$`) }),
    ).toBeVisible();
    // Only now: the model before it need not start on the emulated GPU, which takes as long again.
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await chooseWebgpu(page);
    await expect(
      page.getByRole('button', { name: new RegExp(`^Model: WebGPU.*, ${name}$`) }),
    ).toBeVisible();

    await thinkShortly(page);
    await ask(page, '2 + 3');
    // Random weights seldom find the end of a turn: the answer ends at its greatest length, if it does not before.
    await replied(page, 120_000);
    await expect(log(page).getByRole('article').last()).toContainText(/\S/);
    await expect(log(page)).toContainText('WebGPU');
  });
}
