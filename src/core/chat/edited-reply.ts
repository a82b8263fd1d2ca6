/** Owns what a reply becomes when a person writes its answer anew. Pure. */
import type { ReplyContent, ReplyPart } from './reply';
import { answerOf } from './reply-parts';

/**
 * The reply with `text` for its answer. Its thoughts, calls and results stay; what was said between them becomes part of
 * the one text, which stands at the end. The figures belong to what the model wrote and are left out.
 */
export function editReply(reply: ReplyContent, text: string): ReplyContent {
  if (text.trim() === answerOf(reply.parts)) return reply;
  const kept: ReplyPart[] = reply.parts.filter(({ kind }) => kind !== 'answer');
  return {
    ...reply,
    parts: [...kept, { kind: 'answer', text: text.trim() }],
    stats: null,
    finish: 'end',
    problem: '',
    isEdited: true,
  };
}
