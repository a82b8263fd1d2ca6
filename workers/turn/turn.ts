/** Owns one assistant turn: its text, its thought, its tool calls. Knows nothing of the model's states. */
import {
  createThinkingBudget,
  type Injection,
  type ThinkingBudget,
} from '../../src/core/budget/thinking-budget';
import { thoughtRoom, type ThinkingLimit } from '../../src/core/budget/thinking-limit';
import { createDetokeniser, textOf } from '../../src/core/text/detokeniser';
import { createStopMatcher } from '../../src/core/text/stop-matcher';
import { parseToolCalls } from '../../src/core/tools/tool-call';
import type { ThinkFormat } from '../../src/models/think-format';
import type { GenerateRequest, ToolCall } from '../../src/protocol/engine-api';
import type { ChatTokenizer, TemplateMessage } from '../runtime/hub';

/** Tokens kept free for the close and the end of turn. */
export const CLOSE_RESERVE = 8;

/** Sampled tokens that the repetition penalty looks back on. */
const PENALTY_WINDOW = 256;

export interface TurnStart {
  /** 0 = the turn was rendered with thinking off. */
  readonly limit: ThinkingLimit;
  /** The unfinished thought that goes on; '' where a new one begins. */
  readonly thought: string;
  /** True when the reply goes on inside an answer that was begun before. */
  readonly inAnswer: boolean;
  /** Tokens left in the context. */
  readonly room: number;
  readonly answerTokensLeft: number;
}

/** What a turn needs of the loaded model. */
export interface TurnModel {
  readonly tokenizer: ChatTokenizer;
  readonly format: ThinkFormat;
}

export class Turn {
  readonly budget: ThinkingBudget;
  /** Put in before the first token, when a continued thought already stands at its limit. */
  readonly opening: Injection | null;
  /** Tokens of the thought that goes on, not sampled in this reply. */
  readonly thoughtTokensGiven: number;
  readonly recentIds: number[] = [];
  /** Calls in order; null for one that could not be read. */
  readonly calls: (ToolCall | null)[] = [];
  answerTokensLeft: number;
  readonly #model: TurnModel;
  readonly #toolCall: { readonly openId: number; readonly closeId: number } | null;
  readonly #detokeniser;
  readonly #stops;
  readonly #hiddenIds: ReadonlySet<number>;
  #thought: string;
  #answer = '';
  #callText: string | null = null;

  constructor(model: TurnModel, request: GenerateRequest, start: TurnStart) {
    const { format, tokenizer } = model;
    this.#model = model;
    this.#toolCall = request.tools.length > 0 ? format.toolCall : null;
    this.#detokeniser = createDetokeniser(tokenizer, {
      isInside: start.thought !== '' || start.inAnswer,
    });
    this.#stops = createStopMatcher(request.stopStrings);
    this.#thought = start.thought;
    this.thoughtTokensGiven =
      start.thought === '' ? 0 : tokenizer.encode(tokenizer.lettersOf(start.thought)).length;
    this.answerTokensLeft = start.answerTokensLeft;
    // Ids that no model has stand in for tags that this tokenizer lacks.
    const { openId, closeId, closeText } = format.think ?? {
      openId: -1,
      closeId: -2,
      closeText: '',
    };
    // The tags of a call are no text, wherever a model puts them.
    const callIds = this.#toolCall === null ? [] : Object.values(this.#toolCall);
    this.#hiddenIds = new Set([openId, closeId, ...callIds, ...format.endIds]);
    this.budget = createThinkingBudget({
      limit: start.limit,
      openId,
      closeId,
      endIds: format.endIds,
      closingSentence: request.closingSentence,
      closeText,
      room:
        this.thoughtTokensGiven +
        thoughtRoom(start.room, Math.max(0, start.answerTokensLeft) + CLOSE_RESERVE),
    });
    this.opening = this.budget.start({
      usedTokens: this.thoughtTokensGiven,
      thought: start.thought,
      inAnswer: start.inAnswer,
    });
  }

  /** Takes a sampled token: what it is, and the text that may be shown of it. */
  take(id: number): {
    step: ReturnType<ThinkingBudget['onSampled']>;
    text: string;
    channel: 'thought' | 'answer' | 'tool-call';
    stopString: boolean;
  } {
    const isHidden = this.#hiddenIds.has(id);
    const raw = isHidden ? '' : this.#detokeniser.push(id);
    // A half character before a tag stays half: it has no text to show.
    if (isHidden) this.#detokeniser.flush();
    const step = this.budget.onSampled(id, raw);
    if (step.turnOver) {
      if (this.#callText !== null) this.#endCall();
      return { step, text: this.#stops.flush(), channel: 'answer', stopString: false };
    }
    if (step.channel === 'thought') {
      // A void token's bytes must not run into the answer.
      if (!step.keep) this.#detokeniser.flush();
      this.#thought += step.text;
      return { step, text: step.text, channel: 'thought', stopString: false };
    }
    this.answerTokensLeft -= 1;
    if (this.#toolCall !== null && (this.#callText !== null || id === this.#toolCall.openId)) {
      return { step, text: this.#inToolCall(id, raw), channel: 'tool-call', stopString: false };
    }
    const { text, stop } = this.#stops.push(step.text);
    const shown = this.answerTokensLeft <= 0 && stop === null ? text + this.#stops.flush() : text;
    this.#answer += shown;
    return { step, text: shown, channel: 'answer', stopString: stop !== null };
  }

  #inToolCall(id: number, raw: string): string {
    if (id === this.#toolCall?.openId) {
      this.#callText = '';
      return '';
    }
    if (id === this.#toolCall?.closeId) {
      this.#endCall();
      return '';
    }
    this.#callText = (this.#callText ?? '') + raw;
    return raw;
  }

  /** What was read between the tags, or up to the end of the turn where the model forgot to close them. */
  #endCall(): void {
    const calls = parseToolCalls(this.#callText ?? '');
    if (calls.length === 0) this.calls.push(null);
    else this.calls.push(...calls);
    this.#callText = null;
  }

  remember(id: number): void {
    this.recentIds.push(id);
    if (this.recentIds.length > PENALTY_WINDOW) this.recentIds.shift();
  }

  /** Text of a token by itself, for the lab. */
  textOf(id: number): string {
    return textOf(this.#model.tokenizer, [id]);
  }

  /** This turn as the template takes it. */
  asMessage(): TemplateMessage {
    return {
      role: 'assistant',
      content: this.#answer.trimEnd(),
      ...(this.#thought === '' ? {} : { reasoning_content: this.#thought }),
      tool_calls: this.calls
        .filter((call): call is ToolCall => call !== null)
        .map((call) => ({ type: 'function' as const, function: call })),
    };
  }
}
