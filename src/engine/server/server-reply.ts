/**
 * Owns one reply by a server: asks, reads, keeps the thinking limit from this side, runs the tools, goes on from what was
 * begun, and tells all of it in the same events as the tab's engine. Owns no connection (server-http.ts).
 */
import type { ThoughtEnd } from '../../core/budget/thinking-limit';
import type { PromptMessage, ToolCall } from '../../core/chat/prompt-message';
import type { FinishReason } from '../../core/chat/reply';
import { EngineError } from '../../core/errors';
import { SERVER_TRAITS, type ClosingWay } from '../../core/server/server-kind';
import { willNotStopThinking } from '../../core/server/server-problem';
import {
  deviceOfServer,
  type ServerModel,
  type ServerTarget,
} from '../../core/server/server-target';
import { TagSplitter } from '../../core/server/tag-splitter';
import { ThoughtMeter } from '../../core/server/thought-meter';
import { runTool } from '../../core/tools/run-tool';
import { parseToolCalls } from '../../core/tools/tool-call';
import type { EngineEvent, GenerateRequest, GenerateResult } from '../../protocol/engine-api';
import { ClosingWays, hasNoSuchWay, type Begun, type Question } from './closing-ways';
import { endInWords, wayInWords } from './limit-words';
import {
  chatBody,
  chatMessages,
  OPTIONAL_FIELDS,
  withoutFields,
  type AskSettings,
} from './request-body';
import { ServerHttp, type ServerHost } from './server-http';
import { isAbort, readAnswer, type AnswerChunk } from './server-stream';
import { ServerTally } from './server-tally';

/** As in the tab: a model that asks for more is going round in circles. */
const MAX_TOOL_CALLS = 6;
/** Kept free for the tags and the end of the turn. */
const CLOSE_RESERVE = 16;
/** Tokens of a thought after its close that are let pass, unseen, before another way is tried. */
const VOID_THOUGHT_TOKENS = 16;
/** Where tokens cannot be counted, four letters count as one. An estimate, for text that came in one piece. */
const LETTERS_A_TOKEN = 4;
/** Servers that stream send a token or two in a piece; longer ones are estimated. */
const PIECE_LETTERS = 24;

export interface ReplyControl {
  stopped: boolean;
  answerNow: boolean;
  /** Ends the running request, so that a stop is heard at once. */
  abort: () => void;
}

/** How the reading of one answer ended. */
type StreamEnd =
  | { readonly kind: 'ended'; readonly finish: string }
  | { readonly kind: 'cut'; readonly reason: ThoughtEnd }
  | { readonly kind: 'length' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'thinks-again' };

export class ServerReply {
  readonly #host: ServerHost;
  readonly #target: ServerTarget;
  readonly #model: ServerModel;
  readonly #request: GenerateRequest;
  readonly #control: ReplyControl;
  readonly #emit: (events: readonly EngineEvent[]) => void;
  readonly #http: ServerHttp;
  readonly #ways: ClosingWays;
  readonly #tally = new ServerTally();
  /** Fields that this server has refused, for all its replies. */
  readonly #refused: Set<string>;
  #turn = new Turn(new ThoughtMeter('unlimited'), '', '', false);
  #thoughtEnd: ThoughtEnd | null = null;
  #toldWhole = false;

  constructor(
    host: ServerHost,
    target: ServerTarget,
    model: ServerModel,
    request: GenerateRequest,
    run: {
      readonly control: ReplyControl;
      readonly emit: (events: readonly EngineEvent[]) => void;
      readonly refused: Set<string>;
    },
  ) {
    this.#host = host;
    this.#target = target;
    this.#model = model;
    this.#request = request;
    this.#control = run.control;
    this.#emit = run.emit;
    this.#refused = run.refused;
    this.#http = new ServerHttp(host, target, true);
    this.#ways = new ClosingWays(this.#http, model);
  }

