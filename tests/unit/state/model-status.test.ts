// Loading, failing, dying and rebuilding, without a loop.
import { expect, test } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { createFakeEngine, FakeEngine } from '../../../src/engine/fake-engine';
import { LoadGuard } from '../../../src/state/load-guard';
import { ModelStatus, type EngineDeath } from '../../../src/state/model-status.svelte';
import { until } from './make-app';

const URL = 'https://example.test/models/fake/';

/** The fake engine with a switch that kills it. */
class MortalEngine extends FakeEngine {
  loads = 0;
  #listener: (error: EngineError) => void = () => {};

  override load(...args: Parameters<FakeEngine['load']>): ReturnType<FakeEngine['load']> {
    this.loads += 1;
    return super.load(...args);
  }

  override onDeath(listener: (error: EngineError) => void): () => void {
    this.#listener = listener;
    return () => {};
  }

  kill(error = new EngineError('worker-died', 'It died.', 'Try again.')): void {
    this.#listener(error);
  }
}

function mortalEngine(): MortalEngine {
  return new MortalEngine({ scenario: 'thinks', paceMs: 0 });
}

test('loads with progress that ends at the total', async () => {
  const status = new ModelStatus(createFakeEngine('thinks', 0), URL);
  expect(status.phase).toBe('idle');
  const loading = status.load();
  expect(status.phase).toBe('loading');
  await loading;
  expect(status.phase).toBe('ready');
  expect(status.model?.device).toBe('wasm-threads');
  expect(status.progress?.loadedBytes).toBe(status.progress?.totalBytes);
});

test('two callers share one load', async () => {
  const engine = mortalEngine();
  const status = new ModelStatus(engine, URL);
  await Promise.all([status.load(), status.load(), status.whenReady()]);
  expect(engine.loads).toBe(1);
});

test('a failed load is said with its remedy, and a retry works', async () => {
  const status = new ModelStatus(createFakeEngine('load-error', 0), URL);
  await status.load();
  expect(status.phase).toBe('failed');
  expect(status.error?.code).toBe('model-truncated');
  expect(status.error?.remedy).not.toBe('');
  await status.load();
  expect(status.phase).toBe('ready');
  expect(status.error).toBeNull();
});

test('a death is answered by two rebuilds, then by a question; time forgives', async () => {
  const engine = mortalEngine();
  let minutes = 0;
  const status = new ModelStatus(engine, URL, () => minutes * 60_000);
  await status.load();
  for (const expected of [2, 3]) {
    engine.kill();
    expect(status.model).toBeNull();
    await until(() => status.phase === 'ready', 'the rebuild');
    expect(engine.loads).toBe(expected);
  }
  engine.kill();
  expect(status.phase).toBe('failed');
  expect(engine.loads).toBe(3);
  await status.load();
  minutes = 6;
  engine.kill();
  await until(() => status.phase === 'ready', 'the rebuild after a while');
  expect(engine.loads).toBe(5);
});

test('a death in load is answered by loading again in the same load, three times at most', async () => {
  class DiesInLoad extends MortalEngine {
    diesFor = 1;
    override async load(...args: Parameters<FakeEngine['load']>): ReturnType<FakeEngine['load']> {
      if (this.diesFor === 0) return super.load(...args);
      this.diesFor -= 1;
      this.loads += 1;
      await Promise.resolve();
      this.kill();
      throw new EngineError('worker-died', 'It died.', 'Try again.');
    }
  }
  const engine = new DiesInLoad({ scenario: 'thinks', paceMs: 0 });
  const status = new ModelStatus(engine, URL);
  const deaths: EngineDeath[] = [];
  status.onDeath = (death) => deaths.push(death);
  await status.whenReady();
  expect(status.phase).toBe('ready');
  expect(engine.loads).toBe(2);
  expect(deaths).toMatchObject([{ isInLoad: true, isRebuilt: true }]);
  engine.diesFor = 5;
  engine.kill();
  await until(() => status.phase === 'failed', 'the end of the rebuilds');
  expect(deaths.at(-1)).toMatchObject({ isInLoad: true, isRebuilt: false });
  expect(deaths).toHaveLength(3);
});

/** A guard over a Map, and loads of pages that are gone. */
function memoryGuard(): { guard: LoadGuard; dieInLoad: (url: string) => void } {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
    removeItem: (key: string) => void kept.delete(key),
  };
  const options = { storage, openPages: async () => new Set(['this']) };
  return {
    guard: new LoadGuard({ ...options, pageId: 'this' }),
    dieInLoad: (url) => new LoadGuard({ ...options, pageId: 'gone' }).begin(url, 'auto'),
  };
}
test('a model whose last loads died is held back at the start, says so, and is loaded when a person asks', async () => {
  const { guard, dieInLoad } = memoryGuard();
  const status = new ModelStatus(createFakeEngine('streams', 0), URL, () => 0, guard);
  for (let i = 0; i < 2; i += 1) {
    dieInLoad(URL);
    await guard.verdict(URL, 'auto');
  }
  await status.start('auto');
  expect(status.phase).toBe('failed');
  expect(status.heldBack).toEqual({ device: 'auto', count: 2 });
  expect(status.error?.message).toContain('last 2 times');
  // A question does not load it either: it would go down with the tab.
  await expect(status.whenReady()).rejects.toThrow(/last 2 times/);
  await status.load();
  expect(status.phase).toBe('ready');
  expect(status.heldBack).toBeNull();
  const again = new ModelStatus(createFakeEngine('streams', 0), URL, () => 0, guard);
  await again.start('auto');
  expect(again.phase).toBe('ready');
});

test('an engine that dies ahead of its model neither loads it nor counts against it', async () => {
  const { guard } = memoryGuard();
  const engine = mortalEngine();
  const status = new ModelStatus(engine, URL, () => 0, guard);
  const deaths: EngineDeath[] = [];
  status.onDeath = (death) => deaths.push(death);
  for (let i = 0; i < 3; i += 1) engine.kill();
  expect(status.phase).toBe('idle');
  expect(deaths).toEqual([]);
  await status.start('auto');
  expect(status.phase).toBe('ready');
  expect(engine.loads).toBe(1);
});

test('what the network does not bring is tried three times, and does not hold back the next start', async () => {
  const { guard } = memoryGuard();
  const engine = mortalEngine();
  let isCut = true;
  const load = engine.load.bind(engine);
  engine.load = async (...args) => {
    const loaded = await load(...args);
    if (!isCut) return loaded;
    const cut = new EngineError('network', 'It did not arrive.', 'Check the connection.');
    engine.kill(cut);
    throw cut;
  };
  const status = new ModelStatus(engine, URL, () => 0, guard);
  await status.start('auto');
  expect(engine.loads).toBe(3);
  expect(status.error?.code).toBe('network');
  isCut = false;
  const again = new ModelStatus(engine, URL, () => 0, guard);
  await again.start('auto');
  expect(again.phase).toBe('ready');
});
