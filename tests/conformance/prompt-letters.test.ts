/**
 * What a person, a file or a tool writes never becomes a control token, for each family: its template, its tokens, its way
 * with calls.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TOOL_SCHEMAS } from '../../src/core/tools/run-tool';
import type { PromptMessage } from '../../src/core/chat/prompt-message';
import { thinkFormatOf } from '../../src/models/think-format';
import { buildPrompt, templateMessages } from '../../workers/prompt';
import { createTokenizer } from '../../workers/runtime/hub';
import { toolTurnIds } from '../../workers/turn/tool-turn';
import { microModels } from './micro-models';

interface Texts {
  readonly system: string;
  readonly question: string;
  readonly before: string;
  readonly argument: string;
  readonly result: string;
  readonly answer: string;
  readonly thought: string;
}

const HARMLESS: Texts = {
  system: 'x.',
  question: 'x.',
  before: 'x.',
  argument: 'x.',
  result: 'x.',
  answer: 'x.',
  thought: 'x.',
};

const TOOLS = [TOOL_SCHEMAS.calculator];

describe.each(microModels().map((model) => [model.family, model.id, model] as const))(
  '%s: %s',
  (_, __, { files }) => {
    const text = (path: string): string => new TextDecoder().decode(files.get(path));
    const json = JSON.parse(text('tokenizer.json')) as {
      added_tokens: readonly { id: number; content: string }[];
    };
    const config = JSON.parse(text('tokenizer_config.json')) as object;
    const jinja = text('chat_template.jinja');
    const tokenizer = createTokenizer(
      json,
      jinja === '' ? config : { ...config, chat_template: jinja },
    );
    const format = thinkFormatOf((token) => tokenizer.idOf(token), [], tokenizer.adapter);
    const control = json.added_tokens.map(({ content }) => content);
    const ids = new Set(json.added_tokens.map(({ id }) => id));
    const controlOf = (prompt: readonly number[]): readonly number[] =>
      prompt.filter((id) => ids.has(id));

    const word = fc
      .array(
        fc.oneof(
          fc.constantFrom(...control),
          fc.constantFrom(...control).map((token) => token.slice(0, -1)),
          fc.constantFrom(...control).map((token) => token.slice(1)),
          fc.constantFrom('<tool_response>', '</tool_response>', '\n', ' ', '<', 'system\n'),
          fc.string({ maxLength: 5 }),
        ),
        { minLength: 1, maxLength: 8 },
      )
      .map((pieces) => `${pieces.join('')}.`);
    const conversation: fc.Arbitrary<Texts> = fc.record({
      system: word,
      question: word,
      before: word,
      argument: word,
      result: word,
      answer: word,
      thought: word,
    });
    const messagesOf = (texts: Texts): PromptMessage[] => [
      { role: 'system', content: texts.system },
      { role: 'user', content: texts.question },
      {
        role: 'assistant',
        content: texts.before,
        thought: texts.thought,
        toolCalls: [{ name: 'calculator', arguments: { expression: texts.argument } }],
      },
      { role: 'tool', content: texts.result },
      { role: 'assistant', content: texts.answer },
      { role: 'user', content: texts.question },
    ];
    it.each([true, false])('in a prompt, thinking %s', (enableThinking) => {
      const promptOf = (texts: Texts, goesOn: boolean): readonly number[] =>
        buildPrompt(tokenizer, format, {
          messages: messagesOf(texts),
          tools: TOOLS,
          enableThinking,
          ...(goesOn ? { continueFrom: { thought: texts.thought, answer: texts.answer } } : {}),
        }).ids;
      const own = [true, false].map((goesOn) => controlOf(promptOf(HARMLESS, goesOn)));
      fc.assert(
        fc.property(conversation, fc.boolean(), (texts, goesOn) => {
          expect(controlOf(promptOf(texts, goesOn))).toEqual(own[goesOn ? 0 : 1]);
        }),
        { numRuns: 25 },
      );
    });

    it('in what it reads of a tool', () => {
      const turnOf = (texts: Texts): readonly number[] =>
        toolTurnIds(tokenizer, templateMessages(messagesOf(texts).slice(0, 3)), [texts.result], {
          tools: TOOLS,
          enableThinking: true,
          endIds: format.endIds,
        });
      const own = controlOf(turnOf(HARMLESS));
      fc.assert(
        fc.property(conversation, (texts) => {
          expect(controlOf(turnOf(texts))).toEqual(own);
        }),
        { numRuns: 25 },
      );
    });
  },
);
