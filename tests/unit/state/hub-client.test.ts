// Looking a model up on a hub that runs here and answers as the real one: what is found, and the sentence for each failure.
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { HubClient, type HubHost } from '../../../src/state/models/hub-client';
import { FakeHub, type HubFault } from '../../conformance/fake-hub';

const MICRO = new URL('../../../public/models/micro/', import.meta.url);
const PATHS = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model_q4.onnx'];

const client = (host: Partial<HubHost> = {}): HubClient =>
  new HubClient({
    fetch: (url, init) => fetch(url, init),
    isOnline: () => true,
    isAllowed: () => true,
    ...host,
  });

describe('HubClient', () => {
  let hub: FakeHub;
  const files = new Map<string, Uint8Array>();

  beforeAll(async () => {
    for (const path of PATHS) files.set(path, await readFile(new URL(path, MICRO)));
    hub = await FakeHub.start([
      { id: 'a/micro-ONNX', files, license: 'apache-2.0', languages: ['en', 'de'] },
      { id: 'a/gated', files, gated: 'manual' },
    ]);
  });
  afterEach(() => hub.heal());
  afterAll(() => hub.close());

  async function problemOf(repo: string, host: Partial<HubHost> = {}): Promise<EngineError> {
    try {
      await client(host).inspect(hub.origin, repo);
    } catch (error) {
      if (error instanceof EngineError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  }

  it('finds files at a commit, layers, licence, languages and thinking, without fetching weights', async () => {
    const before = hub.requests.length;
    const found = await client().inspect(hub.origin, 'a/micro-ONNX');
    expect(found.listing).toMatchObject({ source: 'hub', id: 'a/micro-ONNX' });
    expect(found.listing.revision).toMatch(/^[0-9a-f]{40}$/);
    expect(found.listing.variants.map(({ dtype }) => dtype)).toEqual(['q4']);
    expect(found.stack.modelType).toBe('nemotron_h');
    expect(found.licence).toBe('apache-2.0');
    expect(found.languages).toEqual(['en', 'de']);
    expect(found.thinking.kind).toBe('switch');
    const asked = hub.requests.slice(before).map(({ path }) => path);
    expect(asked.filter((path) => path.endsWith('.onnx'))).toEqual([]);
  });

  it('follows a list of files over several pages', async () => {
    const many = new Map(files);
    for (let i = 0; i < 1200; i += 1) many.set(`extra/${i}.txt`, new Uint8Array(1));
    hub.add({ id: 'a/many', files: many });
    const found = await client().inspect(hub.origin, 'a/many');
    expect(found.listing.files.map(({ path }) => path)).toContain('tokenizer.json');
  });

  it('says what a person can do about each failure', async () => {
    expect(await problemOf('a/gated')).toMatchObject({ code: 'model-gated' });
    expect((await problemOf('a/gated')).remedy).toContain('From this computer');
    expect(await problemOf('nobody/nothing')).toMatchObject({ code: 'model-missing' });
    const faults: readonly (readonly [HubFault['kind'], string, RegExp])[] = [
      ['rate-limit', 'rate-limited', /wait 7 seconds/],
      ['page', 'network', /Check the mirror/],
      ['gateway', 'network', /try again in some minutes/],
    ];
    for (const [kind, code, remedy] of faults) {
      hub.heal();
      hub.fail({ match: /api/, kind, retryAfterSeconds: 7 });
      const problem = await problemOf('a/micro-ONNX');
      expect(problem.code, kind).toBe(code);
      expect(problem.remedy, kind).toMatch(remedy);
    }
  });

  it('tells being offline from a hub that is blocked, and from a policy that forbids it', async () => {
    const broken = { fetch: () => Promise.reject(new TypeError('Failed to fetch')) };
    expect((await problemOf('a/b', { ...broken, isOnline: () => false })).message).toContain(
      'offline',
    );
    expect((await problemOf('a/b', broken)).message).toContain('does not answer');
    let asked = 0;
    const forbidden = await problemOf('a/b', {
      isAllowed: () => false,
      fetch: () => {
        asked += 1;
        return Promise.reject(new TypeError('no'));
      },
    });
    expect(forbidden.remedy).toContain('TIDEPOOL_MODEL_HOSTS');
    expect(asked).toBe(0);
  });

  it('follows no link to another host, and reads no answer that is no JSON', async () => {
    const answers: Record<string, Response> = {
      '/api/models/a/b': new Response('{"sha":"main","gated":false}'),
      '/api/models/a/b/tree/main': new Response('[]', {
        headers: { Link: '<https://evil.example/next>; rel="next"' },
      }),
    };
    const asked: string[] = [];
    const problem = await problemOf('a/b', {
      fetch: (url) => {
        asked.push(url);
        return Promise.resolve(answers[new URL(url).pathname] ?? new Response('', { status: 404 }));
      },
    });
    expect(problem.message).toContain('has no ONNX file');
    expect(asked.some((url) => url.includes('evil'))).toBe(false);
    const wrong = await problemOf('a/b', { fetch: () => Promise.resolve(new Response('{')) });
    expect(wrong.message).toContain('no JSON');
  });
});
