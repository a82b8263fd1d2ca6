/**
 * Owns what a rubric is: tasks with weighted yes/no criteria, replies by source, and what a judge says of each criterion.
 * After ProfBench (NVlabs/ProfBench, score_report_generation.py). Reads no files.
 */

/** Points of a fulfilled criterion. */
export const WEIGHTS = { Critical: 4, Major: 3, Minor: 2, Additional: 1 } as const;
export type CriterionWeight = keyof typeof WEIGHTS;

export interface Criterion {
  readonly description: string;
  /** ProfBench's are "Extraction (recall)", "Reasoning" and "Style"; a file may have others. */
  readonly types: readonly string[];
  readonly weight: CriterionWeight;
  /** Whether it is fulfilled, as the file's own labels say, by name of the source. */
  readonly labels: Readonly<Partial<Record<string, boolean>>>;
}

export interface JudgeTask {
  readonly id: string;
  readonly prompt: string;
  readonly domain: string;
  readonly criteria: readonly Criterion[];
}

export interface TaskReply {
  readonly source: string;
  readonly task: string;
  readonly text: string;
  /** Tokens of thought and answer, and the time they took; null where nobody has counted. */
  readonly tokens: number | null;
  readonly ms: number | null;
}

export type JudgeAnswer = 'yes' | 'no' | 'neither';

/** What a judge said of one criterion; `criterion` counts from 0. */
export interface Verdict {
  readonly judge: string;
  readonly source: string;
  readonly task: string;
  readonly criterion: number;
  readonly answer: JudgeAnswer;
  /** Tokens that were read (null: not told) and written, and the time of both. */
  readonly promptTokens: number | null;
  readonly tokens: number;
  readonly ms: number;
}

/** Tells a criterion of a reply from all others. */
export function placeKey(source: string, task: string, criterion: number): string {
  return JSON.stringify([source, task, criterion]);
}

interface Placed {
  readonly source: string;
  readonly task: string;
  readonly criterion?: number;
}

/** Things by their place; a reply stands at criterion 0. */
export function byPlace<T extends Placed>(things: readonly T[]): ReadonlyMap<string, T> {
  return new Map(
    things.map((one) => [placeKey(one.source, one.task, one.criterion ?? 0), one] as const),
  );
}

/** The names of the sources, in the order in which they come. */
export function sourcesOf(replies: readonly Placed[]): readonly string[] {
  return [...new Set(replies.map(({ source }) => source))];
}

/** The first `count` tasks, domains by turns, so that a part of them is a fair one; 0: all. */
export function firstByTurns(tasks: readonly JudgeTask[], count: number): readonly JudgeTask[] {
  const domains = [...new Set(tasks.map(({ domain }) => domain))].map((domain) =>
    tasks.filter((task) => task.domain === domain),
  );
  const longest = Math.max(...domains.map((list) => list.length));
  return Array.from({ length: longest }, (_, at) => domains.flatMap((list) => list[at] ?? []))
    .flat()
    .slice(0, count === 0 ? Infinity : count);
}
