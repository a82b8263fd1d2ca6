/**
 * A model server without a model, for unit and browser tests: replays what each kind of OpenAI-compatible server sends,
 * as its documentation has it (sources in src/core/server/server-kind.ts), from one script of a thought and an answer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ServerKind } from '../src/core/server/server-kind';

export interface FakeScript {
  /** Tokens. */
  readonly thought: readonly string[];
  readonly answer: readonly string[];
  /** A tool that the model asks for after its first thought. */
  readonly call?: { readonly name: string; readonly arguments: string };
}

export interface FakeOptions {
  readonly kind: ServerKind;
  readonly script: FakeScript;
  readonly key?: string;
  readonly paceMs?: number;
  /** Before the first token. */
  readonly delayMs?: number;
  readonly isClosedToPages?: boolean;
  /** The thought comes inline, between its tags. */
  readonly isInline?: boolean;
  /** `stream` is ignored. */
  readonly isUnstreamed?: boolean;
  /** The budget field is refused, as vLLM does without --reasoning-config. */
  readonly hasNoBudget?: boolean;
  /** The budget field is passed over in silence. */
  readonly ignoresBudget?: boolean;
  /** A last message of the assistant's is taken for finished, and a new thought begun. */
  readonly ignoresPrefill?: boolean;
  /** Thinks whatever it is told. */
  readonly alwaysThinks?: boolean;
  /** The connection breaks after so many tokens of the first reply. */
  readonly breaksAfter?: number;
  /** Ends the first stream with an error of its own after so many tokens. */
  readonly failsAfter?: number;
  /** Answers every question for a reply with this. */
  readonly refuses?: { readonly status: number; readonly body: unknown };
}

export interface FakeLlmServer {
  readonly url: string;
  /** Bodies of the questions, in order. */
  readonly asked: { readonly path: string; readonly body: Record<string, unknown> }[];
  /** Connections that the page has ended before the reply was. */
  readonly aborted: () => number;
  close(): Promise<void>;
}

const MODEL = 'fake/thinker-1b';
const OWNERS: Readonly<Record<ServerKind, string>> = {
  'llama.cpp': 'llamacpp',
  ollama: 'library',
  'lm-studio': 'organization_owner',
  vllm: 'vllm',
  sglang: 'sglang',
  nim: 'vllm',
  transformers: 'fake',
  other: 'someone',
  browser: 'nobody',
};

/** Prompts as this fake's template writes them. */
function writePrompt(messages: readonly { role: string; content: string }[]): string {
  return `${messages.map(({ role, content }) => `[${role}]${content}`).join('')}[assistant]<think>\n`;
}

/** What to write for a prompt or a prefilled message that ends in `text`. */
function goOn(text: string, script: FakeScript): { thought: string[]; answer: string[] } {
  const close = text.lastIndexOf('</think>');
  if (close >= 0) {
    const given = text.slice(close + '</think>'.length).trimStart();
    return { thought: [], answer: rest(script.answer, given) };
  }
  return {
    thought: rest(script.thought, text.slice(text.lastIndexOf('<think>') + 7).trimStart()),
    answer: [...script.answer],
  };
}

