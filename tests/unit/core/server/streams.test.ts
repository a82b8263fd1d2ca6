// The bytes of a server's stream mean the same however the network cuts them, and each server's shapes are read.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChunk, readChunk } from '../../../../src/core/server/chat-chunk';
import { EventStreamReader, STREAM_END } from '../../../../src/core/server/event-stream';
import { TagSplitter, type TextPiece } from '../../../../src/core/server/tag-splitter';

function readWhole(text: string, cuts: readonly number[]): readonly string[] {
  const bytes = new TextEncoder().encode(text);
  const reader = new EventStreamReader();
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const events: string[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    events.push(...reader.push(bytes.slice(from, place)));
    from = place;
  }
  return [...events, ...reader.flush()];
}

describe('server-sent events', () => {
  test.each([
    ['data: {"a":1}\n\ndata: [DONE]\n\n', ['{"a":1}', STREAM_END]],
    ['data:one\r\n\r\ndata: two\r\n\r\n', ['one', 'two']],
    ['data: one\r\rdata: two\r\r', ['one', 'two']],
    [': still here\n\nevent: chunk\nid: 4\ndata: a\ndata: b\n\n', ['a\nb']],
    ['data: no blank line after it', ['no blank line after it']],
    ['data:  a space of its own\n\n', [' a space of its own']],
    ['', []],
  ])('%j', (text, events) => {
    expect(readWhole(text, [])).toEqual(events);
  });

  test('read the same wherever the bytes are cut, in the middle of a character or of an end of line too', () => {
    const data = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .map((text) => text.replace(/[\r\n]/g, ''));
    fc.assert(
      fc.property(
        fc.array(data, { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat(), { maxLength: 12 }),
        (texts, end, cuts) => {
          const stream = texts.map((text) => `data: ${text}${end}${end}`).join('');
          expect(readWhole(stream, cuts)).toEqual(texts);
        },
      ),
    );
  });
});

describe('chunks', () => {
  const delta = (fields: object) => ({
    choices: [{ index: 0, delta: fields, finish_reason: null }],
  });

  test.each([
    ['llama.cpp, transformers', { reasoning_content: 'so' }],
    ['vLLM, Ollama', { reasoning: 'so' }],
    ['both at once', { reasoning_content: 'so', reasoning: 'so' }],
  ])('a thought as %s sends it', (_who, fields) => {
    expect(readChunk(delta(fields))).toMatchObject({ thought: 'so', answer: '' });
  });

  test('the figures of llama.cpp', () => {
    const chunk = readChunk({
      choices: [],
      usage: {
        completion_tokens: 48,
        prompt_tokens: 44,
        prompt_tokens_details: { cached_tokens: 7 },
      },
      timings: { cache_n: 7, prompt_n: 37, prompt_ms: 30.9, predicted_n: 48, predicted_ms: 661 },
    });
    expect(chunk.usage).toEqual({ promptTokens: 44, cachedTokens: 7, completionTokens: 48 });
    expect(chunk.timings).toEqual({ promptMs: 30.9, predictedMs: 661, predictedTokens: 48 });
    expect(
      readChunk({ prompt_progress: { total: 90, cache: 10, processed: 50, time_ms: 3 } }).progress,
    ).toEqual({ done: 50, total: 90, reused: 10 });
  });

  test('tool calls in parts, and whole as Ollama sends them', () => {
    const part = { index: 1, function: { arguments: '{"expr' } };
    expect(readChunk(delta({ tool_calls: [part] })).calls).toEqual([
      { index: 1, name: '', arguments: '{"expr' },
    ]);
    const whole = { function: { name: 'calculator', arguments: { expression: '1+1' } } };
    expect(readChunk(delta({ tool_calls: [whole] })).calls).toEqual([
      { index: 0, name: 'calculator', arguments: '{"expression":"1+1"}' },
    ]);
  });

  test('log-probabilities of both endpoints, as probabilities', () => {
    const top = [
      { token: 'a', logprob: 0, id: 5 },
      { token: 'b', logprob: -Infinity },
    ];
    const chat = readChunk({
      choices: [
        { delta: {}, logprobs: { content: [{ token: 'a', logprob: 0, top_logprobs: top }] } },
      ],
    });
    expect(chat.tokens).toEqual([
      {
        text: 'a',
        probability: 1,
        id: -1,
        candidates: [
          { text: 'a', probability: 1, id: 5 },
          { text: 'b', probability: 0, id: -1 },
        ],
      },
    ]);
    const text = readChunk({
      choices: [
        { text: 'a', logprobs: { tokens: ['a'], token_logprobs: [0], top_logprobs: [{ a: 0 }] } },
      ],
    });
    expect(text.tokens[0]).toMatchObject({
      text: 'a',
      probability: 1,
      candidates: [{ text: 'a' }],
    });
  });

  test.each([
    [{ error: 'CUDA out of memory' }, 'CUDA out of memory'],
    [{ error: { message: 'no slot', code: 503 } }, 'no slot'],
    [{ choices: [] }, null],
  ])('an error inside the stream: %j', (value, error) => {
    expect(readChunk(value).error).toBe(error);
  });

  test('whatever a server writes, reading it throws nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, text) => {
        readChunk(value);
        readChunk({ choices: [{ delta: value, logprobs: value, token_ids: value }], usage: value });
        parseChunk(text);
      }),
    );
  });
});

describe('thoughts inline', () => {
  function join(pieces: readonly TextPiece[]): Record<string, string> {
    const by: Record<string, string> = {};
    for (const { channel, text } of pieces) by[channel] = (by[channel] ?? '') + text;
    return by;
  }

  test.each([
    ['answer', 'plain', { answer: 'plain' }],
    ['answer', '<think>so</think>yes', { thought: 'so', answer: 'yes' }],
    ['thought', 'so</think>yes', { thought: 'so', answer: 'yes' }],
    ['thought', 'a<think>b</think>yes', { thought: 'ab', answer: 'yes' }],
    ['answer', 'yes</think> no', { answer: 'yes no' }],
    [
      'answer',
      'I<tool_call>{"name":"x"}</tool_call>.',
      { answer: 'I.', 'tool-call': '{"name":"x"}' },
    ],
    ['answer', 'a < b and <thin ice', { answer: 'a < b and <thin ice' }],
  ] as const)('from %s: %s', (start, text, parts) => {
    const splitter = new TagSplitter(start);
    expect(join([...splitter.push(text), ...splitter.flush()])).toEqual(parts);
  });

  test('are the same however the text is cut', () => {
    const word = fc.constantFrom(
      '<think>',
      '</think>',
      '<tool_call>',
      '</tool_call>',
      '<',
      'th',
      'a ',
      '</',
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.constantFrom('thought' as const, 'answer' as const),
        (words, cuts, start) => {
          const text = words.join('');
          const whole = new TagSplitter(start);
          const expected = join([...whole.push(text), ...whole.flush()]);
          const cut = new TagSplitter(start);
          const pieces: TextPiece[] = [];
          let from = 0;
          for (const at of [...cuts.map((one) => one % (text.length + 1)), text.length].sort(
            (a, b) => a - b,
          )) {
            pieces.push(...cut.push(text.slice(from, at)));
            from = at;
          }
          expect(join([...pieces, ...cut.flush()])).toEqual(expected);
        },
      ),
    );
  });
});
