/**
 * Owns one session of the library: what was said in it, its answers, its measure of the context. As the Prompt API's
 * `LanguageModel` object. Owns no model (shared-engine.ts).
 */
import type { PromptMessage } from '../core/chat/prompt-message';
import type { JsonSchema } from '../core/json-schema/read-schema';
import type { GenerateRequest } from '../protocol/engine-api';
import { readPrompt, type LanguageModelPrompt, type PromptInput } from './prompt-input';
import type { SharedEngine } from './shared-engine';
import { asDomError, domError, quotaError } from './spec-errors';

/** How answers are written; what the standard leaves to the browser. */
export type AnswerSettings = Pick<
  GenerateRequest,
  'thinkingLimit' | 'maxAnswerTokens' | 'sampling'
>;

export interface PromptOptions {
  /** A JSON schema that the answer satisfies. */
  readonly responseConstraint?: object;
  /** Without effect: the schema is no part of the prompt here. */
  readonly omitResponseConstraintInput?: boolean;
  readonly signal?: AbortSignal;
}

function schemaOf({ responseConstraint }: PromptOptions): JsonSchema | undefined {
  if (responseConstraint === undefined) return undefined;
  if (responseConstraint instanceof RegExp)
    throw domError(
      'NotSupportedError',
      'Answers can be held to a JSON schema here, and not to a regular expression.',
    );
  if (typeof responseConstraint !== 'object' || Array.isArray(responseConstraint))
    throw new TypeError('`responseConstraint` is no JSON schema.');
  // Over to the worker go plain values only.
  return JSON.parse(JSON.stringify(responseConstraint)) as JsonSchema;
}

let requests = 0;

export class LanguageModelSession extends EventTarget {
  oncontextoverflow: ((event: Event) => void) | null = null;
  readonly #engine: SharedEngine;
  readonly #settings: AnswerSettings;
  readonly #destruction = new AbortController();
  #messages: readonly PromptMessage[];
  #contextUsage = 0;

  private constructor(
    engine: SharedEngine,
    settings: AnswerSettings,
    messages: readonly PromptMessage[],
  ) {
    super();
    this.#engine = engine;
    this.#settings = settings;
    this.#messages = messages;
    engine.enter();
  }

  /** A session that has read `messages`; QuotaExceededError where they do not fit. */
  static async open(
    engine: SharedEngine,
    settings: AnswerSettings,
    messages: readonly PromptMessage[],
  ): Promise<LanguageModelSession> {
    const session = new LanguageModelSession(engine, settings, messages);
    try {
      await session.#measure(messages);
    } catch (error) {
      session.destroy();
      throw error;
    }
    return session;
  }

  /** Tokens that the session has read and written. */
  get contextUsage(): number {
    return this.#contextUsage;
  }

  /** Tokens that it can hold. */
  get contextWindow(): number {
    return this.#engine.contextWindow;
  }

