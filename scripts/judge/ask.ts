/** Owns what a model is asked in Node for a judging: a task's prompt, or one criterion of one reply. Owns no figures. */
import type { ThinkingLimit } from '../../src/core/budget/thinking-limit';
import { FORCED_ANSWER, judgeQuestion, readAnswer } from '../../src/core/judge/question';
import type { Criterion, JudgeAnswer, JudgeTask, TaskReply } from '../../src/core/judge/rubric';
import type { StepSession } from '../../workers/token-cursor';
import type { ModelFolder } from '../eval/load-model';
import { runReply } from '../eval/run-reply';
import type { Reading } from './options';

/** As the page asks: the longest of the tasks' replies, a story, has some 60 tokens. */
const REPLY_TOKENS = 160;
/** Of a judge: what follows the first word is not read. */
const VERDICT_TOKENS = 8;
const NOON = new Date(2026, 0, 1, 12);

export async function replyTo(
  folder: ModelFolder,
  session: StepSession,
  task: JudgeTask,
  limit: ThinkingLimit,
): Promise<TaskReply> {
  const begun = performance.now();
  const { answer, thoughtTokens, answerTokens } = await runReply(folder, session, {
    messages: [{ role: 'user', content: task.prompt }],
    limit,
    tools: [],
    maxAnswerTokens: REPLY_TOKENS,
    now: NOON,
  });
  return {
    source: folder.manifest.name,
    task: task.id,
    text: answer.trim(),
    tokens: thoughtTokens + answerTokens,
    ms: Math.round(performance.now() - begun),
  };
}

export interface AskedVerdict {
  readonly answer: JudgeAnswer;
  readonly text: string;
  readonly promptTokens: number;
  readonly tokens: number;
  readonly ms: number;
}

export async function verdictOn(
  folder: ModelFolder,
  session: StepSession,
  reply: string,
  { description }: Criterion,
  reading: Reading,
  limit: ThinkingLimit,
): Promise<AskedVerdict> {
  const begun = performance.now();
  let promptTokens = 0;
  const { answer, thoughtTokens, answerTokens } = await runReply(
    folder,
    session,
    {
      messages: [{ role: 'user', content: judgeQuestion(reply, description) }],
      limit,
      tools: [],
      maxAnswerTokens: VERDICT_TOKENS,
      now: NOON,
      ...(reading === 'forced' ? { answerSchema: FORCED_ANSWER } : {}),
    },
    (event) => {
      if (event.type === 'prefill') promptTokens = event.total;
    },
  );
  return {
    answer: readAnswer(answer),
    text: answer,
    promptTokens,
    tokens: thoughtTokens + answerTokens,
    ms: performance.now() - begun,
  };
}
