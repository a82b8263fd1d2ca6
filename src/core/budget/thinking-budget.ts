/**
 * Owns the thinking limit of one assistant turn: which channel a sampled token belongs to, when the
 * thought ends, and what is injected to close it. A pure state machine; owns no tokenizer, no
 * sampling and no clock.
 */
import { graceTokens, type ThinkingLimit, type ThoughtEnd } from './thinking-limit';
import { boundaryAtEnd } from './thought-boundary';

export interface ThinkingBudgetOptions {
  readonly limit: ThinkingLimit;
  /** Token id of `<think>`. */
  readonly openId: number;
  /** Token id of `</think>`. */
  readonly closeId: number;
  /** Ids that end a turn (`<|im_end|>`, `<|endoftext|>`); inside a thought they force a close. */
  readonly endIds?: readonly number[];
  /** Put before the close when the thought is cut; '' = none. */
  readonly closingSentence?: string;
  /**
   * Text form of the close in the training data; a leading newline is left out where the thought
   * ends in one.
   */
  readonly closeText?: string;
  /**
   * Most thought tokens that fit the context once answer and close are reserved; holds for
   * `unlimited` too. See `thoughtRoom`.
   */
  readonly room?: number;
}

export interface Injection {
  /** Text to tokenise and feed to the model, tag included. */
  readonly text: string;
  /** Part of `text` that a reader of the thought sees (newline, closing sentence); no tag. */
  readonly visible: string;
  readonly reason: ThoughtEnd;
}

export interface BudgetStep {
  /**
   * True: feed the token to the model. False: the token is void (never feed it); feed `inject`
   * where there is one, otherwise sample again from the same logits with {@link
   * ThinkingBudget.bannedIds} masked.
   */
  readonly keep: boolean;
  /** Channel of `text`. */
  readonly channel: 'thought' | 'answer';
  /** Text to show: '' for tags, void tokens and the newlines between close and answer. */
  readonly text: string;
  /** Tokenise and feed this after the token (or in its place where `keep` is false). */
  readonly inject?: Injection;
  /** Set on the step that ended the thought. */
  readonly ended?: ThoughtEnd;
  /** True when an end id was sampled in the answer: the turn is over. */
  readonly turnOver: boolean;
}

export interface ThinkingBudgetStart {
  /**
   * Tokens that the unfinished thought has already. (A turn after a tool call is a thought of its
   * own: make its budget with what {@link ThinkingBudget.remaining} says.)
   */
  readonly usedTokens?: number;
  /** Thought text already there, when an unfinished thought goes on. */
  readonly thought?: string;
  /** True when the reply goes on inside its answer. */
  readonly inAnswer?: boolean;
}

/** As the models of this family are trained; the same for natural and forced closes. */
export const DEFAULT_CLOSE_TEXT = '\n</think>\n';

/** Characters of thought kept to judge boundaries; longer than any list marker or run of quotes. */
const TAIL_CHARS = 64;

/**
 * One turn's budget. Make it with {@link createThinkingBudget}, then `start`, then `onSampled` a
 * token.
 */
export class ThinkingBudget {
  readonly limit: ThinkingLimit;
  /**
   * Tokens at which the thought is cut wherever it stands; Infinity when unlimited and without
   * `room`.
   */
  readonly hardLimit: number;
  readonly #options: ThinkingBudgetOptions;
  readonly #softLimit: number;
  readonly #endIds: ReadonlySet<number>;
  #channel: 'thought' | 'answer' = 'answer';
  #ended: ThoughtEnd | null = null;
  #used = 0;
  #tail = '';
  #answerBegan = false;

  constructor(options: ThinkingBudgetOptions) {
    const { limit } = options;
    if (limit !== 'unlimited' && !(Number.isInteger(limit) && limit >= 0)) {
      throw new RangeError(
        `thinking limit ${limit} is not a whole number ≥ 0; use one, or 'unlimited'`,
      );
    }
    if (options.openId === options.closeId) {
      throw new RangeError(
        `open and close tag share the id ${options.openId}; read both from the tokenizer`,
      );
    }
    const room = options.room ?? Infinity;
    this.#options = options;
    this.limit = limit;
    this.#softLimit = limit === 'unlimited' ? Infinity : limit;
    this.hardLimit = Math.min(limit === 'unlimited' ? Infinity : limit + graceTokens(limit), room);
    this.#endIds = new Set(options.endIds ?? []);
  }

  /** Where the next sampled token goes. */
  get channel(): 'thought' | 'answer' {
    return this.#channel;
  }

  /** Sampled thought tokens so far; injected tokens and the tags don't count. */
  get usedTokens(): number {
    return this.#used;
  }

