import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { graceTokens } from '../../../src/core/budget/thinking-limit';
import { TOOL_SCHEMAS } from '../../../src/core/tools/run-tool';
import type { ModelSpec } from '../../../src/core/model-spec';
import type { ThinkFormat } from '../../../src/models/think-format';
import type { EngineEvent, GenerateRequest } from '../../../src/protocol/engine-api';
import {
  runGeneration,
  type GenerationControl,
  type GenerationOutcome,
} from '../../../workers/generate-loop';
import type { ChatTokenizer, TemplateMessage } from '../../../workers/runtime/hub';
import { liveStateCount } from '../../../workers/runtime/layer-states';
import { SnapshotCache } from '../../../workers/runtime/snapshots';
import { microChat, requestOf } from './model-host';
import { CountedTensor, ScriptedModel } from './scripted-model';

let tokenizer: ChatTokenizer;
let format: ThinkFormat;
let spec: ModelSpec;

beforeAll(async () => {
  ({ tokenizer, format } = await microChat());
  spec = {
    name: 'script',
    modelType: 'nemotron_h',
    hiddenSize: 8,
    vocabSize: 4096,
    maxPositions: 600,
    layers: [],
    eosTokenIds: [],
  };
});

const caches = new Set<SnapshotCache>();

interface Run {
  readonly outcome: GenerationOutcome;
  readonly events: EngineEvent[];
  readonly model: ScriptedModel;
  readonly snapshots: SnapshotCache;
  readonly text: (channel: 'thought' | 'answer' | 'tool-call') => string;
}

function textOf(events: readonly EngineEvent[], channel: string): string {
  return events
    .map((event) => (event.type === 'token' && event.channel === channel ? event.text : ''))
    .join('');
}

/** Runs a reply of a model that says `turns` one after another, each up to its end of turn; then it says "x" for ever. */
async function say(
  turns: readonly string[],
  changes: Partial<GenerateRequest> = {},
  onEvent: (event: EngineEvent, control: GenerationControl) => void = () => {},
  snapshots = new SnapshotCache(),
): Promise<Run> {
  caches.add(snapshots);
  const queue = turns.flatMap((turn) => tokenizer.encode(turn));
  const filler = tokenizer.encode('x')[0] ?? 0;
  let at = 0;
  let expected = -1;
  const model = new ScriptedModel(spec.vocabSize, (read) => {
    // Counts on only when what it said was read: injected tokens do not use up the script. An end of turn is never
    // read by itself.
    if (read.at(-1) === expected || format.endIds.includes(expected)) at += 1;
    expected = queue[at] ?? filler;
    return expected;
  });
  const control: GenerationControl = { stopped: false, answerNow: false };
  const events: EngineEvent[] = [];
  const outcome = await runGeneration(
    { session: model, tokenizer, spec, format, snapshots },
    requestOf(changes),
    control,
    {
      emit: (event) => {
        events.push(event);
        onEvent(event, control);
      },
      memory: ({ states }) => ({
        weightBytes: 0,
        ssmBytes: states.bytes.ssm,
        convBytes: states.bytes.conv,
        kvBytes: states.bytes.kv,
        kvAllocatedBytes: states.bytes.kv,
        snapshotBytes: snapshots.bytes,
        snapshotCount: snapshots.count,
        tokens: states.tokens,
      }),
      keepLive: () => {},
      now: () => new Date(2026, 2, 14, 9, 26),
    },
  );
  return { outcome, events, model, snapshots, text: (channel) => textOf(events, channel) };
}

function read(model: ScriptedModel): string {
  return model.steps
    .flat()
    .map((id) => tokenizer.pieceOf(id) ?? '?')
    .join('')
    .replaceAll('Ċ', '\n')
    .replaceAll('Ġ', ' ');
}

afterEach(() => {
  for (const cache of caches) cache.clear();
  caches.clear();
  expect(CountedTensor.alive).toBe(0);
  expect(liveStateCount()).toBe(0);
});