  async run(): Promise<GenerateResult> {
    const { continueFrom } = this.#request;
    const tools = this.#tools;
    const messages = [...this.#request.messages];
    let limit = this.#request.thinkingLimit;
    let begun = continueFrom ?? { thought: null, answer: '' };
    let calls = 0;
    let finish: FinishReason;
    for (;;) {
      const thought = begun.thought ?? '';
      const isAnswering =
        begun.answer !== '' || (continueFrom !== undefined && begun.thought === null);
      const before = { tokens: estimateTokens(thought), text: thought };
      // NIM looks for the end of a line itself.
      const isTheirs = this.#model.facts.budget === 'nvext' && !this.#refused.has('nvext');
      const meter = new ThoughtMeter(limit, before, isTheirs);
      this.#turn = new Turn(meter, thought, begun.answer, isAnswering);
      finish = await this.#write(messages, begun.thought !== null || begun.answer !== '');
      const turn = this.#turn;
      if (turn.calls.length === 0 || finish !== 'end') break;
      if (calls + turn.calls.length > MAX_TOOL_CALLS) break;
      calls += turn.calls.length;
      messages.push({
        role: 'assistant',
        content: turn.answer.trim(),
        toolCalls: turn.calls,
        ...(turn.thought === '' ? {} : { thought: turn.thought }),
      });
      for (const call of turn.calls) {
        const { content, isError } = runTool(call, tools, this.#host.now());
        this.#emit([
          { type: 'tool-call', call },
          { type: 'tool-result', name: call.name, content, isError },
        ]);
        messages.push({ role: 'tool', content });
      }
      if (this.#control.stopped) {
        finish = 'stopped';
        break;
      }
      if (limit !== 'unlimited') limit = Math.max(0, limit - turn.meter.usedTokens);
      if (this.#thoughtEnd === 'answer-now') limit = 0;
      begun = { thought: null, answer: '' };
    }
    if (finish === 'end') this.#checkForm();
    return {
      finish,
      thoughtEnd: this.#thoughtEnd,
      stats: { ...this.#tally.stats(), device: deviceOfServer(this.#model.facts.place) },
      memory: null,
    };
  }

  /** None where the answer is held to a schema: a call would be no answer of its form. */
  get #tools(): GenerateRequest['tools'] {
    return this.#request.answerSchema === undefined ? this.#request.tools : [];
  }

  /** A server may pass over a field that it does not know, and that is seen in the answer only. */
  #checkForm(): void {
    if (this.#request.answerSchema === undefined) return;
    try {
      JSON.parse(this.#turn.answer);
    } catch {
      const { place, kind } = this.#model.facts;
      const text = `${place} was asked for JSON of this chat’s schema, but what it wrote is none: ${SERVER_TRAITS[kind].name} does not hold its answers to a schema here.`;
      this.#emit([{ type: 'notice', text }]);
    }
  }

  /** One turn of the assistant to its end, over as many questions as its limit takes. */
  async #write(messages: readonly PromptMessage[], isBegun: boolean): Promise<FinishReason> {
    const turn = this.#turn;
    if (turn.channel === 'thought' && isBegun && turn.meter.isSpent) {
      this.#startThought();
      return this.#close(messages, 'hard-limit');
    }
    const end = isBegun
      ? await this.#goOn(messages, turn.channel === 'answer')
      : await this.#ask(this.#freshQuestion(messages));
    switch (end.kind) {
      case 'cut':
        return this.#close(messages, end.reason);
      case 'stopped':
        if (turn.isThinking) this.#endThought('stopped');
        return 'stopped';
      case 'length':
        return 'length';
      case 'thinks-again':
        return this.#close(messages, 'hard-limit');
      case 'ended':
        return this.#ended(messages, end.finish);
    }
  }

  /** The server has ended: the turn is over, unless it ended inside the thought. */
  async #ended(messages: readonly PromptMessage[], finish: string): Promise<FinishReason> {
    const turn = this.#turn;
    if (turn.isThinking) {
      const reason = finish === 'length' ? 'hard-limit' : 'ended';
      if (turn.calls.length === 0 && this.#model.facts.ways.length > 0)
        return this.#close(messages, reason);
      this.#endThought('natural');
    }
    return finish === 'length' ? (this.#isFull ? 'context-full' : 'length') : 'end';
  }

  /** Ends the thought here and asks on with it closed. */
  async #close(messages: readonly PromptMessage[], reason: ThoughtEnd): Promise<FinishReason> {
    const turn = this.#turn;
    const { closingSentence } = this.#request;
    if (closingSentence !== '' && reason !== 'ended' && turn.isThinking) {
      const text =
        (turn.thought === '' || turn.thought.endsWith('\n') ? '' : '\n') + closingSentence;
      turn.thought += text;
      this.#emit([{ type: 'token', id: -1, text, channel: 'thought', injected: true, ms: 0 }]);
    }
    if (turn.isThinking) this.#endThought(reason);
    turn.channel = 'answer';
    const end = await this.#goOn(messages, true);
    switch (end.kind) {
      case 'stopped':
        return 'stopped';
      case 'length':
        return 'length';
      case 'ended':
        return end.finish === 'length' ? (this.#isFull ? 'context-full' : 'length') : 'end';
      case 'cut':
      case 'thinks-again':
        throw willNotStopThinking(this.#http.whom);
    }
  }

  /** Asks on from what was begun, in the first way that this server has. */
  async #goOn(messages: readonly PromptMessage[], isClosed: boolean): Promise<StreamEnd> {
    const turn = this.#turn;
    const { ways } = this.#model.facts;
    let last: StreamEnd | null = null;
    for (const way of ways) {
      const begun: Begun = {
        messages,
        tools: this.#tools,
        thought: turn.thought,
        isClosed,
        answer: turn.answer,
      };
      const abort = this.#arm();
      let question: Question | null;
      try {
        question = await this.#ways.question(way, begun, this.#settings(isClosed), abort.signal);
      } catch (cause) {
        if (abort.signal.aborted) return { kind: 'stopped' };
        throw cause;
      }
      if (question === null) continue;
      turn.startsIn = isClosed ? 'answer' : 'thought';
      if (isClosed && turn.hasThought && !turn.toldWay) turn.way = way;
      const end = await this.#ask(question, true);
      if (end === null) continue;
      if (end.kind === 'thinks-again') {
        last = end;
        continue;
      }
      this.#tellWay();
      return end;
    }
    if (last !== null) return last;
    throw new EngineError(
      'server',
      `${SERVER_TRAITS[this.#target.kind].name} on ${this.#model.facts.place} cannot go on with a reply that was begun.`,
      'Generate the reply again, or ask the model in this tab (“Answer here instead”).',
    );
  }

  #freshQuestion(messages: readonly PromptMessage[]): Question {
    const { thinkingLimit } = this.#request;
    const { meter } = this.#turn;
    const thinks = thinkingLimit !== 0 && meter.hardLimit > 0;
    this.#turn.startsIn = thinks && this.#model.opensThought ? 'thought' : 'answer';
    const { budget: field } = this.#model.facts;
    // NIM waits for the end of a line by itself; the others cut hard, so theirs stands where ours would cut as well.
    const budget = !thinks
      ? field === 'thinking_budget_tokens'
        ? 0
        : null
      : meter.hardLimit === Infinity
        ? null
        : field === 'nvext'
          ? meter.softLimit
          : meter.hardLimit;
    return {
      path: '/v1/chat/completions',
      body: chatBody(this.#settings(!thinks), {
        messages: chatMessages(messages, 'wire'),
        tools: this.#tools,
        thinks,
        budget,
        isPrefilled: false,
      }),
    };
  }

