import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EngineError } from '../../../src/core/errors';
import { EngineClient, type EngineClientOptions } from '../../../src/engine/engine-client';
import type {
  EngineEvent,
  GenerateRequest,
  LoadProgress,
  WireError,
} from '../../../src/protocol/engine-api';
import { FakeApi, FakeWorker, LOADED, progressOf, RESULT } from './fake-worker';

const LOAD = { modelUrl: 'https://host.example/models/x/', device: 'auto' as const };
const REQUEST = { id: 'r1' } as unknown as GenerateRequest;

let clients: EngineClient[] = [];

function clientOf(
  makeApi: (n: number) => FakeApi = () => new FakeApi(),
  options: EngineClientOptions = {},
): { client: EngineClient; workers: FakeWorker[]; deaths: EngineError[] } {
  const workers: FakeWorker[] = [];
  const client = new EngineClient({
    ...options,
    spawn: () => {
      const worker = new FakeWorker(makeApi(workers.length));
      workers.push(worker);
      return worker;
    },
  });
  clients.push(client);
  const deaths: EngineError[] = [];
  client.onDeath((error) => deaths.push(error));
  return { client, workers, deaths };
}

function never(): Promise<never> {
  return new Promise(() => {});
}

afterEach(async () => {
  for (const client of clients) await client.dispose();
  clients = [];
});

