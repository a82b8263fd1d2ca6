// The library as the Prompt API has it, over an engine that says what it is told.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import type { Engine, Generation } from '../../../src/engine/engine';
import { createFakeEngine } from '../../../src/engine/fake-engine';
import { makeLanguageModel, type LanguageModelFactory } from '../../../src/lib/language-model';
import type {
  GenerateRequest,
  GenerateResult,
  PromptMessage,
} from '../../../src/protocol/engine-api';

class NodeProgressEvent extends Event {
  constructor(
    type: string,
    readonly figures: { readonly loaded: number; readonly total: number },
  ) {
    super(type);
  }

  get loaded(): number {
    return this.figures.loaded;
  }
}

const words = (messages: readonly PromptMessage[]): number =>
  messages.reduce((sum, { content }) => sum + content.split(' ').length, 0);

/** Thinks aloud, then says the number of the question in pieces; counts words as tokens, of which 100 fit. */
class Teller {
  readonly asked: GenerateRequest[] = [];
  isDisposed = false;
  loads = 0;
  failure: EngineError | null = null;
  /** Waits before the answer's last piece. */
  gate: Promise<void> = Promise.resolve();
  die: (error: EngineError) => void = () => {};
  readonly engine: Engine;

  constructor() {
    const fake = createFakeEngine('streams', 0);
    this.engine = {
      watch: (watch) => fake.watch(watch),
      lab: (job, request, onProgress) => fake.lab(job, request, onProgress),
      load: async (_request, onProgress) => {
        this.loads += 1;
        const at = { totalBytes: 200, fromCache: false, stage: 'weights' as const };
        onProgress({ ...at, loadedBytes: 100 });
        onProgress({ ...at, loadedBytes: 50 });
        onProgress({ ...at, loadedBytes: 200 });
        const model = await fake.load({ modelUrl: '', device: 'auto' }, () => {});
        return { ...model, spec: { ...model.spec, maxPositions: 100 } };
      },
      countTokens: (messages) => Promise.resolve(words(messages)),
      generate: (request, onEvents): Generation => {
        this.asked.push(request);
        let stop = (): void => {};
        const stopped = new Promise<void>((resolve) => {
          stop = resolve;
        });
        const say = (text: string, channel: 'thought' | 'answer'): void =>
          onEvents([{ type: 'token', id: 1, text, channel, injected: false, ms: 1 }]);
        const done = (async (): Promise<GenerateResult> => {
          await Promise.resolve();
          if (this.failure !== null) throw this.failure;
          say('hm', 'thought');
          say('answer ', 'answer');
          await Promise.race([this.gate, stopped]);
          say(String(this.asked.length), 'answer');
          return { finish: 'end', thoughtEnd: null, memory: null } as unknown as GenerateResult;
        })();
        return { id: request.id, done, stop, answerNow: () => {}, step: () => {} };
      },
      onDeath: (listener) => {
        this.die = listener;
        return () => {};
      },
      dispose: () => {
        this.isDisposed = true;
        return Promise.resolve();
      },
    };
  }
}

const MANIFEST_404 = (): Promise<Response> => Promise.resolve(new Response('', { status: 404 }));

function make(teller: Teller): LanguageModelFactory {
  return makeLanguageModel(
    { modelUrl: 'models/x' },
    {
      spawn: () => teller.engine,
      fetch: MANIFEST_404,
      caches: undefined,
      baseUrl: 'https://example.test/page/',
      defaultModelUrl: 'https://example.test/lib/models/tidepool/',
    },
  );
}

beforeEach(() => vi.stubGlobal('ProgressEvent', NodeProgressEvent));
afterEach(() => vi.unstubAllGlobals());

