/**
 * Owns one reply: prefill in chunks, then step, sample, budget, tools, emit, until it ends or is stopped. Owns no
 * loading, no wire and no clock of the tools (given in).
 */
import { EngineError } from '../src/core/errors';
import type { Injection } from '../src/core/budget/thinking-budget';
import { createRandom } from '../src/core/sampling/random';
import { sampleToken, type SampledToken } from '../src/core/sampling/sampler';
import { sampleFromTopLogits } from '../src/core/sampling/top-logits';
import { createDetokeniser } from '../src/core/text/detokeniser';
import type { ModelSpec } from '../src/core/model-spec';
import type { StepGate } from '../src/core/step-gate';
import { TOOL_SCHEMAS } from '../src/core/tools/run-tool';
import type { ThinkFormat } from '../src/models/think-format';
import type {
  EngineEvent,
  FinishReason,
  GenerateRequest,
  MemoryReport,
  ThoughtEnd,
} from '../src/protocol/engine-api';
import { EventLoopPause } from './event-loop';
import { buildPrompt, templateMessages, type Prompt } from './prompt';
import type { ChatTokenizer, TemplateMessage } from './runtime/hub';
import type { LayerStates } from './runtime/layer-states';
import type { SnapshotCache } from './runtime/snapshots';
import { TokenCursor, type LogitRow, type StepSession } from './token-cursor';
import type { AnswerGuard } from './turn/answer-guard';
import { ToolRunner } from './turn/tool-runner';
import { toolTurnIds } from './turn/tool-turn';
import { CLOSE_RESERVE, Turn } from './turn/turn';

/** Tokens a prefill step reads: long enough to be fast, short enough that stop is heard in under a second on WASM. */
const PREFILL_CHUNK = 256;

/** A snapshot this near after another one saves less than it costs. */
const MIN_FORK_TOKENS = 16;

const MEMORY_EVENT_MS = 250;

/** What a reply needs of the loaded model. */
export interface GenerationModel {
  readonly session: StepSession;
  readonly tokenizer: ChatTokenizer;
  readonly spec: ModelSpec;
  readonly format: ThinkFormat;
  readonly snapshots: SnapshotCache;
  readonly prefillChunk?: number;
}

/** Set from outside while the reply runs. */
export interface GenerationControl {
  stopped: boolean;
  answerNow: boolean;
  /** Where each token waits in step mode. */
  readonly gate?: StepGate;
}

export interface GenerationHost {
  emit(event: EngineEvent): void;
  memory(cursor: TokenCursor): MemoryReport;
  /**
   * Called once at the end with the states that were reached (retain them to keep them), the tokens they have read, and
   * the logits after the last (copy them); null when the prompt was not read to its end.
   */
  keepLive(states: LayerStates, tokens: Int32Array, logits: Float32Array | null): void;
  /** What the reply is worth, by the states before its end mark and the mark; absent: nobody asks. */
  score?(states: LayerStates, endId: number): Promise<number | null>;
  /** Local date and time for the clock tool. */
  now(): Date;
}

/** Counts and times of a reply; the engine adds the device. */
export interface GenerationTally {
  promptTokens: number;
  reusedTokens: number;
  prefillMs: number;
  timeToFirstTokenMs: number;
  thoughtTokens: number;
  thoughtMs: number;
  answerTokens: number;
  decodeMs: number;
  decodedTokens: number;
}

export interface GenerationOutcome {
  readonly finish: FinishReason;
  readonly thoughtEnd: ThoughtEnd | null;
  readonly tally: GenerationTally;
  readonly memory: MemoryReport;
  /** Null: not asked for, or not to be had. */
  readonly reward: number | null;
}

type TokenEvent = Extract<EngineEvent, { type: 'token' }>;

/** No token has a meaning of its own: nothing ends a reply but its length. */
const PLAIN_TEXT: ThinkFormat = { think: null, toolCall: null, turnStartId: null, endIds: [] };

/** Runs one reply to its end. A stop is an outcome; errors are EngineError or the runtime's own. */
export async function runGeneration(
  model: GenerationModel,
  request: GenerateRequest,
  control: GenerationControl,
  host: GenerationHost,
): Promise<GenerationOutcome> {
  const reply = new Reply(
    request.promptIds === undefined ? model : { ...model, format: PLAIN_TEXT },
    request,
    control,
    host,
  );
  try {
    return await reply.run();
  } finally {
    reply.dispose();
  }
}

