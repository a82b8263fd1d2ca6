// Loading, failing, dying and rebuilding, without a loop.
import { expect, test } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { createFakeEngine, FakeEngine } from '../../../src/engine/fake-engine';
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

  kill(): void {
    this.#listener(new EngineError('worker-died', 'It died.', 'Try again.'));
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
