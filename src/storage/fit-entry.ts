/**
 * Holds what enters a chat to the limits of what is kept, at the moment it enters: whatever passes here is written, read,
 * exported and imported again. What a person typed is never cut in silence, but refused with a sentence. Pure.
 */
import type { ReplyContent, ReplyPart, ReplyStats } from '../core/chat/reply';
import { cutText } from '../core/text/letters';
import { formatCount } from '../core/units';
import { LIMITS, type StoredConversation } from './stored-conversation';

/** A title as it is kept; '' for a blank one. */
export function fitTitle(title: string): string {
  return cutText(title.trim(), LIMITS.titleLength).trim();
}

export function fitSystemPrompt(systemPrompt: string): string {
  return cutText(systemPrompt, LIMITS.systemPromptLength);
}

export function fitDraft(draft: string): string {
  return cutText(draft, LIMITS.textLength);
}

function lengthOf(part: ReplyPart): number {
  switch (part.kind) {
    case 'thought':
    case 'answer':
    case 'notice':
      return part.text.length;
    case 'call':
      return Object.values(part.call.arguments).reduce((sum, text) => sum + text.length, 0);
    case 'result':
      return part.content.length;
    case 'role':
      return part.thought.length + part.text.length;
    default:
      return part satisfies never;
  }
}

/** UTF-16 units of all messages of all branches. */
function conversationLength({ tree, systemPrompt, answerSchema }: StoredConversation): number {
  let length = systemPrompt.length + (answerSchema?.length ?? 0);
  for (const node of Object.values(tree.nodes)) {
    if (node.role !== 'assistant')
      length += (node.files ?? []).reduce((sum, { text }) => sum + text.length, node.text.length);
    else for (const part of node.reply.parts) length += lengthOf(part);
  }
  return length;
}

/** Why a message of `text`, with `more` UTF-16 units of files, and its reply cannot go into the conversation, with what to do; null where they can. */
export function entryProblem(
  conversation: StoredConversation,
  text: string,
  more = 0,
): { readonly message: string; readonly remedy: string } | null {
  if (text.length > LIMITS.textLength) {
    return {
      message: `The message has ${formatCount(text.length)} characters, and the most is ${formatCount(LIMITS.textLength)}.`,
      remedy: 'Shorten it, or send it in pieces.',
    };
  }
  const messages = Object.keys(conversation.tree.nodes).length;
  if (messages + 2 > LIMITS.messagesEntered) {
    return {
      message: `This chat has ${formatCount(messages)} messages in all its branches, the most that one chat keeps.`,
      remedy: 'Start a new chat.',
    };
  }
  if (conversationLength(conversation) + text.length + more > LIMITS.conversationLength) {
    return {
      message: `This chat would have more than ${formatCount(LIMITS.conversationLength)} characters in all its branches, the most that one chat keeps.`,
      remedy: 'Start a new chat.',
    };
  }
  return null;
}

function fitCall(call: Extract<ReplyPart, { kind: 'call' }>['call']) {
  const given = Object.entries(call.arguments).slice(0, LIMITS.callArguments);
  return {
    name: cutText(call.name, LIMITS.nameLength),
    arguments: Object.fromEntries(
      given.map(([key, text]) => [key, cutText(text, LIMITS.textLength)]),
    ),
  };
}

function fitPart(part: ReplyPart): ReplyPart {
  switch (part.kind) {
    case 'thought': {
      const text = cutText(part.text, LIMITS.textLength);
      const injected = part.injected
        .filter(({ start }) => start < text.length)
        .slice(0, LIMITS.injectedRanges)
        .map(({ start, end }) => ({ start, end: Math.min(end, text.length) }));
      return { ...part, text, injected };
    }
    case 'answer':
    case 'notice':
      return { ...part, text: cutText(part.text, LIMITS.textLength) };
    case 'call':
      return { kind: 'call', call: fitCall(part.call) };
    case 'result':
      return {
        ...part,
        name: cutText(part.name, LIMITS.nameLength),
        content: cutText(part.content, LIMITS.textLength),
      };
    case 'role':
      return {
        ...part,
        thought: cutText(part.thought, LIMITS.textLength),
        text: cutText(part.text, LIMITS.textLength),
      };
    default:
      return part satisfies never;
  }
}

/** A figure that JSON can say: a rate over no time at all is none. */
function fitFigure(value: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(value, 0), LIMITS.figure) : 0;
}

function fitStats(stats: ReplyStats): ReplyStats {
  const { device, ...figures } = stats;
  return {
    ...(Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [name, fitFigure(value)]),
    ) as unknown as typeof figures),
    device: cutText(device, LIMITS.nameLength),
  };
}

/** What a model, a tool or an error wrote into a reply, as it is kept. */
export function fitReply(reply: ReplyContent): ReplyContent {
  const { parts, stats, problem } = reply;
  const kept =
    parts.length <= LIMITS.replyParts
      ? parts
      : [
          ...parts.slice(0, LIMITS.replyParts - 1),
          {
            kind: 'notice' as const,
            text: `${formatCount(parts.length - LIMITS.replyParts + 1)} more pieces of this reply were not kept.`,
          },
        ];
  return {
    ...reply,
    parts: kept.map(fitPart),
    stats: stats === null ? null : fitStats(stats),
    problem: cutText(problem, LIMITS.problemLength),
  };
}
