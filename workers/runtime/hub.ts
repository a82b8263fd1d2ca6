/**
 * Owns the tokenizer and its chat template. The only import of @huggingface/transformers, of which nothing else is
 * used: weights and sessions are ours.
 */
import { env, PreTrainedTokenizer } from '@huggingface/transformers';
import { EngineError } from '../../src/core/errors';
import { pieceFormOf, type Vocabulary } from '../../src/core/text/detokeniser';
import { TOOL_CALL_FORMS } from '../../src/core/tools/tool-call';
import { chatTemplateOf } from '../../src/models/chat-template';
import { adapterOf, finishPrompt, type ThinkAdapter } from '../../src/models/think-adapters';
import { ControlTokens, type AddedToken } from './control-tokens';
import { lettersOf, Seams, type SeamedText } from './seamed-text';
import { strftime } from './strftime';

// The tokenizer is made from files that we fetched; should anything ever ask the library for a file, it must fail
// here and not call a hub or a CDN.
env.allowRemoteModels = false;
env.allowLocalModels = false;
env.useBrowserCache = false;
env.useWasmCache = false;
env.fetch = (input) =>
  Promise.reject(new Error(`refused to fetch ${String(input)}: models come from our own origin`));

/** A message as chat templates take it. */
export interface TemplateMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly {
    readonly type: 'function';
    readonly function: {
      readonly name: string;
      readonly arguments: Readonly<Record<string, string>>;
    };
  }[];
}

export interface TemplateTool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  };
}

export interface RenderOptions {
  readonly tools: readonly TemplateTool[];
  readonly enableThinking: boolean;
  readonly addGenerationPrompt: boolean;
}

/** Text to ids, ids to pieces, messages to text. */
export interface ChatTokenizer extends Vocabulary {
  /** Ids of `text`: control tokens written in a piece of it are recognised, in all of it where it is one string. */
  encode(text: string | SeamedText): number[];
  /** A text that is not the app's own: no part of it is a control token. */
  lettersOf(text: string): SeamedText;
  /** Id of exactly this token, or undefined. */
  idOf(token: string): number | undefined;
  /**
   * The prompt; with a generation prompt it ends inside a thought, or past an empty one, as asked. All control tokens in it
   * are the template's own, whatever stands in the messages.
   */
  render(messages: readonly TemplateMessage[], options: RenderOptions): SeamedText;
  /** How the chat template has thoughts; null where the model does not think. */
  readonly adapter: ThinkAdapter | null;
}

/** The parts of tokenizer.json that are read here. */
interface TokenizerJson {
  readonly model?: {
    /** Ids by piece, or the pieces of a Unigram model with their scores, in the order of their ids. */
    readonly vocab?: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
  };
  readonly decoder?: unknown;
  readonly added_tokens?: readonly AddedToken[];
}

/** Name under which templates find the app's own `strftime_now`: the renderer's knows a third of the codes. */
const CLOCK = 'tidepool_strftime_now';

/** The config with every template asking the app for the date. */
function withClock(tokenizerConfig: unknown): Readonly<Record<string, unknown>> {
  const config = (tokenizerConfig ?? {}) as Readonly<Record<string, unknown>>;
  const rename = (template: unknown): unknown =>
    typeof template === 'string' ? template.replaceAll(/\bstrftime_now\b/g, CLOCK) : template;
  const { chat_template: own } = config;
  return {
    ...config,
    chat_template: Array.isArray(own)
      ? own.map((entry: unknown) => ({
          ...(entry as object),
          template: rename((entry as { template?: unknown } | null)?.template),
        }))
      : rename(own),
  };
}

/**
 * Makes a tokenizer from the contents of tokenizer.json and tokenizer_config.json; EngineError `model-corrupt`. Ids below
 * `vocabSize` that the files do not name stand for nothing: models pad their vocabulary.
 */
