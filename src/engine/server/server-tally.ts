/**
 * Owns the counts and times of one reply by a server, over all the questions that it takes: what the server says where it
 * counts, what was seen from here where it does not. Owns no events.
 */
import type { ReplyStats } from '../../core/chat/reply';
import type { AnswerChunk } from './server-stream';

export class ServerTally {
  answerTokens = 0;
  thoughtMs = 0;
  #thoughtTokens = 0;
  readonly #startedAt = performance.now();
  #askedAt = this.#startedAt;
  #firstTokenAt: number | null = null;
  #lastTokenAt: number | null = null;
  /** Of the questions that have ended; waiting for a server is no decoding. */
  #decodeMs = 0;
  #prefillMs: number | null = null;
  #promptTokens = 0;
  #reusedTokens = 0;
  #seenTokens = 0;
  #contextTokens = 0;
  #isFirstQuestion = true;

  /** A question goes out. */
  asked(): void {
    this.#askedAt = performance.now();
    this.#isFirstQuestion = this.#firstTokenAt === null;
    this.#lastTokenAt = null;
    this.#seenTokens = 0;
  }

  /** Tokens that this chunk adds, where the server counts; null where it does not. */
  count({ usage, timings, tokenCount, isWhole }: AnswerChunk): number | null {
    if (this.#isFirstQuestion) {
      this.#promptTokens = usage?.promptTokens ?? this.#promptTokens;
      this.#reusedTokens = usage?.cachedTokens ?? this.#reusedTokens;
      this.#prefillMs = timings?.promptMs ?? this.#prefillMs;
    }
    const total = timings?.predictedTokens ?? usage?.completionTokens ?? null;
    if (usage !== null && usage.promptTokens !== null)
      this.#contextTokens = usage.promptTokens + (usage.completionTokens ?? 0);
    if (total === null) return tokenCount;
    const fresh = Math.max(0, total - this.#seenTokens);
    // A count that comes only with the end says nothing of the pieces before it.
    const isLate = this.#seenTokens === 0 && this.#lastTokenAt !== null && !isWhole;
    if (isLate) return null;
    this.#seenTokens = total;
    return fresh;
  }

  /** A token has come; milliseconds since the one before. */
  step(): number {
    const now = performance.now();
    const ms = now - (this.#lastTokenAt ?? this.#askedAt);
    if (this.#lastTokenAt !== null) this.#decodeMs += ms;
    this.#firstTokenAt ??= now;
    this.#lastTokenAt = now;
    return ms;
  }

  thought(tokens: number): void {
    this.#thoughtTokens += tokens;
  }

  answer(tokens: number): void {
    this.answerTokens += tokens;
  }

  /** Prompt and reply together, as the server counted them last. */
  get contextTokens(): number {
    return this.#contextTokens;
  }

  stats(): Omit<ReplyStats, 'device'> {
    const now = performance.now();
    const firstMs = (this.#firstTokenAt ?? now) - this.#startedAt;
    const prefillMs = this.#prefillMs ?? firstMs;
    const written = this.#thoughtTokens + this.answerTokens;
    const perSecond = (tokens: number, ms: number): number => (ms > 0 ? (tokens * 1000) / ms : 0);
    return {
      promptTokens: this.#promptTokens,
      reusedTokens: this.#reusedTokens,
      prefillMs,
      timeToFirstTokenMs: firstMs,
      thoughtTokens: Math.round(this.#thoughtTokens),
      thoughtMs: this.thoughtMs,
      answerTokens: Math.round(this.answerTokens),
      decodeMs: this.#decodeMs,
      decodeTokensPerSecond: perSecond(Math.max(0, written - 1), this.#decodeMs),
      prefillTokensPerSecond: perSecond(this.#promptTokens - this.#reusedTokens, prefillMs),
    };
  }
}
