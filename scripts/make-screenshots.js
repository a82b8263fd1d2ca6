// Makes the pictures that a browser shows when it offers to install the app: the built page, answering, wide and narrow.
// Run after `npm run build`. Writes public/screenshots/*.png, and fails when one is 300 kB or more.
import { chromium, devices } from '@playwright/test';
import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { preview } from 'vite';
import { ensureChromium, installDebianChromium, thisMachine } from './find-chromium.js';

const MOST_BYTES = 300_000;
const folder = resolve(import.meta.dirname, '../public/screenshots');
mkdirSync(folder, { recursive: true });

const phone = devices['Pixel 7'];
const shots = [
  { name: 'wide-chat', context: { viewport: { width: 1280, height: 800 } }, lab: false },
  { name: 'wide-lab', context: { viewport: { width: 1280, height: 800 } }, lab: true },
  {
    name: 'narrow-chat',
    context: { ...phone, viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
    lab: false,
  },
];

const found = ensureChromium(await thisMachine(), {
  say: (line) => console.log(line),
  install: installDebianChromium,
});
const server = await preview({ logLevel: 'error', preview: { host: '127.0.0.1', port: 0 } });
const address = server.resolvedUrls?.local[0];
if (address === undefined) throw new Error('the preview server gave no address');
const browser = await chromium.launch({ executablePath: found.path, args: ['--no-sandbox'] });
try {
  for (const { name, context, lab } of shots) {
    const page = await browser.newPage({ ...context, serviceWorkers: 'block' });
    await page.goto(address);
    await page.getByRole('textbox', { name: 'Message' }).fill('What is 23 + 58?');
    await page.getByRole('button', { name: 'Send' }).click();
    await page
      .getByText(/tokens\/s/)
      .first()
      .waitFor({ timeout: 120_000 });
    if (lab) {
      await page.getByRole('button', { name: 'State lab' }).click();
      await page.getByRole('complementary', { name: 'State lab' }).waitFor();
      // The lab draws what it has read of the model; its last picture is the one to take.
      await page.waitForTimeout(2500);
    }
    const path = join(folder, `${name}.png`);
    await page.screenshot({ path });
    await page.close();
    const { size } = statSync(path);
    console.log(`${name}.png: ${size} bytes`);
    if (size >= MOST_BYTES) throw new Error(`${name}.png has ${size} bytes, ${MOST_BYTES} or more`);
  }
} finally {
  await browser.close();
  await server.close();
}