/** Whether the token that was drawn had been guessed, and what was guessed in its place. */
function draftOf(guess: number | null, drawn: number, turn: Turn): Pick<TokenEvent, 'draft'> {
  if (guess === null) return {};
  return {
    draft: guess === drawn ? { isKept: true } : { isKept: false, text: turn.textOf(guess) },
  };
}

class Reply {
  readonly #model: GenerationModel;
  readonly #request: GenerateRequest;
  readonly #control: GenerationControl;
  readonly #host: GenerationHost;
  readonly #tools: ToolRunner;
  readonly #pause = new EventLoopPause();
  readonly #startedAt = performance.now();
  readonly #tally: GenerationTally = {
    promptTokens: 0,
    reusedTokens: 0,
    prefillMs: 0,
    timeToFirstTokenMs: 0,
    thoughtTokens: 0,
    thoughtMs: 0,
    answerTokens: 0,
    decodeMs: 0,
    decodedTokens: 0,
  };
  #cursor: TokenCursor | null = null;
  /** Holds the answer to its schema; null: any text. */
  #guard: AnswerGuard | null = null;
  #thoughtEnd: ThoughtEnd | null = null;
  #lastTokenAt = 0;
  #lastMemoryAt = -Infinity;
  /** Milliseconds that the reply has stood at the gate: no part of what it took. */
  #waitedMs = 0;

  constructor(
    model: GenerationModel,
    request: GenerateRequest,
    control: GenerationControl,
    host: GenerationHost,
  ) {
    this.#model = model;
    this.#request = request;
    this.#control = control;
    this.#host = host;
    this.#tools = new ToolRunner(request.tools, host);
  }

  dispose(): void {
    this.#cursor?.dispose();
    this.#pause.close();
  }

  async run(): Promise<GenerationOutcome> {
    const { tokenizer, spec, format, snapshots } = this.#model;
    const request = this.#request;
    // A model whose calls cannot be told from its answer is offered no tools.
    const tools =
      format.toolCall === null || request.answerSchema !== undefined
        ? []
        : request.tools.map((name) => TOOL_SCHEMAS[name]);
    const { continueFrom } = request;
    this.#guard = await this.#guardOf(request);
    const inAnswer =
      continueFrom !== undefined && (continueFrom.thought === null || continueFrom.answer !== '');
    const asked =
      format.think !== null &&
      (continueFrom === undefined ? request.thinkingLimit !== 0 : continueFrom.thought !== null);
    const build = (enableThinking: boolean): Prompt =>
      buildPrompt(tokenizer, format, {
        messages: request.messages,
        tools,
        enableThinking,
        ...(continueFrom === undefined ? {} : { continueFrom }),
      });
    const { promptIds } = request;
    let prompt = promptIds === undefined ? build(asked) : { ids: promptIds, forks: [] };
    // Where the answer needs all that is left of the context, there is no thought to begin.
    const hasRoom =
      spec.maxPositions - prompt.ids.length > request.maxAnswerTokens + 2 * CLOSE_RESERVE;
    const wantsThought = asked && (hasRoom || continueFrom !== undefined);
    if (asked && !wantsThought) prompt = build(false);
    const room = spec.maxPositions - prompt.ids.length;
    if (room < CLOSE_RESERVE) {
      throw new EngineError(
        'prompt-too-long',
        `The conversation has ${prompt.ids.length} tokens; ${spec.name} can read ${spec.maxPositions - CLOSE_RESERVE} and still answer.`,
        'Shorten the message, or start a new chat.',
      );
    }
    this.#tally.promptTokens = prompt.ids.length;

    // Further drafts go on from the states before the last token of the prompt: nothing else is read again.
    const forks =
      request.isScored === true ? [...prompt.forks, prompt.ids.length - 1] : prompt.forks;
    let logits = await this.#prefill(prompt.ids, forks);
    this.#tally.prefillMs = performance.now() - this.#startedAt;
    this.#lastTokenAt = performance.now();
    const decodeStart = this.#lastTokenAt;
    const random = createRandom(request.sampling.seed);

    // Each turn of the loop is one assistant turn; tool calls add turns.
    const conversation: TemplateMessage[] = templateMessages(request.messages);
    let thought = inAnswer ? '' : (continueFrom?.thought ?? '');
    let thinks = wantsThought && !inAnswer;
    let limit = request.thinkingLimit;
    let finish: FinishReason = 'stopped';
    while (logits !== null) {
      const turn = new Turn(this.#model, request, {
        // A thought that goes on must be closed, whatever is left to it.
        limit: !thinks ? 0 : thought !== '' && limit === 0 ? 1 : limit,
        thought,
        inAnswer: continueFrom !== undefined && inAnswer && this.#tools.calls === 0,
        room: spec.maxPositions - this.#at().length,
        answerTokensLeft: request.maxAnswerTokens - this.#tally.answerTokens,
      });
      const end = await this.#decode(turn, logits, random);
      if (end !== 'tool-calls') {
        finish = end;
        break;
      }
      conversation.push(turn.asMessage());
      limit = turn.budget.remaining;
      thinks &&= limit !== 0 && this.#thoughtEnd !== 'answer-now';
      const next = await this.#answerTools(turn, conversation, tools, thinks);
      if (typeof next === 'string') {
        finish = next;
        break;
      }
      logits = next;
      thought = '';
    }
    this.#tally.decodeMs =
      this.#tally.decodedTokens === 0 ? 0 : performance.now() - decodeStart - this.#waitedMs;

    const cursor = this.#at();
    // A finished thought is stripped from later prompts, so only replies that may be continued as they stand, or that
    // had no thought, are met again.
    const states = await cursor.settled();
    if (finish !== 'end' || this.#tally.thoughtTokens === 0) snapshots.keep(cursor.tokens, states);
    this.#host.keepLive(states, cursor.tokens, await cursor.wholeLogits());
    const memory = this.#host.memory(cursor);
    this.#host.emit({ type: 'memory', memory });
    const [endId] = format.endIds;
    const reward =
      finish === 'end' && endId !== undefined
        ? ((await this.#host.score?.(states, endId)) ?? null)
        : null;
    return { finish, thoughtEnd: this.#thoughtEnd, tally: this.#tally, memory, reward };
  }

  /** What the answer is held to; its code comes with the first reply that asks for it. */
  async #guardOf({ answerSchema, continueFrom }: GenerateRequest): Promise<AnswerGuard | null> {
    if (answerSchema === undefined) return null;
    const { tokenizer, spec } = this.#model;
    const { AnswerGuard } = await import('./turn/answer-guard');
    return new AnswerGuard(tokenizer, spec.vocabSize, answerSchema, continueFrom?.answer ?? '');
  }

  #at(): TokenCursor {
    if (this.#cursor === null) throw new RangeError('the reply has not begun to read');
    return this.#cursor;
  }

  /** Reads the prompt from its longest kept beginning on; null when stopped. */
  async #prefill(ids: readonly number[], forks: readonly number[]): Promise<LogitRow | null> {
    const { session, snapshots } = this.#model;
    const kept = snapshots.restore(ids, ids.length);
    const cursor = new TokenCursor(session, kept ?? session.emptyStates(), ids);
    this.#cursor = cursor;
    this.#tally.reusedTokens = cursor.length;
    const progress = (): void =>
      this.#host.emit({
        type: 'prefill',
        done: cursor.length,
        total: ids.length,
        reused: this.#tally.reusedTokens,
      });
    progress();
    let logits: LogitRow | null = null;
    let lastKept = cursor.length;
    for (const cut of [...forks, ids.length]) {
      if (cut <= cursor.length) continue;
      const isFork = cut < ids.length;
      if (isFork && cut !== forks.at(-1) && cut - lastKept < MIN_FORK_TOKENS) continue;
      logits = await this.#readChunks(ids, cut, progress);
      if (logits === null) return null;
      if (isFork) {
        snapshots.keep(cursor.tokens, await cursor.settled());
        lastKept = cut;
      }
    }
    this.#reportMemory();
    return logits;
  }

  /** Reads ids up to `end` in chunks; null when stopped on the way. */
  async #readChunks(
    ids: readonly number[],
    end: number,
    progress: () => void,
  ): Promise<LogitRow | null> {
    const cursor = this.#at();
    const size = this.#model.prefillChunk ?? PREFILL_CHUNK;
    let logits: LogitRow | null = null;
    while (cursor.length < end) {
      await this.#pause.wait();
      if (this.#control.stopped) return null;
      logits = await cursor.readForDraw(
        ids.slice(cursor.length, Math.min(end, cursor.length + size)),
        this.#request.sampling.temperature,
      );
      progress();
    }
    return logits;
  }

  /** One assistant turn from `logits` on. */
  async #decode(
    turn: Turn,
    firstLogits: LogitRow,
    random: ReturnType<typeof createRandom>,
  ): Promise<FinishReason | 'tool-calls'> {
    const request = this.#request;
    const cursor = this.#at();
    const { budget } = turn;
    const thoughtStart = performance.now();
    const waitedBefore = this.#waitedMs;
    const thoughtTokensBefore = this.#tally.thoughtTokens;
    let logits = firstLogits;
    if (budget.channel === 'thought')
      this.#host.emit({ type: 'thought-start', limit: request.thinkingLimit });
    const endThought = (reason: ThoughtEnd): void => {
      this.#thoughtEnd = reason;
      const tokens = budget.usedTokens;
      const ms = performance.now() - thoughtStart - (this.#waitedMs - waitedBefore);
      this.#tally.thoughtMs += ms;
      this.#host.emit({ type: 'thought-end', reason, tokens, ms });
    };
    let injection = turn.opening;
    if (injection !== null) endThought(injection.reason);
    let waiting: SampledToken | null = null;

    for (;;) {
      await this.#pause.wait();
      if (this.#control.stopped) {
        if (budget.channel === 'thought') {
          budget.stop();
          endThought('stopped');
        }
        return 'stopped';
      }
      if (this.#control.answerNow && injection === null) {
        this.#control.answerNow = false;
        injection = budget.answerNow();
        if (injection !== null) endThought(injection.reason);
      }
      if (injection !== null) {
        logits = await this.#inject(injection);
      }
      if (cursor.length >= this.#model.spec.maxPositions) return 'context-full';
      if (turn.answerTokensLeft <= 0) return 'length';
      const isGuarded = this.#guard !== null && budget.channel === 'answer';
      // A model that cannot say so itself has ended where nothing more may follow.
      if (isGuarded && this.#guard?.isOver === true && this.#model.format.endIds.length === 0)
        return 'end';

      const sampled: SampledToken = waiting ?? (await this.#draw(logits, turn, random));
      const wasThought = budget.channel === 'thought';
      const taken = turn.take(sampled.id);
      const { step } = taken;
      waiting = taken.again ? sampled : null;
      if (isGuarded && step.keep) this.#guard?.take(sampled.id);
      if (wasThought)
        this.#tally.thoughtTokens =
          thoughtTokensBefore + budget.usedTokens - turn.thoughtTokensGiven;
      else if (!step.turnOver) this.#tally.answerTokens += 1;

      if (step.keep || taken.text !== '') {
        this.#emitToken({
          id: sampled.id,
          text: taken.text,
          channel: taken.channel,
          injected: false,
          entropy: sampled.entropy,
          ...draftOf(cursor.guess, sampled.id, turn),
          ...(request.candidates === 0
            ? {}
            : {
                candidates: sampled.candidates.map(({ id, probability }) => ({
                  id,
                  probability,
                  text: turn.textOf(id),
                })),
              }),
        });
      }
      for (const call of taken.calls) {
        if (call !== null) this.#host.emit({ type: 'tool-call', call });
      }
      if (step.ended !== undefined) endThought(step.ended);
      if (step.turnOver) return turn.calls.length > 0 ? 'tool-calls' : 'end';
      if (taken.stopString) return 'stop-string';
      if (step.keep) {
        await this.#waitForStep();
        logits = await cursor.readForDraw([sampled.id], request.sampling.temperature);
        turn.remember(sampled.id);
        if (this.#control.gate?.isCounting === true) this.#reportMemory(0);
      }
      injection = step.inject ?? null;
    }
  }

  /**
   * Draws the next token. Of a row on the device only the largest logits are asked; where they cannot tell (no cut at all,
   * a heavy penalty), all of it comes over. Either way the same token for the same seed.
   */
  async #draw(
    row: LogitRow,
    turn: Turn,
    random: ReturnType<typeof createRandom>,
  ): Promise<SampledToken> {
    const { sampling, candidates } = this.#request;
    const { budget, recentIds } = turn;
    const { bannedIds } = budget;
    if (this.#guard !== null && budget.channel === 'answer') {
      // Of most masks the likeliest few tell nothing, so all of the row comes over.
      const whole = row instanceof Float32Array ? row : await row.whole();
      const { spec, format } = this.#model;
      // One token is kept for the end of the turn.
      const left = Math.min(turn.answerTokensLeft, spec.maxPositions - this.#at().length) - 1;
      const masked = this.#guard.mask(whole, left, format.endIds);
      return sampleToken(masked, sampling, recentIds, random, { candidates });
    }
    if (!(row instanceof Float32Array)) {
      const sampled = sampleFromTopLogits(row.top, sampling, recentIds, random, {
        candidates,
        bannedIds,
      });
      if (sampled !== null) return sampled;
    }
    const logits = row instanceof Float32Array ? row : await row.whole();
    for (const id of bannedIds) logits[id] = -Infinity;
    return sampleToken(logits, sampling, recentIds, random, { candidates });
  }

  /** Feeds what the budget put in; the reader sees its visible part only. */
  async #inject(injection: Injection): Promise<LogitRow> {
    const { tokenizer, format } = this.#model;
    const { text: injected, visible: sentence } = injection;
    const ids = tokenizer.encode([
      ...tokenizer.lettersOf(sentence),
      injected.slice(sentence.length),
    ]);
    let shown = 0;
    let isClosed = false;
    const detokeniser = createDetokeniser(tokenizer);
    const logits = await this.#at().readForDraw(ids, this.#request.sampling.temperature);
    for (const id of ids) {
      const isTag = id === format.think?.closeId;
      const text = detokeniser.push(id);
      const visible =
        isTag || isClosed ? '' : text.slice(0, Math.max(0, injection.visible.length - shown));
      shown += visible.length;
      this.#emitToken({
        id,
        text: visible,
        channel: isClosed ? 'answer' : 'thought',
        injected: true,
      });
      isClosed ||= isTag;
    }
    return logits;
  }

  #emitToken(token: Omit<TokenEvent, 'type' | 'ms'>): void {
    const now = performance.now();
    this.#tally.decodedTokens += 1;
    if (this.#tally.timeToFirstTokenMs === 0)
      this.#tally.timeToFirstTokenMs = now - this.#startedAt;
    this.#host.emit({ type: 'token', ...token, ms: now - this.#lastTokenAt });
    this.#lastTokenAt = now;
    this.#reportMemory();
  }

  /** In step mode the token that was drawn is read when somebody says so. */
  async #waitForStep(): Promise<void> {
    const { gate } = this.#control;
    if (gate === undefined) return;
    const from = performance.now();
    await gate.pass();
    const waited = performance.now() - from;
    this.#waitedMs += waited;
    this.#lastTokenAt += waited;
  }

  #reportMemory(intervalMs = MEMORY_EVENT_MS): void {
    const now = performance.now();
    if (now - this.#lastMemoryAt < intervalMs) return;
    this.#lastMemoryAt = now;
    this.#host.emit({ type: 'memory', memory: this.#host.memory(this.#at()) });
  }

  /** Runs the turn's calls and reads their results; else how the reply ends without them. */
  async #answerTools(
    turn: Turn,
    conversation: TemplateMessage[],
    tools: readonly (typeof TOOL_SCHEMAS)[keyof typeof TOOL_SCHEMAS][],
    enableThinking: boolean,
  ): Promise<LogitRow | 'end' | 'stopped' | 'context-full'> {
    const { tokenizer, spec, format } = this.#model;
    const results = this.#tools.run(turn.calls);
    if (results === null) return 'end';
    const ids = toolTurnIds(tokenizer, conversation, results, {
      tools,
      enableThinking,
      endIds: format.endIds,
    });
    conversation.push(...results.map((content) => ({ role: 'tool' as const, content })));
    const cursor = this.#at();
    if (cursor.length + ids.length + CLOSE_RESERVE > spec.maxPositions) return 'context-full';
    const all = [...cursor.tokens, ...ids];
    const logits = await this.#readChunks(all, all.length, () => {});
    this.#lastTokenAt = performance.now();
    return logits ?? 'stopped';
  }
}
