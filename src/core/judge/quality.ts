/**
 * Owns how good a judge is against labels: Macro-F1, bias by source, bias index, and their difference. After ProfBench's
 * score_llm_judge.py; in its units, 0 to 100. Owns no verdicts.
 */
import type { Random } from '../sampling/random';

/** One criterion of one reply: what the label says, and what the judge said. */
export interface JudgedPair {
  readonly source: string;
  readonly task: string;
  readonly truth: boolean;
  readonly said: boolean;
}

/** ProfBench's index is a spread over three generators: over fewer a judge's leaning to one can't show. */
export const LEAST_SOURCES = 3;

export interface JudgeQuality {
  readonly pairs: number;
  readonly macroF1: number;
  /** 100 · mean(said − truth) of each source: above 0 the judge is too kind to it. */
  readonly bias: ReadonlyMap<string, number>;
  /** Largest less smallest bias; null with fewer than three sources. */
  readonly biasIndex: number | null;
  /** macroF1 − biasIndex. */
  readonly score: number | null;
}

function f1(pairs: readonly JudgedPair[], of: boolean): number {
  let both = 0;
  let either = 0;
  for (const { truth, said } of pairs) {
    if (truth === of) either += 1;
    if (said === of) either += 1;
    if (truth === of && said === of) both += 1;
  }
  return either === 0 ? 0 : (2 * both) / either;
}

/** Mean of the F1 of "yes" and of "no", as scikit-learn's `average='macro'`: over those that occur at all; 0 for no pairs. */
export function macroF1(pairs: readonly JudgedPair[]): number {
  const classes = [true, false].filter((one) =>
    pairs.some(({ truth, said }) => truth === one || said === one),
  );
  if (classes.length === 0) return 0;
  return (100 * classes.reduce((sum, one) => sum + f1(pairs, one), 0)) / classes.length;
}

export function judgeQuality(pairs: readonly JudgedPair[]): JudgeQuality {
  const sums = new Map<string, { error: number; count: number }>();
  for (const { source, truth, said } of pairs) {
    const sum = sums.get(source) ?? { error: 0, count: 0 };
    sum.error += Number(said) - Number(truth);
    sum.count += 1;
    sums.set(source, sum);
  }
  const bias = new Map(
    [...sums].map(([source, { error, count }]) => [source, (100 * error) / count] as const),
  );
  const biases = [...bias.values()];
  const biasIndex =
    biases.length < LEAST_SOURCES ? null : Math.max(...biases) - Math.min(...biases);
  const f1s = macroF1(pairs);
  return {
    pairs: pairs.length,
    macroF1: f1s,
    bias,
    biasIndex,
    score: biasIndex === null ? null : f1s - biasIndex,
  };
}

/** The same pairs as a judge decides them that has read nothing. */
export function constantJudge(pairs: readonly JudgedPair[], said: boolean): readonly JudgedPair[] {
  return pairs.map((pair) => ({ ...pair, said }));
}

/** 95 % interval [low, high] of a figure over tasks drawn anew with replacement; whole tasks, whose pairs hang together. */
export function taskInterval(
  pairs: readonly JudgedPair[],
  figure: (pairs: readonly JudgedPair[]) => number,
  random: Random,
  rounds = 1000,
): readonly [low: number, high: number] {
  const groups = new Map<string, JudgedPair[]>();
  for (const pair of pairs) groups.set(pair.task, [...(groups.get(pair.task) ?? []), pair]);
  const byTask = [...groups.values()];
  const drawn = Array.from({ length: rounds }, () =>
    figure(byTask.flatMap(() => byTask[Math.floor(random.next() * byTask.length)] ?? [])),
  ).sort((a, b) => a - b);
  const at = (share: number): number => drawn[Math.round(share * (rounds - 1))] ?? NaN;
  return [at(0.025), at(0.975)];
}