function rest(tokens: readonly string[], given: string): string[] {
  let read = '';
  let at = 0;
  while (at < tokens.length && given.startsWith(read + (tokens[at] ?? ''))) {
    read += tokens[at] ?? '';
    at += 1;
  }
  return tokens.slice(at);
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Fake {
  readonly asked: FakeLlmServer['asked'] = [];
  aborted = 0;
  #replies = 0;

  constructor(readonly options: FakeOptions) {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { kind, key, isClosedToPages } = this.options;
    const { origin } = request.headers;
    if (isClosedToPages !== true && origin !== undefined) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Allow-Headers', 'authorization, content-type');
    }
    if (request.method === 'OPTIONS') {
      response.writeHead(isClosedToPages === true ? 405 : 204).end();
      return;
    }
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const send = (value: unknown, status = 200): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    };
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
      send({ error: { message: 'Invalid API Key' } }, 401);
      return;
    }
    if (request.method === 'GET') {
      const value = this.#facts(path);
      if (value !== undefined) send(value);
      else
        send(
          { detail: 'Not Found' },
          kind === 'transformers' && path === '/load_model' ? 405 : 404,
        );
      return;
    }
    const body = await readBody(request);
    this.asked.push({ path, body });
    const messages = (body['messages'] ?? []) as { role: string; content: string }[];
    if (path === '/apply-template' && kind === 'llama.cpp') send({ prompt: writePrompt(messages) });
    else if (path === '/tokenize' && kind === 'vllm')
      send({ tokens: [...new TextEncoder().encode(writePrompt(messages))] });
    else if (path === '/detokenize' && kind === 'vllm')
      send({ prompt: new TextDecoder().decode(Uint8Array.from(body['tokens'] as number[])) });
    else if (path === '/v1/chat/completions' || (path === '/v1/completions' && kind !== 'ollama'))
      await this.#reply(path, body, messages, response, send);
    else send({ detail: 'Not Found' }, 404);
  }

  #facts(path: string): unknown {
    const { kind } = this.options;
    const entry = {
      id: MODEL,
      object: 'model',
      owned_by: OWNERS[kind],
      ...(kind === 'vllm' || kind === 'nim' || kind === 'sglang' ? { max_model_len: 4096 } : {}),
      ...(kind === 'llama.cpp' ? { meta: { n_params: 1_000_000, size: 500_000 } } : {}),
      ...(kind === 'transformers' ? { status: { value: 'loaded' } } : {}),
    };
    switch (path) {
      case '/v1/models':
        return { object: 'list', data: [entry] };
      case '/props':
        return kind === 'llama.cpp'
          ? {
              default_generation_settings: { n_ctx: 2048 },
              chat_template: "{{ '<think>\\n' }}",
              build_info: 'b9999',
            }
          : undefined;
      case '/version':
        return kind === 'vllm' ? { version: '0.22.0' } : undefined;
      case '/api/version':
        return kind === 'ollama' ? { version: '0.40.12' } : undefined;
      case '/api/v0/models':
        return kind === 'lm-studio'
          ? { data: [{ id: MODEL, state: 'loaded', max_context_length: 8192 }] }
          : undefined;
      case '/v1/metadata':
        return kind === 'nim' ? { version: '1.9.0', modelInfo: [] } : undefined;
      default:
        return undefined;
    }
  }

  async #reply(
    path: string,
    body: Record<string, unknown>,
    messages: readonly { role: string; content: string }[],
    response: ServerResponse,
    send: (value: unknown, status?: number) => void,
  ): Promise<void> {
    const { options } = this;
    const { kind, script, refuses } = options;
    if (refuses !== undefined) {
      send(refuses.body, refuses.status);
      return;
    }
    if (options.hasNoBudget === true && 'thinking_token_budget' in body) {
      send(
        {
          error: {
            message: 'thinking_token_budget is set but reasoning_config is not configured.',
          },
        },
        400,
      );
      return;
    }
    this.#replies += 1;
    const isText = path === '/v1/completions';
    const last = messages.at(-1);
    const prefix = isText
      ? String(body['prompt'])
      : last?.role === 'assistant' && options.ignoresPrefill !== true
        ? last.content
        : null;
    const variables = (body['chat_template_kwargs'] ?? {}) as { enable_thinking?: boolean };
    const isOff = variables.enable_thinking === false || body['reasoning_effort'] === 'none';
    let { thought, answer } =
      prefix === null
        ? { thought: [...script.thought], answer: [...script.answer] }
        : goOn(prefix, script);
    if (prefix === null && isOff) thought = [];
    if (options.alwaysThinks === true) thought = [...script.thought];
    thought = this.#budgeted(thought, body);
    const call = this.#replies === 1 ? script.call : undefined;
    if (call !== undefined) answer = [];
    const total = thought.length + answer.length;
    const most = typeof body['max_tokens'] === 'number' ? body['max_tokens'] : Infinity;
    if (options.isUnstreamed === true || body['stream'] !== true) {
      const whole = { thought: thought.join(''), answer: answer.join('') };
      send({
        choices: [
          { message: this.#fields(whole.thought, whole.answer, true), finish_reason: 'stop' },
        ],
        usage: { prompt_tokens: 11, completion_tokens: total },
      });
      return;
    }
    if (options.delayMs !== undefined) await pause(options.delayMs);
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const connection = { isOpen: true };
    let sent = 0;
    response.on('close', () => {
      if (connection.isOpen) this.aborted += 1;
      connection.isOpen = false;
    });
    const write = (fields: object): void => {
      response.write(`data: ${JSON.stringify(fields)}\n\n`);
    };
    const chunk = (delta: object, finish: string | null = null): object => ({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      model: MODEL,
      choices: [
        isText
          ? { index: 0, text: (delta as { content?: string }).content ?? '', finish_reason: finish }
          : { index: 0, delta, finish_reason: finish },
      ],
      ...(kind === 'llama.cpp'
        ? { timings: { predicted_n: sent, prompt_n: 11, prompt_ms: 20 } }
        : {}),
      ...(kind === 'vllm' || kind === 'sglang' || kind === 'nim'
        ? { usage: { prompt_tokens: 11, completion_tokens: sent } }
        : {}),
    });
    if (!isText) write(chunk({ role: 'assistant', content: '' }));
    if (kind === 'llama.cpp')
      write({ choices: [], prompt_progress: { processed: 11, total: 11, cache: 3 } });
    const steps = [
      ...thought.map((text, at) => ({ thought: text, isFirst: at === 0 })),
      ...answer.map((text, at) => ({ answer: text, isFirst: at === 0 })),
    ];
    for (const step of steps) {
      if (!connection.isOpen) return;
      if (this.#replies === 1 && sent === options.breaksAfter) {
        // What was written goes out first.
        await pause(20);
        response.destroy();
        return;
      }
      if (this.#replies === 1 && sent === options.failsAfter) {
        write({ error: 'CUDA error: an illegal memory access was encountered' });
        connection.isOpen = false;
        response.end();
        return;
      }
      if (sent >= most) break;
      sent += 1;
      const isThought = 'thought' in step;
      write(
        chunk(
          isThought
            ? this.#fields(step.thought, '', step.isFirst)
            : this.#closing(step, thought.length > 0),
        ),
      );
      // A turn of the event loop now and then lets the connection's end be heard.
      if (options.paceMs !== undefined) await pause(options.paceMs);
      else if (sent % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (call !== undefined) {
      const half = Math.ceil(call.arguments.length / 2);
      const part = (fields: object): object =>
        chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: fields }] });
      write(part({ name: call.name, arguments: call.arguments.slice(0, half) }));
      write(part({ arguments: call.arguments.slice(half) }));
    }
    const finish =
      call !== undefined ? 'tool_calls' : sent >= most && sent < steps.length ? 'length' : 'stop';
    write(chunk({}, finish));
    if (kind === 'llama.cpp' || kind === 'ollama')
      write({ choices: [], usage: { prompt_tokens: 11, completion_tokens: sent } });
    // transformers serve ends without it.
    if (kind !== 'transformers') response.write('data: [DONE]\n\n');
    connection.isOpen = false;
    response.end();
  }

  /** The thought as far as the server's own limit lets it come. */
  #budgeted(thought: string[], body: Record<string, unknown>): string[] {
    if (this.options.ignoresBudget === true) return thought;
    const nvext = (body['nvext'] ?? {}) as { max_thinking_tokens?: number };
    if (nvext.max_thinking_tokens !== undefined) {
      const limit = nvext.max_thinking_tokens;
      const end = thought.findIndex((text, at) => at + 1 >= limit && text.includes('\n'));
      const most = Math.ceil(limit * 1.1);
      return thought.slice(0, end >= 0 ? Math.min(end + 1, most) : most);
    }
    const budget = body['thinking_budget_tokens'] ?? body['thinking_token_budget'];
    return typeof budget === 'number' ? thought.slice(0, budget) : thought;
  }

  #fields(thought: string, answer: string, isFirst: boolean): object {
    const { kind, isInline } = this.options;
    if (isInline === true || kind === 'other') {
      const open = thought !== '' && isFirst ? '<think>' : '';
      return {
        content: `${open}${thought}${answer === '' || thought === '' ? '' : '</think>'}${answer}`,
      };
    }
    if (thought === '') return { content: answer };
    const field =
      kind === 'vllm' || kind === 'ollama' || kind === 'nim' ? 'reasoning' : 'reasoning_content';
    return answer === '' ? { [field]: thought } : { [field]: thought, content: answer };
  }

  #closing(
    { answer, isFirst }: { answer: string; isFirst: boolean },
    afterThought: boolean,
  ): object {
    const { kind, isInline } = this.options;
    const isTagged = (isInline === true || kind === 'other') && isFirst && afterThought;
    return { content: isTagged ? `</think>\n\n${answer}` : answer };
  }
}

/** Starts it on a free port of this machine. */
export async function startFakeLlmServer(options: FakeOptions, port = 0): Promise<FakeLlmServer> {
  const fake = new Fake(options);
  const server: Server = createServer((request, response) => {
    void fake.handle(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked: fake.asked,
    aborted: () => fake.aborted,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

/** The model that every fake lists. */
export const FAKE_MODEL = MODEL;
