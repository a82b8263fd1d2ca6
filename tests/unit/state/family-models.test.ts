// Variants in the library: listed where the build has them, used by name, and given way to when another will not start.
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { createFakeEngine } from '../../../src/engine/fake-engine';
import { ModelStore } from '../../../src/model-files/model-store';
import { REGISTRY, SITE_MODELS, VARIANT_MODELS } from '../../../src/models/registry';
import { HubClient } from '../../../src/state/models/hub-client';
import { ModelLibrary } from '../../../src/state/models/model-library.svelte';
import { ModelStatus } from '../../../src/state/model-status.svelte';
import { Notices } from '../../../src/state/notices.svelte';
import { Settings } from '../../../src/state/settings.svelte';
import { MemoryBacking } from '../../../src/storage/memory-backing';
import { SettingsStore } from '../../../src/storage/settings-store';
import { memoryCaches } from '../model-files/memory-caches';

const BASE = 'https://example.test/app/';
const [VARIANT] = VARIANT_MODELS;
const EMBEDDED = SITE_MODELS.find(({ role }) => role === 'embedded');

/** A page whose build has the models of `names`; loads of addresses in `fails` are refused. */
async function visit(names: readonly string[], fails: readonly string[] = []) {
  if (EMBEDDED === undefined) throw new Error('the registry names no embedded model');
  const engine = createFakeEngine('streams', 0);
  const load = engine.load.bind(engine);
  const loads: string[] = [];
  engine.load = (request, onProgress) => {
    loads.push(request.modelUrl);
    return fails.some((name) => request.modelUrl.endsWith(`/${name}/`))
      ? Promise.reject(new EngineError('model-missing', 'A file is gone.', 'Try again.'))
      : load(request, onProgress);
  };
  const status = new ModelStatus(engine, BASE);
  const notices = new Notices();
  const silent = { post: () => {}, listen: () => () => {}, close: () => {} };
  const settings = new Settings(new SettingsStore(new MemoryBacking(), silent), (error) => {
    throw error;
  });
  await settings.load();
  const library = new ModelLibrary({
    registry: REGISTRY,
    embedded: EMBEDDED,
    baseUrl: BASE,
    status,
    settings,
    notices,
    hub: new HubClient({ fetch, isOnline: () => true, isAllowed: () => true }),
    store: new ModelStore(memoryCaches()),
    serverTarget: () => Promise.resolve(null),
    fetch: (url) =>
      Promise.resolve(
        url.endsWith('models/index.json')
          ? Response.json({ models: Object.fromEntries(names.map((name) => [name, {}])) })
          : new Response('', { status: 404 }),
      ),
    readOffer: () =>
      Promise.resolve({ memoryBytes: null, gpu: { missing: 'none' }, storage: null }),
    hasConversation: () => false,
  });
  await library.start('auto');
  return { library, loads, notices, settings, status };
}

describe('variants of the embedded model', () => {
  const id = VARIANT?.id ?? '';

  it('are listed only where the build has their files', async () => {
    const without = await visit(['tidepool']);
    await without.library.readVariants();
    expect(without.library.find(id)).toBeNull();
    const { library } = await visit(['tidepool', id]);
    expect(library.find(id)).toBeNull();
    await library.readVariants();
    await library.readVariants();
    expect(library.models.filter(({ key }) => key === id)).toHaveLength(1);
  });

  it('answer once they are used, and on the next visit', async () => {
    const { library, loads, settings } = await visit(['tidepool', id]);
    await library.readVariants();
    await library.use(id);
    expect(library.current.key).toBe(id);
    expect(loads.at(-1)).toBe(`${BASE}models/${id}/`);
    expect(settings.values.model?.key).toBe(id);
  });

  it('give way to the embedded one when they will not start', async () => {
    const { library, notices, status } = await visit(['tidepool', id], [id]);
    await library.readVariants();
    await library.use(id);
    expect(library.current.key).toBe('tidepool');
    expect(status.phase).toBe('ready');
    expect(notices.items.map(({ text }) => text).join()).toContain('Tidepool answers in its place');
  });

  it('take over again from another that will not start', async () => {
    const { library, loads, notices, settings, status } = await visit(['tidepool', id], ['micro']);
    await library.readVariants();
    await library.use(id);
    await library.use('micro');
    expect(library.current.key).toBe(id);
    expect(status.phase).toBe('ready');
    expect(loads.at(-1)).toBe(`${BASE}models/${id}/`);
    expect(settings.values.model?.key).toBe(id);
    expect(notices.items.map(({ text }) => text).join()).toContain(
      `${VARIANT?.title ?? ''} answers in its place`,
    );
  });
});
