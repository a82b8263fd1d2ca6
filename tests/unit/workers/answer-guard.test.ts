import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../../src/core/json-schema/read-schema';
import type { ThinkFormat } from '../../../src/models/think-format';
import type { EngineEvent, GenerateRequest } from '../../../src/protocol/engine-api';
import { runGeneration, type GenerationOutcome } from '../../../workers/generate-loop';
import type { ChatTokenizer } from '../../../workers/runtime/hub';
import { SnapshotCache } from '../../../workers/runtime/snapshots';
import { satisfies } from '../core/json-schema/schemas';
import { microChat, requestOf } from './model-host';
import { ScriptedModel } from './scripted-model';

const CITY: JsonSchema = {
  type: 'object',
  properties: {
    city: { type: 'string', maxLength: 20 },
    people: { type: 'integer', minimum: 0, maximum: 40_000_000 },
    tags: { type: 'array', items: { enum: ['port', 'capital', 'old'] }, maxItems: 3 },
  },
  required: ['city', 'people'],
  additionalProperties: false,
};

/** Draws by the logits alone, so that a model without a wish writes by chance. */
const BY_CHANCE = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

let tokenizer: ChatTokenizer;
let format: ThinkFormat;
const snapshots = new SnapshotCache();

beforeAll(async () => {
  ({ tokenizer, format } = await microChat());
});

afterEach(() => snapshots.clear());

interface Written {
  readonly outcome: GenerationOutcome;
  readonly thought: string;
  readonly answer: string;
  readonly read: readonly number[];
}

/** A reply of a model that wants to say `script` and then nothing in particular. */
async function write(script: string, changes: Partial<GenerateRequest>): Promise<Written> {
  snapshots.clear();
  const queue = tokenizer.encode(script);
  let at = 0;
  let expected = -1;
  const model = new ScriptedModel(4096, (read) => {
    // Goes on only when what it wanted was drawn.
    if (read.at(-1) === expected) at += 1;
    expected = queue[at] ?? 0;
    return expected;
  });
  const events: EngineEvent[] = [];
  const outcome = await runGeneration(
    {
      session: model,
      tokenizer,
      format,
      snapshots,
      spec: {
        name: 'script',
        modelType: 'nemotron_h',
        hiddenSize: 8,
        vocabSize: 4096,
        maxPositions: 600,
        layers: [],
        eosTokenIds: [],
      },
    },
    requestOf({ answerSchema: CITY, maxAnswerTokens: 80, ...changes }),
    { stopped: false, answerNow: false },
    {
      emit: (event) => events.push(event),
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
      now: () => new Date(),
    },
  );
  const textOf = (channel: string): string =>
    events
      .map((event) => (event.type === 'token' && event.channel === channel ? event.text : ''))
      .join('');
  return {
    outcome,
    thought: textOf('thought'),
    answer: textOf('answer'),
    read: model.steps.flat(),
  };
}

describe('an answer that is held to a schema', () => {
  it('leaves the thought free and says what the model wants where the schema lets it', async () => {
    const { thought, answer, outcome } = await write(
      'A port {of course}.\n</think>\n{"city": "Lima", "people": 11000000}<|im_end|>',
      { thinkingLimit: 64 },
    );
    expect(thought.trim()).toBe('A port {of course}.');
    expect(JSON.parse(answer)).toEqual({ city: 'Lima', people: 11_000_000 });
    expect(outcome.finish).toBe('end');
  });

  it('satisfies it whatever the model wants, and however few tokens there are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(10_000),
        fc.integer({ min: 24, max: 90 }),
        fc.constantFrom(
          'Sure! Here it is: ```json',
          '{"people": 1',
          '[[[[[[[[[[[[',
          '{"city": "' + 'x'.repeat(90),
        ),
        async (seed, maxAnswerTokens, script) => {
          const { answer, outcome } = await write(script, {
            thinkingLimit: 0,
            maxAnswerTokens,
            sampling: { ...BY_CHANCE, seed },
          });
          expect(satisfies(CITY, JSON.parse(answer))).toBe(true);
          expect(outcome.finish).toBe('end');
        },
      ),
      { numRuns: 25 },
    );
  });

  it('goes on with what was begun, and refuses a beginning of another form', async () => {
    const begun = '{"city": "Li';
    const { answer } = await write('ma", "people": 3}<|im_end|>', {
      continueFrom: { thought: null, answer: begun },
    });
    expect(JSON.parse(begun + answer)).toEqual({ city: 'Lima', people: 3 });
    await expect(
      write('', { continueFrom: { thought: null, answer: 'Lima is' } }),
    ).rejects.toMatchObject({ code: 'schema' });
  });

  it('says so where too few tokens are allowed for any answer of its form', async () => {
    await expect(write('', { thinkingLimit: 0, maxAnswerTokens: 4 })).rejects.toMatchObject({
      code: 'schema',
      message: expect.stringContaining('takes up to') as unknown,
    });
  });

  it('offers no tools, whose calls would be no answer of its form', async () => {
    const plain = await write('x', { thinkingLimit: 0 });
    const offered = await write('x', { thinkingLimit: 0, tools: ['calculator'] });
    expect(offered.read).toEqual(plain.read);
  });
});