describe('a reply', () => {
  it('shows the thought and the answer apart, without tags', async () => {
    const { outcome, text, events, snapshots } = await say(['3+8=11.\n</think>\n81<|im_end|>'], {
      thinkingLimit: 64,
    });
    expect(text('thought')).toBe('3+8=11.\n');
    expect(text('answer')).toBe('81');
    expect(outcome).toMatchObject({ finish: 'end', thoughtEnd: 'natural' });
    expect(outcome.tally.answerTokens).toBe(tokenizer.encode('\n81').length);
    const kinds = events.map((event) => event.type).filter((type) => type.startsWith('thought'));
    expect(kinds).toEqual(['thought-start', 'thought-end']);
    snapshots.clear();
    expect(CountedTensor.alive).toBe(0);
  });

  it('thinks not at all at limit 0: the prompt says so and nothing is injected', async () => {
    const { outcome, model, text, events } = await say(['81<|im_end|>'], { thinkingLimit: 0 });
    expect(read(model)).toContain('assistant\n<think></think>');
    expect(text('answer')).toBe('81');
    expect(outcome.thoughtEnd).toBeNull();
    expect(events.some((event) => event.type === 'token' && event.injected)).toBe(false);
  });

  it('closes a thought at the hard limit with exactly the tokens of a natural close', async () => {
    const { outcome, model, events } = await say(['so '.repeat(200)], {
      thinkingLimit: 16,
      maxAnswerTokens: 4,
    });
    expect(outcome.thoughtEnd).toBe('hard-limit');
    expect(outcome.tally.thoughtTokens).toBe(16 + graceTokens(16));
    const injected = events.flatMap((event) =>
      event.type === 'token' && event.injected ? [event.id] : [],
    );
    expect(injected).toEqual(tokenizer.encode('\n</think>\n'));
    expect(model.steps).toContainEqual(injected);
  });

  it('never thinks past limit and grace, closes once, and leaves the answer its tokens', async () => {
    const piece = fc.constantFrom(
      'a',
      '.',
      '\n',
      '1',
      '3.',
      ' so',
      '<think>',
      '</think>',
      '<|im_end|>',
      'é',
      '🌊',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 80 }),
        fc.constantFrom(0, 1, 16, 32),
        async (pieces, limit) => {
          const { outcome, model, text, snapshots } = await say([pieces.join('')], {
            thinkingLimit: limit,
            maxAnswerTokens: 20,
          });
          const closes = model.steps.flat().filter((id) => id === format.think?.closeId).length;
          const inPrompt = limit === 0 ? 1 : 0;
          expect(outcome.tally.thoughtTokens).toBeLessThanOrEqual(
            limit === 0 ? 0 : limit + graceTokens(limit),
          );
          expect(closes).toBe(limit === 0 ? inPrompt : 1);
          expect(outcome.tally.answerTokens).toBeLessThanOrEqual(20);
          expect(text('answer')).not.toMatch(/<\/?think>/);
          snapshots.clear();
          expect(CountedTensor.alive).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends the thought at once on "answer now"', async () => {
    const { outcome, text, events } = await say(
      ['one two three four five six seven'],
      { thinkingLimit: 'unlimited', maxAnswerTokens: 3 },
      (event, control) => {
        if (event.type === 'token' && event.text === ' three') control.answerNow = true;
      },
    );
    expect(outcome.thoughtEnd).toBe('answer-now');
    expect(text('thought')).toBe('one two three');
    expect(events.filter((event) => event.type === 'thought-end')).toHaveLength(1);
  });

  it('stops within one token, in the thought and in the answer', async () => {
    for (const thinkingLimit of [64, 0]) {
      let stoppedAt = 0;
      const { outcome, events, snapshots } = await say(
        ['one two three four five six'],
        { thinkingLimit },
        (event, control) => {
          if (event.type === 'token' && event.text === ' two') control.stopped = true;
          if (event.type === 'token' && control.stopped) stoppedAt += 1;
        },
      );
      expect(outcome.finish).toBe('stopped');
      expect(outcome.thoughtEnd).toBe(thinkingLimit === 0 ? null : 'stopped');
      expect(stoppedAt).toBe(1);
      expect(events.at(-1)?.type).toBe('memory');
      snapshots.clear();
    }
  });

  it('stops between two chunks of the prompt', async () => {
    const { outcome, model, snapshots } = await say(
      [],
      { messages: [{ role: 'user', content: 'word '.repeat(500) }], maxAnswerTokens: 8 },
      (event, control) => {
        if (event.type === 'prefill' && event.done > 0) control.stopped = true;
      },
    );
    expect(outcome.finish).toBe('stopped');
    expect(outcome.tally.decodedTokens).toBe(0);
    expect(model.steps.length).toBe(1);
    snapshots.clear();
  });

  it('ends at a stop string and hides it, however it falls into tokens', async () => {
    const { outcome, text } = await say(['The end. STOP here<|im_end|>'], {
      thinkingLimit: 0,
      stopStrings: ['. STOP'],
    });
    expect(outcome.finish).toBe('stop-string');
    expect(text('answer')).toBe('The end');
  });

  it('gives back what a stop string never completed', async () => {
    const { text } = await say(['Ends with ST<|im_end|>'], {
      thinkingLimit: 0,
      stopStrings: ['STOP'],
    });
    expect(text('answer')).toBe('Ends with ST');
  });

  it('counts answer tokens and ends at their limit', async () => {
    const { outcome, text } = await say(['a b c d e f g'], {
      thinkingLimit: 0,
      maxAnswerTokens: 3,
    });
    expect(outcome).toMatchObject({ finish: 'length', tally: { answerTokens: 3 } });
    expect(text('answer')).toBe('a b c');
  });

  it('measures: reads the ids it is given, and no end of turn ends it', async () => {
    const promptIds = tokenizer.encode('one two three');
    const { outcome, model, events } = await say(['yes<|im_end|>'], {
      promptIds,
      maxAnswerTokens: 8,
    });
    expect(outcome.finish).toBe('length');
    expect(model.steps[0]).toEqual(promptIds);
    expect(outcome.tally.promptTokens).toBe(promptIds.length);
    const ids = events.flatMap((event) => (event.type === 'token' ? [event.id] : []));
    expect(ids).toHaveLength(8);
    expect(ids).toContain(tokenizer.idOf('<|im_end|>'));
  });

  it('writes characters whole that are spread over tokens', async () => {
    const { text, events } = await say(['🌊🐚 naïve<|im_end|>'], { thinkingLimit: 0 });
    expect(text('answer')).toBe('🌊🐚 naïve');
    for (const event of events)
      if (event.type === 'token') expect(event.text).not.toContain('\uFFFD');
  });

  it('shows injected closing sentence and the tokens of the tag as injected', async () => {
    const { events, text } = await say(['so '.repeat(60)], {
      thinkingLimit: 4,
      closingSentence: 'Time is up.',
      maxAnswerTokens: 2,
    });
    const injected = events.filter((event) => event.type === 'token' && event.injected);
    expect(textOf(injected, 'thought')).toBe('\nTime is up.');
    expect(text('answer')).not.toContain('Time');
  });

  it('reports candidates and entropy when asked', async () => {
    const { events } = await say(['81<|im_end|>'], { thinkingLimit: 0, candidates: 3 });
    const first = events.find((event) => event.type === 'token');
    expect(first?.candidates).toHaveLength(3);
    expect(first?.candidates?.[0]).toMatchObject({ id: first?.id, text: '8' });
    expect(first?.candidates?.[0]?.probability).toBeGreaterThan(0.9);
    expect(first?.entropy).toBeGreaterThan(0);
  });

  it('refuses a conversation that leaves no room, with both numbers', async () => {
    const messages = [{ role: 'user' as const, content: 'word '.repeat(700) }];
    await expect(say([], { messages })).rejects.toMatchObject({
      code: 'prompt-too-long',
      message: expect.stringMatching(/has \d+ tokens; script can read 592/) as string,
    });
    expect(CountedTensor.alive).toBe(0);
  });

  it('thinks no further than leaves the answer room in the context', async () => {
    const { outcome } = await say(['so '.repeat(900)], {
      thinkingLimit: 'unlimited',
      maxAnswerTokens: 500,
    });
    expect(outcome.thoughtEnd).toBe('hard-limit');
    expect(outcome.tally.answerTokens).toBe(500);
    expect(outcome.finish).toBe('length');
  });
});