describe('the engine client', () => {
  it('starts a worker with the first load and hands progress on', async () => {
    const api = new FakeApi();
    api.onLoad = async (_, port) => {
      port.postMessage(progressOf('manifest'));
      port.postMessage(progressOf('ready'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { ok: true, value: LOADED };
    };
    const { client, workers } = clientOf(() => api);
    expect(workers).toHaveLength(0);
    const seen: LoadProgress[] = [];
    expect(await client.load(LOAD, (progress) => seen.push(progress))).toEqual(LOADED);
    expect(seen.map(({ stage }) => stage)).toEqual(['manifest', 'ready']);
    await client.load(LOAD, () => {});
    expect(workers).toHaveLength(1);
  });

  it('starts a fresh worker when the next device needs one, and says what was left', async () => {
    const attempted = [{ device: 'webgpu-f32' as const, outcome: 'failed' as const, reason: 'no' }];
    const { client, workers, deaths } = clientOf((n) => {
      const api = new FakeApi();
      if (n === 0) api.onLoad = () => Promise.resolve({ ok: false, respawn: { attempted } });
      return api;
    });
    await client.load(LOAD, () => {});
    expect(workers.map((worker) => worker.isTerminated)).toEqual([true, false]);
    expect(workers[1]?.api.loads).toEqual([{ ...LOAD, attempted }]);
    expect(deaths).toEqual([]);
  });

  it('throws the engine’s error with code, remedy and cause', async () => {
    const api = new FakeApi();
    const error = {
      code: 'model-truncated' as const,
      message: 'short',
      remedy: 'again',
      details: 'why',
    };
    api.onLoad = () => Promise.resolve({ ok: false, error });
    const { client, deaths } = clientOf(() => api);
    await expect(client.load(LOAD, () => {})).rejects.toMatchObject({
      code: 'model-truncated',
      message: 'short',
      remedy: 'again',
      cause: { message: 'why' },
    });
    expect(deaths).toEqual([]);
  });

  it('gives all events in order before the reply is done', async () => {
    const api = new FakeApi();
    const event = (done: number): EngineEvent => ({ type: 'prefill', done, total: 9, reused: 0 });
    api.onGenerate = async (_, send) => {
      for (let i = 0; i < 8; i += 1)
        send({ sequence: i, events: [event(2 * i), event(2 * i + 1)] });
      // The result may overtake the last batch: another port, another queue.
      setTimeout(() => send({ sequence: 8, events: [event(16)], isLast: true }), 30);
      return { ok: true, value: RESULT };
    };
    const { client } = clientOf(() => api);
    await client.load(LOAD, () => {});
    const seen: number[] = [];
    const generation = client.generate(REQUEST, (events) => {
      for (const one of events) if (one.type === 'prefill') seen.push(one.done);
    });
    expect(await generation.done).toEqual(RESULT);
    expect(seen).toEqual(Array.from({ length: 17 }, (_, i) => i));
  });

  it('passes stop and answer-now on with the reply’s id', async () => {
    const api = new FakeApi();
    api.onGenerate = (_, send) =>
      new Promise((resolve) => {
        setTimeout(() => {
          send({ sequence: 0, events: [], isLast: true });
          resolve({ ok: true, value: RESULT });
        }, 40);
      });
    const { client } = clientOf(() => api);
    await client.load(LOAD, () => {});
    const generation = client.generate(REQUEST, () => {});
    generation.answerNow();
    generation.stop();
    await generation.done;
    expect(api.calls).toEqual(['answerNow r1', 'stop r1']);
  });

  it('rejects what is pending when the worker dies, tells the listeners, and lives again with the next load', async () => {
    const { client, workers, deaths } = clientOf((n) => {
      const api = new FakeApi();
      if (n === 0) api.onGenerate = never;
      return api;
    });
    await client.load(LOAD, () => {});
    const generation = client.generate(REQUEST, () => {});
    const rejected = expect(generation.done).rejects.toMatchObject({
      code: 'worker-died',
      message: expect.stringContaining('unreachable executed') as string,
    });
    workers[0]?.die('unreachable executed');
    await rejected;
    expect(deaths).toHaveLength(1);
    expect(workers[0]?.isTerminated).toBe(true);
    generation.stop();
    await expect(client.countTokens([])).rejects.toMatchObject({ code: 'not-loaded' });
    await client.load(LOAD, () => {});
    expect(await client.countTokens([])).toBe(42);
    expect(workers).toHaveLength(2);
  });

  it('tells a script that did not arrive from a worker that broke down', async () => {
    const { client, workers, deaths } = clientOf(() => new FakeApi());
    client.prepare();
    workers[0]?.die('');
    expect(deaths.map(({ code }) => code)).toEqual(['network']);
    await client.load(LOAD, () => {});
    workers[1]?.die('');
    expect(deaths.map(({ code }) => code)).toEqual(['network', 'worker-died']);
  });

  it('notices a worker that never answers again', async () => {
    const api = new FakeApi();
    api.onGenerate = never;
    const { client, workers, deaths } = clientOf(() => api, { heartbeatMs: 10, silenceMs: 60 });
    await client.load(LOAD, () => {});
    const { done } = client.generate(REQUEST, () => {});
    workers[0]?.fallSilent();
    await expect(done).rejects.toMatchObject({
      code: 'worker-died',
      message: expect.stringContaining('not answered') as string,
    });
    expect(deaths).toHaveLength(1);
  });

  it('knows at once of a worker that the browser has ended, by the lock that it held', async () => {
    const api = new FakeApi();
    api.onGenerate = never;
    let free: () => void = () => {};
    const asked: string[] = [];
    const locks = {
      request: async (name: string, granted: () => void) => {
        asked.push(name);
        await new Promise<void>((resolve) => {
          free = resolve;
        });
        granted();
      },
    } as unknown as LockManager;
    const { client, deaths } = clientOf(() => api, { locks });
    await client.load(LOAD, () => {});
    const { done } = client.generate(REQUEST, () => {});
    await expect.poll(() => asked.map((name) => `hold ${name}`)).toEqual([api.calls[0]]);
    free();
    await expect(done).rejects.toMatchObject({
      code: 'worker-died',
      message: expect.stringContaining('the browser has ended it') as string,
    });
    expect(deaths).toHaveLength(1);
  });

  it('hears of a lost graphics device between two replies', async () => {
    const api = new FakeApi();
    const error = { code: 'device-lost' as const, message: 'gone', remedy: 'again', details: '' };
    let lose: (error: WireError) => void = () => {};
    api.onLost = new Promise((resolve) => {
      lose = resolve;
    });
    const { client, workers, deaths } = clientOf(() => api);
    await client.load(LOAD, () => {});
    lose(error);
    await expect.poll(() => deaths.map(({ code }) => code)).toEqual(['device-lost']);
    expect(workers[0]?.isTerminated).toBe(true);
  });

  it('does not take its own sleep for the silence of the worker', async () => {
    let jumpMs = 0;
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + jumpMs);
    const api = new FakeApi();
    api.onGenerate = (_, send) =>
      new Promise((resolve) => {
        setTimeout(() => {
          send({ sequence: 0, events: [], isLast: true });
          resolve({ ok: true, value: RESULT });
        }, 80);
      });
    const { client, deaths } = clientOf(() => api, { heartbeatMs: 10, silenceMs: 1000 });
    await client.load(LOAD, () => {});
    const generation = client.generate(REQUEST, () => {});
    jumpMs = 8 * 60 * 60_000;
    expect(await generation.done).toEqual(RESULT);
    expect(deaths).toEqual([]);
  });

  it('lets a slow worker live that answers the heartbeat', async () => {
    const api = new FakeApi();
    api.onGenerate = (_, send) =>
      new Promise((resolve) => {
        setTimeout(() => {
          send({ sequence: 0, events: [], isLast: true });
          resolve({ ok: true, value: RESULT });
        }, 200);
      });
    const { client, deaths } = clientOf(() => api, { heartbeatMs: 10, silenceMs: 100 });
    await client.load(LOAD, () => {});
    expect(await client.generate(REQUEST, () => {}).done).toEqual(RESULT);
    expect(api.calls.filter((call) => call === 'ping').length).toBeGreaterThan(2);
    expect(deaths).toEqual([]);
  });

  it('drops a worker whose graphics device was lost', async () => {
    const api = new FakeApi();
    const error = { code: 'device-lost' as const, message: 'gone', remedy: 'again', details: '' };
    api.onGenerate = (_, send) => {
      send({ sequence: 0, events: [], isLast: true });
      return Promise.resolve({ ok: false, error });
    };
    const { client, workers, deaths } = clientOf(() => api);
    await client.load(LOAD, () => {});
    await expect(client.generate(REQUEST, () => {}).done).rejects.toMatchObject({
      code: 'device-lost',
    });
    expect(workers[0]?.isTerminated).toBe(true);
    expect(deaths.map(({ code }) => code)).toEqual(['device-lost']);
  });

  it('rejects what is pending when it is disposed, without a death', async () => {
    const api = new FakeApi();
    api.onLoad = never;
    const { client, deaths } = clientOf(() => api);
    const loading = client.load(LOAD, () => {});
    const rejected = expect(loading).rejects.toMatchObject({ code: 'worker-died' });
    await client.dispose();
    await rejected;
    expect(deaths).toEqual([]);
  });

  it('says that nothing is loaded before the first load', async () => {
    const { client, workers } = clientOf();
    await expect(client.generate(REQUEST, () => {}).done).rejects.toMatchObject({
      code: 'not-loaded',
    });
    expect(workers).toHaveLength(0);
  });
});
