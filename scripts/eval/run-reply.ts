/** Owns one reply of the app's decode loop to one request, greedily, and the record of it. */
import { GREEDY } from '../../src/core/sampling/greedy';
import { clockDate, type Problem } from '../../src/core/evaluation/problem';
import {
  budgetKey,
  judgeReply,
  type ProblemResult,
  type ReplyOutcome,
} from '../../src/core/evaluation/budget-curve';
import { createReplyRecorder } from '../../src/core/evaluation/reply-recorder';
import type { ReplyRecord } from '../../src/core/evaluation/well-formed';
import type { ThinkingLimit } from '../../src/core/budget/thinking-limit';
import type {
  EngineEvent,
  GenerateRequest,
  MemoryReport,
  PromptMessage,
} from '../../src/protocol/engine-api';
import { runGeneration } from '../../workers/generate-loop';
import { SnapshotCache } from '../../workers/runtime/snapshots';
import type { StepSession } from '../../workers/token-cursor';
import type { ChatTokenizer } from '../../workers/runtime/hub';
import type { ModelSpec } from '../../src/core/model-spec';
import type { ThinkFormat } from '../../src/models/think-format';
import type { SharedSteps } from './shared-steps';

/** Longest answer; the longest right one, seven spelled or sorted words, has some 50 tokens. */
export const ANSWER_TOKENS = 96;
/** With tools the calls count as answer too: up to three of some 40 tokens. */
export const TOOL_ANSWER_TOKENS = 256;

/**
 * Context that "unlimited" is held to. The longest right thought has some 300 tokens; one that goes round in circles
 * would otherwise run to the end of the model's 4096.
 */
export const CONTEXT_TOKENS = 1024;

/** Nobody reads it here. */
const NO_MEMORY: MemoryReport = {
  weightBytes: 0,
  ssmBytes: 0,
  convBytes: 0,
  kvBytes: 0,
  kvAllocatedBytes: 0,
  snapshotBytes: 0,
  snapshotCount: 0,
  tokens: 0,
};

/** What a reply needs of the model besides its session. */
export interface ReplyModel {
  readonly spec: ModelSpec;
  readonly tokenizer: ChatTokenizer;
  readonly format: ThinkFormat;
}

export interface ReplyRequest {
  readonly messages: readonly PromptMessage[];
  readonly limit: ThinkingLimit;
  readonly tools: GenerateRequest['tools'];
  readonly maxAnswerTokens: number;
  readonly now: Date;
  /** Tokens of prompt, thought and answer together; CONTEXT_TOKENS where it is not given. */
  readonly contextTokens?: number;
  /** The answer is held to this. */
  readonly answerSchema?: GenerateRequest['answerSchema'];
}

/** Runs the app's loop from an empty state, as in a new conversation. */
export async function runReply(
  model: ReplyModel,
  session: StepSession,
  request: ReplyRequest,
  onEvent: (event: EngineEvent) => void = () => {},
): Promise<ReplyRecord> {
  const { tokenizer, format } = model;
  const contextTokens = request.contextTokens ?? CONTEXT_TOKENS;
  const spec = { ...model.spec, maxPositions: Math.min(model.spec.maxPositions, contextTokens) };
  const recorder = createReplyRecorder(request.limit, format.think?.closeId ?? null);
  // Empty, and it stays so: a reply must not depend on which one came before.
  const snapshots = new SnapshotCache(0);
  try {
    const outcome = await runGeneration(
      { session, spec, tokenizer, format, snapshots },
      {
        id: 'eval',
        messages: request.messages,
        thinkingLimit: request.limit,
        closingSentence: '',
        maxAnswerTokens: request.maxAnswerTokens,
        sampling: GREEDY,
        stopStrings: [],
        tools: request.tools,
        candidates: 0,
        ...(request.answerSchema === undefined ? {} : { answerSchema: request.answerSchema }),
      },
      { stopped: false, answerNow: false },
      {
        emit: (event) => {
          recorder.take(event);
          onEvent(event);
        },
        memory: () => NO_MEMORY,
        keepLive: () => {},
        now: () => request.now,
      },
    );
    return recorder.record(outcome.finish, outcome.tally);
  } finally {
    snapshots.clear();
  }
}

/** What a problem asks for besides its question. */
export function settingsFor(
  problem: Problem,
): Pick<ReplyRequest, 'tools' | 'maxAnswerTokens' | 'now'> {
  return {
    tools: problem.tools,
    maxAnswerTokens: problem.tools.length > 0 ? TOOL_ANSWER_TOKENS : ANSWER_TOKENS,
    now: clockDate(problem.now ?? '2026-01-01 00:00'),
  };
}

/** A problem's results, and what was answered at the last limit. */
export interface FinishedProblem {
  readonly result: ProblemResult;
  readonly lastAnswer: string;
}

/** Runs a problem at each limit, ascending, so that every reply finds the steps of the one before. */
export async function runProblem(
  model: ReplyModel,
  steps: SharedSteps,
  problem: Problem,
  limits: readonly ThinkingLimit[],
): Promise<FinishedProblem> {
  const outcomes: Record<string, ReplyOutcome> = {};
  let lastAnswer = '';
  try {
    for (const limit of limits) {
      steps.isRemembering = limit !== limits.at(-1);
      const reply = await runReply(model, steps, {
        messages: [{ role: 'user', content: problem.question }],
        limit,
        ...settingsFor(problem),
      });
      outcomes[budgetKey(limit)] = judgeReply(problem, reply);
      lastAnswer = reply.answer;
    }
  } finally {
    steps.forget();
  }
  const { id, family, difficulty, phrasing } = problem;
  return { result: { id, family, difficulty, phrasing, outcomes }, lastAnswer };
}