  #settings(isClosed: boolean): AskSettings {
    const { sampling, stopStrings, maxAnswerTokens, candidates, answerSchema } = this.#request;
    const { hardLimit, usedTokens } = this.#turn.meter;
    const answer = Math.max(1, maxAnswerTokens - this.#tally.answerTokens);
    const thought = isClosed ? 0 : Math.max(0, hardLimit - usedTokens);
    return {
      target: this.#target,
      sampling,
      stopStrings,
      candidates,
      ...(answerSchema === undefined ? {} : { answerSchema }),
      maxTokens:
        thought === Infinity
          ? SERVER_TRAITS[this.#target.kind].unlimitedTokens
          : thought + answer + CLOSE_RESERVE,
    };
  }

  #arm(): AbortController {
    const abort = new AbortController();
    this.#control.abort = () => abort.abort();
    if (this.#control.stopped) abort.abort();
    return abort;
  }

  /** Asks and reads one answer. With `isWay`, null says that the server does not take this question. */
  async #ask(question: Question): Promise<StreamEnd>;
  async #ask(question: Question, isWay: true): Promise<StreamEnd | null>;
  async #ask(question: Question, isWay = false): Promise<StreamEnd | null> {
    const abort = this.#arm();
    this.#tally.asked();
    try {
      const response = await this.#post(question, abort.signal, isWay);
      if (response === null) return null;
      return await this.#read(response, abort);
    } catch (cause) {
      if (!abort.signal.aborted && !isAbort(cause)) throw cause;
      if (this.#control.stopped) return { kind: 'stopped' };
      if (this.#control.answerNow) return { kind: 'cut', reason: 'answer-now' };
      throw cause;
    }
  }

  /** The answer; asked again without the fields that the server names in its refusal. */
  async #post(
    { path, body }: Question,
    signal: AbortSignal,
    isWay: boolean,
  ): Promise<Response | null> {
    for (;;) {
      const answer = await this.#http.post(path, withoutFields(body, this.#refused), signal);
      if (answer instanceof Response) return answer;
      const named =
        answer.status === 400 || answer.status === 422
          ? OPTIONAL_FIELDS.filter(
              (field) => field in body && !this.#refused.has(field) && answer.said.includes(field),
            )
          : [];
      if (named.length === 0) {
        const problem = this.#http.problem(answer);
        if (isWay && hasNoSuchWay(answer) && !isTooLong(problem)) return null;
        throw problem;
      }
      for (const field of named) this.#refused.add(field);
    }
  }

  async #read(response: Response, abort: AbortController): Promise<StreamEnd> {
    const turn = this.#turn;
    turn.beginAnswer();
    let finish = 'stop';
    const chunks = readAnswer(response, this.#http.whom, abort.signal);
    for await (const chunk of chunks) {
      if (this.#control.stopped) return { kind: 'stopped' };
      const end = this.#take(chunk);
      if (end !== null) {
        abort.abort();
        return end;
      }
      finish = chunk.finish ?? finish;
    }
    for (const { channel, text } of turn.splitter.flush())
      this.#takeText(channel, text, estimateTokens(text), null);
    turn.endCalls();
    return { kind: 'ended', finish };
  }

  /** Takes one chunk; says when the reading is to end here. */
  #take(chunk: AnswerChunk): StreamEnd | null {
    const turn = this.#turn;
    if (chunk.progress !== null) this.#emit([{ type: 'prefill', ...chunk.progress }]);
    if (chunk.isWhole && !this.#toldWhole) {
      this.#toldWhole = true;
      this.#emit([
        {
          type: 'notice',
          text: `${this.#model.facts.place} does not stream: each answer comes in one piece.`,
        },
      ]);
    }
    const pieces = [
      ...(chunk.thought === '' ? [] : [{ channel: 'thought' as const, text: chunk.thought }]),
      ...turn.split(chunk),
    ];
    const letters = pieces.reduce((sum, { text }) => sum + text.length, 0);
    const counted = this.#tally.count(chunk);
    for (const { channel, text } of pieces) {
      const tokens =
        counted === null ? estimateTokens(text) : (counted * text.length) / Math.max(1, letters);
      const end = this.#takeText(channel, text, tokens, chunk);
      if (end !== null) return end;
    }
    for (const call of chunk.calls) turn.addCall(call);
    if (chunk.calls.length > 0 && turn.isThinking) this.#endThought('natural');
    if (this.#control.answerNow && turn.isThinking) return { kind: 'cut', reason: 'answer-now' };
    return null;
  }

