// Two engines behind one face: the second loads while the first answers, takes over whole, and its failures change nothing.
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import type { Engine } from '../../../src/engine/engine';
import { createFakeEngine } from '../../../src/engine/fake-engine';
import { StandbyEngine } from '../../../src/engine/standby-engine';
import type { LoadRequest } from '../../../src/protocol/engine-api';

const REQUEST: LoadRequest = { modelUrl: 'https://example.test/models/x/', device: 'auto' };
const DEATH = new EngineError('worker-died', 'It died.', 'Try again.');

/** A fake engine whose end and death can be seen and brought about. */
class Watched {
  readonly engine: Engine;
  isDisposed = false;
  readonly #listeners = new Set<(error: EngineError) => void>();

  constructor(isLoadable = true) {
    const fake = createFakeEngine('streams', 0);
    this.engine = {
      load: (request, onProgress) =>
        isLoadable
          ? fake.load(request, onProgress)
          : Promise.reject(
              new EngineError('model-corrupt', 'x.onnx is cut short.', 'Load it anew.'),
            ),
      generate: (request, onEvents) => fake.generate(request, onEvents),
      countTokens: (messages) => fake.countTokens(messages),
      watch: (watch) => fake.watch(watch),
      lab: (job, request, onProgress) => fake.lab(job, request, onProgress),
      onDeath: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      dispose: async () => {
        this.isDisposed = true;
        await fake.dispose();
      },
    };
  }

  die(): void {
    for (const listener of this.#listeners) listener(DEATH);
  }
}

function pair(second = new Watched()) {
  const first = new Watched();
  const standby = new StandbyEngine(first.engine, () => second.engine);
  const deaths: EngineError[] = [];
  standby.onDeath((error) => deaths.push(error));
  return { first, second, standby, deaths };
}

describe('StandbyEngine', () => {
  it('lets the first engine answer until the second takes over, which ends the first', async () => {
    const { first, second, standby } = pair();
    await standby.load(REQUEST, () => {});
    await standby.loadBehind(REQUEST, () => {});
    expect([first.isDisposed, second.isDisposed]).toEqual([false, false]);
    await expect(
      standby.countTokens([{ role: 'user', content: 'Hello' }]),
    ).resolves.toBeGreaterThan(0);
    await standby.takeOver();
    expect([first.isDisposed, second.isDisposed]).toEqual([true, false]);
    await expect(
      standby.countTokens([{ role: 'user', content: 'Hello' }]),
    ).resolves.toBeGreaterThan(0);
  });

  it('tells of deaths of the engine that answers, and of no other', async () => {
    const { first, second, standby, deaths } = pair();
    await standby.load(REQUEST, () => {});
    await standby.loadBehind(REQUEST, () => {});
    second.die();
    expect(deaths).toEqual([]);
    first.die();
    expect(deaths).toEqual([DEATH]);
  });

  it('does not put a dead engine in front', async () => {
    const { first, second, standby } = pair();
    await standby.load(REQUEST, () => {});
    await standby.loadBehind(REQUEST, () => {});
    second.die();
    await expect(standby.takeOver()).rejects.toBe(DEATH);
    expect([first.isDisposed, second.isDisposed]).toEqual([false, true]);
  });

  it('goes on with the first where the second cannot load, and ends the second', async () => {
    const { first, second, standby } = pair(new Watched(false));
    await standby.load(REQUEST, () => {});
    await expect(standby.loadBehind(REQUEST, () => {})).rejects.toThrow('cut short');
    expect([first.isDisposed, second.isDisposed]).toEqual([false, true]);
    await expect(standby.takeOver()).rejects.toThrow('No second model is ready');
  });

  it('follows the death of the one that took over', async () => {
    const { second, standby, deaths } = pair();
    await standby.load(REQUEST, () => {});
    await standby.loadBehind(REQUEST, () => {});
    await standby.takeOver();
    second.die();
    expect(deaths).toEqual([DEATH]);
  });
});
