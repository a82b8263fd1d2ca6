/** Owns the way from a path of the tree to the messages that a prompt is rendered from. */
import { questionWithFiles } from './attached-file';
import type { ConversationNode } from './conversation-tree';
import type { PromptMessage } from './prompt-message';
import type { ReplyContent, ReplyPart } from './reply';
import { roundsOf, withResults, type Round } from './reply-parts';

/** Stands between two texts of one role that became one message. */
const PARAGRAPH = '\n\n';

function paragraphs(...texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(PARAGRAPH);
}

/** Calls and results that belong to each other. */
function ranParts({ parts }: ReplyContent): ReadonlySet<ReplyPart> {
  const ran = new Set<ReplyPart>();
  for (const [call, result] of withResults(parts)) {
    if (result !== null) ran.add(call).add(result);
  }
  return ran;
}

/**
 * Rounds as turns of the assistant and what the tools said. A call without a result (it was not run) would leave the model
 * waiting, so it is left out; so is a result whose call could not be read. What was said in a round of which nothing is
 * left goes in front of the next text; `rest` is what has no next one.
 */
function messagesOf(
  reply: ReplyContent,
  rounds: readonly Round[],
  hasThoughts: boolean,
): { messages: PromptMessage[]; rest: string } {
  const ran = ranParts(reply);
  const messages: PromptMessage[] = [];
  let rest = '';
  for (const round of rounds) {
    const content = paragraphs(rest, round.text);
    const toolCalls = round.calls.filter((call) => ran.has(call)).map(({ call }) => call);
    if (toolCalls.length === 0) {
      rest = content;
      continue;
    }
    rest = '';
    const thought = hasThoughts ? (round.thought?.text ?? '') : '';
    messages.push({
      role: 'assistant',
      content,
      toolCalls,
      ...(thought === '' ? {} : { thought }),
    });
    for (const result of round.results) {
      if (ran.has(result)) messages.push({ role: 'tool', content: result.content });
    }
  }
  return { messages, rest };
}

/** A finished reply as messages. Its thoughts are left out, as in training: templates close earlier ones empty. */
function replyMessages(reply: ReplyContent): PromptMessage[] {
  const { messages, rest } = messagesOf(reply, roundsOf(reply.parts), false);
  return rest === '' ? messages : [...messages, { role: 'assistant', content: rest }];
}

/** What a reply that goes on has done, and where its last turn stands; null where that turn has nothing yet. */
export interface ReplyBegun {
  readonly messages: readonly PromptMessage[];
  readonly continueFrom: { readonly thought: string | null; readonly answer: string } | null;
  /** Of the finished rounds. */
  readonly thoughtTokens: number;
}

/** The beginning of a reply that goes on: finished rounds as messages, with their thoughts, and the last one open. */
export function begunReply(reply: ReplyContent): ReplyBegun {
  const rounds = roundsOf(reply.parts);
  const { messages, rest } = messagesOf(reply, rounds.slice(0, -1), true);
  const last = rounds.at(-1);
  const thought = last?.thought?.text ?? null;
  const answer = paragraphs(rest, last?.text ?? '');
  const isBegun = thought !== null || answer !== '';
  return {
    messages,
    continueFrom: isBegun ? { thought, answer } : null,
    thoughtTokens: rounds
      .slice(0, -1)
      .reduce((sum, { thought: earlier }) => sum + (earlier?.tokens ?? 0), 0),
  };
}

/** Adds a message; one of the role that spoke last goes on in its message. */
function push(messages: PromptMessage[], next: PromptMessage): void {
  const last = messages.at(-1);
  const isJoined =
    last !== undefined &&
    (last.role === 'user'
      ? next.role === 'user'
      : last.role === 'assistant' &&
        next.role === 'assistant' &&
        last.toolCalls === undefined &&
        next.toolCalls === undefined);
  if (isJoined) {
    messages[messages.length - 1] = { ...last, content: paragraphs(last.content, next.content) };
  } else messages.push(next);
}

/**
 * Messages for the template. `path` ends with what is to be answered. A blank `systemPrompt` adds nothing; so do replies
 * without any content, and the questions around one become one message: many templates refuse two turns of one role.
 */
export function toPromptMessages(
  path: readonly ConversationNode[],
  systemPrompt: string,
): PromptMessage[] {
  const messages: PromptMessage[] = [];
  if (systemPrompt.trim() !== '') messages.push({ role: 'system', content: systemPrompt });
  for (const node of path) {
    const own: readonly PromptMessage[] =
      node.role === 'assistant'
        ? replyMessages(node.reply)
        : [{ role: node.role, content: questionWithFiles(node.text, node.files) }];
    for (const message of own) push(messages, message);
  }
  return messages;
}
