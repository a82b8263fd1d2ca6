/**
 * Owns what the thinking limit buys: the curve that was measured for the shipped model, and one that the person
 * measures in this tab, problem by problem, through the same judging. Owns no chart.
 */
import { said, t } from '../core/language/translate';
import { GREEDY } from '../core/sampling/greedy';
import type { ThinkingLimit } from '../core/budget/thinking-limit';
import {
  budgetCurve,
  budgetKey,
  judgeReply,
  type BudgetCurve,
  type ProblemResult,
  type ReplyOutcome,
} from '../core/evaluation/budget-curve';
import type { Problem } from '../core/evaluation/problem';
import { createReplyRecorder } from '../core/evaluation/reply-recorder';
import type { Engine, Generation } from '../engine/engine';
import { asEngineError, type ModelStatus } from './model-status.svelte';
import { readShippedCurve, type ShippedCurve } from './shipped-curve';

/** As `npm run eval` measures, so that both curves compare. Longest answer in tokens. */
const ANSWER_TOKENS = 96;

export type StudyPhase = 'idle' | 'running' | 'done' | 'cancelled' | 'failed';

export interface StudyHost {
  readonly engine: Engine;
  readonly status: ModelStatus;
  /** Runs `work` when no reply is being written, and lets none begin until it ends. */
  readonly runAlone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Absolute address of the folder of the model in use, with its closing slash; null for one from elsewhere. */
  readonly modelUrl: () => string | null;
  readonly fetch: (url: string) => Promise<Response>;
}

export class BudgetStudy {
  /** Null until it is fetched, and where the model ships none. */
  shipped = $state.raw<ShippedCurve | null>(null);
  /** Why there is no shipped curve; '' while that is not known. */
  shippedProblem = $state('');
  phase = $state<StudyPhase>('idle');
  limits = $state.raw<readonly ThinkingLimit[]>([]);
  doneReplies = $state(0);
  totalReplies = $state(0);
  /** What the last run ended in, where it failed. */
  problem = $state('');

  #results = $state.raw<readonly ProblemResult[]>([]);
  readonly #host: StudyHost;
  #generation: Generation | null = null;
  /** Of the model that all figures are of. */
  #url: string | null = null;
  #isCancelled = false;

  /** The curve of this tab so far; null before its first reply. */
  readonly here: BudgetCurve | null = $derived(
    this.#results.length === 0 ? null : budgetCurve(this.#results, this.limits),
  );

  constructor(host: StudyHost) {
    this.#host = host;
  }

  /** Reads the curve that came with the model in use; what was measured of another model goes. */
  async loadShipped(): Promise<void> {
    const url = this.#host.modelUrl();
    if (url !== this.#url) {
      this.#url = url;
      this.shipped = null;
      this.#results = [];
    }
    if (url === null) {
      this.shippedProblem = t(
        'Nothing was measured of this model before; you can measure it here.',
      );
      return;
    }
    if (this.shipped !== null) return;
    try {
      const response = await this.#host.fetch(`${url}eval.json`);
      if (response.status === 404) {
        this.shippedProblem = t('This model ships without a measured curve.');
        return;
      }
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      this.shipped = readShippedCurve(await response.json());
      this.shippedProblem = '';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.shippedProblem = t('The shipped curve could not be read: {why}.', { why });
    }
  }

  /** Asks every problem at every limit, problem by problem, so that the curve is fair at any time. */
  async run(problems: readonly Problem[], limits: readonly ThinkingLimit[]): Promise<void> {
    if (this.phase === 'running') return;
    this.phase = 'running';
    this.problem = '';
    this.limits = limits;
    this.doneReplies = 0;
    this.totalReplies = problems.length * limits.length;
    this.#results = [];
    this.#isCancelled = false;
    try {
      await this.#host.runAlone(async () => {
        await this.#host.status.whenReady();
        for (const problem of problems) {
          if (!(await this.#runProblem(problem, limits))) break;
        }
      });
      this.phase = this.#hasCancelled() ? 'cancelled' : 'done';
    } catch (error) {
      const { message, remedy } = asEngineError(error);
      this.problem = `${said(message)} ${said(remedy)}`;
      this.phase = 'failed';
    }
  }

  /** Ends the run within one token; what was measured stays. */
  cancel(): void {
    this.#isCancelled = true;
    this.#generation?.stop();
  }

  /** False when the run was cancelled. */
  async #runProblem(problem: Problem, limits: readonly ThinkingLimit[]): Promise<boolean> {
    const outcomes: Record<string, ReplyOutcome> = {};
    const { id, family, difficulty, phrasing } = problem;
    const before = this.#results;
    for (const limit of limits) {
      if (this.#isCancelled) return false;
      const outcome = await this.#ask(problem, limit);
      if (outcome === null) return false;
      outcomes[budgetKey(limit)] = outcome;
      this.#results = [...before, { id, family, difficulty, phrasing, outcomes: { ...outcomes } }];
      this.doneReplies += 1;
    }
    return true;
  }

  /** Null when it was cancelled in mid-reply. */
  async #ask(problem: Problem, limit: ThinkingLimit): Promise<ReplyOutcome | null> {
    const recorder = createReplyRecorder(limit, null);
    this.#generation = this.#host.engine.generate(
      {
        id: `study-${problem.id}-${budgetKey(limit)}`,
        messages: [{ role: 'user', content: problem.question }],
        thinkingLimit: limit,
        closingSentence: '',
        maxAnswerTokens: ANSWER_TOKENS,
        sampling: GREEDY,
        stopStrings: [],
        tools: problem.tools,
        candidates: 0,
        isStepped: false,
      },
      (events) => {
        for (const event of events) recorder.take(event);
      },
    );
    try {
      const { finish, stats } = await this.#generation.done;
      if (this.#hasCancelled()) return null;
      return judgeReply(problem, recorder.record(finish, stats));
    } finally {
      this.#generation = null;
    }
  }

  #hasCancelled(): boolean {
    return this.#isCancelled;
  }
}
