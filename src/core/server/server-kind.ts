/**
 * Owns what is known of each kind of OpenAI-compatible server: how it is told apart, which fields it takes, how its
 * thought can be ended and gone on from, and what a person does when this page is not let in. Facts only; no request.
 *
 * Sources, read 2026-11-28: llama.cpp tools/server/README.md and PR 25655 (--cors-origins); vLLM PR 57830 and its
 * reasoning and tokenizer pages; docs.sglang.io thinking_budget; Ollama's OpenAI page and FAQ (OLLAMA_ORIGINS);
 * lmstudio.ai docs, server settings; NIM "Thinking Budget Control"; transformers 5.24 cli/serve.py.
 */
import { SERVER_KINDS, type ServerKind } from './server-names';

export type { ServerKind };

/**
 * How a reply goes on from a thought that was closed here: its prompt written by the server's own template
 * (`template`: llama.cpp's /apply-template; `tokenize`: vLLM's /tokenize and /detokenize) or by the model's published
 * one (`published`), then sent to /v1/completions; as the beginning of the assistant's message (`prefill`); or asked
 * again with thinking off (`again`), where the thought is not read.
 */
export type ClosingWay = 'template' | 'tokenize' | 'published' | 'prefill' | 'again';

/** The name under which a server takes a limit of its own; null where it has none. */
export type BudgetField = 'thinking_budget_tokens' | 'thinking_token_budget' | 'nvext';

export interface ServerTraits {
  /** As people call it. */
  readonly name: string;
  /** Port it listens on by default, for a guess when nothing answers. */
  readonly ports: readonly number[];
  readonly budget: BudgetField | null;
  /** In the order in which they are tried. */
  readonly ways: readonly ClosingWay[];
  /** How thinking is switched off: by a variable of the template, or by an effort of `none`. */
  readonly thinkingOff: 'template' | 'effort' | null;
  /** Sampling fields beside temperature, top_p and seed. */
  readonly samplers: 'llama.cpp' | 'vllm' | 'lm-studio' | null;
  /** Words of `reasoning_effort`; empty where the server has none. */
  readonly efforts: readonly string[];
  /** How a count of tokens comes with each chunk. */
  readonly counts: 'usage' | 'timings' | 'ids' | null;
  readonly hasLogprobs: boolean;
  /** Fields that this server refuses or warns about when they are sent. */
  readonly refuses: readonly string[];
  /** Most tokens asked for where there is no limit; null: the field is left out. */
  readonly unlimitedTokens: number | null;
  /** How it is told to let this page in; `origin` is the page's. */
  readonly letIn: (origin: string) => string;
  /** How it is started. */
  readonly start: string;
}

const EFFORTS = ['low', 'medium', 'high'] as const;

