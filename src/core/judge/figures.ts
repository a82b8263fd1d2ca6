/** Owns the figures of a whole judging: each source's scores and costs, each judge's quality and costs. */
import type { JudgeBook } from './judge-file';
import { constantJudge, judgeQuality, type JudgedPair, type JudgeQuality } from './quality';
import { byPlace, placeKey, type JudgeTask, type Verdict } from './rubric';
import { scoreReplies, type ReplyScores } from './scores';

export interface Costs {
  /** Null: nobody has counted. */
  readonly tokens: number | null;
  readonly promptTokens: number | null;
  readonly ms: number | null;
}

export interface SourceFigures {
  readonly source: string;
  readonly byJudge: ReplyScores;
  /** By the file's own labels; `overall` null where there are none. */
  readonly byLabels: ReplyScores;
  /** Criteria that were answered with neither yes nor no. */
  readonly neither: number;
  readonly judged: number;
  /** Of writing the replies. */
  readonly costs: Costs;
}

export interface JudgeFigures {
  readonly name: string;
  readonly quality: JudgeQuality;
  readonly neither: number;
  readonly costs: Costs;
}

function sum<T>(things: readonly T[], of: (thing: T) => number | null): number | null {
  const told = things.map(of).filter((value) => value !== null);
  return told.length === 0 ? null : told.reduce((total, value) => total + value, 0);
}

function costsOf(verdicts: readonly Verdict[]): Costs {
  return {
    tokens: sum(verdicts, ({ tokens }) => tokens),
    promptTokens: sum(verdicts, ({ promptTokens }) => promptTokens),
    ms: sum(verdicts, ({ ms }) => ms),
  };
}

/** Each source under one judge; neither yes nor no counts as no. */
export function sourceFigures(
  { replies, verdicts }: JudgeBook,
  tasks: readonly JudgeTask[],
  sources: readonly string[],
  judge: string,
): readonly SourceFigures[] {
  const own = verdicts.filter((verdict) => verdict.judge === judge);
  const said = byPlace(own);
  const ids = new Set(tasks.map(({ id }) => id));
  return sources.map((source) => {
    const of = own.filter((verdict) => verdict.source === source && ids.has(verdict.task));
    const written = replies.filter((reply) => reply.source === source && ids.has(reply.task));
    return {
      source,
      byJudge: scoreReplies(tasks, ({ id }, at) => {
        const verdict = said.get(placeKey(source, id, at));
        return verdict === undefined ? null : verdict.answer === 'yes';
      }),
      byLabels: scoreReplies(tasks, ({ criteria }, at) => criteria[at]?.labels[source] ?? null),
      neither: of.filter(({ answer }) => answer === 'neither').length,
      judged: of.length,
      costs: {
        tokens: sum(written, ({ tokens }) => tokens),
        promptTokens: null,
        ms: sum(written, ({ ms }) => ms),
      },
    };
  });
}

/** The verdicts that a label can be held against. */
function labelledPairs(
  tasks: readonly JudgeTask[],
  verdicts: readonly Verdict[],
): readonly JudgedPair[] {
  const known = new Map(tasks.map((task) => [task.id, task]));
  return verdicts.flatMap(({ source, task, criterion, answer }) => {
    const truth = known.get(task)?.criteria[criterion]?.labels[source];
    return truth === undefined ? [] : [{ source, task, truth, said: answer === 'yes' }];
  });
}

/** Every judge that said something of a labelled reply, and those two that always say the same, on the pairs of `judge`. */
export function judgeFigures(
  { verdicts }: JudgeBook,
  tasks: readonly JudgeTask[],
  judge: string,
): {
  readonly judges: readonly JudgeFigures[];
  readonly always: { readonly yes: JudgeQuality; readonly no: JudgeQuality };
} {
  const of = (name: string): readonly Verdict[] => verdicts.filter((one) => one.judge === name);
  const names = [...new Set(verdicts.map((one) => one.judge))];
  const judges = names.flatMap((name) => {
    const pairs = labelledPairs(tasks, of(name));
    if (pairs.length === 0) return [];
    const neither = of(name).filter(({ answer }) => answer === 'neither').length;
    return [{ name, quality: judgeQuality(pairs), neither, costs: costsOf(of(name)) }];
  });
  const pairs = labelledPairs(tasks, of(judge));
  return {
    judges,
    always: {
      yes: judgeQuality(constantJudge(pairs, true)),
      no: judgeQuality(constantJudge(pairs, false)),
    },
  };
}
