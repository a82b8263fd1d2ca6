/**
 * Owns the asking of a problem later in a chat: first other questions, which the model answers itself, then the problem,
 * in the prompt that the app makes of such a chat. Owns no choice of questions (core/evaluation/in-chat.ts).
 */
import { toPromptMessages } from '../../src/core/chat/prompt-assembly';
import type { ConversationNode } from '../../src/core/chat/conversation-tree';
import { growReply } from '../../src/core/chat/grow-reply';
import { emptyReply, type ReplyContent, type ReplyPart } from '../../src/core/chat/reply';
import { judgeReply, type ReplyOutcome } from '../../src/core/evaluation/budget-curve';
import type { InChatProblem } from '../../src/core/evaluation/in-chat';
import type { Problem } from '../../src/core/evaluation/problem';
import type { ReplyRecord } from '../../src/core/evaluation/well-formed';
import type { PromptMessage } from '../../src/protocol/engine-api';
import { buildPrompt } from '../../workers/prompt';
import type { StepSession } from '../../workers/token-cursor';
import { CONTEXT_TOKENS, runReply, settingsFor, type ReplyModel } from './run-reply';

export interface AskedTurn {
  readonly question: string;
  readonly answer: string;
}

/** A problem's outcomes as the second and as the fourth question, and what was said in the chat of two. */
export interface FinishedChat {
  readonly id: string;
  readonly second: ReplyOutcome;
  readonly fourth: ReplyOutcome;
  readonly turns: readonly AskedTurn[];
}

/** One chat that grows turn by turn; its tools, answers' limit and clock are those of the measured problem. */
class Chat {
  readonly #model: ReplyModel;
  readonly #session: StepSession;
  readonly #measured: Problem;
  #path: readonly ConversationNode[] = [];

  constructor(model: ReplyModel, session: StepSession, measured: Problem) {
    this.#model = model;
    this.#session = session;
    this.#measured = measured;
  }

  #add(node: { role: 'user'; text: string } | { role: 'assistant'; reply: ReplyContent }): void {
    const before = this.#path.at(-1)?.id ?? null;
    const links = { parent: before, children: [], activeChild: null, createdAt: 0 };
    this.#path = [...this.#path, { ...links, id: String(this.#path.length), ...node }];
  }

  #tokensOf(messages: readonly PromptMessage[]): number {
    const { tokenizer, format } = this.#model;
    return buildPrompt(tokenizer, format, { messages, tools: [], enableThinking: true }).ids.length;
  }

  /** Asks without a limit on thinking; the turn stays in the chat unless it is only tried. */
  async ask(question: string, stays: boolean): Promise<ReplyRecord> {
    const before = this.#path;
    this.#add({ role: 'user', text: question });
    const messages = toPromptMessages(this.#path, '');
    // As much room for thought and answer as the same question has alone.
    const earlierTokens = this.#tokensOf(messages) - this.#tokensOf(messages.slice(-1));
    let parts: readonly ReplyPart[] = [];
    const reply = await runReply(
      this.#model,
      this.#session,
      {
        messages,
        limit: 'unlimited',
        ...settingsFor(this.#measured),
        contextTokens: CONTEXT_TOKENS + earlierTokens,
      },
      (event) => {
        parts = growReply(parts, event);
      },
    );
    if (stays) {
      const content = { ...emptyReply(reply.limit), parts, finish: reply.finish };
      this.#add({ role: 'assistant', reply: content });
    } else this.#path = before;
    return reply;
  }
}

/** Asks `problem` after one earlier question and, in the same chat without that, after all of them. */
export async function runInChat(
  model: ReplyModel,
  session: StepSession,
  { problem, earlier }: InChatProblem,
): Promise<FinishedChat> {
  const chat = new Chat(model, session, problem);
  const turns: AskedTurn[] = [];
  let second: ReplyRecord | null = null;
  for (const { question } of earlier) {
    const { answer } = await chat.ask(question, true);
    if (second !== null) continue;
    second = await chat.ask(problem.question, false);
    turns.push({ question, answer }, { question: problem.question, answer: second.answer });
  }
  if (second === null) throw new RangeError(`no question stands before problem ${problem.id}`);
  const fourth = await chat.ask(problem.question, false);
  return {
    id: problem.id,
    second: judgeReply(problem, second),
    fourth: judgeReply(problem, fourth),
    turns,
  };
}
