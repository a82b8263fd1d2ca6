/** Owns the gathering of a reply's events into a ReplyRecord. Owns no generation. */
import type { ThinkingLimit, ThoughtEnd } from '../budget/thinking-limit';
import type { FinishReason } from '../chat/reply';
import type { ReplyRecord } from './well-formed';

/** The part of the engine's events that a record needs. */
export type RecordedEvent =
  | {
      readonly type: 'token';
      readonly id: number;
      readonly text: string;
      readonly channel: 'thought' | 'answer' | 'tool-call';
      readonly injected: boolean;
    }
  | { readonly type: 'thought-start' }
  | { readonly type: 'thought-end'; readonly reason: ThoughtEnd }
  | { readonly type: 'tool-result' }
  | { readonly type: 'prefill' | 'tool-call' | 'notice' | 'memory' | 'lab' | 'router' };

/** What the engine counted. */
export interface RecordedCounts {
  readonly thoughtTokens: number;
  readonly answerTokens: number;
}

export interface ReplyRecorder {
  /** Takes the reply's next event. */
  take(event: RecordedEvent): void;
  record(finish: FinishReason, counts: RecordedCounts): ReplyRecord;
}

/**
 * Begins a record. `closeId` is the id of `</think>`: closes are counted among the tokens that the
 * model read; null, where the tokenizer is out of reach, counts the engine's word on each thought.
 */
export function createReplyRecorder(limit: ThinkingLimit, closeId: number | null): ReplyRecorder {
  let thought = '';
  let answer = '';
  let thoughtsBegun = 0;
  let closes = 0;
  let toolCalls = 0;
  return {
    take(event) {
      switch (event.type) {
        case 'token':
          if (event.id === closeId) closes += 1;
          if (event.channel === 'thought') thought += event.text;
          if (event.channel === 'answer') answer += event.text;
          break;
        case 'thought-start':
          thoughtsBegun += 1;
          break;
        case 'thought-end':
          if (closeId === null && event.reason !== 'stopped') closes += 1;
          break;
        case 'tool-result':
          toolCalls += 1;
          // What stands before a call is no answer.
          answer = '';
          break;
        case 'prefill':
        case 'tool-call':
        case 'notice':
        case 'memory':
        case 'lab':
        case 'router':
          break;
        default:
          event satisfies never;
      }
    },
    record: (finish, { thoughtTokens, answerTokens }) => ({
      limit,
      finish,
      thought,
      answer,
      thoughtsBegun,
      closes,
      thoughtTokens,
      answerTokens,
      toolCalls,
    }),
  };
}
