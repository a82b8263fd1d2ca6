import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../../src/core/sampling/greedy';
import type { SurgeryOp } from '../../../src/protocol/lab-api';
import type { Engine } from '../../../workers/engine';
import { liveStateCount } from '../../../workers/runtime/layer-states';
import { generate, requestOf, valueOf } from '../workers/model-host';
import { labJob, labValue, startEngine, stepsOf } from './lab-host';

const LINE = 'Here is a list. Anna: 17; Ben: 40; Clara: 23. What is the value of Ben?';
const ZERO: SurgeryOp = { kind: 'zero', target: { scope: 'all' } };

describe('the state lab on the micro model', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  }, 120_000);
  afterEach(async () => {
    await engine.watch(null);
  });
  afterAll(async () => {
    await engine.dispose();
    expect(liveStateCount()).toBe(0);
  });

  const read = () =>
    labValue(engine, 'read', {
      source: { kind: 'messages', messages: [{ role: 'user', content: LINE }], thinking: false },
    });

  it('refuses to look where nothing was read', async () => {
    await expect(labValue(engine, 'live', {})).rejects.toThrow('read nothing yet');
  });

  it('sees all that the embedded model has', async () => {
    const capabilities = valueOf(await engine.watch({ opened: null }));
    expect(capabilities.missing).toEqual([]);
    expect(capabilities.hasLayerwiseKv).toBe(true);
    expect(capabilities.modelId).toMatch(/^[0-9a-f]{64}$/);
  });

  it('watches a reply without changing it', async () => {
    const request = requestOf({ thinkingLimit: 12, maxAnswerTokens: 8 });
    const plain = await generate(engine, request);
    expect(stepsOf(plain.events)).toEqual([]);
    await engine.watch({ opened: { layer: 3, head: 1 } });
    const watched = await generate(engine, request);
    const ids = (events: typeof plain.events) =>
      events.flatMap((event) => (event.type === 'token' ? [event.id] : []));
    expect(ids(watched.events)).toEqual(ids(plain.events));

    const steps = stepsOf(watched.events);
    expect(steps.length).toBeGreaterThan(1);
    for (const step of steps) {
      expect(step.mamba.map(({ layer }) => layer)).toEqual([0, 2]);
      for (const { delta, decay } of step.mamba) {
        expect(delta?.every((x) => x > 0)).toBe(true);
        expect(decay?.every((x) => x > 0 && x < 1)).toBe(true);
      }
      expect(step.activity.every((x) => x > 0)).toBe(true);
    }
    // Tokens that were read together, as an injected close is, have one step.
    const positions = steps.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
    const opened = steps.flatMap((step) => step.opened.map((opened) => ({ ...step, opened })));
    expect(opened.length).toBeGreaterThan(0);
    for (const { opened: layer, position } of opened) {
      if (layer.kind !== 'attention' || layer.rows === null) throw new Error('no attention rows');
      expect(layer.rows.columns).toBe(position + 1);
      for (let row = 0; row < layer.rows.rows; row += 1) {
        const weights = layer.rows.values.subarray(
          row * (position + 1),
          (row + 1) * (position + 1),
        );
        expect(weights.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 5);
      }
    }
    // The last tokens may have come too soon after one that was looked at.
    const { tokens } = await labValue(engine, 'live', {});
    expect(tokens).toBeGreaterThan(steps.at(-1)?.position ?? 0);
  });

  it('inspects layers: state, history, hidden attention and attention side by side', async () => {
    const live = await read();
    const { layers, tokenIds, firstPosition } = await labValue(engine, 'inspect', {
      targets: [
        { layer: 2, head: 1 },
        { layer: 3, head: 0 },
      ],
      lastTokens: 12,
    });
    expect(firstPosition).toBe(live.tokens - 12);
    expect(tokenIds).toEqual(live.tokenIds.slice(-12));
    const [mamba, attention] = layers;
    if (mamba?.kind !== 'mamba' || attention?.kind !== 'attention') throw new Error('wrong kinds');
    expect(mamba.hiddenAttention?.rows).toBe(12);
    expect(mamba.effectiveRank).toBeGreaterThanOrEqual(1);
    expect(mamba.singularValues).toHaveLength(32);
    const square = mamba.state.values.reduce((sum, x) => sum + x * x, 0);
    expect(Math.sqrt(square)).toBeCloseTo(mamba.stateNorm[1] ?? NaN, 4);
    const { attention: matrix, outside } = attention;
    if (matrix === null || outside === null) throw new Error('no attention');
    for (let t = 0; t < 12; t += 1) {
      const row = matrix.values.subarray(t * 12, (t + 1) * 12);
      expect(row.reduce((sum, x) => sum + x, outside[t] ?? NaN)).toBeCloseTo(1, 5);
      expect(row.subarray(t + 1).every((x) => x === 0)).toBe(true);
    }
    await expect(
      labValue(engine, 'inspect', { targets: [{ layer: 1, head: 0 }], lastTokens: 4 }),
    ).rejects.toThrow('keeps no state');
  });

  it('writes the same with no operation, and its KL is 0', async () => {
    const result = await labValue(engine, 'compare', {
      source: { kind: 'text', text: LINE },
      operations: [],
      tokens: 8,
      sampling: { ...GREEDY, temperature: 1, seed: 7 },
    });
    expect(result.operated).toEqual(result.baseline);
    expect(result.firstDifference).toBeNull();
    expect(result.baseline.tokenIds).toHaveLength(8);
    expect([...result.kl]).toEqual(Array(8).fill(0));
  });

  it.each<[string, SurgeryOp[]]>([
    ['zeroing all states', [ZERO]],
    ['dropping the KV cache', [{ kind: 'kv-drop', layer: null }]],
    [
      'noise in one head',
      [{ kind: 'noise', target: { scope: 'head', layer: 0, head: 1 }, strength: 2, seed: 3 }],
    ],
    ['freezing a layer', [{ kind: 'freeze', target: { scope: 'layer', layer: 2 } }]],
    ['4-bit states', [{ kind: 'quantise', target: { scope: 'all' }, bits: 4, everyToken: true }]],
  ])('%s changes what follows', async (_, operations) => {
    await read();
    const result = await labValue(engine, 'compare', {
      source: { kind: 'live' },
      operations,
      message: 'And Clara?',
      tokens: 6,
      sampling: GREEDY,
    });
    expect(result.kl[0]).toBeGreaterThan(1e-6);
    expect(result.kl.every((x) => Number.isFinite(x) && x >= 0)).toBe(true);
  });

  it('shortens caches layer by layer and counts their bytes', async () => {
    const { tokens } = await read();
    const before = await labValue(engine, 'memory', {});
    const attention = before.layers.filter((layer) => layer.kind === 'attention');
    expect(attention.map((layer) => layer.kvBytes)).toEqual(
      attention.map(() => 2 * 1 * 32 * 4 * tokens),
    );
    await labValue(engine, 'surgery', { operations: [{ kind: 'kv-window', layer: 3, tokens: 5 }] });
    const after = await labValue(engine, 'memory', {});
    expect(after.layers[3]).toMatchObject({ kvTokens: 5, kvBytes: 2 * 32 * 4 * 5 });
    expect(after.layers[2]).toEqual(before.layers[2]);
    const { operations } = await labValue(engine, 'restore', {});
    expect(operations).toEqual([]);
    expect(await labValue(engine, 'memory', {})).toEqual(before);
  });

  it('operates in mid-conversation, and restores', async () => {
    const request = requestOf({
      thinkingLimit: 0,
      maxAnswerTokens: 6,
      messages: [{ role: 'user', content: LINE }],
    });
    const first = await generate(engine, request);
    const answer = first.events.map((event) => (event.type === 'token' ? event.text : '')).join('');
    const next = requestOf({
      ...request,
      messages: [
        ...request.messages,
        { role: 'assistant', content: answer },
        { role: 'user', content: 'And Clara?' },
      ],
    });
    const logitsAfter = async () => {
      await generate(engine, next);
      const { bytes } = await labValue(engine, 'save', {});
      return Buffer.from(bytes).toString('base64');
    };
    const untouched = await logitsAfter();
    await generate(engine, request);
    const { operations } = await labValue(engine, 'surgery', { operations: [ZERO] });
    expect(operations).toEqual([ZERO]);
    const operated = await logitsAfter();
    expect(operated).not.toBe(untouched);
    expect((await labValue(engine, 'live', {})).operations).toEqual([ZERO]);
    await labValue(engine, 'restore', {});
    expect(await logitsAfter()).toBe(untouched);
  });

  it('keeps a frozen head as it was, token after token', async () => {
    const reply = async (maxAnswerTokens: number) => {
      await generate(engine, requestOf({ thinkingLimit: maxAnswerTokens, maxAnswerTokens }));
      const { layers } = await labValue(engine, 'inspect', {
        targets: [{ layer: 0, head: 0 }],
        lastTokens: 1,
      });
      const [layer] = layers;
      if (layer?.kind !== 'mamba') throw new Error('no Mamba layer');
      return layer.state.values;
    };
    expect(await reply(1)).not.toEqual(await reply(4));
    await labValue(engine, 'surgery', {
      operations: [{ kind: 'freeze', target: { scope: 'head', layer: 0, head: 0 } }],
    });
    const frozen = await reply(1);
    expect(await reply(4)).toEqual(frozen);
    const { operations } = await labValue(engine, 'restore', {});
    expect(operations).toEqual([]);
    expect(await reply(4)).not.toEqual(frozen);
  });

  it('goes on from a saved state bit for bit, in a fresh engine too', async () => {
    await read();
    const { bytes, sizes } = await labValue(engine, 'save', {});
    expect(sizes.file).toBe(bytes.length);
    expect(sizes.ssm).toBe(2 * 2 * 32 * 64 * 4);
    const goOn = (where: Engine) =>
      labValue(where, 'compare', {
        source: { kind: 'live' },
        operations: [ZERO],
        tokens: 12,
        sampling: GREEDY,
      });
    const here = await goOn(engine);
    const elsewhere = await startEngine();
    try {
      const { isExact, live } = await labValue(elsewhere, 'load', { bytes });
      expect(isExact).toBe(true);
      expect(live.tokens).toBeGreaterThan(20);
      expect(await goOn(elsewhere)).toEqual(here);
      expect((await labValue(elsewhere, 'save', {})).bytes).toEqual(bytes);
    } finally {
      await elsewhere.dispose();
    }
  });

  it('refuses broken and foreign state files', async () => {
    await read();
    const { bytes } = await labValue(engine, 'save', {});
    const broken = bytes.slice();
    broken[bytes.length >> 1] = (broken[bytes.length >> 1] ?? 0) ^ 1;
    await expect(labValue(engine, 'load', { bytes: broken })).rejects.toThrow('checksum');
    await expect(labValue(engine, 'load', { bytes: bytes.slice(0, 100) })).rejects.toThrow(
      'checksum',
    );
    await expect(labValue(engine, 'load', { bytes: new Uint8Array(10) })).rejects.toThrow(
      'too few',
    );
  });

  it('forks one state into two continuations', async () => {
    const { tokens } = await read();
    const { continuations } = await labValue(engine, 'fork', {
      source: { kind: 'live', tokens: tokens - 3 },
      seeds: [1, 2],
      tokens: 6,
      sampling: { ...GREEDY, temperature: 1 },
      firstTokens: [null, 300],
    });
    expect(continuations).toHaveLength(2);
    expect(continuations[1]?.tokenIds[0]).toBe(300);
    expect(continuations[0]?.tokenIds).not.toEqual(continuations[1]?.tokenIds);
  });

  it('asks for needles, each from the same state', async () => {
    const { answers, contextTokens } = await labValue(engine, 'recall', {
      task: { kind: 'list', length: 6, keys: 2, depth: 0.5, seed: 4 },
      operations: [],
      answerTokens: 6,
    });
    expect(answers).toHaveLength(2);
    expect(contextTokens).toBeGreaterThan(20);
    for (const { question, key } of answers) expect(question).toContain(key);
  });

  it('measures the cost of a token, and stops when told', async () => {
    const points = await labValue(engine, 'cost', { contexts: [16, 300], steps: 3 });
    expect(points.map(({ context }) => context)).toEqual([16, 300]);
    for (const { decodeMs, decodeRange } of points) {
      expect(decodeMs).toBeGreaterThan(0);
      expect(decodeRange[0]).toBeLessThanOrEqual(decodeMs);
    }
    const stopped = await labJob(
      engine,
      'cost',
      { contexts: [600, 1200], steps: 2 },
      (_, id) => void engine.stop(id),
    );
    expect(stopped).toEqual({ stopped: true });
  });
});
