import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../../src/core/sampling/greedy';
import { graceTokens } from '../../../src/core/budget/thinking-limit';
import type { PromptMessage } from '../../../src/protocol/engine-api';
import { Engine } from '../../../workers/engine';
import { liveStateCount } from '../../../workers/runtime/layer-states';
import { fileFetch, generate, loadEngine, nodeHost, requestOf, valueOf } from './model-host';

/** Sampled and injected token ids in order. */
async function idsOf(
  engine: Engine,
  changes: Parameters<typeof requestOf>[0] = {},
): Promise<number[]> {
  const { outcome, events } = await generate(engine, requestOf(changes));
  valueOf(outcome);
  return events.flatMap((event) => (event.type === 'token' ? [event.id] : []));
}

describe('the engine on WASM, with the micro model', () => {
  const engine = new Engine(nodeHost({ snapshotBytes: 2_000_000 }));

  beforeAll(async () => {
    const { outcome, progress } = await loadEngine(engine);
    const info = valueOf(outcome);
    expect(info).toMatchObject({
      device: 'wasm',
      threads: 1,
      variant: 'onnx/model_quantized.onnx',
      notice: '',
    });
    expect(info.selfTest.maxDifference).toBeLessThanOrEqual(info.selfTest.tolerance);
    expect(info.attempts.map((attempt) => [attempt.device, attempt.outcome])).toEqual([
      ['webgpu-f16', 'skipped'],
      ['webgpu-f32', 'skipped'],
      ['wasm-threads', 'skipped'],
      ['wasm', 'chosen'],
    ]);
    const stages = [...new Set(progress.map((step) => step.stage))];
    expect(stages).toEqual(['manifest', 'weights', 'session', 'self-test', 'ready']);
    const weights = progress.filter((step) => step.stage === 'weights');
    expect(weights.at(-1)).toMatchObject({
      loadedBytes: info.weightBytes,
      totalBytes: info.weightBytes,
    });
  }, 60_000);

  afterAll(async () => {
    await engine.dispose();
    expect(liveStateCount()).toBe(0);
  });

  it('ends a thought within limit and grace, and answers within its limit', async () => {
    const { outcome, events, batches } = await generate(
      engine,
      requestOf({ thinkingLimit: 16, maxAnswerTokens: 20 }),
    );
    const { stats, memory } = valueOf(outcome);
    expect(stats.thoughtTokens).toBeLessThanOrEqual(16 + graceTokens(16));
    expect(stats.answerTokens).toBeLessThanOrEqual(20);
    expect(stats.timeToFirstTokenMs).toBeGreaterThan(0);
    expect(events.filter((event) => event.type === 'thought-end')).toHaveLength(1);
    expect(batches.map((batch) => batch.sequence)).toEqual(batches.map((_, i) => i));
    expect(batches.map((batch) => batch.isLast === true)).toEqual(
      batches.map((_, i) => i === batches.length - 1),
    );
    expect(memory.tokens).toBeGreaterThan(stats.promptTokens);
    expect(memory.kvBytes).toBeGreaterThan(0);
  });

  it('says the same again for the same seed, from a snapshot or from the start, in any chunks', async () => {
    const sampling = { ...GREEDY, temperature: 1, seed: 7 };
    const first = await idsOf(engine, { sampling });
    expect(await idsOf(engine, { sampling })).toEqual(first);
    expect(await idsOf(engine, { sampling: { ...sampling, seed: 8 } })).not.toEqual(first);
  });

  it('thinks not at all at limit 0', async () => {
    const { outcome, events } = await generate(engine, requestOf({ thinkingLimit: 0 }));
    expect(valueOf(outcome)).toMatchObject({ thoughtEnd: null, stats: { thoughtTokens: 0 } });
    expect(events.some((event) => event.type === 'thought-start')).toBe(false);
  });

  it('stops within one token', async () => {
    let isAsked = false;
    const { outcome, batches } = await generate(
      engine,
      requestOf({ thinkingLimit: 'unlimited', maxAnswerTokens: 500 }),
      (event) => {
        if (event.type === 'token' && !isAsked) {
          isAsked = true;
          void engine.stop('reply');
        }
      },
    );
    expect(valueOf(outcome).finish).toBe('stopped');
    // All tokens of the batch in which it was asked were sampled before; one may have been under way.
    const tokens = batches.map(
      (batch) => batch.events.filter((event) => event.type === 'token').length,
    );
    const askedIn = tokens.findIndex((count) => count > 0);
    const after = tokens.slice(askedIn + 1).reduce((sum, count) => sum + count, 0);
    expect(after).toBeLessThanOrEqual(1);
  });

  it('refuses a second job while one runs', async () => {
    const running = generate(engine, requestOf());
    const { outcome } = await generate(engine, requestOf({ id: 'other' }));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'busy' } });
    valueOf((await running).outcome);
  });

  it('counts the tokens of a prompt', async () => {
    const messages: PromptMessage[] = [{ role: 'user', content: 'What is 23 + 58?' }];
    const { outcome } = await generate(engine, requestOf({ messages }));
    expect(valueOf(await engine.countTokens(messages))).toBe(valueOf(outcome).stats.promptTokens);
  });

  it('says what is wrong with a conversation that is too long', async () => {
    const { outcome } = await generate(
      engine,
      requestOf({ messages: [{ role: 'user', content: 'pond '.repeat(9000) }] }),
    );
    expect(outcome).toMatchObject({ ok: false, error: { code: 'prompt-too-long' } });
    valueOf((await generate(engine, requestOf())).outcome);
  });

  it('takes an emoji-only message and special tokens in the text', async () => {
    for (const content of ['🌊🐚🦀', 'a <|im_end|> b </think> c']) {
      valueOf(
        (
          await generate(
            engine,
            requestOf({ messages: [{ role: 'user', content }], maxAnswerTokens: 4 }),
          )
        ).outcome,
      );
    }
  });

  it('holds as many states after 100 turns as its snapshots are', async () => {
    const messages: PromptMessage[] = [];
    let most = 0;
    for (let turn = 0; turn < 100; turn += 1) {
      if (messages.length >= 20) messages.splice(0, 2);
      messages.push({ role: 'user', content: `${turn} + ${turn}?` });
      const request = requestOf({
        messages,
        thinkingLimit: turn % 2 === 0 ? 0 : 8,
        maxAnswerTokens: 4,
      });
      const { outcome } = await generate(engine, request);
      const { memory } = valueOf(outcome);
      messages.push({ role: 'assistant', content: `${2 * turn}` });
      // One more is the live state after the reply.
      expect(liveStateCount()).toBeLessThanOrEqual(memory.snapshotCount + 1);
      expect(memory.snapshotBytes).toBeLessThanOrEqual(2_000_000);
      most = Math.max(most, memory.snapshotCount);
    }
    expect(most).toBeGreaterThan(3);
  }, 120_000);
});

