/** Owns what the engine is asked for a reply, and how the figures of one that was written in two goes add up. Pure. */
import { branchesAt, pathTo, type AssistantNode } from '../core/chat/conversation-tree';
import { begunReply, toPromptMessages } from '../core/chat/prompt-assembly';
import type { ReplyContent } from '../core/chat/reply';
import { rolesOf, thoughtMsOf, thoughtTokensOf } from '../core/chat/reply-parts';
import { EngineError } from '../core/errors';
import type { JsonSchema } from '../core/json-schema/read-schema';
import type { GenerateRequest, PromptMessage, ThinkingLimit } from '../protocol/engine-api';
import type { Conversation } from './conversation';
import type { SettingsValues } from './settings.svelte';

/** Replies are drawn at least this freely where the best of several is shown; the reward graph was fitted on such. */
const DRAFT_TEMPERATURE = 0.8;

/** The request for the reply `node`, from the message above it; continued: from where it stands. */
export function generateRequest(
  conversation: Conversation,
  node: AssistantNode,
  isContinued: boolean,
  values: SettingsValues,
  isDraft = false,
): GenerateRequest {
  const { ids, index } = branchesAt(conversation.tree, node.id);
  const { tools, maxAnswerTokens, closingSentence, sampling } = values;
  const { thinkingLimit } = conversation;
  const begun = isContinued ? begunReply(node.reply) : null;
  const continueFrom = begun?.continueFrom ?? null;
  return {
    id: node.id,
    messages: [...messagesBefore(conversation, node), ...(begun?.messages ?? [])],
    thinkingLimit: begun === null ? thinkingLimit : limitLeft(thinkingLimit, begun.thoughtTokens),
    closingSentence,
    maxAnswerTokens,
    // Each branch draws its own numbers, and the same branch the same ones.
    sampling: {
      ...sampling,
      seed: sampling.seed + (ids.length > 1 ? index : 0),
      // Drafts that are all alike leave nothing to choose from.
      ...(isDraft ? { temperature: Math.max(sampling.temperature, DRAFT_TEMPERATURE) } : {}),
    },
    stopStrings: [],
    tools,
    candidates: 0,
    ...(isDraft ? { isScored: true } : {}),
    ...(continueFrom === null ? {} : { continueFrom }),
    ...((conversation.answerSchema ?? '') === ''
      ? {}
      : { answerSchema: schemaOf(conversation.answerSchema ?? '') }),
  };
}

/** The schema of a chat; its engine reads what is in it. EngineError `schema` where it is no JSON. */
function schemaOf(text: string): JsonSchema {
  try {
    return JSON.parse(text) as JsonSchema;
  } catch (cause) {
    throw new EngineError(
      'schema',
      'The schema that this chat’s answers are held to is no JSON.',
      'Mend it in the settings, or take it away there.',
      { cause },
    );
  }
}

function messagesBefore(conversation: Conversation, node: AssistantNode): PromptMessage[] {
  const path = pathTo(conversation.tree, node.id).slice(0, -1);
  return toPromptMessages(path, conversation.systemPrompt);
}

/** What a limit leaves to the last turn of a reply whose finished turns have thought `used` tokens. */
function limitLeft(limit: ThinkingLimit, used: number): ThinkingLimit {
  return limit === 'unlimited' ? limit : Math.max(0, limit - used);
}

/** Adds up the figures of a reply that was written in two goes; rates are of the second. */
export function withEarlierStats(reply: ReplyContent, before: ReplyContent): ReplyContent {
  if (reply.stats === null || before.stats === null) return reply;
  const { parts, stats } = reply;
  return {
    ...reply,
    stats: {
      ...stats,
      // The thoughts of roles are parts of their steps.
      thoughtTokens:
        (rolesOf(parts).length > 0 ? null : thoughtTokensOf(parts)) ??
        stats.thoughtTokens + before.stats.thoughtTokens,
      thoughtMs:
        rolesOf(parts).length > 0 ? stats.thoughtMs + before.stats.thoughtMs : thoughtMsOf(parts),
      answerTokens: stats.answerTokens + before.stats.answerTokens,
    },
  };
}
