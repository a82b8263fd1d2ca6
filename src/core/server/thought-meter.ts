/**
 * Owns the thinking limit of a reply whose tokens are sampled elsewhere: counts what comes, says where the thought must
 * end and why. The same limit, grace and boundaries as in the tab (core/budget). Owns no request.
 */
import { graceTokens, type ThinkingLimit } from '../budget/thinking-limit';
import { boundaryAtEnd } from '../budget/thought-boundary';

/** Characters of thought kept to judge boundaries, as in the tab. */
const TAIL_CHARS = 64;

export interface MeterStep {
  /** Part of the piece that belongs to the thought. */
  readonly text: string;
  /** Set when the thought ends after `text`. */
  readonly cut: 'soft-limit' | 'hard-limit' | null;
}

export class ThoughtMeter {
  readonly softLimit: number;
  /** Tokens at which the thought is cut wherever it stands; Infinity when unlimited. */
  readonly hardLimit: number;
  #used: number;
  #tail: string;

  /** True where the other side looks for a good place to stop, and only the hard limit is kept here. */
  readonly #isHardOnly: boolean;

  /** @param before tokens that an unfinished thought has already, and its text */
  constructor(
    limit: ThinkingLimit,
    before: { readonly tokens: number; readonly text: string } = { tokens: 0, text: '' },
    isHardOnly = false,
  ) {
    this.#isHardOnly = isHardOnly;
    this.softLimit = limit === 'unlimited' ? Infinity : limit;
    this.hardLimit =
      limit === 'unlimited' ? Infinity : limit === 0 ? 0 : limit + graceTokens(limit);
    this.#used = before.tokens;
    this.#tail = before.text.slice(-TAIL_CHARS);
  }

  get usedTokens(): number {
    return this.#used;
  }

  /** True when not one more token may be thought. */
  get isSpent(): boolean {
    return this.#used >= this.hardLimit;
  }

  /**
   * Takes a piece of `tokens` tokens. A server may send several at once: then the soft limit looks at each place inside,
   * and what lies past the hard limit is left out.
   */
  push(text: string, tokens: number): MeterStep {
    if (this.isSpent) return { text: '', cut: 'hard-limit' };
    const before = this.#used;
    const softLimit = this.#isHardOnly ? Infinity : this.softLimit;
    // A piece without text (half of a character, say) has been paid for too, and has one place to stop.
    const share = (at: number): number =>
      before + (text === '' ? tokens : (tokens * at) / text.length);
    // Within one token there is one place to stop: its end. A full stop after a digit waits for what follows it.
    const isPending = before >= softLimit && boundaryAtEnd(this.#tail) === 'maybe';
    if (isPending && text !== '' && !/^\d/.test(text)) return { text: '', cut: 'soft-limit' };
    for (let at = tokens > 1 ? Math.min(1, text.length) : text.length; at <= text.length; at += 1) {
      // Never between the two halves of one character.
      if (/[\uD800-\uDBFF]/.test(text[at - 1] ?? '') && at < text.length) continue;
      const used = share(at);
      const head = (this.#tail + text.slice(0, at)).slice(-TAIL_CHARS);
      const isSoft = used >= softLimit && boundaryAtEnd(head) === 'end';
      const isHard = used >= this.hardLimit;
      if (!isSoft && !isHard) continue;
      const isOver = used > this.hardLimit;
      const kept = text.slice(0, isOver && tokens > 1 ? Math.max(0, at - 1) : at);
      this.#used = Math.min(Math.ceil(used), this.hardLimit);
      this.#tail = (this.#tail + kept).slice(-TAIL_CHARS);
      return { text: kept, cut: isSoft && !isOver ? 'soft-limit' : 'hard-limit' };
    }
    this.#used = before + tokens;
    this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
    return { text, cut: null };
  }
}
