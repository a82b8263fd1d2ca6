/** Owns one assistant turn: its text, its thought, its tool calls. Knows nothing of the model's states. */
import {
  createThinkingBudget,
  type BudgetStep,
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
import { TagText } from './tag-text';

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

/** What became of a sampled token. */
export interface TakenToken {
  readonly step: BudgetStep;
  /** What may be shown of it now. */
  readonly text: string;
  readonly channel: 'thought' | 'answer' | 'tool-call';
  readonly stopString: boolean;
  /** Calls that it completed; null for one that could not be read. */
  readonly calls: readonly (ToolCall | null)[];
  /** Take it once more behind what the step injects. */
  readonly again: boolean;
}

function taken(
  step: BudgetStep,
  text: string,
  channel: TakenToken['channel'],
  more: Partial<Pick<TakenToken, 'stopString' | 'calls' | 'again'>> = {},
): TakenToken {
  return { step, text, channel, stopString: false, calls: [], again: false, ...more };
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
  /** Each token of the answer is of its form: nothing in it is a tag, and nothing may stand before it. */
  readonly #isHeldToSchema: boolean;
  readonly #toolCall: { readonly openId: number; readonly closeId: number } | null;
  readonly #detokeniser;
  readonly #stops;
  readonly #hiddenIds: ReadonlySet<number>;
  #thought: string;
  #answer = '';
  #callText: string | null = null;
  /** Tags that are no single tokens, found in the text. */
  readonly #tags: TagText;
  /** Tokens held back so far because they may be of a tag. */
  #tagTokens = 0;
  /** What stood behind the thought's close in the same token. */
  #answerBegun = '';

  constructor(model: TurnModel, request: GenerateRequest, start: TurnStart) {
    const { format, tokenizer } = model;
    this.#model = model;
    this.#isHeldToSchema = request.answerSchema !== undefined;
    this.#toolCall = request.tools.length > 0 && !this.#isHeldToSchema ? format.toolCall : null;
    this.#detokeniser = createDetokeniser(tokenizer, {
      isInside: start.thought !== '' || start.inAnswer,
    });
    this.#stops = createStopMatcher(request.stopStrings);
    this.#tags = new TagText(Object.values(format.think?.tags ?? {}));
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
  take(id: number): TakenToken {
    if (id === this.#toolCall?.openId && this.budget.channel === 'thought')
      return this.#callInThought();
    const isHidden = this.#hiddenIds.has(id);
    const raw = isHidden ? '' : this.#detokeniser.push(id);
    // A half character before a tag stays half: it has no text to show.
    if (isHidden) this.#detokeniser.flush();
    const read = this.budget.channel === 'thought' ? this.#thoughtText(raw) : this.#answerText(raw);
    const step =
      read.closedBy === undefined
        ? this.budget.onSampled(id, read.text)
        : this.budget.closed(read.closedBy);
    if (step.turnOver) {
      const before = this.calls.length;
      if (this.#callText !== null) this.#endCall();
      const { text, stop } = this.#stops.push(step.text + this.#heldText());
      const shown = stop === null ? text + this.#stops.flush() : text;
      this.#answer += shown;
      return taken(step, shown, 'answer', { calls: this.calls.slice(before) });
    }
    if (step.channel === 'thought') {
      // A void token's bytes must not run into the answer; nor half a tag, where the thought is cut.
      if (!step.keep) this.#detokeniser.flush();
      if (step.inject !== undefined) this.#tags.flush();
      const text = read.closedBy === undefined ? step.text : read.text;
      this.#thought += text;
      return taken(step, text, 'thought');
    }
    this.answerTokensLeft -= 1;
    if (this.#toolCall !== null && (this.#callText !== null || id === this.#toolCall.openId)) {
      const before = this.calls.length;
      const text = this.#inToolCall(id, raw);
      return taken(step, text, 'tool-call', { calls: this.calls.slice(before) });
    }
    const isLast = this.answerTokensLeft <= 0;
    const { text, stop } = this.#stops.push(step.text + (isLast ? this.#heldText() : ''));
    const shown = isLast && stop === null ? text + this.#stops.flush() : text;
    this.#answer += shown;
    return taken(step, shown, 'answer', { stopString: stop !== null });
  }

  /** The tag of a call ends the thought as its close would: it is taken again behind that. */
  #callInThought(): TakenToken {
    this.#detokeniser.flush();
    this.#tags.flush();
    const inject = this.budget.called();
    const step: BudgetStep = {
      keep: false,
      channel: 'thought',
      text: '',
      ...(inject === null ? {} : { inject }),
      ended: 'called',
      turnOver: false,
    };
    return taken(step, '', 'thought', { again: true });
  }

  /** The thought's part of a text; `closedBy` its close stood in it: so many tokens before were of the tag. */
  #thoughtText(raw: string): { text: string; closedBy?: number } {
    const close = this.#model.format.think?.tags?.close;
    if (close === undefined) return { text: raw };
    let text = '';
    let isClosed = false;
    for (const piece of this.#tags.push(raw)) {
      if ('tag' in piece) isClosed ||= piece.tag === close;
      else if (isClosed) this.#answerBegun += piece.text;
      else text += piece.text;
    }
    if (isClosed) return { text, closedBy: this.#tagTokens };
    this.#tagTokens = this.#tags.isHolding ? this.#tagTokens + 1 : 0;
    return { text };
  }

  /** The answer's part of a text: without tags, and with what stood behind the close in its token. */
  #answerText(raw: string): { text: string; closedBy?: undefined } {
    if (this.#model.format.think?.tags === undefined || this.#isHeldToSchema) return { text: raw };
    const begun = this.#answerBegun;
    this.#answerBegun = '';
    const pieces = this.#tags.push(raw);
    return { text: begun + pieces.map((piece) => ('tag' in piece ? '' : piece.text)).join('') };
  }

  /** What was held back as the beginning of a tag and is none after all. */
  #heldText(): string {
    const held = this.#tags.flush();
    return this.#isHeldToSchema ? '' : held;
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
