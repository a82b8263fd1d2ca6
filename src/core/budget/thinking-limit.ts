/** Owns what a thinking limit is, how much grace it gives, and how a thought can end. */

/** Thought tokens the model may sample; 0 = template with thinking off. A limit, not an effort. */
export type ThinkingLimit = number | 'unlimited';

/**
 * Why a thought ended. `ended`: the model sampled an end-of-text inside its thought; `called`: it began a tool call there.
 */
export type ThoughtEnd =
  'natural' | 'soft-limit' | 'hard-limit' | 'answer-now' | 'stopped' | 'ended' | 'called';

/**
 * Tokens past `limit` in which a soft stop may wait for the end of a line or sentence:
 * max(16, ⌈10 %⌉).
 */
export function graceTokens(limit: number): number {
  return Math.max(16, Math.ceil(limit / 10));
}

/**
 * Thought tokens that fit when `contextRoom` tokens are free and `reserved` go to answer and close;
 * at least 0.
 */
export function thoughtRoom(contextRoom: number, reserved: number): number {
  return Math.max(0, Math.floor(contextRoom - reserved));
}