describe('tools', () => {
  const call = (expression: string): string =>
    `<tool_call>\n<function=calculator>\n<parameter=expression>\n${expression}\n</parameter>\n</function>\n</tool_call>\n`;

  it.each([
    [
      'as JSON',
      '<tool_call>\n{"name": "calculator", "arguments": {"expression": "6 * 7"}}\n</tool_call>',
    ],
    ['as a list', "<tool_call>[calculator(expression='6 * 7')]</tool_call>"],
    ['without a close', '<tool_call>\n<function=calculator>\n<parameter=expression>\n6 * 7\n'],
  ])('reads a call that is written %s, and shows none of it', async (_, written) => {
    const { text, events, outcome } = await say([`${written}<|im_end|>`, 'It is 42.<|im_end|>'], {
      thinkingLimit: 0,
      maxAnswerTokens: 200,
      tools: ['calculator'],
    });
    expect(events.filter(({ type }) => type === 'tool-call' || type === 'tool-result')).toEqual([
      { type: 'tool-call', call: { name: 'calculator', arguments: { expression: '6 * 7' } } },
      { type: 'tool-result', name: 'calculator', content: '42', isError: false },
    ]);
    expect(text('answer')).toBe('It is 42.');
    expect(outcome.finish).toBe('end');
  });

  it.each([
    ['at its end', 'I ask.\n'],
    ['in mid-sentence', 'I ask the'],
    ['at its very beginning', ''],
  ])('closes a thought that calls %s, and runs the call once', async (_, thought) => {
    const { outcome, events, model, text } = await say(
      [`${thought}${call('6 * 7')}<|im_end|>`, 'So.\n</think>\nIt is 42.<|im_end|>'],
      { thinkingLimit: 64, tools: ['calculator'], maxAnswerTokens: 200 },
    );
    const order = events.flatMap((event) =>
      event.type === 'thought-end'
        ? [`thought ${event.reason}`]
        : event.type === 'tool-call' || event.type === 'tool-result'
          ? [event.type]
          : [],
    );
    expect(order).toEqual(['thought called', 'tool-call', 'tool-result', 'thought natural']);
    expect(text('thought').replaceAll('\n', '')).toBe(`${thought.trim()}So.`);
    expect(text('answer').trim()).toBe('It is 42.');
    expect(outcome.finish).toBe('end');
    const after = thought.endsWith('\n') || thought === '' ? '' : '\n';
    expect(read(model)).toContain(`<think>\n${thought}${after}</think>\n<tool_call>\n<function=`);
    expect(outcome.tally.thoughtTokens).toBe(
      tokenizer.encode(thought).length + tokenizer.encode('So.\n').length,
    );
  });

  it('says so when it stops a reply that goes round in circles', async () => {
    const { outcome, events } = await say(Array<string>(20).fill(`${call('1+1')}<|im_end|>`), {
      thinkingLimit: 0,
      tools: ['calculator'],
      maxAnswerTokens: 5000,
    });
    expect(events.filter(({ type }) => type === 'notice')).toHaveLength(1);
    expect(outcome.finish).toBe('end');
  });

  it('runs two calls of one list', async () => {
    const { events, text } = await say(
      [
        "<tool_call>[calculator(expression='6 * 7'), clock()]</tool_call><|im_end|>",
        'Done.<|im_end|>',
      ],
      { thinkingLimit: 0, maxAnswerTokens: 200, tools: ['calculator', 'clock'] },
    );
    expect(
      events.flatMap((event) => (event.type === 'tool-result' ? [event.content] : [])),
    ).toEqual(['42', '2026-03-14 09:26']);
    expect(text('answer')).toBe('Done.');
  });

  it('shows no tag of a call that stands by itself', async () => {
    const { text } = await say(['Four.</tool_call> Yes.<|im_end|>'], {
      thinkingLimit: 0,
      maxAnswerTokens: 200,
      tools: ['calculator'],
    });
    expect(text('answer')).toBe('Four. Yes.');
  });

  it('answers half a call with an error that the model reads, and shows none of it', async () => {
    const { events, text } = await say(
      ['<tool_call>\n{"name": "calc<|im_end|>', 'Without, then.<|im_end|>'],
      { thinkingLimit: 0, maxAnswerTokens: 200, tools: ['calculator'] },
    );
    expect(events.filter(({ type }) => type === 'tool-call' || type === 'tool-result')).toEqual([
      {
        type: 'tool-result',
        name: 'unknown',
        content: 'Error: the tool call could not be read',
        isError: true,
      },
    ]);
    expect(text('answer')).toBe('Without, then.');
  });

  it('offers no tools to a model that has no tokens for a call', async () => {
    const before = format;
    format = { ...format, toolCall: null };
    try {
      const { model } = await say(['Hi.<|im_end|>'], {
        thinkingLimit: 0,
        maxAnswerTokens: 200,
        tools: ['calculator'],
      });
      expect(read(model)).not.toContain('calculator');
    } finally {
      format = before;
    }
  });

  it('runs several calls in a row and reads their results in the template’s form', async () => {
    const { outcome, events, model, text } = await say(
      [
        `I need a tool.\n</think>\n${call('12 * 3')}<|im_end|>`,
        `And again.\n</think>\n${call('36 + 1')}<|im_end|>`,
        'Done.\n</think>\n37<|im_end|>',
      ],
      { thinkingLimit: 64, tools: ['calculator', 'clock'], maxAnswerTokens: 200 },
    );
    const steps = events.filter(
      (event) => event.type === 'tool-call' || event.type === 'tool-result',
    );
    expect(steps).toEqual([
      { type: 'tool-call', call: { name: 'calculator', arguments: { expression: '12 * 3' } } },
      { type: 'tool-result', name: 'calculator', content: '36', isError: false },
      { type: 'tool-call', call: { name: 'calculator', arguments: { expression: '36 + 1' } } },
      { type: 'tool-result', name: 'calculator', content: '37', isError: false },
    ]);
    expect(text('answer').trim()).toBe('37');
    expect(outcome.finish).toBe('end');
    // What was read is what the template renders for the same conversation.
    const assistant = (reasoning: string, expression: string): TemplateMessage => ({
      role: 'assistant',
      content: '',
      reasoning_content: reasoning,
      tool_calls: [
        { type: 'function', function: { name: 'calculator', arguments: { expression } } },
      ],
    });
    const rendered = tokenizer.render(
      [
        { role: 'user', content: 'What is 23 + 58?' },
        assistant('I need a tool.', '12 * 3'),
        { role: 'tool', content: '36' },
        assistant('And again.', '36 + 1'),
        { role: 'tool', content: '37' },
      ],
      {
        tools: [TOOL_SCHEMAS.calculator, TOOL_SCHEMAS.clock],
        enableThinking: true,
        addGenerationPrompt: true,
      },
    );
    expect(read(model).startsWith(rendered.join(''))).toBe(true);
  });

  it('reads the template’s own end of turn where the model wrote another', async () => {
    const { outcome, model, text } = await say(
      [`${call('6 * 7')}<|endoftext|>`, 'It is 42.<|im_end|>'],
      { thinkingLimit: 0, tools: ['calculator'], maxAnswerTokens: 100 },
    );
    expect(outcome.finish).toBe('end');
    expect(text('answer').trim()).toBe('It is 42.');
    expect(read(model)).toContain('</tool_call>\n<|im_end|>\n<|im_start|>user\n<tool_response>');
    expect(read(model)).not.toContain('<|endoftext|>');
  });

  it('tells the model of an error and goes on', async () => {
    const { events, model } = await say([`${call('1/0')}<|im_end|>`, 'No.<|im_end|>'], {
      thinkingLimit: 0,
      tools: ['calculator'],
      maxAnswerTokens: 100,
    });
    expect(events).toContainEqual({
      type: 'tool-result',
      name: 'calculator',
      content: 'Error: division by zero',
      isError: true,
    });
    expect(read(model)).toContain('<tool_response>\nError: division by zero\n</tool_response>');
  });

  it('ends a reply that calls for ever', async () => {
    const { outcome, events } = await say(Array<string>(20).fill(`${call('1+1')}<|im_end|>`), {
      thinkingLimit: 0,
      tools: ['calculator'],
      maxAnswerTokens: 5000,
    });
    expect(events.filter((event) => event.type === 'tool-result' && !event.isError)).toHaveLength(
      6,
    );
    expect(outcome.finish).not.toBe('stopped');
  });

  it('spends one limit over all turns of a reply', async () => {
    const { outcome, model } = await say(
      ['so '.repeat(40), `${call('1+1')}<|im_end|>`, 'so '.repeat(40)],
      { thinkingLimit: 16, tools: ['calculator'], maxAnswerTokens: 120 },
    );
    expect(outcome.tally.thoughtTokens).toBeLessThanOrEqual(16 + graceTokens(16));
    expect(read(model)).toContain(
      '</tool_response>\n<|im_end|>\n<|im_start|>assistant\n<think></think>',
    );
  });
});

