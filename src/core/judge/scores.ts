/** Owns the scores of replies under a rubric. After ProfBench's score_report_generation.py; shares, 0 to 1. */
import { WEIGHTS, type JudgeTask } from './rubric';

/** True or false where a criterion was judged, null where it was not. */
export type Fulfilment = (task: JudgeTask, criterion: number) => boolean | null;

export interface ReplyScores {
  /** Mean of the domains' means; null before any task has been judged whole. */
  readonly overall: number | null;
  /** Mean of the tasks' scores, in the order in which the domains come. */
  readonly domains: ReadonlyMap<string, number>;
  /** Share of fulfilled criteria, unweighted, each under all of its types. */
  readonly types: ReadonlyMap<string, number>;
  /** Σ weight · fulfilled / Σ weight of each task that was judged whole. */
  readonly tasks: ReadonlyMap<string, number>;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function means(groups: ReadonlyMap<string, readonly number[]>): Map<string, number> {
  return new Map([...groups].map(([name, values]) => [name, mean(values)]));
}

function put(groups: Map<string, number[]>, name: string, value: number): void {
  const group = groups.get(name);
  if (group === undefined) groups.set(name, [value]);
  else group.push(value);
}

/** Scores one source's replies. A task counts once all of its criteria have been judged. */
export function scoreReplies(tasks: readonly JudgeTask[], fulfilled: Fulfilment): ReplyScores {
  const byTask = new Map<string, number>();
  const byDomain = new Map<string, number[]>();
  const byType = new Map<string, number[]>();
  for (const task of tasks) {
    const met = task.criteria.map((_, at) => fulfilled(task, at));
    if (met.length === 0 || met.includes(null)) continue;
    let reached = 0;
    let most = 0;
    for (const [at, { weight, types }] of task.criteria.entries()) {
      const isMet = met[at] === true;
      most += WEIGHTS[weight];
      if (isMet) reached += WEIGHTS[weight];
      for (const type of types) put(byType, type, isMet ? 1 : 0);
    }
    byTask.set(task.id, reached / most);
    put(byDomain, task.domain, reached / most);
  }
  const domains = means(byDomain);
  return {
    overall: domains.size === 0 ? null : mean([...domains.values()]),
    domains,
    types: means(byType),
    tasks: byTask,
  };
}
