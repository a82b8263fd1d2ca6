/**
 * Owns the asking of the browser's own model in the words of a server: what a page would fetch of an OpenAI-compatible
 * server is answered from here. So limit, stop, going on, figures and notices are the very ones that servers have. Nothing
 * leaves the device.
 */
import { EngineError } from '../../core/errors';
import { usageOf, type NativeMessage, type NativeModel, type NativeSession } from './native-model';

interface AskedMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

/** The part of a question that is read here. */
interface Asked {
  readonly messages: readonly AskedMessage[];
  readonly response_format?: { readonly json_schema: { readonly schema: object } };
}

export const BROWSER_MODEL = 'browser';

/** Messages as the browser takes them: one of the assistant's that stands last is the beginning of the answer. */
export function nativeMessages(messages: readonly AskedMessage[]): readonly NativeMessage[] {
  return messages.map(({ role, content }, index): NativeMessage => {
    if (role === 'tool') return { role: 'user', content: `Result: ${content}` };
    const isBegun = role === 'assistant' && index === messages.length - 1;
    return isBegun ? { role, content, prefix: true } : { role, content };
  });
}

/** What went wrong in the browser's model, as a sentence with what can be done. */
export function nativeProblem(cause: unknown): EngineError {
  const name = cause instanceof Error ? cause.name : '';
  const said = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : '';
  if (name === 'QuotaExceededError')
    return new EngineError(
      'prompt-too-long',
      `The conversation does not fit the context of the browser’s own model${said}.`,
      'Shorten the message, or start a new chat.',
      { cause },
    );
  if (name === 'NotReadableError')
    return new EngineError(
      'internal',
      `The browser held back what its model wrote${said}.`,
      'Ask in other words, or ask the model in this tab (“Answer here instead”).',
      { cause },
    );
  if (name === 'NotSupportedError')
    return new EngineError(
      'model-unsupported',
      `The browser’s own model does not do that${said}.`,
      'It may not know this language or this schema. Choose the model in this tab for it.',
      { cause },
    );
  if (name === 'NotAllowedError')
    return new EngineError(
      'model-unsupported',
      `The browser does not let this page use its model${said}.`,
      'Look into the browser’s settings for on-device AI, and click the button again: a download begins with a click only.',
      { cause },
    );
  return new EngineError(
    'internal',
    `The browser’s own model failed${said}.`,
    'Ask once more, or choose the model in this tab.',
    { cause },
  );
}

function isAbort(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AbortError';
}

/** Answers the questions that the engine for servers asks; others are 404. */
export class NativeAnswers {
  readonly #model: NativeModel;
  readonly #contextTokens: number | null;

  constructor(model: NativeModel, contextTokens: number | null) {
    this.#model = model;
    this.#contextTokens = contextTokens;
  }

  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const path = new URL(url).pathname;
    if (path === '/v1/models') {
      const window = this.#contextTokens === null ? {} : { max_model_len: this.#contextTokens };
      return Response.json({ object: 'list', data: [{ id: BROWSER_MODEL, ...window }] });
    }
    if (path !== '/v1/chat/completions') return new Response(null, { status: 404 });
    const asked = JSON.parse(
      typeof init.body === 'string' ? init.body : '{"messages":[]}',
    ) as Asked;
    const messages = nativeMessages(asked.messages);
    // The question itself, and a beginning of its answer, are asked; what was said before is told first.
    const at = messages.findLastIndex(({ role }) => role === 'user');
    const signal = init.signal ?? undefined;
    let session: NativeSession;
    try {
      session = await this.#model.create({
        initialPrompts: messages.slice(0, Math.max(0, at)),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      throw isAbort(cause) ? cause : nativeProblem(cause);
    }
    const schema = asked.response_format?.json_schema.schema;
    const answer = session.promptStreaming(messages.slice(Math.max(0, at)), {
      ...(signal === undefined ? {} : { signal }),
      ...(schema === undefined ? {} : { responseConstraint: schema }),
    });
    return new Response(eventsOf(answer, session), {
      headers: { 'Content-Type': 'text/event-stream' },
    });
  }
}

/** The answer as the events of a server; the session ends with it. */
function eventsOf(
  answer: ReadableStream<string>,
  session: NativeSession,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const line = (value: unknown): Uint8Array<ArrayBuffer> =>
    encoder.encode(`data: ${JSON.stringify(value)}\n\n`);
  const reader = answer.getReader();
  let read: number | null = null;
  return new ReadableStream({
    async pull(controller) {
      try {
        const next = await reader.read();
        if (!next.done) {
          // With its first piece all of the question has been read.
          read ??= usageOf(session);
          controller.enqueue(line({ choices: [{ index: 0, delta: { content: next.value } }] }));
          return;
        }
        const total = usageOf(session);
        const usage =
          read === null || total === null
            ? {}
            : { usage: { prompt_tokens: read, completion_tokens: Math.max(0, total - read) } };
        const last = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], ...usage };
        controller.enqueue(line(last));
        controller.enqueue(encoder.encode('data: [DONE]\n\n'));
        session.destroy();
        controller.close();
      } catch (cause) {
        session.destroy();
        controller.error(isAbort(cause) ? cause : nativeProblem(cause));
      }
    },
    async cancel(reason) {
      await reader.cancel(reason).catch(() => undefined);
      session.destroy();
    },
  });
}
