/**
 * Unknown data to a reply that the app can trust, also as it was kept before a reply was a list of parts: one thought,
 * then tool steps with the text before each, then the answer (chats and exports up to 2026-11).
 */
import type { ThinkingLimit, ThoughtEnd } from '../core/budget/thinking-limit';
import type { ToolCall } from '../core/chat/prompt-message';
import type {
  FinishReason,
  InjectedRange,
  ReplyContent,
  ReplyPart,
  ReplyStats,
  Role,
} from '../core/chat/reply';
import {
  readBoolean,
  readInteger,
  readList,
  readNullable,
  readNumber,
  readObject,
  readOneOf,
  readText,
  type Fields,
} from './read-value';
import { LIMITS } from './stored-conversation';

const THOUGHT_ENDS: readonly ThoughtEnd[] = [
  'natural',
  'soft-limit',
  'hard-limit',
  'answer-now',
  'stopped',
  'ended',
  'called',
];
const FINISHES: readonly (FinishReason | 'failed')[] = [
  'end',
  'length',
  'stopped',
  'stop-string',
  'context-full',
  'failed',
];
const PART_KINDS: readonly ReplyPart['kind'][] = [
  'thought',
  'answer',
  'call',
  'result',
  'notice',
  'role',
];
const ROLES: readonly Role[] = ['draft', 'feedback', 'edit'];

/** Drafts, and feedbacks on each; far more than the page offers. */
const MAX_STEPS = 1000;

/** Letters of the names of the models that wrote a reply, one after the other. */
const MAX_WRITER = 2000;

export function readThinkingLimit(value: unknown, place: string): ThinkingLimit {
  return value === 'unlimited' ? value : readInteger(value, place, 0, 1_000_000);
}

export function readStoredText(value: unknown, place: string): string {
  return readText(value, place, LIMITS.textLength);
}

function readCall(value: unknown, place: string): ToolCall {
  const call = readObject(value, place);
  const given = Object.entries(readObject(call['arguments'], `${place}.arguments`));
  return {
    name: readText(call['name'], `${place}.name`, LIMITS.nameLength),
    arguments: Object.fromEntries(
      given
        .slice(0, LIMITS.callArguments)
        .map(([key, argument]) => [key, readStoredText(argument, `${place}.arguments.${key}`)]),
    ),
  };
}

function readInjected(value: unknown, place: string, text: string): InjectedRange[] {
  return readList(value, place, LIMITS.injectedRanges, (item, at) => {
    const range = readObject(item, at);
    const start = readInteger(range['start'], `${at}.start`, 0, text.length);
    return { start, end: readInteger(range['end'], `${at}.end`, start, text.length) };
  });
}

function readThoughtEnd(value: unknown, place: string): ThoughtEnd | null {
  return readNullable(value, (end) => readOneOf(end, place, THOUGHT_ENDS));
}

function readFigure(value: unknown, place: string): number {
  return readNumber(value, place, 0, LIMITS.figure);
}

function readPart(value: unknown, place: string): ReplyPart {
  const part = readObject(value, place);
  const kind = readOneOf(part['kind'], `${place}.kind`, PART_KINDS);
  const text = (): string => readStoredText(part['text'], `${place}.text`);
  switch (kind) {
    case 'thought':
      return {
        kind,
        text: text(),
        injected: readInjected(part['injected'], `${place}.injected`, text()),
        end: readThoughtEnd(part['end'], `${place}.end`),
        tokens: readNullable(part['tokens'], (tokens) => readFigure(tokens, `${place}.tokens`)),
        ms: readFigure(part['ms'], `${place}.ms`),
      };
    case 'answer':
    case 'notice':
      return { kind, text: text() };
    case 'call':
      return { kind, call: readCall(part['call'], `${place}.call`) };
    case 'result':
      return {
        kind,
        name: readText(part['name'], `${place}.name`, LIMITS.nameLength),
        content: readStoredText(part['content'], `${place}.content`),
        isError: readBoolean(part['isError'], `${place}.isError`),
      };
    case 'role':
      return {
        kind,
        role: readOneOf(part['role'], `${place}.role`, ROLES),
        draft: readInteger(part['draft'], `${place}.draft`, 1, MAX_STEPS),
        feedback: readInteger(part['feedback'], `${place}.feedback`, 0, MAX_STEPS),
        thought: readStoredText(part['thought'], `${place}.thought`),
        text: text(),
        tokens: readFigure(part['tokens'], `${place}.tokens`),
        isDone: readBoolean(part['isDone'], `${place}.isDone`),
        ...readReward(part, place),
      };
    default:
      return kind satisfies never;
  }
}

