/** Owns the form of eval.json, which the app plots. */
import type { BudgetCurve } from '../../src/core/evaluation/budget-curve';
import type { InChatShares } from '../../src/core/evaluation/in-chat';

export interface EvaluatedModel {
  readonly name: string;
  readonly parameters: number;
  /** The variant that was run, its file and its bytes. */
  readonly variant: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The contract's keys, and more. Shares are in 0..1. */
export interface EvalReport extends BudgetCurve {
  readonly model: EvaluatedModel;
  /** By variant, on the held-out text. */
  readonly perplexity: Readonly<Record<string, number>>;
  /** Of the variant that was run. */
  readonly perplexityBySource: Readonly<Record<string, number>>;
  /** Scored tokens of the held-out text. */
  readonly perplexityTokens: number;
  /** Tokens of prompt, thought and answer together that "unlimited" was held to. */
  readonly contextTokens: number;
  /** Problems asked alone and again later in a chat, unlimited; absent where that was left out. */
  readonly inChat?: InChatShares;
  readonly command: string;
  readonly commit: string;
}

/** Numbers to four digits: more would only make noise in the history. */
export function evalJson(report: EvalReport): string {
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(4)) : value;
  return `${JSON.stringify(report, rounded, 2)}\n`;
}
