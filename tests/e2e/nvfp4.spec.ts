// The shipped model packed in NVFP4: it is unpacked as it loads and answers; the lab shows what the format does to it.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { expectAnswer, log } from './real-page';

test('the NVFP4 model answers, and its lab shows sixteen weights through the format', async ({
  page,
}) => {
  const fetched: string[] = [];
  page.on('request', (request) => {
    fetched.push(new URL(request.url()).pathname.split('/').at(-1) ?? '');
  });
  await page.goto('./?model=tidepool-nvfp4');
  await expectAnswer(page, 'What is 15 + 46?');
  await expect(log(page)).toContainText('61');
  expect(fetched).toContain('model.safetensors');
  expect(fetched.filter((name) => name.includes('WeightBlock'))).toEqual([]);

  await page.getByRole('button', { name: 'State lab', exact: true }).click();
  await page.getByRole('tab', { name: 'Layers' }).click();
  await page.getByRole('button', { name: /^Layer 1, MLP/ }).click();
  const weights = page.getByRole('region', { name: 'Layer 1, weights' });
  await weights.getByRole('button', { name: 'Show 16 weights' }).click();
  const figure = weights.getByRole('group', { name: 'Sixteen weights through NVFP4' });
  await expect(figure).toContainText(/The block’s largest weight, −?[\d.]+, is laid on 6/);
  // Packed with the better of two scales for each block, the weights are numbers of the format already.
  await weights.getByRole('radio', { name: /On 6 or 4/ }).check();
  await expect(figure).toContainText(/the whole matrix by (0|<?0\.\d) %/);
  await weights.getByRole('combobox', { name: 'Matrix' }).selectOption({ index: 1 });
  await weights.getByRole('combobox', { name: 'Inputs' }).selectOption({ index: 2 });
  await figure.getByText('As a table').click();
  await expect(figure.getByRole('row')).toHaveCount(17);
  const { violations } = await new AxeBuilder({ page }).include('.lab').analyze();
  expect(violations).toEqual([]);
});
