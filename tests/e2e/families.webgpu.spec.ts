// Micro models in the layouts of public exports, downloaded from the fake hub and run on emulated WebGPU: states of each
// family stay on the GPU from token to token, external data and split sessions load in the browser.
import { microModels } from '../conformance/micro-models';
import { expect as baseExpect, test } from './fake-site';

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
    // The smallest embedded model: it is loaded first, on the emulated GPU too.
    await page.goto(`${fakeSite}?model=micro`);
    await page.getByRole('button', { name: 'Settings' }).first().click();
    const webgpu = page.getByRole('radio', { name: 'WebGPU' });
    await expect(webgpu).toBeEnabled();
    await webgpu.check();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);

    await page.getByRole('button', { name: /^Model:/ }).click();
    await page.getByRole('button', { name: 'Choose another model' }).click();
    const dialog = page.getByRole('dialog', { name: 'Models' });
    await expect(dialog.getByText('This device:')).toBeVisible();
    await dialog.getByText('Hub and mirror').click();
    await dialog.getByLabel('Address of the mirror').fill(hub.origin);
    await dialog.getByRole('button', { name: 'Use this address' }).click();
    await dialog.getByLabel('Name of the model on the hub').fill(`school/${name}-ONNX`);
    await dialog.locator('form').getByRole('button', { name: 'Look it up' }).click();
    const card = dialog.getByRole('article', { name, exact: true });
    // What an emulated GPU can run: it has no 16-bit shaders.
    await card.getByRole('combobox', { name: /^Variant of/ }).selectOption('q4');
    await card.getByRole('button', { name: /^Download/ }).click();
    const use = card.getByRole('button', { name: 'Use it' });
    await expect(use).toBeEnabled();
    await use.click();
    await expect(
      page.getByRole('button', { name: new RegExp(`^Model: WebGPU.*, ${name}$`) }),
    ).toBeVisible();

    await page.getByRole('slider', { name: 'Thinking limit' }).focus();
    await page.keyboard.press('Home');
    await page.getByRole('textbox', { name: 'Message' }).fill('2 + 3');
    await page.getByRole('button', { name: 'Send' }).click();
    const log = page.getByRole('log', { name: 'Conversation' });
    // Random weights seldom find the end of a turn, and each token takes an emulated GPU a good part of a second.
    await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
    await expect(log.getByRole('article').last()).toContainText(/\S/);
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(log).toContainText(/tokens\/s/);
    await expect(log).toContainText('WebGPU');
  });
}
