// The lab beside a chat on the fake engine: what it asks for open and closed, what it sees, and that replies go first.
import { GREEDY } from '../../../../src/core/sampling/greedy';
import { describe, expect, it } from 'vitest';
import { createFakeEngine } from '../../../../src/engine/fake-engine';
import type { EngineEvent, GenerateRequest } from '../../../../src/protocol/engine-api';
import { TappedEngine } from '../../../../src/state/lab/lab-engine';
import { Lab } from '../../../../src/state/lab/lab.svelte';
import { ModelStatus } from '../../../../src/state/model-status.svelte';
import { until } from '../make-app';

const ASK: GenerateRequest = {
  id: 'reply-1',
  messages: [{ role: 'user', content: 'What is 23 + 58?' }],
  thinkingLimit: 128,
  closingSentence: '',
  maxAnswerTokens: 64,
  sampling: GREEDY,
  stopStrings: [],
  tools: [],
  candidates: 0,
};

async function makeLab(paceMs = 0) {
  const engine = new TappedEngine(createFakeEngine('thinks', paceMs));
  const status = new ModelStatus(engine, 'https://example.test/models/fake/');
  const lab = new Lab(engine, status, (write) => void setTimeout(write, 0));
  engine.listener = lab;
  await status.load();
  return { engine, status, lab };
}

async function reply(engine: TappedEngine, id = 'reply-1'): Promise<EngineEvent[]> {
  const events: EngineEvent[] = [];
  await engine.generate({ ...ASK, id }, (batch) => events.push(...batch)).done;
  return events;
}

describe('the lab', () => {
  it('closed, asks for no candidates and no steps, and notes bytes only', async () => {
    const { engine, lab } = await makeLab();
    const events = await reply(engine);
    expect(events.some((event) => event.type === 'token' && event.candidates !== undefined)).toBe(
      false,
    );
    await lab.open();
    await until(() => lab.trace.memory.length > 0 || lab.live !== null, 'the lab to open');
    expect(lab.trace.steps).toEqual([]);
    expect(lab.trace.tokens).toEqual([]);
  });

  it('keeps nothing of a model in whose place another one answers, open or closed', async () => {
    const { engine, status, lab } = await makeLab();
    await reply(engine);
    await until(() => lab.trace.memory.length > 0, 'the bytes of the first model');
    const points = lab.trace.memory.length;
    const { model } = status;
    if (model === null) throw new Error('no model is loaded');
    status.adopt({ modelUrl: 'https://example.test/models/other/' }, { ...model });
    await reply(engine, 'reply-2');
    await until(() => !lab.isReplying && lab.trace.memory.length > 0, 'the bytes of the second');
    expect(lab.trace.memory.length).toBeLessThanOrEqual(points);
  });

  it('open, sees every token with its candidates and steps, and hands the chat none of them', async () => {
    const { engine, lab } = await makeLab();
    await lab.open();
    const events = await reply(engine);
    const tokens = events.filter((event) => event.type === 'token');
    await until(() => lab.trace.tokens.length === tokens.length, 'every token in the trace');
    expect(lab.trace.tokens[0]?.candidates.length).toBe(8);
    expect(lab.trace.steps.length).toBe(tokens.length);
    expect(events.some(({ type }) => type === 'lab')).toBe(false);
    const { memory } = lab.trace;
    const [first, last] = [memory[0], memory.at(-1)];
    expect(last?.ssmBytes).toBe(first?.ssmBytes);
    // 2 attention layers × 2 × 2 KV heads × 32 × 4 bytes.
    expect((last?.kvBytes ?? 0) - (first?.kvBytes ?? 0)).toBe(
      ((last?.tokens ?? 0) - (first?.tokens ?? 0)) * 2 * 2 * 2 * 32 * 4,
    );
  });

  it('closed again, is silent again', async () => {
    const { engine, lab } = await makeLab();
    await lab.open();
    await lab.close();
    await reply(engine);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lab.trace.steps).toEqual([]);
    expect(lab.capabilities).toBeNull();
  });

  it('looks back on an opened layer after the reply', async () => {
    const { engine, lab } = await makeLab();
    await lab.open();
    await lab.openLayer({ layer: 0, head: 1 });
    expect(lab.inspected).toBeNull();
    await reply(engine);
    await until(() => lab.inspected !== null, 'the layer to be inspected');
    const [layer] = lab.inspected?.layers ?? [];
    expect(layer).toMatchObject({ kind: 'mamba', layer: 0, head: 1 });
    expect(lab.inspected?.texts.length).toBe(Math.min(96, lab.live?.tokens ?? 0));
  });

  it('gives way to a reply: its job is stopped, and the reply runs', async () => {
    const { engine, lab } = await makeLab(20);
    await lab.open();
    const cost = lab.run('cost', 'Measuring', { contexts: [32, 64], steps: 3 });
    expect(lab.canRun).toBe(false);
    const events = await reply(engine);
    expect(await cost).toBeNull();
    expect(events.some(({ type }) => type === 'token')).toBe(true);
    expect(lab.problem).toBe('');
  });

  it('refuses a second job and says so', async () => {
    const { lab } = await makeLab(5);
    await lab.open();
    await until(() => lab.canRun, 'the lab to be free');
    const first = lab.run('save', 'Saving', {});
    expect(await lab.run('save', 'Saving', {})).toBeNull();
    expect(lab.problem).toContain('at work already');
    expect((await first)?.sizes.file).toBeGreaterThan(0);
  });

  it('opens what a link asks for', async () => {
    const { lab } = await makeLab();
    lab.followAddress('#/chat/abc');
    expect(lab.isOpen).toBe(false);
    lab.followAddress('#lesson=the-state');
    expect(lab.isOpen).toBe(true);
    expect(lab.view).toBe('lessons');
    expect(lab.lesson).toBe('the-state');
  });
});