describe('tags that are no single tokens', () => {
  /** The micro model's tokenizer has no token for these. */
  const TAGS = { open: '[THINK]', close: '[/THINK]' };

  async function sayWithTags(turn: string, changes: Partial<GenerateRequest> = {}): Promise<Run> {
    const before = format;
    format = {
      ...format,
      think: { openId: -1, closeId: -2, closeText: '\n[/THINK]\n', tags: TAGS },
    };
    try {
      return await say([turn], { thinkingLimit: 64, maxAnswerTokens: 60, ...changes });
    } finally {
      format = before;
    }
  }

  it('hold a thought all the same, and are not shown', async () => {
    const { outcome, text } = await sayWithTags('[THINK]3+8=11.[/THINK]\n81<|im_end|>');
    expect(text('thought')).toBe('3+8=11.');
    expect(text('answer').trim()).toBe('81');
    expect(outcome).toMatchObject({ finish: 'end', thoughtEnd: 'natural' });
  });

  it('are closed at the limit by their own text', async () => {
    const { outcome, model, text } = await sayWithTags('so '.repeat(200), { thinkingLimit: 16 });
    expect(outcome.thoughtEnd).toBe('hard-limit');
    expect(outcome.tally.thoughtTokens).toBe(16 + graceTokens(16));
    expect(read(model)).toMatch(/so ?\n\[\/THINK\]\n/);
    expect(text('thought') + text('answer')).not.toContain('[');
  });

  it('never show, wherever a model puts them, and no other text is lost', async () => {
    const piece = fc.constantFrom(
      'a',
      ' b',
      '[',
      ']',
      '[/',
      '/THINK',
      'THINK]',
      '[THINK]',
      '[/THINK]',
      '.',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 14 }), async (pieces) => {
        const { text, snapshots } = await sayWithTags(`${pieces.join('')}<|im_end|>`, {
          thinkingLimit: 'unlimited',
        });
        const written = pieces.join('');
        const close = written.indexOf('[/THINK]');
        if (close >= 0) {
          const without = (part: string): string => part.replaceAll(/\[\/?THINK\]/g, '');
          expect(text('thought')).toBe(without(written.slice(0, close)));
          expect(text('answer')).toBe(without(written.slice(close)));
        }
        snapshots.clear();
      }),
      { numRuns: 60 },
    );
  });
});