describe('a session', () => {
  it('answers without its thought, and remembers what was said', async () => {
    const teller = new Teller();
    const session = await make(teller).create({
      initialPrompts: [{ role: 'system', content: 'Be brief.' }],
    });
    expect(session.contextUsage).toBe(2);
    expect(session.contextWindow).toBe(100);
    expect(await session.prompt('First question')).toBe('answer 1');
    expect(await session.prompt('Second')).toBe('answer 2');
    expect(teller.asked[1]?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'First question' },
      { role: 'assistant', content: 'answer 1' },
      { role: 'user', content: 'Second' },
    ]);
    expect(session.contextUsage).toBe(2 + 2 + 2 + 1 + 2);
  });

  it('streams its pieces', async () => {
    const session = await make(new Teller()).create();
    const pieces: string[] = [];
    const reader = session.promptStreaming('Hello').getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read())
      pieces.push(next.value);
    expect(pieces).toEqual(['answer ', '1']);
  });

  it('goes on from a prefix, and hands a schema to the engine', async () => {
    const teller = new Teller();
    const session = await make(teller).create();
    const schema = { type: 'object' };
    await session.prompt(
      [
        {
          role: 'user',
          content: [
            { type: 'text', value: 'A' },
            { type: 'text', value: 'B' },
          ],
        },
        { role: 'assistant', content: '{"a": ', prefix: true },
      ],
      { responseConstraint: schema },
    );
    expect(teller.asked[0]).toMatchObject({
      messages: [{ role: 'user', content: 'AB' }],
      continueFrom: { thought: null, answer: '{"a": ' },
      answerSchema: schema,
    });
    await session.prompt('And?');
    expect(teller.asked[1]?.messages[1]?.content).toBe('{"a": answer 1');
  });

  it('measures what a prompt would add, and appends without answering', async () => {
    const teller = new Teller();
    const session = await make(teller).create();
    expect(await session.measureContextUsage('three more words')).toBe(3);
    await session.append('three more words');
    expect(session.contextUsage).toBe(3);
    expect(teller.asked).toEqual([]);
  });

  it('is cloned with all that it has read, and then goes its own way', async () => {
    const teller = new Teller();
    const session = await make(teller).create();
    await session.prompt('One');
    const other = await session.clone();
    expect(other.contextUsage).toBe(session.contextUsage);
    await other.prompt('Two');
    await session.prompt('Three');
    expect(teller.asked[2]?.messages.map(({ content }) => content)).toEqual([
      'One',
      'answer 1',
      'Three',
    ]);
  });

  it('refuses what does not fit, says how much it was, and is as it was before', async () => {
    const session = await make(new Teller()).create();
    const overflow = vi.fn();
    session.addEventListener('contextoverflow', overflow);
    session.oncontextoverflow = overflow;
    await expect(session.prompt('word '.repeat(150))).rejects.toMatchObject({
      name: 'QuotaExceededError',
      quota: 100,
      requested: 151,
    });
    expect(overflow).toHaveBeenCalledTimes(2);
    expect(session.contextUsage).toBe(0);
  });

  it('ends at once when its signal is given, and does not remember the question', async () => {
    const teller = new Teller();
    teller.gate = new Promise(() => {});
    const session = await make(teller).create();
    const abort = new AbortController();
    const answer = session.prompt('Long', { signal: abort.signal });
    setTimeout(() => abort.abort(), 5);
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    expect(session.contextUsage).toBe(0);
    teller.gate = Promise.resolve();
    await session.prompt('Short');
    expect(teller.asked.at(-1)?.messages).toEqual([{ role: 'user', content: 'Short' }]);
  });

  it('is destroyed with what runs in it, and the engine ends with the last session', async () => {
    const teller = new Teller();
    teller.gate = new Promise(() => {});
    const factory = make(teller);
    const [first, second] = [await factory.create(), await factory.create()];
    const answer = first.prompt('Long');
    first.destroy();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    await expect(first.prompt('Again')).rejects.toMatchObject({ name: 'AbortError' });
    expect(teller.isDisposed).toBe(false);
    second.destroy();
    expect(teller.isDisposed).toBe(true);
  });

  it('loads again after the engine has died', async () => {
    const teller = new Teller();
    const session = await make(teller).create();
    teller.die(new EngineError('worker-died', 'It died.', 'Ask again.'));
    expect(await session.prompt('Still there?')).toBe('answer 1');
    expect(teller.loads).toBe(2);
  });
});

describe('errors are those of the standard', () => {
  it.each([
    [
      'a system message later on',
      [
        { role: 'user', content: 'a' },
        { role: 'system', content: 'b' },
      ],
      'TypeError',
    ],
    [
      'an image',
      [{ role: 'user', content: [{ type: 'image', value: null }] }],
      'NotSupportedError',
    ],
    ['a text that is none', [{ role: 'user', content: [{ type: 'text', value: 1 }] }], 'TypeError'],
    ['a prefix of the person’s', [{ role: 'user', content: 'a', prefix: true }], 'SyntaxError'],
    ['another role', [{ role: 'robot', content: 'a' }], 'TypeError'],
  ])('%s', async (_, input, name) => {
    const session = await make(new Teller()).create();
    await expect(session.prompt(input as never)).rejects.toMatchObject({ name });
  });

  it('a regular expression, and a schema that is not understood', async () => {
    const teller = new Teller();
    const session = await make(teller).create();
    await expect(session.prompt('a', { responseConstraint: /b/ })).rejects.toMatchObject({
      name: 'NotSupportedError',
    });
    teller.failure = new EngineError('schema', 'It has `pattern`.', 'Leave it out.');
    await expect(
      session.prompt('a', { responseConstraint: { pattern: 'b' } }),
    ).rejects.toMatchObject({
      name: 'NotSupportedError',
      message: 'It has `pattern`. Leave it out.',
    });
  });

  it('what the model cannot read or speak', async () => {
    const factory = make(new Teller());
    const german = { expectedInputs: [{ type: 'text', languages: ['de'] }] };
    expect(await factory.availability(german)).toBe('unavailable');
    await expect(factory.create(german)).rejects.toMatchObject({ name: 'NotSupportedError' });
    await expect(factory.create({ expectedInputs: [{ type: 'image' }] })).rejects.toMatchObject({
      name: 'NotSupportedError',
    });
    await expect(
      factory.create({ expectedInputs: [{ type: 'text', languages: ['no tag'] }] }),
    ).rejects.toBeInstanceOf(RangeError);
  });
});

describe('creating', () => {
  it('tells the download from 0 to 1, never backwards', async () => {
    const told: number[] = [];
    await make(new Teller()).create({
      monitor: (target) =>
        target.addEventListener('downloadprogress', (event) =>
          told.push((event as ProgressEvent).loaded),
        ),
    });
    expect(told).toEqual([0, 0.5, 1]);
  });

  it('is given up with its signal', async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(make(new Teller()).create({ signal: abort.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('is unavailable where no model is, and available once it is loaded', async () => {
    const factory = make(new Teller());
    expect(await factory.availability()).toBe('unavailable');
    await factory.create();
    expect(await factory.availability()).toBe('available');
  });
});