/** The reward, where it was scored. */
function readReward(scored: Readonly<Record<string, unknown>>, place: string): { reward?: number } {
  const reward = scored['reward'];
  if (reward === undefined) return {};
  return { reward: readNumber(reward, `${place}.reward`, -LIMITS.figure, LIMITS.figure) };
}

function readOldStep(value: unknown, place: string): ReplyPart[] {
  const step = readObject(value, place);
  const textBefore = readStoredText(step['textBefore'], `${place}.textBefore`);
  const call = readCall(step['call'], `${place}.call`);
  const result = readNullable(step['result'], (text) => readStoredText(text, `${place}.result`));
  const isError = readBoolean(step['isError'], `${place}.isError`);
  return [
    ...(textBefore === '' ? [] : [{ kind: 'answer', text: textBefore } as const]),
    { kind: 'call', call },
    ...(result === null
      ? []
      : [{ kind: 'result', name: call.name, content: result, isError } as const]),
  ];
}

/** The parts of a reply of the old form: it had one thought, whose figures stood with those of the reply. */
function readOldParts(reply: Fields, place: string, stats: ReplyStats | null): ReplyPart[] {
  const parts: ReplyPart[] = [];
  const text = readNullable(reply['thought'], (thought) =>
    readStoredText(thought, `${place}.thought`),
  );
  const injected = readInjected(reply['injected'], `${place}.injected`, text ?? '');
  const end = readThoughtEnd(reply['thoughtEnd'], `${place}.thoughtEnd`);
  if (text !== null) {
    const tokens = stats?.thoughtTokens ?? null;
    parts.push({ kind: 'thought', text, injected, end, tokens, ms: stats?.thoughtMs ?? 0 });
  }
  const steps = readList(reply['toolSteps'], `${place}.toolSteps`, LIMITS.toolSteps, readOldStep);
  parts.push(...steps.flat());
  const answer = readStoredText(reply['answer'], `${place}.answer`);
  if (answer !== '') parts.push({ kind: 'answer', text: answer });
  return parts;
}

function readStats(value: unknown, place: string): ReplyStats {
  const stats = readObject(value, place);
  const figure = (key: string): number => readFigure(stats[key], `${place}.${key}`);
  return {
    promptTokens: figure('promptTokens'),
    reusedTokens: figure('reusedTokens'),
    prefillMs: figure('prefillMs'),
    timeToFirstTokenMs: figure('timeToFirstTokenMs'),
    thoughtTokens: figure('thoughtTokens'),
    thoughtMs: figure('thoughtMs'),
    answerTokens: figure('answerTokens'),
    decodeMs: figure('decodeMs'),
    decodeTokensPerSecond: figure('decodeTokensPerSecond'),
    prefillTokensPerSecond: figure('prefillTokensPerSecond'),
    device: readText(stats['device'], `${place}.device`, LIMITS.nameLength),
  };
}

/** The reply in `value`, rebuilt from known fields only; throws ValueProblem where it is not one. */
export function readReply(value: unknown, place: string): ReplyContent {
  const reply = readObject(value, place);
  const stats = readNullable(reply['stats'], (figures) => readStats(figures, `${place}.stats`));
  return {
    parts:
      'parts' in reply
        ? readList(reply['parts'], `${place}.parts`, LIMITS.replyParts, readPart)
        : readOldParts(reply, place, stats),
    thoughtLimit: readThinkingLimit(reply['thoughtLimit'], `${place}.thoughtLimit`),
    stats,
    finish: readNullable(reply['finish'], (finish) =>
      readOneOf(finish, `${place}.finish`, FINISHES),
    ),
    problem: readText(reply['problem'], `${place}.problem`, LIMITS.problemLength),
    ...(reply['writer'] === undefined
      ? {}
      : { writer: readText(reply['writer'], `${place}.writer`, MAX_WRITER) }),
    ...(reply['isEdited'] === true ? { isEdited: true } : {}),
    ...readReward(reply, place),
  };
}
