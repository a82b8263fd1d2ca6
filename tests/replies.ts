/** Replies for tests, from what was thought and said. */
import type { ThinkingLimit } from '../src/core/budget/thinking-limit';
import { emptyReply, type ReplyContent } from '../src/core/chat/reply';
import { begunParts } from '../src/core/chat/reply-parts';

export function replyWith(
  limit: ThinkingLimit,
  answer: string,
  thought: string | null = null,
): ReplyContent {
  return { ...emptyReply(limit), parts: begunParts({ thought, answer }) };
}