export function createTokenizer(
  tokenizerJson: unknown,
  tokenizerConfig: unknown,
  vocabSize = 0,
): ChatTokenizer {
  const json = tokenizerJson as TokenizerJson | null;
  const listed = json?.model?.vocab;
  if (typeof listed !== 'object') {
    throw new EngineError(
      'model-corrupt',
      'tokenizer.json has no vocabulary.',
      'Package the model anew with its tokenizer.',
    );
  }
  let tokenizer: PreTrainedTokenizer;
  try {
    tokenizer = new PreTrainedTokenizer(tokenizerJson, withClock(tokenizerConfig));
  } catch (cause) {
    throw new EngineError(
      'model-corrupt',
      'tokenizer.json or tokenizer_config.json cannot be used.',
      'Package the model anew with its tokenizer.',
      { cause },
    );
  }
  const pieces: string[] = [];
  const vocab: ReadonlyMap<string, number> = new Map(
    Array.isArray(listed)
      ? (listed as readonly (readonly [string, number])[]).map(([piece], id) => [piece, id])
      : Object.entries(listed as Readonly<Record<string, number>>),
  );
  for (const [piece, id] of vocab) pieces[id] = piece;
  const added = new Map<string, number>();
  const addedIds = new Set<number>();
  for (const { id, content } of json?.added_tokens ?? []) {
    pieces[id] = content;
    added.set(content, id);
    addedIds.add(id);
  }
  const template = chatTemplateOf(null, tokenizerConfig) ?? '';
  const idOf = (token: string): number | undefined => added.get(token) ?? vocab.get(token);
  const adapter = adapterOf(template, (token) => idOf(token) !== undefined);
  // Some templates (LFM2, LFM2.5 Instruct) leave out the calls of earlier turns: there the text of the call stands in
  // its turn.
  const writesCalls = template.includes('tool_calls');
  const callForm = TOOL_CALL_FORMS.find(
    ({ open, close }) => idOf(open) !== undefined && idOf(close) !== undefined,
  );
  const withCalls = (message: TemplateMessage): TemplateMessage => {
    const calls = message.tool_calls?.map((call) => call.function) ?? [];
    return writesCalls || callForm === undefined || calls.length === 0
      ? message
      : { ...message, content: message.content + callForm.write(calls) };
  };
  const encode = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false });
  const control = new ControlTokens(json?.added_tokens ?? [], encode);
  return {
    form: pieceFormOf(json?.decoder),
    pieceOf: (id) => pieces[id] ?? (id >= 0 && id < vocabSize ? '' : undefined),
    isAdded: (id) => addedIds.has(id),
    encode: (text) => (typeof text === 'string' ? encode(text) : control.encode(text)),
    lettersOf: (text) => lettersOf(text, control.firsts),
    idOf,
    adapter,
    render(messages, { tools, enableThinking, addGenerationPrompt }) {
      const options = {
        tokenize: false,
        add_generation_prompt: addGenerationPrompt,
        ...(tools.length > 0 ? { tools: [...tools] } : {}),
        // Not in the library's types: further fields reach the template as variables.
        [adapter?.variable ?? 'enable_thinking']: enableThinking,
        [CLOCK]: (format: string) => strftime(new Date(), format),
      };
      const word = adapter?.words?.[enableThinking ? 'on' : 'off'] ?? null;
      const seams = new Seams(control.firsts, messages.flatMap(textsOf));
      const sewn = messages.map((message) => sewMessage(message, (text) => seams.sew(text)));
      const rendered = tokenizer.apply_chat_template(
        withWord(sewn.map(withCalls), word),
        options,
      ) as string;
      const text = seams.cut(rendered);
      if (!addGenerationPrompt || adapter === null) return text;
      // The prompt's end is the template's own.
      return [...text.slice(0, -1), finishPrompt(text.at(-1) ?? '', adapter, enableThinking)];
    },
  };
}

/** All texts of a message that are not the template's. */
function textsOf({ content, reasoning_content, tool_calls }: TemplateMessage): readonly string[] {
  const calls = tool_calls?.map((call) => call.function) ?? [];
  return [
    content,
    reasoning_content ?? '',
    ...calls.flatMap(({ name, arguments: given }) => [name, ...Object.entries(given).flat()]),
  ];
}

function sewMessage(message: TemplateMessage, sew: (text: string) => string): TemplateMessage {
  const { content, reasoning_content, tool_calls } = message;
  return {
    ...message,
    content: sew(content),
    ...(reasoning_content === undefined ? {} : { reasoning_content: sew(reasoning_content) }),
    ...(tool_calls === undefined
      ? {}
      : {
          tool_calls: tool_calls.map(({ type, function: { name, arguments: given } }) => ({
            type,
            function: {
              name: sew(name),
              arguments: Object.fromEntries(
                Object.entries(given).map(([key, value]) => [sew(key), sew(value)]),
              ),
            },
          })),
        }),
  };
}

/** The messages with a word for the template in the system message, which is made where there is none. */
function withWord(messages: readonly TemplateMessage[], word: string | null): TemplateMessage[] {
  const [first, ...rest] = messages;
  if (word === null || first === undefined) return [...messages];
  return first.role === 'system'
    ? [{ ...first, content: `${first.content} ${word}`.trim() }, ...rest]
    : [{ role: 'system', content: word }, ...messages];
}