  #takeText(
    channel: 'thought' | 'answer' | 'tool-call',
    text: string,
    tokens: number,
    chunk: AnswerChunk | null,
  ): StreamEnd | null {
    switch (channel) {
      case 'thought':
        return this.#takeThought(text, tokens, chunk);
      case 'answer':
        return this.#takeAnswer(text, tokens, chunk);
      case 'tool-call':
        this.#turn.callText += text;
        if (this.#turn.isThinking) this.#endThought('natural');
        return null;
    }
  }

  #takeThought(text: string, tokens: number, chunk: AnswerChunk | null): StreamEnd | null {
    const turn = this.#turn;
    if (turn.channel === 'answer') {
      // Closed is closed: what is thought after it is not shown, and a server that goes on with it has not listened.
      turn.voidTokens += tokens;
      return turn.voidTokens > VOID_THOUGHT_TOKENS ? { kind: 'thinks-again' } : null;
    }
    // Where none was asked for, none is shown.
    if (turn.meter.hardLimit === 0) return { kind: 'cut', reason: 'hard-limit' };
    this.#startThought();
    // What the tags left in front of it is no part of the thought.
    const fresh = turn.thought === '' ? text.trimStart() : text;
    const step = turn.meter.push(fresh, tokens);
    this.#tally.thought(turn.meter.usedTokens - turn.countedTokens);
    turn.countedTokens = turn.meter.usedTokens;
    turn.thought += step.text;
    this.#emitToken('thought', step.text, chunk);
    return step.cut === null ? null : { kind: 'cut', reason: step.cut };
  }

  #takeAnswer(text: string, tokens: number, chunk: AnswerChunk | null): StreamEnd | null {
    const turn = this.#turn;
    const shown = turn.answer === '' ? text.trimStart() : text;
    if (shown === '') return null;
    if (turn.isThinking) this.#endThought(...this.#endedThere());
    this.#tellWay();
    turn.channel = 'answer';
    turn.answer += shown;
    this.#tally.answer(tokens);
    this.#emitToken('answer', shown, chunk);
    return this.#tally.answerTokens >= this.#request.maxAnswerTokens ? { kind: 'length' } : null;
  }

  /** Why a thought ended that was not ended here: by itself, or by the server's own limit. */
  #endedThere(): [ThoughtEnd, boolean] {
    const { usedTokens, softLimit, hardLimit } = this.#turn.meter;
    const { budget } = this.#model.facts;
    if (budget === null || this.#refused.has(budget)) return ['natural', false];
    if (budget === 'nvext')
      return usedTokens >= softLimit ? ['soft-limit', true] : ['natural', false];
    return usedTokens >= hardLimit - 1 ? ['hard-limit', true] : ['natural', false];
  }

  #startThought(): void {
    const turn = this.#turn;
    if (turn.isThinking || turn.channel === 'answer') return;
    turn.isThinking = true;
    turn.hasThought = true;
    turn.thoughtStartedAt = performance.now();
    this.#emit([{ type: 'thought-start', limit: this.#request.thinkingLimit }]);
  }

  #endThought(reason: ThoughtEnd, byServer = false): void {
    const turn = this.#turn;
    const ms = performance.now() - turn.thoughtStartedAt;
    turn.isThinking = false;
    turn.channel = 'answer';
    this.#thoughtEnd = reason;
    this.#tally.thoughtMs += ms;
    this.#emit([{ type: 'thought-end', reason, tokens: Math.round(turn.meter.usedTokens), ms }]);
    if (byServer) this.#emit([{ type: 'notice', text: endInWords(this.#model.facts) }]);
  }

  /** Says once, before the answer, in which way it was asked on. */
  #tellWay(): void {
    const { way, toldWay } = this.#turn;
    if (way === null || toldWay) return;
    this.#turn.toldWay = true;
    this.#emit([{ type: 'notice', text: wayInWords(way, this.#model.facts) }]);
  }

  #emitToken(channel: 'thought' | 'answer', text: string, chunk: AnswerChunk | null): void {
    if (text === '') return;
    const token = chunk?.tokens[0];
    this.#emit([
      {
        type: 'token',
        id: token?.id ?? -1,
        text,
        channel,
        injected: false,
        ms: this.#tally.step(),
        ...(token === undefined || token.candidates.length === 0
          ? {}
          : { candidates: token.candidates }),
      },
    ]);
  }

  get #isFull(): boolean {
    const { contextTokens } = this.#model.facts;
    return contextTokens !== null && this.#tally.contextTokens >= contextTokens - 1;
  }
}

