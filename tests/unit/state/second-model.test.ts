// The second model: what can be chosen, whether it gets an engine of its own, and the exchange where it does not.
import { describe, expect, test } from 'vitest';
import { createFakeEngine } from '../../../src/engine/fake-engine';
import { LARGER_MODEL, REGISTRY } from '../../../src/models/registry';
import { modelOfEntry } from '../../../src/state/models/library-model';
import type { ModelLibrary } from '../../../src/state/models/model-library.svelte';
import type { ModelChoice } from '../../../src/state/models/other-models';
import { SecondModel } from '../../../src/state/models/second-model.svelte';
import type { Servers } from '../../../src/state/servers.svelte';
import { makeApp, until } from './make-app';

const BASE = 'https://example.test/app/';
const CONNECTION = {
  id: 'c1',
  address: 'http://localhost:8080',
  key: 'secret',
  kind: 'llama-cpp',
  models: ['org/Llama'],
  effort: '',
};

function makeSecond(hasRoom: boolean) {
  const app = makeApp('thinks');
  const loads: string[] = [];
  const load = app.engine.load.bind(app.engine);
  app.engine.load = (request, onProgress) => {
    loads.push(request.modelUrl);
    return load(request, onProgress);
  };
  const library = {
    models: REGISTRY.map(modelOfEntry),
    kept: {},
    current: { key: 'tidepool', title: 'Tidepool' },
    refresh: async () => {},
    find: () => null,
  };
  const servers = { connections: [CONNECTION], used: () => null, chosenModel: null };
  const engines = { spawned: 0, disposed: 0 };
  const second = new SecondModel({
    chat: app.chat,
    status: app.status,
    settings: app.settings,
    engine: app.engine,
    library: library as unknown as ModelLibrary,
    servers: servers as unknown as Servers,
    baseUrl: BASE,
    spawn: () => {
      const engine = createFakeEngine('tools', 0);
      engines.spawned += 1;
      const dispose = engine.dispose.bind(engine);
      engine.dispose = () => {
        engines.disposed += 1;
        return dispose();
      };
      return engine;
    },
    serverEngine: async () => createFakeEngine('tools', 0),
    hasEngineRoom: async () => hasRoom,
    beforeExchange: async () => {},
  });
  return { ...app, second, loads, engines };
}

function choiceOf(second: SecondModel, title: string): ModelChoice {
  const choice = second.choices.find((other) => other.title === title);
  if (choice === undefined) throw new Error(`${title} cannot be chosen`);
  return choice;
}

describe('the second model', () => {
  test('is one that is here or on a server, and not the first', () => {
    const { second } = makeSecond(true);
    const titles = second.choices.map(({ title }) => title);
    expect(titles).toContain('Micro');
    expect(titles).toContain('Llama');
    expect(titles).not.toContain('Tidepool');
    // Not kept in this browser, so not here.
    expect(titles).not.toContain(LARGER_MODEL?.title);
    expect(titles).not.toContain('Falcon-H1 Tiny 90M');
  });

  test('with room for two has an engine of its own, and gives it back when it is dropped', async () => {
    const app = makeSecond(true);
    await app.second.choose(choiceOf(app.second, 'Micro'));
    expect(app.second.turn).toBe('beside');
    await app.chat.send('one');
    await until(() => !app.chat.isBusy, 'both');
    expect(app.loads).toEqual(['https://example.test/models/fake/']);
    expect(app.engines).toEqual({ spawned: 1, disposed: 0 });
    await app.second.drop();
    await app.chat.send('two');
    expect(app.chat.path.at(-2)?.children).toHaveLength(1);
    expect(app.engines).toEqual({ spawned: 1, disposed: 1 });
  });

  test('without room takes the first one’s engine in turn, and the first comes back', async () => {
    const app = makeSecond(false);
    await app.second.choose(choiceOf(app.second, 'Micro'));
    expect(app.second.turn).toBe('after');
    await app.chat.send('one');
    await until(() => app.loads.length === 3 && app.status.phase === 'ready', 'the first is back');
    expect(app.loads).toEqual([
      'https://example.test/models/fake/',
      'https://example.test/app/models/micro/',
      'https://example.test/models/fake/',
    ]);
    expect(app.engines.spawned).toBe(0);
    const writers = Object.values(app.chat.conversation.tree.nodes).flatMap((node) =>
      node.role === 'assistant' ? [`${node.reply.writer} ${node.reply.finish}`] : [],
    );
    expect(writers).toEqual(['Tidepool end', 'Micro end']);
    // The next question is answered by both again.
    await app.chat.send('two');
    expect(app.chat.path.at(-2)?.children).toHaveLength(2);
  });

  test('on a server takes no memory here and says where the words go', async () => {
    const app = makeSecond(false);
    await app.second.choose(choiceOf(app.second, 'Llama'));
    expect(app.second.turn).toBe('beside');
    expect(app.second.place).toBe('localhost:8080');
    expect(app.chat.second?.place).toBe('localhost:8080');
    await app.second.drop();
    expect(app.second.place).toBeNull();
  });
});
