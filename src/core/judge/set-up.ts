/** Owns what a judging is set to: how many tasks, whose replies, who judges and how; read back from what was kept. */
import type { ThinkingLimit } from '../budget/thinking-limit';
import { isFields } from './file-rows';

/** ProfBench compares three; on a phone more than six columns can't be read. */
export const MOST_SOURCES = 6;

export interface ReplySource {
  /** Tells it from the others, in files too. */
  readonly name: string;
  /** Key of the model that writes them; null: they came in a file or were pasted. */
  readonly model: string | null;
  readonly title: string;
  readonly limit: ThinkingLimit;
}

export interface JudgeSetUp {
  /** 0: all. */
  readonly taskCount: number;
  readonly sources: readonly ReplySource[];
  readonly judgeModel: string;
  readonly judgeTitle: string;
  readonly judgeLimit: ThinkingLimit;
  /** The judge's answer is held to Yes or No; else it writes what it likes, as in ProfBench. */
  readonly isForced: boolean;
}

function limitOf(value: unknown): ThinkingLimit {
  return value === 'unlimited' || (typeof value === 'number' && value >= 0) ? value : 0;
}

function textOr(value: unknown, other: string): string {
  return typeof value === 'string' ? value : other;
}

/** From what was kept; what can't be read is as at first. */
export function readSetUp(value: unknown): JudgeSetUp {
  const fields = isFields(value) ? value : {};
  const sources: readonly unknown[] = Array.isArray(fields['sources']) ? fields['sources'] : [];
  const { taskCount } = fields;
  return {
    taskCount: typeof taskCount === 'number' && taskCount >= 0 ? taskCount : 10,
    sources: sources.slice(0, MOST_SOURCES).flatMap((one) => {
      if (!isFields(one) || typeof one['name'] !== 'string') return [];
      const { name, model, title, limit } = one;
      return [
        {
          name,
          model: typeof model === 'string' ? model : null,
          title: textOr(title, name),
          limit: limitOf(limit),
        },
      ];
    }),
    judgeModel: textOr(fields['judgeModel'], ''),
    judgeTitle: textOr(fields['judgeTitle'], ''),
    judgeLimit: limitOf(fields['judgeLimit']),
    // A tiny model that is free to answer as it likes seldom says either word.
    isForced: fields['isForced'] !== false,
  };
}

/** Names that stand in files: the same in every language of the page. */
export function sourceName(title: string, limit: ThinkingLimit): string {
  return `${title} (thinking ${limit})`;
}

export function judgeName(
  title: string,
  { judgeLimit, isForced }: Pick<JudgeSetUp, 'judgeLimit' | 'isForced'>,
): string {
  return `${title} (thinking ${judgeLimit}, ${isForced ? 'held to Yes or No' : 'free'})`;
}