/** One turn of the assistant as it is written. */
class Turn {
  readonly meter: ThoughtMeter;
  thought: string;
  answer: string;
  /** Where text that comes now belongs, once the thought was closed here or there. */
  channel: 'thought' | 'answer';
  isThinking = false;
  hasThought: boolean;
  /** In which way this turn is asked on from its closed thought. */
  way: ClosingWay | null = null;
  toldWay = false;
  thoughtStartedAt = 0;
  countedTokens: number;
  voidTokens = 0;
  callText = '';
  calls: ToolCall[] = [];
  /** Where inline text of the next answer begins. */
  startsIn: 'thought' | 'answer' = 'answer';
  splitter = new TagSplitter('answer');
  #parts: { name: string; text: string }[] = [];
  #hasThoughtField = false;

  constructor(meter: ThoughtMeter, thought: string, answer: string, isAnswering: boolean) {
    this.meter = meter;
    this.thought = thought;
    this.answer = answer;
    this.channel = isAnswering ? 'answer' : 'thought';
    this.hasThought = thought !== '';
    this.countedTokens = meter.usedTokens;
  }

  beginAnswer(): void {
    this.splitter = new TagSplitter(this.startsIn);
    this.voidTokens = 0;
    this.#parts = [];
    this.#hasThoughtField = false;
  }