describe('states', () => {
  it('reads a regenerated prompt from the fork on: one token', async () => {
    const snapshots = new SnapshotCache();
    await say(['Hm.\n</think>\n81<|im_end|>'], {}, undefined, snapshots);
    const again = await say(['Hm.\n</think>\n81<|im_end|>'], {}, undefined, snapshots);
    expect(again.outcome.tally.promptTokens - again.outcome.tally.reusedTokens).toBe(1);
    snapshots.clear();
  });

  it('reads of the next turn only what the snapshot before the thought has not', async () => {
    const snapshots = new SnapshotCache();
    const first = await say(['Hm.\n</think>\n81<|im_end|>'], {}, undefined, snapshots);
    const next = await say(
      ['x<|im_end|>'],
      {
        messages: [
          { role: 'user', content: 'What is 23 + 58?' },
          { role: 'assistant', content: '81' },
          { role: 'user', content: 'And 1 more?' },
        ],
      },
      undefined,
      snapshots,
    );
    // All of the first prompt but the newline of the open thought, which the history shows as closed.
    expect(next.outcome.tally.reusedTokens).toBe(first.outcome.tally.promptTokens - 1);
    snapshots.clear();
  });

  it('without a thought, goes on from the end of the reply', async () => {
    const snapshots = new SnapshotCache();
    const first = await say(['81<|im_end|>'], { thinkingLimit: 0 }, undefined, snapshots);
    const next = await say(
      ['x<|im_end|>'],
      {
        thinkingLimit: 0,
        messages: [
          { role: 'user', content: 'What is 23 + 58?' },
          { role: 'assistant', content: '81' },
          { role: 'user', content: 'And 1 more?' },
        ],
      },
      undefined,
      snapshots,
    );
    expect(next.outcome.tally.reusedTokens).toBe(first.outcome.tally.promptTokens + 2);
    snapshots.clear();
  });

  it('continues a stopped reply from where it stood', async () => {
    const snapshots = new SnapshotCache();
    const stopped = await say(
      ['one two three four five six'],
      { thinkingLimit: 64 },
      (event, control) => {
        if (event.type === 'token' && event.text === ' three') control.stopped = true;
      },
      snapshots,
    );
    const thought = stopped.text('thought');
    const more = await say(
      [' four\n</think>\nend<|im_end|>'],
      { thinkingLimit: 64, continueFrom: { thought, answer: '' } },
      undefined,
      snapshots,
    );
    expect(more.text('thought')).toBe(' four\n');
    expect(more.text('answer')).toBe('end');
    expect(more.outcome.tally.thoughtTokens).toBe(2);
    snapshots.clear();
  });

  it('stays flat over 100 turns: as many tensors as the snapshots hold, within their bound', async () => {
    const snapshots = new SnapshotCache(40_000);
    const counts: number[] = [];
    const messages: { role: 'user' | 'assistant'; content: string }[] = [];
    for (let turn = 0; turn < 100; turn += 1) {
      if (messages.length > 30) messages.splice(0, 2);
      messages.push({ role: 'user', content: `${turn} + 1?` });
      const { text } = await say(
        ['Hm.\n</think>\n7<|im_end|>'],
        { messages, thinkingLimit: turn % 3 === 0 ? 0 : 32 },
        undefined,
        snapshots,
      );
      messages.push({ role: 'assistant', content: text('answer') });
      expect(liveStateCount()).toBe(snapshots.count);
      expect(CountedTensor.alive).toBe(4 * snapshots.count);
      expect(snapshots.bytes).toBeLessThanOrEqual(40_000);
      counts.push(CountedTensor.alive);
    }
    const later = counts.slice(50);
    expect(Math.max(...later) - Math.min(...later)).toBeLessThan(40);
    snapshots.clear();
    expect(CountedTensor.alive).toBe(0);
  });

  it('frees everything when the model fails in mid-reply', async () => {
    const before = CountedTensor.alive;
    const snapshots = new SnapshotCache();
    const model = new ScriptedModel(spec.vocabSize, () => 300);
    let steps = 0;
    model.onStep = () => {
      steps += 1;
      if (steps > 5) throw new Error('the device is lost');
    };
    const run = runGeneration(
      { session: model, tokenizer, spec, format, snapshots },
      requestOf(),
      { stopped: false, answerNow: false },
      {
        emit: () => {},
        memory: () => ({
          weightBytes: 0,
          ssmBytes: 0,
          convBytes: 0,
          kvBytes: 0,
          kvAllocatedBytes: 0,
          snapshotBytes: 0,
          snapshotCount: 0,
          tokens: 0,
        }),
        keepLive: () => {},
        now: () => new Date(0),
      },
    );
    await expect(run).rejects.toThrow('the device is lost');
    snapshots.clear();
    expect(CountedTensor.alive).toBe(before);
  });
});
