// A schema in the settings of a chat: the answer of the real engine is JSON that satisfies it.
import { expect, test } from '@playwright/test';
import { ask, log, openMicro, replied, thinkShortly } from './real-page';

const SCHEMA = {
  type: 'object',
  properties: {
    sum: { type: 'integer', minimum: 0, maximum: 99 },
    unit: { enum: ['none', 'metres'] },
  },
  required: ['sum', 'unit'],
  additionalProperties: false,
};

test('an answer is held to the schema of its chat, and a schema that is not understood is refused', async ({
  page,
}) => {
  const mask = page.waitForRequest(/answer-guard/);
  await openMicro(page);
  await page.getByRole('button', { name: 'Settings' }).first().click();
  const schema = page.getByRole('textbox', { name: /^JSON Schema/ });
  await schema.fill('{"type": "string", "pattern": "^a"}');
  await schema.blur();
  await expect(page.getByRole('alert').filter({ hasText: 'has `pattern`' })).toBeVisible();
  await schema.fill(JSON.stringify(SCHEMA));
  await schema.blur();
  await expect(page.getByRole('alert').filter({ hasText: 'has `pattern`' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await thinkShortly(page);
  await ask(page, 'What is 23 + 58?');
  await mask;
  await replied(page);
  const text = await log(page).locator('pre code').textContent();
  const answer = JSON.parse(text ?? '') as { sum: number; unit: string };
  expect(Object.keys(answer)).toEqual(['sum', 'unit']);
  expect(answer.sum).toBeGreaterThanOrEqual(0);
  expect(answer.sum).toBeLessThanOrEqual(99);
  expect(SCHEMA.properties.unit.enum).toContain(answer.unit);
});
