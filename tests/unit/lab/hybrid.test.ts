// The lab on a hybrid in the layout of the larger model: granitemoehybrid, rotary positions, attention written out on WASM,
// weights in parts. Everything is seen, and each cache is operated on alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SurgeryOp } from '../../../src/protocol/lab-api';
import { Engine } from '../../../workers/engine';
import { liveStateCount } from '../../../workers/runtime/layer-states';
import { generate, loadEngine, nodeHost, requestOf, valueOf } from '../workers/model-host';
import { labValue, stepsOf } from './lab-host';

const HYBRID = new URL('../../../public/models/micro-hybrid/', import.meta.url).href;

describe('the state lab on a hybrid with rotary positions', () => {
  const engine = new Engine(nodeHost());
  beforeAll(async () => {
    valueOf((await loadEngine(engine, HYBRID)).outcome as { ok: true; value: unknown });
  }, 120_000);
  afterAll(async () => {
    await engine.dispose();
    expect(liveStateCount()).toBe(0);
  });

  it('sees all that it has, and gives each attention layer a cache of its own', async () => {
    const capabilities = valueOf(await engine.watch({ opened: null }));
    expect(capabilities.missing).toEqual([]);
    expect(capabilities.hasLayerwiseKv).toBe(true);
  });

  it('shows where an attention layer looks, as shares of one whole', async () => {
    await engine.watch({ opened: { layer: 2, head: 0 } });
    const { events } = await generate(engine, requestOf({ thinkingLimit: 0, maxAnswerTokens: 4 }));
    const looks = stepsOf(events)
      .flatMap(({ opened }) => opened)
      .flatMap((one) => (one.kind === 'attention' && one.rows !== null ? [one.rows] : []));
    expect(looks.length).toBeGreaterThan(0);
    for (const { rows, columns, values } of looks) {
      for (let row = 0; row < rows; row += 1) {
        const shares = values.subarray(row * columns, (row + 1) * columns);
        expect(shares.reduce((all, share) => all + share, 0)).toBeCloseTo(1, 4);
      }
    }
    await engine.watch(null);
  });

  it.each([
    ['dropped', { kind: 'kv-drop', layer: null }],
    ['shortened', { kind: 'kv-window', layer: null, tokens: 6 }],
    ['shortened in one layer', { kind: 'kv-window', layer: 2, tokens: 6 }],
    ['left, with its states at zero', { kind: 'zero', target: { scope: 'all' } }],
  ] as const satisfies readonly (readonly [string, SurgeryOp])[])(
    'asks for a recall with its cache %s',
    async (_, operation) => {
      const result = await labValue(engine, 'recall', {
        task: { kind: 'name', length: 6, keys: 1, depth: 0.5, seed: 1 },
        operations: [operation],
        answerTokens: 6,
      });
      expect(result.answers).toHaveLength(1);
      expect(result.answers[0]?.question).toMatch(/^Who owns the /);
    },
  );
});