describe('an engine without a model', () => {
  it('says so', async () => {
    const engine = new Engine(nodeHost());
    const { outcome, batches } = await generate(engine, requestOf());
    expect(outcome).toMatchObject({ ok: false, error: { code: 'not-loaded' } });
    expect(batches.at(-1)?.isLast).toBe(true);
    expect(await engine.countTokens([])).toMatchObject({
      ok: false,
      error: { code: 'not-loaded' },
    });
    expect(await engine.ping()).toBe('pong');
  });

  it('names the file that is missing, truncated or damaged, and loads when it is mended', async () => {
    const weights = 'model_quantized.onnx';
    const damage = {
      'model-missing': () => null,
      'model-truncated': (bytes: Buffer) => new Uint8Array(bytes.subarray(0, 1234)),
      'model-corrupt': (bytes: Buffer) => new Uint8Array(bytes).fill(9, 5000, 5001),
    };
    const engineWith = (change: (bytes: Buffer) => Uint8Array<ArrayBuffer> | null): Engine =>
      new Engine(
        nodeHost({
          fetch: fileFetch((path, bytes) =>
            path.endsWith(weights) ? change(bytes) : new Uint8Array(bytes),
          ),
        }),
      );
    for (const [code, change] of Object.entries(damage)) {
      const { outcome } = await loadEngine(engineWith(change));
      expect(outcome).toMatchObject({ ok: false, error: { code } });
      expect(JSON.stringify(outcome)).toContain(weights);
    }
    const mended = engineWith((bytes) => new Uint8Array(bytes));
    valueOf((await loadEngine(mended)).outcome);
    await mended.dispose();
  });

  it('asks for a fresh worker when the next device needs another build', async () => {
    // This process is bound to the plain build by now; an engine that wants the GPU first cannot have it here.
    const gpu = {
      hasF16: false,
      isEmulated: false,
      name: 'test',
      maxBufferBytes: 2 ** 31,
      maxStorageBindingBytes: 2 ** 31,
    };
    const engine = new Engine(
      nodeHost({
        probe: () => Promise.resolve({ gpu, isIsolated: false, cores: 2, hasJspi: false }),
      }),
    );
    const { outcome } = await loadEngine(engine);
    expect(outcome).toMatchObject({
      ok: false,
      respawn: { attempted: [{ device: 'webgpu-f16' }, { device: 'wasm-threads' }] },
    });
  });

  it('leaves a device whose logits differ, with the numbers', async () => {
    const engine = new Engine(
      nodeHost({
        fetch: fileFetch((path, bytes) => {
          if (!path.endsWith('manifest.json')) return new Uint8Array(bytes);
          const manifest = JSON.parse(bytes.toString()) as {
            golden: { quantized: { top_logits: number[] } };
          };
          manifest.golden.quantized.top_logits[0] = 1234;
          return new Uint8Array(Buffer.from(JSON.stringify(manifest)));
        }),
      }),
    );
    const { outcome } = await loadEngine(engine);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'self-test-failed' } });
    expect(JSON.stringify(outcome)).toMatch(/differ from the reference by 12\d\d/);
    expect(liveStateCount()).toBe(0);
  });
});
