/**
 * Owns what is used of the browser's own model, the Prompt API (webmachinelearning.github.io/prompt-api, read 2026-11-28),
 * and whether this browser has it. Older names of the measure are read as well: Chrome renamed them in 2026.
 */

export interface NativeMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
  readonly prefix?: boolean;
}

export interface NativeSession {
  promptStreaming(
    input: readonly NativeMessage[],
    options: { readonly signal?: AbortSignal; readonly responseConstraint?: object },
  ): ReadableStream<string>;
  measureContextUsage?(input: readonly NativeMessage[]): Promise<number>;
  measureInputUsage?(input: readonly NativeMessage[]): Promise<number>;
  readonly contextUsage?: number;
  readonly inputUsage?: number;
  readonly contextWindow?: number;
  readonly inputQuota?: number;
  destroy(): void;
}

export type NativeAvailability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

export interface NativeModel {
  availability(): Promise<NativeAvailability>;
  create(options?: {
    readonly initialPrompts?: readonly NativeMessage[];
    readonly signal?: AbortSignal;
    readonly monitor?: (monitor: EventTarget) => void;
  }): Promise<NativeSession>;
}

/** The browser's own model; null where it has none. */
export function nativeModel(scope: object = globalThis): NativeModel | null {
  const { LanguageModel } = scope as { readonly LanguageModel?: NativeModel };
  return LanguageModel ?? null;
}

/** Tokens that a session can hold; null where it does not say, or says no limit. */
export function windowOf({ contextWindow, inputQuota }: NativeSession): number | null {
  const tokens = contextWindow ?? inputQuota ?? null;
  return tokens !== null && Number.isFinite(tokens) ? tokens : null;
}

export function usageOf({ contextUsage, inputUsage }: NativeSession): number | null {
  return contextUsage ?? inputUsage ?? null;
}

export async function measure(
  session: NativeSession,
  input: readonly NativeMessage[],
): Promise<number | null> {
  if (session.measureContextUsage !== undefined) return session.measureContextUsage(input);
  return session.measureInputUsage === undefined ? null : session.measureInputUsage(input);
}
