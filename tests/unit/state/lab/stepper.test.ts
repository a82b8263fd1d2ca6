// Step mode beside a chat on the fake engine: a token at a click, back and forward, and a reply that never hangs.
import { describe, expect, it } from 'vitest';
import { GREEDY } from '../../../../src/core/sampling/greedy';
import { createFakeEngine } from '../../../../src/engine/fake-engine';
import type { GenerateRequest } from '../../../../src/protocol/engine-api';
import { TappedEngine } from '../../../../src/state/lab/lab-engine';
import { Lab } from '../../../../src/state/lab/lab.svelte';
import { bytesSentence, readSentence } from '../../../../src/state/lab/step-words';
import { MOST_KEPT, Stepper } from '../../../../src/state/lab/stepper.svelte';
import { LabTrace } from '../../../../src/state/lab/trace';
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

async function makeLab() {
  const engine = new TappedEngine(createFakeEngine('thinks', 0));
  const status = new ModelStatus(engine, 'https://example.test/models/fake/');
  const lab = new Lab(engine, status, (write) => void setTimeout(write, 0));
  engine.listener = lab;
  await status.load();
  await lab.open();
  const stepper = new Stepper(lab);
  lab.stepper = stepper;
  return { engine, lab, stepper };
}

const count = (lab: Lab): number => lab.trace.tokens.length;

describe('step mode', () => {
  it('waits at each token, goes back over what was seen, and on from there', async () => {
    const { engine, lab, stepper } = await makeLab();
    stepper.turnOn();
    const { done } = engine.generate(ASK, () => {});
    await until(() => count(lab) === 1, 'the first token');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(count(lab)).toBe(1);
    expect(stepper.canGoBack).toBe(false);
    for (const tokens of [2, 3]) {
      stepper.forward();
      await until(() => count(lab) === tokens, `token ${tokens}`);
    }
    const newest = lab.trace;
    stepper.back();
    expect(count(lab)).toBe(2);
    expect(lab.trace.memory.at(-1)?.tokens).toBeLessThan(newest.memory.at(-1)?.tokens ?? 0);
    expect(lab.showsTrace).toBe(true);
    stepper.forward();
    expect(lab.trace.tokens.length).toBe(3);
    expect(stepper.at).toBeNull();
    stepper.runOn();
    await done;
    await until(() => !lab.isReplying && stepper.frames.length > 3, 'the rest of the reply');
    stepper.goTo(0);
    expect(count(lab)).toBe(1);
  });

  it('lets the reply run on when it is left, when the lab is closed, and when the reply is stopped', async () => {
    for (const end of ['leave', 'close', 'stop'] as const) {
      const { engine, lab, stepper } = await makeLab();
      stepper.turnOn();
      const run = engine.generate(ASK, () => {});
      await until(() => count(lab) === 1, 'the first token');
      if (end === 'leave') stepper.leave();
      else if (end === 'close') await lab.close();
      else run.stop();
      expect((await run.done).finish).toBe(end === 'stop' ? 'stopped' : 'end');
    }
  });

  it('holds a reply that runs already', async () => {
    const { engine, lab, stepper } = await makeLab();
    const { done } = engine.generate(ASK, () => {});
    await until(() => count(lab) >= 1, 'the first token');
    stepper.turnOn();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const held = count(lab);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(count(lab)).toBe(held);
    stepper.runOn();
    await done;
    await until(() => count(lab) > held, 'the rest');
  });

  it('is for the chat’s replies only: measurements run as they are', async () => {
    const { engine, stepper } = await makeLab();
    stepper.turnOn();
    await engine.generate({ ...ASK, isStepped: false }, () => {}).done;
    expect(stepper.isRunning).toBe(true);
  });

  it('keeps the last tokens of a long reply, and says how many are gone', () => {
    const host = { isReplying: true, stepReply: () => {}, showTrace: () => {} };
    const stepper = new Stepper(host);
    stepper.turnOn();
    stepper.begin(true);
    const trace = new LabTrace();
    const token = { channel: 'answer', injected: false, ms: 1 } as const;
    for (let id = 0; id < MOST_KEPT + 10; id += 1)
      trace.take([{ type: 'token', id, text: `${id} `, ...token }], stepper.note);
    expect(stepper.frames.length).toBe(MOST_KEPT);
    expect(stepper.left).toBe(10);
    stepper.goTo(0);
    expect(stepper.shown?.tokens.at(-1)?.text).toBe('10 ');
  });
});

describe('its sentences', () => {
  it('say what was read, what was drawn and what the bytes did', async () => {
    const { engine, lab, stepper } = await makeLab();
    stepper.turnOn();
    const { done } = engine.generate(ASK, () => {});
    await until(() => count(lab) === 1, 'the first token');
    stepper.forward();
    await until(() => count(lab) === 2, 'the second');
    const { now, before } = stepper.pair ?? { now: lab.trace, before: null };
    const [first, second] = now.tokens.map(({ text }) => text);
    const sentence = readSentence(now, before, (text) => text);
    expect(sentence).toMatch(/^It read “.+” as token \d+ and drew “.+”\.$/);
    expect(sentence).toContain(`drew “${second ?? ''}”`);
    expect(readSentence(before ?? now, null, (text) => text)).toContain(`it drew “${first ?? ''}”`);
    expect(bytesSentence(now, before)).toMatch(
      /^The states keep their .*; the cache grew by 1,024 bytes/,
    );
    stepper.runOn();
    await done;
  });
});
