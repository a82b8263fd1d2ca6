/** Owns what one reply of the model consists of: parts in the order they came, and how it ended. Plain JSON data. */
import type { ThinkingLimit, ThoughtEnd } from '../budget/thinking-limit';
import type { ToolCall } from './prompt-message';

export type FinishReason = 'end' | 'length' | 'stopped' | 'stop-string' | 'context-full';

/** Text that the budget put into a thought, as a range of UTF-16 offsets of the thought's text. */
export interface InjectedRange {
  readonly start: number;
  readonly end: number;
}

export interface ThoughtPart {
  readonly kind: 'thought';
  readonly text: string;
  readonly injected: readonly InjectedRange[];
  /** Null while it lasts, or when a reload cut it off. */
  readonly end: ThoughtEnd | null;
  /** Tokens that the model sampled in it; null where they were never counted. */
  readonly tokens: number | null;
  readonly ms: number;
}

export interface AnswerPart {
  readonly kind: 'answer';
  readonly text: string;
}

/** What the model asked of a tool. It was run if a result follows: see `withResults` (reply-parts.ts). */
export interface CallPart {
  readonly kind: 'call';
  readonly call: ToolCall;
}

export interface ResultPart {
  readonly kind: 'result';
  /** Name of the tool; a call that could not be read has a result and no call. */
  readonly name: string;
  readonly content: string;
  readonly isError: boolean;
}

/** A sentence of the app's own about what happened here. */
export interface NoticePart {
  readonly kind: 'notice';
  readonly text: string;
}

/** Who speaks where a reply is drafted, checked and mended. */
export type Role = 'draft' | 'feedback' | 'edit';

/** One step of a reply that is drafted, checked and mended; the answer that came of all steps is an answer part. */
export interface RolePart {
  readonly kind: 'role';
  readonly role: Role;
  /** Which draft it is or is about, from 1. */
  readonly draft: number;
  /** Which feedback on that draft it is, from 1; 0: it is none. */
  readonly feedback: number;
  readonly thought: string;
  readonly text: string;
  /** Sampled in thought and text. */
  readonly tokens: number;
  /** False: it is being written, was stopped, or a reload cut it off. */
  readonly isDone: boolean;
  /** Of a draft or an edit, by the model's reward graph; absent: it was not scored. */
  readonly reward?: number;
}

export type ReplyPart = ThoughtPart | AnswerPart | CallPart | ResultPart | NoticePart | RolePart;

/** The figures of one reply; times in ms, as the engine measured them. */
export interface ReplyStats {
  readonly promptTokens: number;
  /** Prompt tokens taken from a kept snapshot, not computed again. */
  readonly reusedTokens: number;
  readonly prefillMs: number;
  readonly timeToFirstTokenMs: number;
  /** Of all thoughts of the reply. */
  readonly thoughtTokens: number;
  readonly thoughtMs: number;
  readonly answerTokens: number;
  readonly decodeMs: number;
  /** Sampled or injected tokens per second of decoding. */
  readonly decodeTokensPerSecond: number;
  readonly prefillTokensPerSecond: number;
  readonly device: string;
}

export interface ReplyContent {
  readonly parts: readonly ReplyPart[];
  /** One limit for all thoughts together. */
  readonly thoughtLimit: ThinkingLimit;
  readonly stats: ReplyStats | null;
  /**
   * Null: still streaming, or cut off by a reload. `failed`: the engine gave up; `problem` says
   * why.
   */
  readonly finish: FinishReason | 'failed' | null;
  readonly problem: string;
  /** Title of the model that wrote it; absent where that was not noted (chats up to 2026-11). */
  readonly writer?: string;
  /** A person wrote the answer anew; absent: it stands as the model wrote it. */
  readonly isEdited?: true;
  /** What the model's reward graph gives it; absent: it was not scored. Of one model only, higher is better. */
  readonly reward?: number;
}

/** A reply before its first token. */
export function emptyReply(thoughtLimit: ThinkingLimit): ReplyContent {
  return { parts: [], thoughtLimit, stats: null, finish: null, problem: '' };
}

/** The same reply, now that `writer` writes in it: another model may go on with what one has begun. */
export function signReply(reply: ReplyContent, writer: string): ReplyContent {
  const before = reply.writer;
  if (before === undefined || before === writer) return { ...reply, writer };
  const all = before.split(LINK);
  return { ...reply, writer: all.at(-1) === writer ? before : [...all, writer].join(LINK) };
}

const LINK = ', then ';
