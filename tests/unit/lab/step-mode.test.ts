// Step mode on the micro model: the same tokens as without it, each watched, and a stop that wakes up whoever waits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineEvent } from '../../../src/protocol/engine-api';
import { Engine } from '../../../workers/engine';
import { generate, loadEngine, nodeHost, requestOf } from '../workers/model-host';

const REQUEST = requestOf({ thinkingLimit: 8, maxAnswerTokens: 6 });

const tokensOf = (events: readonly EngineEvent[]) =>
  events.flatMap((event) => (event.type === 'token' ? [event.id] : []));

describe('a reply in step mode', () => {
  const engine = new Engine(nodeHost());
  beforeAll(async () => {
    const { outcome } = await loadEngine(engine);
    expect(outcome.ok).toBe(true);
  }, 120_000);
  afterAll(() => engine.dispose());

  it('draws the same tokens, and shows states and bytes at every one of them', async () => {
    const plain = await generate(engine, REQUEST);
    await engine.watch({ opened: { layer: 0, head: 0 } });
    const stepped = await generate(engine, { ...REQUEST, isStepped: true }, (event) => {
      if (event.type === 'token') setTimeout(() => void engine.step('reply', 1), 5);
    });
    await engine.watch(null);
    expect(tokensOf(stepped.events)).toEqual(tokensOf(plain.events));
    const { events } = stepped;
    const drawn = events.filter((event) => event.type === 'token' && !event.injected).length;
    const decoded = events.filter(
      (event) =>
        event.type === 'lab' && event.step.phase === 'decode' && event.step.opened.length > 0,
    ).length;
    // The last one is drawn and not read where it ends the turn.
    expect(decoded).toBeGreaterThanOrEqual(drawn - 1);
    const bytes = events.flatMap((event) => (event.type === 'memory' ? [event.memory.tokens] : []));
    for (const event of events)
      if (event.type === 'lab' && event.step.phase === 'decode')
        expect(bytes).toContain(event.step.position + 1);
    // Waiting is no part of what a token costs.
    const { outcome } = stepped;
    if (!outcome.ok) throw new Error(outcome.error.message);
    expect(outcome.value.stats.thoughtMs).toBeLessThan(outcome.value.stats.decodeMs + 1);
  });

  it('ends when it is stopped while it waits', async () => {
    const { outcome } = await generate(engine, { ...REQUEST, isStepped: true }, (event) => {
      if (event.type === 'token') setTimeout(() => void engine.stop('reply'), 5);
    });
    expect(outcome.ok && outcome.value.finish).toBe('stopped');
  });
});
