// The library's dialog as a person uses it, and the micro model as files of a repository of the fake hub.
import { expect as baseExpect, type Locator, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import type { FakeHub } from '../conformance/fake-hub';

// A busy machine reads and hashes a megabyte in many seconds; what is waited for comes all the same.
const expect = baseExpect.configure({ timeout: 90_000 });

const MICRO = new URL('../../public/models/micro/', import.meta.url);

const MICRO_FILES = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'onnx/model_q4.onnx',
  'onnx/model_quantized.onnx',
];

/** Files of the micro model by their path. Not Buffers: their slices share memory, and the hub changes bytes of slices. */
export async function microFiles(paths = MICRO_FILES): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const path of paths) files.set(path, new Uint8Array(await readFile(new URL(path, MICRO))));
  return files;
}

/** Opens the Models dialog of an open page. */
export async function openLibrary(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: /^Model:/ }).click();
  await page.getByRole('button', { name: 'Choose another model' }).click();
  const dialog = page.getByRole('dialog', { name: 'Models' });
  await expect(dialog.getByText('This device:')).toBeVisible();
  return dialog;
}

/** Sets the hub's address in the open dialog, unless it is set already. */
export async function chooseHub(page: Page, hub: FakeHub): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Models' });
  if ((await dialog.getByText(hub.origin).count()) > 0) return;
  await dialog.getByText('Hub and mirror').click();
  await dialog.getByLabel('Address of the mirror').fill(hub.origin);
  await dialog.getByRole('button', { name: 'Use this address' }).click();
  await expect(dialog.getByText(hub.origin).first()).toBeVisible();
}

/** Asks the hub for a model by name or address, in the open dialog. */
export async function lookUp(page: Page, repo: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Models' });
  await dialog.getByLabel('Name of the model on the hub').fill(repo);
  await dialog.locator('form').getByRole('button', { name: 'Look it up' }).click();
}

export function cardOf(page: Page, title: string): Locator {
  return page
    .getByRole('dialog', { name: 'Models' })
    .getByRole('article', { name: title, exact: true });
}
