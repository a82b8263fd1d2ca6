// Servers are added after a test, kept with their keys in this browser alone, and a private chat asks before it leaves.
import { expect, test } from 'vitest';
import type { ProbedServer } from '../../../src/engine/server/probe-server';
import { EngineError } from '../../../src/core/errors';
import { Servers } from '../../../src/state/servers.svelte';
import { ConnectionStore } from '../../../src/storage/connection-store';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { SettingsStore } from '../../../src/storage/settings-store';
import { makeApp, until } from './make-app';

const PROBED: ProbedServer = {
  kind: 'ollama',
  version: '0.40',
  models: [{ id: 'm1', contextTokens: null, parameters: null, weightBytes: null, isLoaded: null }],
};
const SILENT_CHANNEL = { post: () => {}, listen: () => () => {}, close: () => {} };

function makeServers(
  backing: MemoryBacking,
  probe: () => Promise<ProbedServer> = () => Promise.resolve(PROBED),
) {
  const used: unknown[] = [];
  let ids = 0;
  const servers = new Servers({
    store: new ConnectionStore(backing),
    probe,
    library: () => ({
      current: { key: 'tidepool', title: 'Tidepool' },
      useServer: (...given) => {
        used.push(given);
        return Promise.resolve(true);
      },
      answerHere: () => Promise.resolve(),
    }),
    newId: () => `c${(ids += 1)}`,
    onProblem: (error) => used.push(error),
  });
  return { servers, used };
}

test('a server that answers is kept with its key, beside the settings and not in them', async () => {
  const backing = new MemoryBacking();
  const { servers, used } = makeServers(backing);
  expect(await servers.add('localhost:11434/v1', ' sk-secret ')).toBe('c1');
  await servers.use('c1', 'm1');
  expect(used).toEqual([
    [
      'server:c1',
      {
        address: 'http://localhost:11434',
        key: 'sk-secret',
        kind: 'ollama',
        model: 'm1',
        effort: null,
      },
    ],
  ]);
  const again = makeServers(backing).servers;
  await again.load();
  expect(again.connections).toMatchObject([
    { address: 'http://localhost:11434', key: 'sk-secret' },
  ]);
  // What an export takes is what the settings store gives.
  const settings = new SettingsStore(backing, SILENT_CHANNEL);
  expect(JSON.stringify(await settings.load())).not.toContain('sk-secret');
  expect(again.target('server:c1', 'm1')).toMatchObject({ model: 'm1', kind: 'ollama' });
  expect(again.target('tidepool', '')).toBeNull();
});

test('one that does not answer is not kept, and the sentence stands by the form', async () => {
  const { servers } = makeServers(new MemoryBacking(), () =>
    Promise.reject(new EngineError('server', 'Nobody there.', 'Start it.')),
  );
  expect(await servers.add('http://localhost:1', '')).toBeNull();
  expect(servers.tests['']).toMatchObject({ phase: 'failed', error: { remedy: 'Start it.' } });
  expect(await servers.add('no address', '')).toBeNull();
  expect(servers.connections).toEqual([]);
});

test('a connection that was damaged on the disk is left out, the others stay', async () => {
  const backing = new MemoryBacking();
  const good = {
    id: 'a',
    address: 'http://localhost:1',
    key: '',
    kind: 'vllm',
    models: [],
    effort: '',
  };
  await backing.run(['settings'], 'readwrite', (transaction) =>
    transaction.put('settings', 'connections', [{ ...good, kind: 'toaster' }, 7, good]),
  );
  expect((await new ConnectionStore(backing).load()).map(({ id }) => id)).toEqual(['a']);
});

test('forgetting a server forgets its key', async () => {
  const backing = new MemoryBacking();
  const { servers } = makeServers(backing);
  await servers.add('localhost:1', 'sk-secret');
  await servers.remove('c1');
  await until(() => servers.connections.length === 0, 'no connection');
  expect(await new ConnectionStore(backing).load()).toEqual([]);
});

test('a private chat asks before it goes to a server, once, and what was typed stays where the answer is no', async () => {
  const app = makeApp('thinks');
  await app.status.load();
  await app.chat.send('A private word.');
  app.status.aim({
    modelUrl: 'server:c1',
    server: { address: 'http://localhost:8080', key: '', kind: 'other', model: 'm', effort: null },
  });
  app.chat.draft = 'And this?';
  const refused = app.chat.send();
  await until(() => app.chat.pendingMove !== null, 'the question');
  expect(app.chat.pendingMove).toMatchObject({ place: 'localhost:8080', messages: 2 });
  app.chat.pendingMove?.decide(false);
  await refused;
  expect(app.chat.draft).toBe('And this?');
  expect(app.chat.path).toHaveLength(2);

  const sent = app.chat.send();
  await until(() => app.chat.pendingMove !== null, 'the question again');
  app.chat.pendingMove?.decide(true);
  await sent;
  expect(app.chat.path).toHaveLength(4);
  await app.chat.send('A third time.');
  expect(app.chat.path).toHaveLength(6);
});

test('a new chat asks nothing', async () => {
  const app = makeApp('thinks');
  await app.status.load();
  app.status.aim({
    modelUrl: 'server:c1',
    server: { address: 'http://localhost:8080', key: '', kind: 'other', model: 'm', effort: null },
  });
  await app.chat.send('Hello.');
  expect(app.chat.pendingMove).toBeNull();
  expect(app.chat.path).toHaveLength(2);
});