  /** The inline text of a chunk by its channels. */
  split({ thought, answer }: AnswerChunk) {
    // A server that takes the thought apart sends the answer without its tags.
    if (thought !== '' && !this.#hasThoughtField) {
      this.#hasThoughtField = true;
      this.splitter = new TagSplitter('answer');
    }
    return answer === '' ? [] : this.splitter.push(answer);
  }

  addCall({ index, name, arguments: text }: AnswerChunk['calls'][number]): void {
    const part = (this.#parts[index] ??= { name: '', text: '' });
    part.name += name;
    part.text += text;
  }

  /** Makes calls of what came in parts, or stood inline between its tags. */
  endCalls(): void {
    const inParts = this.#parts.flatMap(({ name, text }) =>
      parseToolCalls(JSON.stringify({ name, arguments: text === '' ? {} : text })),
    );
    const inline = this.callText === '' ? [] : parseToolCalls(this.callText);
    this.calls = [...inParts, ...inline];
  }
}

function estimateTokens(text: string): number {
  if (text === '') return 0;
  return text.length <= PIECE_LETTERS ? 1 : Math.round(text.length / LETTERS_A_TOKEN);
}

function isTooLong(problem: Error): boolean {
  return problem instanceof EngineError && problem.code === 'prompt-too-long';
}
