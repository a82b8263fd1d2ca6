/**
 * Owns the shapes in which OpenAI-compatible servers send a reply: one chunk of a stream, or the whole of it at once,
 * of `/v1/chat/completions` and of `/v1/completions`. Never throws on what a server wrote; owns no order of events.
 *
 * Sources, read 2026-11-28: llama.cpp tools/server/README.md (timings, prompt_progress), vLLM's and SGLang's
 * documentation (`reasoning`, formerly `reasoning_content`; usage in every chunk), Ollama's OpenAI page (`reasoning`),
 * transformers 5.24 cli/serving (`reasoning_content`, `{"error": …}` in the stream), OpenAI's own log-probabilities.
 */

interface CallPart {
  readonly index: number;
  /** '' where only arguments go on. */
  readonly name: string;
  readonly arguments: string;
}

export interface ChunkCandidate {
  readonly text: string;
  readonly probability: number;
  /** -1 where the server names no ids. */
  readonly id: number;
}

interface ChunkToken extends ChunkCandidate {
  /** The likeliest tokens of this place, this one mostly among them. */
  readonly candidates: readonly ChunkCandidate[];
}

interface ChunkUsage {
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
}

/** llama.cpp's own clock; milliseconds. */
interface ChunkTimings {
  readonly promptMs: number | null;
  readonly predictedMs: number | null;
  readonly predictedTokens: number | null;
}

export interface Chunk {
  readonly thought: string;
  readonly answer: string;
  readonly calls: readonly CallPart[];
  /** Why the server ended; null while it goes on. */
  readonly finish: string | null;
  readonly usage: ChunkUsage | null;
  readonly timings: ChunkTimings | null;
  readonly progress: {
    readonly done: number;
    readonly total: number;
    readonly reused: number;
  } | null;
  readonly tokens: readonly ChunkToken[];
  /** Tokens of this chunk where the server names their ids; else null. */
  readonly tokenCount: number | null;
  /** What went wrong on the server after it had begun to answer. */
  readonly error: string | null;
}

type Json = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

/** Text of an error in any of the shapes in use: a string, `{message}`, `{detail}`, `{error: …}`; '' for none. */
export function errorText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value))
    return value
      .map(errorText)
      .filter((text) => text !== '')
      .join('; ');
  if (typeof value !== 'object' || value === null) return '';
  const fields = objectOf(value);
  for (const key of ['error', 'message', 'detail', 'msg', 'title']) {
    const text = errorText(fields[key]);
    if (text !== '') return text;
  }
  return '';
}

function readCandidate(value: unknown): ChunkCandidate | null {
  const { token, logprob, id } = objectOf(value);
  if (typeof token !== 'string' || typeof logprob !== 'number') return null;
  return { text: token, probability: Math.exp(Math.min(0, logprob)), id: countOf(id) ?? -1 };
}

function readTokens(logprobs: unknown): readonly ChunkToken[] {
  const fields = objectOf(logprobs);
  const rows = [...listOf(fields['content']), ...listOf(fields['reasoning_content'])];
  const chat = rows.flatMap((row): ChunkToken[] => {
    const token = readCandidate(row);
    if (token === null) return [];
    const candidates = listOf(objectOf(row)['top_logprobs']).map(readCandidate);
    return [{ ...token, candidates: candidates.filter((one) => one !== null) }];
  });
  if (chat.length > 0) return chat;
  // The older shape, of /v1/completions: lists side by side.
  const tops = listOf(fields['top_logprobs']);
  const sums = listOf(fields['token_logprobs']);
  return listOf(fields['tokens']).flatMap((token, at): ChunkToken[] => {
    const own = readCandidate({ token, logprob: sums[at] });
    if (own === null) return [];
    const candidates = Object.entries(objectOf(tops[at])).map(([text, logprob]) =>
      readCandidate({ token: text, logprob }),
    );
    return [{ ...own, candidates: candidates.filter((one) => one !== null) }];
  });
}

function readUsage(value: unknown): ChunkUsage | null {
  if (value === null || value === undefined) return null;
  const usage = objectOf(value);
  return {
    promptTokens: countOf(usage['prompt_tokens']),
    cachedTokens: countOf(objectOf(usage['prompt_tokens_details'])['cached_tokens']),
    completionTokens: countOf(usage['completion_tokens']),
  };
}

function readTimings(value: unknown): ChunkTimings | null {
  if (value === null || value === undefined) return null;
  const timings = objectOf(value);
  return {
    promptMs: countOf(timings['prompt_ms']),
    predictedMs: countOf(timings['predicted_ms']),
    predictedTokens: countOf(timings['predicted_n']),
  };
}

function readProgress(value: unknown): Chunk['progress'] {
  const { processed, total, cache } = objectOf(value);
  const done = countOf(processed);
  const all = countOf(total);
  return done === null || all === null ? null : { done, total: all, reused: countOf(cache) ?? 0 };
}

function readCalls(value: unknown): readonly CallPart[] {
  return listOf(value).map((call, at) => {
    const { index, function: called } = objectOf(call);
    const { name, arguments: given } = objectOf(called);
    return {
      index: countOf(index) ?? at,
      name: textOf(name),
      // Ollama gives an object where the others give its JSON.
      arguments:
        typeof given === 'object' && given !== null ? JSON.stringify(given) : textOf(given),
    };
  });
}

/** One chunk, or a whole reply (`message` in place of `delta`); fields that are not as they should be count as absent. */
export function readChunk(value: unknown): Chunk {
  const chunk = objectOf(value);
  const choice = objectOf(listOf(chunk['choices'])[0]);
  const delta = objectOf(choice['delta'] ?? choice['message']);
  const ids = choice['token_ids'];
  const error = errorText(chunk['error']);
  return {
    thought: textOf(delta['reasoning_content']) || textOf(delta['reasoning']),
    answer: textOf(delta['content']) || textOf(choice['text']),
    calls: readCalls(delta['tool_calls']),
    finish: typeof choice['finish_reason'] === 'string' ? choice['finish_reason'] : null,
    usage: readUsage(chunk['usage']),
    timings: readTimings(chunk['timings']),
    progress: readProgress(chunk['prompt_progress']),
    tokens: readTokens(choice['logprobs']),
    tokenCount: Array.isArray(ids) ? ids.length : null,
    error: error === '' ? null : error,
  };
}

/** The JSON of one event; null where it is none. */
export function parseChunk(data: string): Chunk | null {
  try {
    return readChunk(JSON.parse(data));
  } catch {
    return null;
  }
}
