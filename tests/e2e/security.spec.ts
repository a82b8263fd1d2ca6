// What the page may do is limited by its own policy, on any host: nothing foreign is asked, nothing injected runs.
import { createServer } from 'node:http';
import { expect, test } from './plain-host';
import { ask, chip, openMicro, readyOffline, replied } from './real-page';

test.use({ serviceWorkers: 'allow' });

test('a whole chat asks nothing of another origin and breaks no rule of the policy', async ({
  page,
  context,
  host,
}) => {
  const foreign: string[] = [];
  /** While a chat runs nothing is asked at all, but parts of the app that come when they are first needed. */
  const inChat: string[] = [];
  let isChatting = false;
  const complaints: string[] = [];
  // Of the page, its workers and the service worker.
  context.on('request', (request) => {
    const url = request.url();
    if (/^https?:/.test(url) && !url.startsWith(host.url)) foreign.push(url);
    const part = url.slice(host.url.length);
    const isPart = request.method() === 'GET' && /^(?:assets|icons)\/[\w.-]+$/.test(part);
    if (isChatting && !isPart) inChat.push(`${request.method()} ${url}`);
  });
  context.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) complaints.push(message.text());
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      // eslint-disable-next-line no-console -- The test reads it.
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await openMicro(page, host.url);
  await readyOffline(page);
  await expect(chip(page)).toBeVisible();
  isChatting = true;
  await ask(page, 'Write $x^2$ and `code`.');
  await replied(page);
  await page.getByRole('button', { name: 'State lab' }).click();
  const lab = page.getByRole('complementary', { name: 'State lab' });
  for (const view of ['Layers', 'Tokens', 'Operate', 'Recall', 'Lessons', 'Memory'])
    await lab.getByRole('tab', { name: view }).click();
  isChatting = false;
  await lab.getByRole('button', { name: /^Close/ }).click();
  await page.getByRole('button', { name: 'Storage', exact: true }).first().click();
  await expect(page.getByRole('dialog', { name: 'Storage' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { name: 'Offline' })).toBeVisible();
  expect(inChat).toEqual([]);
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
});

test('an injected script does not run, and neither page nor worker reaches another origin', async ({
  page,
  host,
}) => {
  const reached: string[] = [];
  const elsewhere = createServer((request, response) => {
    reached.push(request.url ?? '');
    response
      .writeHead(200, {
        'Access-Control-Allow-Origin': '*',
        'Cross-Origin-Resource-Policy': 'cross-origin',
      })
      .end('reached');
  });
  await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening));
  const address = elsewhere.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  // This computer by a name that the policy does not have: http://localhost and http://127.0.0.1 may be servers of models.
  const foreign = `http://elsewhere.localhost:${address.port}/`;
  try {
    await openMicro(page, host.url);
    await readyOffline(page);
    const ran = await page.evaluate(async (url) => {
      // The developer tools may evaluate strings; what a timer starts is the page's own doing.
      await new Promise((resolve) => setTimeout(resolve));
      const attempts: Record<string, () => unknown> = {
        inline: () => {
          const script = document.createElement('script');
          script.append('window.hasRun = true');
          document.body.append(script);
        },
        markup: () => {
          document.body.innerHTML += '<img src="x" onerror="window.hasRun = true">';
        },
        evaluated: () => {
          (0, eval)('window.hasRun = true');
        },
        worker: () => new Worker(url),
        image: () => {
          const image = new Image();
          image.src = `${url}image`;
          document.body.append(image);
        },
        page: () => fetch(`${url}page`),
      };
      const outcomes: string[] = [];
      for (const [name, attempt] of Object.entries(attempts)) {
        try {
          await attempt();
          outcomes.push(`${name} ran`);
        } catch {
          outcomes.push(`${name} refused`);
        }
      }
      return {
        outcomes,
        hasRun: (window as { hasRun?: boolean }).hasRun === true,
      };
    }, foreign);
    expect(ran.hasRun).toBe(false);
    for (const name of ['markup', 'evaluated', 'worker', 'page'])
      expect(ran.outcomes).toContain(`${name} refused`);

    const engine = page.workers().find((worker) => worker.url().includes('engine.worker'));
    const workerOutcome = await engine?.evaluate(
      (url) =>
        fetch(url).then(
          () => 'reached',
          () => 'refused',
        ),
      `${foreign}worker`,
    );
    expect(workerOutcome).toBe('refused');
    expect(reached).toEqual([]);
  } finally {
    elsewhere.closeAllConnections();
    elsewhere.close();
  }
});
