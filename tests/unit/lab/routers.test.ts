// What routers choose is told when it is asked for and at no other time; parts are taken out of the model and put back.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../../src/core/sampling/greedy';
import type { EngineEvent } from '../../../src/protocol/engine-api';
import type { RouterStep } from '../../../src/protocol/lab-api';
import { Engine } from '../../../workers/engine';
import { liveStateCount } from '../../../workers/runtime/layer-states';
import { generate, loadEngine, requestOf, valueOf } from '../workers/model-host';
import { labValue } from './lab-host';
import { CHOSEN, EXPERTS, ROUTED_LAYER, routerHost } from './micro-router';

const SOURCE = {
  kind: 'messages',
  messages: [{ role: 'user', content: 'What is 23 + 58?' }],
  thinking: false,
} as const;

function routerSteps(events: readonly EngineEvent[]): RouterStep[] {
  return events.flatMap((event) => (event.type === 'router' ? [event.step] : []));
}

describe('the routers of a mixture of experts', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = new Engine(routerHost());
    const { outcome } = await loadEngine(engine);
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  }, 120_000);
  afterEach(async () => {
    await engine.watch(null);
  });
  afterAll(async () => {
    await engine.dispose();
    expect(liveStateCount()).toBe(0);
  });

  it('are named to the lab with their experts', async () => {
    const { routers } = valueOf(await engine.watch({ opened: null }));
    expect(routers).toEqual([{ layer: ROUTED_LAYER, experts: EXPERTS }]);
  });

  it('are told of every token while they are followed, and the reply stays the same', async () => {
    const request = requestOf({ thinkingLimit: 8, maxAnswerTokens: 8 });
    const plain = await generate(engine, request);
    await engine.watch({ opened: null });
    const watched = await generate(engine, request);
    // Watched as a whole, but not asked for.
    expect(routerSteps([...plain.events, ...watched.events])).toEqual([]);

    await engine.watch({ opened: null, routers: true });
    const followed = await generate(engine, request);
    const texts = (events: readonly EngineEvent[]): string[] =>
      events.flatMap((event) => (event.type === 'token' ? [event.text] : []));
    expect(texts(followed.events)).toEqual(texts(plain.events));
    const steps = routerSteps(followed.events);
    expect(steps.length).toBeGreaterThan(8);
    let next = (steps[0]?.position ?? 0) + 1 - (steps[0]?.texts.length ?? 0);
    for (const { position, texts: read, layers } of steps) {
      // No token is left out, whatever was watched besides.
      expect(position).toBe(next + read.length - 1);
      next = position + 1;
      expect(layers.map(({ layer }) => layer)).toEqual([ROUTED_LAYER]);
      const [choice] = layers;
      if (choice === undefined) throw new Error('nothing was chosen');
      const { chosen, experts, weights } = choice;
      expect(chosen).toBe(CHOSEN);
      expect(experts).toHaveLength(CHOSEN * read.length);
      for (const expert of experts) expect(expert >= 0 && expert < EXPERTS).toBe(true);
      for (const weight of weights) expect(weight > 0 && weight < 1).toBe(true);
    }
  });

  it('never choose an expert that is switched off, and choose it again afterwards', async () => {
    const ask = { source: SOURCE, tokens: 6, sampling: GREEDY } as const;
    const chosenIn = (routed: readonly RouterStep[]): number[] =>
      routed.flatMap(({ layers }) => layers.flatMap(({ experts }) => [...experts]));
    const whole = await labValue(engine, 'without', { ...ask, parts: [] });
    expect(whole.changed).toBeNull();
    const before = chosenIn(whole.baseline.routed);
    const [busiest = NaN] = [...before].sort(
      (a, b) => before.filter((e) => e === b).length - before.filter((e) => e === a).length,
    );
    const { baseline, changed } = await labValue(engine, 'without', {
      ...ask,
      parts: [{ kind: 'expert', layer: ROUTED_LAYER, expert: busiest }],
    });
    expect(chosenIn(baseline.routed)).toEqual(before);
    const after = chosenIn(changed?.routed ?? []);
    expect(after).toHaveLength(before.length);
    expect(after).not.toContain(busiest);
    const again = await labValue(engine, 'without', { ...ask, parts: [] });
    expect(chosenIn(again.baseline.routed)).toEqual(before);
  });

  it.each([0, ROUTED_LAYER, 3, 4])('shows what goes with layer %i', async (layer) => {
    const { baseline, changed, kl } = await labValue(engine, 'without', {
      source: SOURCE,
      parts: [{ kind: 'layer', layer }],
      tokens: 6,
      sampling: GREEDY,
    });
    expect(changed?.tokenIds.length).toBeGreaterThan(0);
    expect(kl).toHaveLength(baseline.tokenIds.length);
    expect(Math.max(...(kl ?? []))).toBeGreaterThan(1e-4);
  });

  it('refuse parts that are not there, by name', async () => {
    const ask = { source: SOURCE, tokens: 2, sampling: GREEDY } as const;
    for (const [part, named] of [
      [{ kind: 'expert', layer: ROUTED_LAYER, expert: EXPERTS }, `expert ${EXPERTS}`],
      [{ kind: 'expert', layer: 3, expert: 0 }, 'layers.3.gate.e_score_correction_bias'],
      [{ kind: 'layer', layer: 9 }, 'layer 9'],
    ] as const)
      await expect(labValue(engine, 'without', { ...ask, parts: [part] })).rejects.toThrow(named);
  });
});

describe('a config that its experts do not fit', () => {
  it.each([
    [{ n_routed_experts: 8 }, 'n_routed_experts in config.json is 8'],
    [{ num_experts_per_tok: 5 }, 'num_experts_per_tok in config.json is 5'],
    [{ moe_latent_size: 0 }, 'moe_latent_size in config.json is 0'],
  ])('is refused with file and field: %o', async (config, sentence) => {
    const engine = new Engine(routerHost(config));
    const { outcome } = await loadEngine(engine);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'model-corrupt' } });
    expect(JSON.stringify(outcome)).toContain(sentence);
    await engine.dispose();
  });
});
