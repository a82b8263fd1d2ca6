// The browser's own model behind the one interface of engines, with the limit kept from this side.
import { describe, expect, it } from 'vitest';
import { BrowserEngine } from '../../../../src/engine/browser/browser-engine';
import type { NativeModel } from '../../../../src/engine/browser/native-model';
import type {
  EngineEvent,
  GenerateRequest,
  LoadProgress,
} from '../../../../src/protocol/engine-api';
import { fakeNativeModel } from '../../../fake-native-model.js';
import { requestOf } from '../server/ask-server';

type FakeOptions = Parameters<typeof fakeNativeModel>[0];

async function open(options: FakeOptions = {}) {
  const native = fakeNativeModel(options);
  const engine = new BrowserEngine(() => native as unknown as NativeModel);
  const progress: LoadProgress[] = [];
  const model = await engine.load({ modelUrl: 'browser:', device: 'auto' }, (step) =>
    progress.push(step),
  );
  return { engine, native, progress, model };
}

async function ask(
  engine: BrowserEngine,
  change: Partial<GenerateRequest>,
  onEvent: (event: EngineEvent, stop: () => void) => void = () => {},
) {
  const events: EngineEvent[] = [];
  const run = engine.generate(requestOf(change), (batch) => {
    for (const event of batch) {
      events.push(event);
      onEvent(event, () => run.stop());
    }
  });
  const result = await run.done;
  const text = (channel: string): string =>
    events
      .map((event) => (event.type === 'token' && event.channel === channel ? event.text : ''))
      .join('');
  return { result, events, thought: text('thought'), answer: text('answer') };
}

const PLAIN = [{ role: 'user', content: 'Say it plainly' }] as const;

describe('the browser’s own model', () => {
  it('tells its download, its context and where it is', async () => {
    const { engine, progress, model } = await open({ window: 6144 });
    expect(progress.map(({ stage, loadedBytes }) => [stage, loadedBytes])).toEqual([
      ['browser', 0],
      ['browser', 0],
      ['browser', 0.4],
      ['browser', 1],
    ]);
    expect(model.spec.maxPositions).toBe(6144);
    expect(model.server?.place).toBe('this browser’s model');
    expect(await engine.countTokens([{ role: 'user', content: 'three more words' }])).toBe(3);
  });

  it('is cut at the limit and goes on with its thought closed, and the reply says so', async () => {
    const { engine, native } = await open();
    const { thought, answer, result, events } = await ask(engine, { thinkingLimit: 32 });
    expect(thought.split(' ').length).toBeGreaterThanOrEqual(32);
    expect(thought.split(' ').length).toBeLessThanOrEqual(32 + 16 + 1);
    expect(answer).toBe('The answer is 42.');
    expect(result.thoughtEnd).toBe('soft-limit');
    expect(native.state.asked.at(-1)?.input.at(-1)).toMatchObject({
      role: 'assistant',
      prefix: true,
      content: expect.stringContaining('</think>') as unknown,
    });
    const notices = events.flatMap((event) => (event.type === 'notice' ? [event.text] : []));
    expect(notices.join(' ')).toContain('The limit was kept from here: this browser’s model');
  });

  it('reads what was said before as its beginning, and a schema as its constraint', async () => {
    const { engine, native } = await open();
    const schema = { type: 'object' } as const;
    await ask(engine, {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi.' },
        ...PLAIN,
      ],
      answerSchema: schema,
      thinkingLimit: 0,
    });
    expect(native.state.asked.at(-1)).toEqual({
      initial: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi.' },
      ],
      input: [...PLAIN],
      schema,
    });
  });

  it('stops at once, and lets each session go', async () => {
    const { engine, native } = await open();
    let tokens = 0;
    const { result } = await ask(engine, { thinkingLimit: 'unlimited' }, (event, stop) => {
      if (event.type === 'token' && (tokens += 1) === 5) stop();
    });
    expect(result.finish).toBe('stopped');
    await engine.dispose();
    await expect.poll(() => native.state.destroyed).toBe(native.state.created);
  });

  it.each([
    ['QuotaExceededError', 'prompt-too-long', /does not fit the context/],
    ['NotAllowedError', 'model-unsupported', /does not let this page/],
    ['UnknownError', 'internal', /failed/],
  ])('says what a %s means', async (failure, code, message) => {
    const { engine } = await open({ failure });
    await expect(ask(engine, { messages: PLAIN })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('is refused in words where it cannot run, or is not there', async () => {
    await expect(open({ availability: 'unavailable' })).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining('cannot run on this device') as unknown,
    });
    const none = new BrowserEngine(() => null);
    await expect(
      none.load({ modelUrl: 'browser:', device: 'auto' }, () => {}),
    ).rejects.toMatchObject({ message: 'This browser has no model of its own.' });
  });
});