  /** The limit that is left for a further turn of the same reply. */
  get remaining(): ThinkingLimit {
    return this.limit === 'unlimited' ? 'unlimited' : Math.max(0, this.limit - this.#used);
  }

  /** Why the thought ended; null while it lasts or when there was none. */
  get ended(): ThoughtEnd | null {
    return this.#ended;
  }

  /** Ids to mask before sampling: neither tag can open or close anything where it would be void. */
  get bannedIds(): readonly number[] {
    const { openId, closeId } = this.#options;
    return this.#channel === 'thought' ? [openId] : [openId, closeId];
  }

  /** True when the prompt must be rendered with thinking on. */
  get thinks(): boolean {
    return this.#softLimit > 0 && this.hardLimit > 0;
  }

  /**
   * Begins the turn. Returns an injection only when a continued thought already stands at its hard
   * limit.
   */
  start(from: ThinkingBudgetStart = {}): Injection | null {
    this.#used = from.usedTokens ?? 0;
    this.#tail = (from.thought ?? '').slice(-TAIL_CHARS);
    this.#ended = null;
    this.#answerBegan = from.inAnswer ?? false;
    this.#channel = this.thinks && from.inAnswer !== true ? 'thought' : 'answer';
    if (this.#channel === 'thought' && this.#used >= this.hardLimit)
      return this.#close('hard-limit');
    return null;
  }

  /**
   * Takes the token that was just sampled, with its own text ('' for a tag or half a character).
   */
  onSampled(id: number, text: string): BudgetStep {
    return this.#channel === 'thought' ? this.#inThought(id, text) : this.#inAnswer(id, text);
  }

  /** Ends the thought now ("Answer now"); null when there is none to end. */
  answerNow(): Injection | null {
    return this.#channel === 'thought' ? this.#close('answer-now') : null;
  }

  /** The model began a tool call inside its thought, which ends there; null when there is none to end. */
  called(): Injection | null {
    return this.#channel === 'thought' ? this.#close('called') : null;
  }

  /**
   * The close of a tokenizer without a token for it was read from the text. `tagTokens`: those of the tag that were taken
   * for the thought's; this last one was not taken.
   */
  closed(tagTokens: number): BudgetStep {
    this.#used = Math.max(0, this.#used - tagTokens);
    this.#channel = 'answer';
    this.#ended = 'natural';
    return { keep: true, channel: 'thought', text: '', ended: 'natural', turnOver: false };
  }

  /** The person stopped the reply: notes why the thought ended, injects nothing. */
  stop(): void {
    if (this.#channel !== 'thought') return;
    this.#channel = 'answer';
    this.#ended = 'stopped';
  }

  #inThought(id: number, text: string): BudgetStep {
    if (id === this.#options.closeId) {
      this.#channel = 'answer';
      this.#ended = 'natural';
      return { keep: true, channel: 'thought', text: '', ended: 'natural', turnOver: false };
    }
    // "3." at the tail: this token's first character tells a decimal from a sentence, and is void
    // after a sentence.
    const pending = this.#used >= this.#softLimit && boundaryAtEnd(this.#tail) === 'maybe';
    if (pending && text !== '' && !/^\d/.test(text)) return this.#cut('soft-limit', false, '');

    this.#used += 1;
    if (this.#endIds.has(id)) return this.#cut('ended', false, '');
    const isVoid = id === this.#options.openId;
    if (!isVoid) this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
    const shown = isVoid ? '' : text;
    if (this.#used >= this.#softLimit && boundaryAtEnd(this.#tail) === 'end') {
      return this.#cut('soft-limit', !isVoid, shown);
    }
    if (this.#used >= this.hardLimit) return this.#cut('hard-limit', !isVoid, shown);
    return { keep: !isVoid, channel: 'thought', text: shown, turnOver: false };
  }

  #inAnswer(id: number, text: string): BudgetStep {
    const { openId, closeId } = this.#options;
    if (id === openId || id === closeId)
      return { keep: false, channel: 'answer', text: '', turnOver: false };
    if (this.#endIds.has(id)) return { keep: false, channel: 'answer', text: '', turnOver: true };
    const shown = this.#answerBegan ? text : text.replace(/^\n+/, '');
    if (shown !== '') this.#answerBegan = true;
    return { keep: true, channel: 'answer', text: shown, turnOver: false };
  }

  #cut(reason: ThoughtEnd, keep: boolean, text: string): BudgetStep {
    return {
      keep,
      channel: 'thought',
      text,
      inject: this.#close(reason),
      ended: reason,
      turnOver: false,
    };
  }

  #close(reason: ThoughtEnd): Injection {
    const { closingSentence = '', closeText = DEFAULT_CLOSE_TEXT } = this.#options;
    this.#channel = 'answer';
    this.#ended = reason;
    const atLineStart = this.#tail === '' || this.#tail.endsWith('\n');
    let visible = '';
    // A model that ended its thought by itself has no need to be told that time is up.
    if (closingSentence !== '' && reason !== 'ended' && reason !== 'called')
      visible = (atLineStart ? '' : '\n') + closingSentence;
    const bare = visible === '' && atLineStart ? closeText.replace(/^\n/, '') : closeText;
    return { text: visible + bare, visible, reason };
  }
}

/**
 * Makes the budget of one assistant turn; RangeError on a limit that is no whole number ≥ 0 or on
 * equal tag ids.
 */
export function createThinkingBudget(options: ThinkingBudgetOptions): ThinkingBudget {
  return new ThinkingBudget(options);
}