  /** The whole answer. */
  async prompt(input: LanguageModelPrompt, options: PromptOptions = {}): Promise<string> {
    let answer = '';
    await this.#answer(input, options, (text) => {
      answer += text;
    });
    return answer;
  }

  /** The answer piece by piece. */
  promptStreaming(input: LanguageModelPrompt, options: PromptOptions = {}): ReadableStream<string> {
    const cancel = new AbortController();
    const signals = [cancel.signal, ...(options.signal === undefined ? [] : [options.signal])];
    return new ReadableStream<string>({
      start: (controller) => {
        this.#answer(input, { ...options, signal: AbortSignal.any(signals) }, (text) =>
          controller.enqueue(text),
        ).then(
          () => controller.close(),
          (error: unknown) => controller.error(error),
        );
      },
      cancel: (reason) => cancel.abort(reason),
    });
  }

  /** Reads messages without answering them. */
  async append(
    input: LanguageModelPrompt,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const signal = this.#signalOf(options.signal);
    const { messages, prefix } = this.#read(input);
    if (prefix !== '')
      throw domError('SyntaxError', 'A prefix is of an answer, and `append` asks for none.');
    const all = [...this.#messages, ...messages];
    await this.#unless(signal, this.#measure(all));
    this.#messages = all;
  }

  /** Tokens that a prompt would add. */
  async measureContextUsage(
    input: LanguageModelPrompt,
    options: PromptOptions = {},
  ): Promise<number> {
    const signal = this.#signalOf(options.signal);
    schemaOf(options);
    const { messages } = this.#read(input);
    const count = this.#engine.countTokens([...this.#messages, ...messages]);
    return Math.max(0, (await this.#unless(signal, count)) - this.#contextUsage);
  }

  /** Another session that has read the same. */
  async clone(options: { readonly signal?: AbortSignal } = {}): Promise<LanguageModelSession> {
    const signal = this.#signalOf(options.signal);
    return this.#unless(
      signal,
      LanguageModelSession.open(this.#engine, this.#settings, this.#messages),
    );
  }

  /** Ends what runs in this session, and lets the model go with the last one. */
  destroy(): void {
    if (this.#destruction.signal.aborted) return;
    this.#destruction.abort(domError('AbortError', 'The session was destroyed.'));
    this.#engine.leave();
  }

  #read(input: LanguageModelPrompt): PromptInput {
    return readPrompt(input, this.#messages.length > 0);
  }

  /** Given with either; throws the reason where one of them is given already. */
  #signalOf(signal: AbortSignal | undefined): AbortSignal {
    const both = AbortSignal.any([
      this.#destruction.signal,
      ...(signal === undefined ? [] : [signal]),
    ]);
    both.throwIfAborted();
    return both;
  }

  /** Settles with the work, or rejects with the signal's reason as soon as it is given. */
  async #unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    try {
      return await new Promise<T>((resolve, reject) => {
        const abort = (): void => reject(signal.reason as Error);
        signal.addEventListener('abort', abort, { once: true });
        work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
      });
    } catch (error) {
      throw asDomError(error);
    }
  }

  /** Counts the messages as the session's context; QuotaExceededError, and an event, where they are too many. */
  async #measure(messages: readonly PromptMessage[]): Promise<void> {
    const requested = messages.length === 0 ? 0 : await this.#engine.countTokens(messages);
    if (requested > this.contextWindow) {
      const event = new Event('contextoverflow');
      this.dispatchEvent(event);
      this.oncontextoverflow?.(event);
      throw quotaError(
        `The session would have ${requested} tokens, and the model can read ${this.contextWindow}.`,
        this.contextWindow,
        requested,
      );
    }
    this.#contextUsage = requested;
  }

  async #answer(
    input: LanguageModelPrompt,
    options: PromptOptions,
    onText: (text: string) => void,
  ): Promise<void> {
    const signal = this.#signalOf(options.signal);
    const answerSchema = schemaOf(options);
    const { messages, prefix } = this.#read(input);
    const all = [...this.#messages, ...messages];
    const before = this.#contextUsage;
    await this.#unless(signal, this.#measure(all));
    let answer = '';
    requests += 1;
    const request: GenerateRequest = {
      id: `answer ${requests}`,
      messages: all,
      ...this.#settings,
      closingSentence: '',
      stopStrings: [],
      tools: [],
      candidates: 0,
      ...(answerSchema === undefined ? {} : { answerSchema }),
      ...(prefix === '' ? {} : { continueFrom: { thought: null, answer: prefix } }),
    };
    try {
      const run = this.#engine.generate(request, signal, (text) => {
        if (signal.aborted) return;
        answer += text;
        onText(text);
      });
      await this.#unless(signal, run);
    } catch (error) {
      // What was not answered was not said.
      this.#contextUsage = before;
      throw error;
    }
    this.#messages = [...all, { role: 'assistant', content: prefix + answer }];
    this.#contextUsage = Math.min(
      this.contextWindow,
      await this.#engine.countTokens(this.#messages).catch(() => this.#contextUsage),
    );
  }
}
