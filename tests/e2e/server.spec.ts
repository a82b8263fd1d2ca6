// A server answers in the model's place: added, chosen, asked within the limit, stopped, gone on with, lost, and left again.
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import {
  FAKE_MODEL,
  startFakeLlmServer,
  type FakeLlmServer,
  type FakeOptions,
} from '../fake-llm-server';
import { ask, log, openMicro, replied, thinkShortly } from './real-page';

const THOUGHT = Array.from({ length: 160 }, (_, at) => (at % 8 === 7 ? ' done.' : ` step${at}`));
const SCRIPT = { thought: THOUGHT, answer: ['It ', 'is ', '**42**', ', ', 'I ', 'am ', 'sure.'] };

async function addServer(page: Page, { url }: FakeLlmServer, key = ''): Promise<void> {
  await page.getByRole('button', { name: /^Model: / }).click();
  await page.getByRole('button', { name: 'Choose another model' }).click();
  const form = page.getByRole('form', { name: 'Add a server' });
  await form.getByLabel('Address').fill(url);
  if (key !== '') await form.getByLabel('Key, if it needs one').fill(key);
  await form.getByRole('button', { name: 'Test and add' }).click();
}

async function useServer(page: Page, server: FakeLlmServer): Promise<void> {
  await addServer(page, server);
  const row = page.getByRole('group', { name: `Server ${new URL(server.url).host}` });
  await row.getByRole('button', { name: 'Answer with it' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

async function withFake(
  options: Omit<FakeOptions, 'kind'> & Partial<Pick<FakeOptions, 'kind'>>,
  work: (server: FakeLlmServer, place: string) => Promise<void>,
): Promise<void> {
  const server = await startFakeLlmServer({ kind: 'llama.cpp', ...options });
  try {
    await work(server, new URL(server.url).host);
  } finally {
    await server.close();
  }
}

const chipOf = (page: Page, place: string) =>
  page.getByRole('button', {
    name: new RegExp(`^Model: a server, ${place.replaceAll('.', '\\.')}, `),
  });

test('a server is added, tested and chosen; its thought stops within the limit, and the header says where words go', async ({
  page,
}) => {
  await withFake({ script: SCRIPT, key: 'sk-secret' }, async (server, place) => {
    await openMicro(page);
    await expect(
      page.getByRole('button', { name: /^Model: .*, in this tab, Micro$/ }),
    ).toBeVisible();
    await addServer(page, server, 'wrong');
    await expect(
      page.getByRole('alert').filter({ hasText: 'does not accept the key' }),
    ).toBeVisible();
    const form = page.getByRole('form', { name: 'Add a server' });
    await form.getByLabel('Key, if it needs one').fill('sk-secret');
    await form.getByRole('button', { name: 'Test and add' }).click();
    const row = page.getByRole('group', { name: `Server ${place}` });
    await expect(row).toContainText('It is llama.cpp, with 1 model.');
    await expect(row.getByRole('combobox', { name: `Model on ${place}` })).toHaveValue(FAKE_MODEL);
    const { violations } = await new AxeBuilder({ page }).include('dialog[open]').analyze();
    expect(violations).toEqual([]);
    await row.getByRole('button', { name: 'Answer with it' }).click();
    await expect(chipOf(page, place)).toBeVisible();

    await thinkShortly(page);
    await page.keyboard.press('ArrowRight');
    const limit = Number(
      /\d+/.exec(
        (await page
          .getByRole('slider', { name: 'Thinking limit' })
          .getAttribute('aria-valuetext')) ?? '',
      )?.[0],
    );
    expect(limit).toBeGreaterThan(0);
    await ask(page, 'What is it?');
    await replied(page);
    await expect(log(page)).toContainText('It is 42, I am sure.');
    await expect(log(page)).toContainText(`The limit was kept from here: ${place} was stopped`);
    const shown = await log(page).getByLabel('Thought').first().textContent();
    const used = Number(new RegExp(`(\\d+) of ${limit} tokens`).exec(shown ?? '')?.[1]);
    expect(used).toBeGreaterThanOrEqual(limit);
    expect(used).toBeLessThanOrEqual(limit + Math.max(16, Math.ceil(limit / 10)));
    await expect(log(page)).toContainText(place);

    // The key is nobody's but the server's: not in what is exported, not in what the page shows.
    await page.getByRole('button', { name: 'Storage', exact: true }).first().click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export everything' }).click(),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const exported = Buffer.concat(chunks).toString();
    expect(exported).toContain('What is it?');
    expect(exported).not.toContain('sk-secret');
    expect(exported).not.toContain(server.url);
  });
});

test('a private chat asks once before it leaves; a reply that is lost is answered here instead', async ({
  page,
}) => {
  await withFake({ script: SCRIPT, paceMs: 15, breaksAfter: 3 }, async (server, place) => {
    await openMicro(page);
    await thinkShortly(page);
    await ask(page, 'A private word.');
    await replied(page);
    await useServer(page, server);
    await ask(page, 'And this?');
    const question = page.getByRole('dialog', { name: `Send this chat to ${place}?` });
    await question.getByRole('button', { name: 'Cancel' }).click();
    expect(server.asked.filter(({ path }) => path.startsWith('/v1/'))).toEqual([]);
    await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('And this?');
    await page.getByRole('button', { name: 'Send' }).click();
    await question.getByRole('button', { name: `Send it to ${place}` }).click();

    const lost = log(page).getByRole('article', { name: 'Reply' }).last();
    await expect(lost).toContainText(`${place} stopped answering in the middle of the reply.`);
    await expect(lost.getByRole('button', { name: 'Continue' })).toBeVisible();
    await lost.getByRole('button', { name: 'Answer here instead' }).click();
    await expect(page.getByRole('button', { name: /^Model: WASM.*, in this tab, / })).toBeVisible();
    await expect(log(page).getByRole('article', { name: 'Reply' }).last()).toContainText(
      /tokens\/s/,
      {
        timeout: 90_000,
      },
    );
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });
});

test('a slow first word is waited for in sight, a reply is stopped and goes on', async ({
  page,
}) => {
  const script = {
    thought: ['Let ', 'me ', 'see.'],
    answer: Array.from({ length: 90 }, (_, at) => `w${at} `),
  };
  await withFake({ script, paceMs: 40, delayMs: 3500 }, async (server, place) => {
    await openMicro(page);
    await useServer(page, server);
    await ask(page, 'Count.');
    await expect(log(page)).toContainText(`Waiting for the first words from ${place}`);
    await expect(log(page)).toContainText(/\d s so far/);
    await expect(log(page)).toContainText('w5');
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(log(page)).toContainText('You stopped it here.');
    await expect.poll(() => server.aborted()).toBe(1);
    await log(page).getByRole('button', { name: 'Continue' }).click();
    await expect(log(page)).toContainText('w89', { timeout: 30_000 });
    expect((await log(page).textContent())?.match(/w5 /g)).toHaveLength(1);
  });
});

test('what cannot be asked is said with its remedy', async ({ page }) => {
  await openMicro(page);
  await withFake({ script: SCRIPT, isClosedToPages: true }, async (server, place) => {
    await addServer(page, server);
    await expect(page.getByRole('alert').filter({ hasText: place })).toContainText('CORS');
  });
  const form = page.getByRole('form', { name: 'Add a server' });
  await form.getByLabel('Address').fill('https://api.example.org/v1');
  await form.getByRole('button', { name: 'Test and add' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'api.example.org' })).toContainText(
    'TIDEPOOL_SERVERS=https://api.example.org',
  );
});

test('of a server the gauge and the lab say what is not seen, and its published config is reckoned with', async ({
  page,
}) => {
  await page.route('**/fake/thinker-1b/resolve/**', (route) =>
    route.request().url().endsWith('/config.json')
      ? route.fulfill({ path: 'public/models/micro/config.json' })
      : route.fulfill({ status: 404 }),
  );
  await withFake({ script: { thought: [], answer: ['Yes.'] } }, async (server, place) => {
    await openMicro(page);
    await useServer(page, server);
    await expect(page.getByText(`${place} holds this chat’s memory`)).toBeVisible();
    await page.getByRole('button', { name: 'State lab', exact: true }).click();
    await expect(
      page.getByRole('heading', { name: `${place} keeps its states to itself` }),
    ).toBeVisible();
    await page.getByRole('button', { name: 'Look its config up' }).click();
    const table = page.getByRole('table', { name: /^Bytes of states at/ });
    for (const name of ['Pool (recurrent states)', 'Conv states', 'Tide (KV cache)'])
      await expect(table.getByRole('row', { name })).toContainText(/\d.* (?:B|kB|KiB|MB|MiB)/);
  });
});