export const SERVER_TRAITS: Readonly<Record<ServerKind, ServerTraits>> = {
  'llama.cpp': {
    name: 'llama.cpp',
    ports: [8080, 9931],
    budget: 'thinking_budget_tokens',
    ways: ['template', 'prefill', 'again'],
    thinkingOff: 'template',
    samplers: 'llama.cpp',
    efforts: EFFORTS,
    counts: 'timings',
    hasLogprobs: true,
    refuses: [],
    unlimitedTokens: null,
    letIn: (origin) =>
      `Start it with --cors-origins ${origin} (or without that flag: by default any page may ask).`,
    start: 'llama-server -m MODEL.gguf --jinja',
  },
  ollama: {
    name: 'Ollama',
    ports: [11434],
    budget: null,
    ways: ['prefill', 'again'],
    thinkingOff: 'effort',
    samplers: null,
    efforts: EFFORTS,
    counts: null,
    hasLogprobs: true,
    refuses: [],
    unlimitedTokens: null,
    letIn: (origin) => `Start it with OLLAMA_ORIGINS=${origin} in its environment, then try again.`,
    start: 'ollama serve',
  },
  'lm-studio': {
    name: 'LM Studio',
    ports: [1234],
    budget: null,
    ways: ['prefill', 'again'],
    thinkingOff: 'effort',
    samplers: 'lm-studio',
    efforts: EFFORTS,
    counts: null,
    hasLogprobs: false,
    refuses: [],
    unlimitedTokens: null,
    letIn: () =>
      'Switch “Enable CORS” on in its server settings (Developer), or run: lms server start --cors',
    start: 'lms server start --cors',
  },
  vllm: {
    name: 'vLLM',
    ports: [8000],
    budget: 'thinking_token_budget',
    ways: ['tokenize', 'prefill', 'again'],
    thinkingOff: 'template',
    samplers: 'vllm',
    efforts: EFFORTS,
    counts: 'usage',
    hasLogprobs: true,
    refuses: [],
    unlimitedTokens: null,
    letIn: (origin) => `Start it with --allowed-origins '["${origin}"]'`,
    start: 'vllm serve MODEL --reasoning-parser PARSER',
  },
  sglang: {
    name: 'SGLang',
    ports: [30000],
    budget: null,
    ways: ['prefill', 'again'],
    thinkingOff: 'template',
    samplers: 'vllm',
    efforts: EFFORTS,
    counts: 'usage',
    hasLogprobs: true,
    refuses: [],
    unlimitedTokens: null,
    letIn: () =>
      'By default it lets any page in, so look for a proxy before it that takes the header Access-Control-Allow-Origin away.',
    start: 'python -m sglang.launch_server --model-path MODEL --reasoning-parser PARSER',
  },
  nim: {
    name: 'NVIDIA NIM',
    ports: [8000],
    budget: 'nvext',
    ways: ['prefill', 'again'],
    thinkingOff: 'template',
    samplers: null,
    efforts: EFFORTS,
    counts: 'usage',
    hasLogprobs: true,
    refuses: [],
    unlimitedTokens: null,
    letIn: (origin) =>
      `Put a proxy before it that answers with Access-Control-Allow-Origin: ${origin} and allows the headers Authorization and Content-Type.`,
    start: 'docker run … nvcr.io/nim/…',
  },
  transformers: {
    name: 'transformers serve',
    ports: [8000],
    budget: null,
    ways: ['published', 'again'],
    thinkingOff: 'template',
    samplers: null,
    efforts: [],
    counts: null,
    hasLogprobs: false,
    refuses: ['stream_options', 'logprobs', 'top_logprobs', 'reasoning_effort'],
    // Without the field it stops after 1,024.
    unlimitedTokens: 8192,
    letIn: () => 'Start it with --enable-cors',
    start: 'transformers serve MODEL --enable-cors',
  },
  other: {
    name: 'an OpenAI-compatible server',
    ports: [],
    budget: null,
    ways: ['prefill', 'again'],
    thinkingOff: null,
    samplers: null,
    efforts: ['minimal', ...EFFORTS],
    counts: null,
    hasLogprobs: false,
    refuses: [],
    unlimitedTokens: null,
    letIn: (origin) =>
      `It must answer with Access-Control-Allow-Origin: ${origin} and allow the headers Authorization and Content-Type.`,
    start: '',
  },
  browser: {
    name: 'the browser’s own model',
    ports: [],
    budget: null,
    ways: ['prefill', 'again'],
    thinkingOff: null,
    samplers: null,
    efforts: [],
    counts: null,
    hasLogprobs: false,
    // Pages set none of these, and give it no tools that are not theirs to run.
    refuses: ['tools', 'seed', 'top_p', 'temperature', 'stream_options'],
    unlimitedTokens: null,
    letIn: () => '',
    start: '',
  },
};

/** The kinds that listen on this port by default, as a guess before anything has answered. */
export function kindsOfPort(port: number): readonly ServerKind[] {
  return SERVER_KINDS.filter((kind) => SERVER_TRAITS[kind].ports.includes(port));
}
