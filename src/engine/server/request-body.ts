/** Owns the bodies of the questions to a server: messages, sampling and limits in the words of its kind. No network. */
import type { PromptMessage } from '../../core/chat/prompt-message';
import type { SamplingSettings } from '../../core/sampling/sampler';
import type { JsonSchema } from '../../core/json-schema/read-schema';
import { SERVER_TRAITS, type ServerKind } from '../../core/server/server-kind';
import type { ServerTarget } from '../../core/server/server-target';
import { TOOL_SCHEMAS, type ToolName } from '../../core/tools/run-tool';

type Body = Record<string, unknown>;

/** Fields that a server may not know; one that it names in a refusal is left out from then on. */
export const OPTIONAL_FIELDS = [
  'thinking_budget_tokens',
  'thinking_token_budget',
  'nvext',
  'chat_template_kwargs',
  'reasoning_effort',
  'stream_options',
  'timings_per_token',
  'return_progress',
  'logprobs',
  'top_logprobs',
  'top_k',
  'min_p',
  'repeat_penalty',
  'repetition_penalty',
  'seed',
  'tools',
  'response_format',
  'json_schema',
  'structured_outputs',
] as const;

/** Messages as OpenAI writes them. Arguments of calls as JSON text, or as objects for a template that is written here. */
export function chatMessages(
  messages: readonly PromptMessage[],
  form: 'wire' | 'template',
): readonly Body[] {
  let calls = 0;
  let answered = 0;
  return messages.map((message): Body => {
    if (message.role === 'tool') {
      answered += 1;
      return { role: 'tool', tool_call_id: `call_${answered}`, content: message.content };
    }
    if (message.role !== 'assistant' || message.toolCalls === undefined)
      return { role: message.role, content: message.content };
    return {
      role: 'assistant',
      content: message.content,
      ...(message.thought === undefined ? {} : { reasoning_content: message.thought }),
      tool_calls: message.toolCalls.map(({ name, arguments: given }) => {
        calls += 1;
        const values = form === 'wire' ? JSON.stringify(given) : given;
        return { id: `call_${calls}`, type: 'function', function: { name, arguments: values } };
      }),
    };
  });
}

/** The variables of a template that switch thinking on or off; models differ in the name. */
export function templateVariables(thinks: boolean): Body {
  return { enable_thinking: thinks, thinking: thinks };
}

function samplingFields(kind: ServerKind, sampling: SamplingSettings): Body {
  const { temperature, topK, topP, minP, repetitionPenalty, seed } = sampling;
  const common = { temperature, top_p: topP, seed };
  switch (SERVER_TRAITS[kind].samplers) {
    case 'llama.cpp':
      return { ...common, top_k: topK, min_p: minP, repeat_penalty: repetitionPenalty };
    case 'lm-studio':
      return {
        ...common,
        ...(topK > 0 ? { top_k: topK } : {}),
        min_p: minP,
        repeat_penalty: repetitionPenalty,
      };
    case 'vllm':
      // Zero is no number of tokens there; without the field all are drawn from.
      return {
        ...common,
        ...(topK > 0 ? { top_k: topK } : {}),
        min_p: minP,
        repetition_penalty: repetitionPenalty,
      };
    case null:
      return common;
  }
}

/** How tokens are to be counted and what is to be told of them, at both endpoints. */
function reportFields(kind: ServerKind, candidates: number): Body {
  const { counts, hasLogprobs } = SERVER_TRAITS[kind];
  return {
    stream: true,
    ...(counts === 'usage'
      ? { stream_options: { include_usage: true, continuous_usage_stats: true } }
      : { stream_options: { include_usage: true } }),
    ...(counts === 'timings' ? { timings_per_token: true, return_progress: true } : {}),
    ...(candidates > 0 && hasLogprobs ? { logprobs: true, top_logprobs: candidates } : {}),
  };
}

export interface AskSettings {
  readonly target: ServerTarget;
  readonly sampling: SamplingSettings;
  readonly stopStrings: readonly string[];
  readonly maxTokens: number | null;
  readonly candidates: number;
  /** JSON schema of the answer; absent: any text. */
  readonly answerSchema?: JsonSchema;
}

function commonFields({ target, sampling, stopStrings, maxTokens, candidates }: AskSettings): Body {
  const { kind, model } = target;
  return {
    model,
    ...samplingFields(kind, sampling),
    ...reportFields(kind, candidates),
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    ...(stopStrings.length > 0 ? { stop: stopStrings } : {}),
  };
}

export interface ChatQuestion {
  readonly messages: readonly Body[];
  readonly tools: readonly ToolName[];
  readonly thinks: boolean;
  /** Tokens after which the server's own limit closes the thought; null: none is sent. */
  readonly budget: number | null;
  /** The last message is the assistant's and goes on. */
  readonly isPrefilled: boolean;
}

/** Body of `/v1/chat/completions`. */
export function chatBody(settings: AskSettings, question: ChatQuestion): Body {
  const { kind, effort } = settings.target;
  const traits = SERVER_TRAITS[kind];
  const { messages, tools, thinks, budget, isPrefilled } = question;
  const off = thinks ? null : traits.thinkingOff;
  const body: Body = {
    ...commonFields(settings),
    ...(settings.answerSchema === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema',
            json_schema: { name: 'answer', strict: true, schema: settings.answerSchema },
          },
        }),
    messages,
    ...(tools.length > 0 ? { tools: tools.map((name) => TOOL_SCHEMAS[name]) } : {}),
    ...(traits.thinkingOff === 'template'
      ? { chat_template_kwargs: templateVariables(thinks) }
      : {}),
    ...(off === 'effort'
      ? { reasoning_effort: 'none' }
      : thinks && effort !== null
        ? { reasoning_effort: effort }
        : {}),
    ...(isPrefilled && (kind === 'vllm' || kind === 'sglang')
      ? { add_generation_prompt: false, continue_final_message: true }
      : {}),
  };
  if (budget !== null && traits.budget !== null) {
    if (traits.budget === 'nvext') body['nvext'] = { max_thinking_tokens: budget };
    else body[traits.budget] = budget;
  }
  return withoutFields(body, traits.refuses);
}

/** Body of `/v1/completions`. */
export function promptBody(settings: AskSettings, prompt: string): Body {
  const { kind } = settings.target;
  const { candidates } = settings;
  const { refuses, hasLogprobs } = SERVER_TRAITS[kind];
  const body: Body = { ...commonFields(settings), prompt };
  // There a number of candidates stands where the chat has a switch.
  if (candidates > 0 && hasLogprobs) {
    delete body['top_logprobs'];
    body['logprobs'] = candidates;
  }
  // This endpoint has no `response_format`; two servers have a word of their own.
  if (settings.answerSchema !== undefined && kind === 'llama.cpp')
    body['json_schema'] = settings.answerSchema;
  if (settings.answerSchema !== undefined && kind === 'vllm')
    body['structured_outputs'] = { json: settings.answerSchema };
  // The template has written them already.
  if (kind === 'vllm') body['add_special_tokens'] = false;
  return withoutFields(body, refuses);
}

export function withoutFields(body: Body, names: Iterable<string>): Body {
  const left = new Set(names);
  return Object.fromEntries(Object.entries(body).filter(([name]) => !left.has(name)));
}
