/** Owns how a reply's parts grow with the events of an engine. Pure; owns no clock and no frames. */
import type { ThoughtEnd } from '../budget/thinking-limit';
import type { ToolCall } from './prompt-message';
import type { ReplyPart, RolePart, ThoughtPart } from './reply';

/** The part of the engine's events that a reply is made of. */
export type ReplyEvent =
  | { readonly type: 'thought-start' }
  | {
      readonly type: 'thought-end';
      readonly reason: ThoughtEnd;
      /** Of this thought, those that it had before it went on included. */
      readonly tokens: number;
      readonly ms: number;
    }
  | {
      readonly type: 'token';
      readonly text: string;
      readonly channel: 'thought' | 'answer' | 'tool-call';
      readonly injected: boolean;
    }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | {
      readonly type: 'tool-result';
      readonly name: string;
      readonly content: string;
      readonly isError: boolean;
    }
  | { readonly type: 'notice'; readonly text: string }
  | RoleEvent
  | { readonly type: 'prefill' | 'memory' | 'lab' | 'router' };

/** A step of a reply that is drafted, checked and mended, as far as it has come: in place of what it was before. */
export interface RoleEvent {
  readonly type: 'role';
  readonly step: RolePart;
}

const NEW_THOUGHT: ThoughtPart = {
  kind: 'thought',
  text: '',
  injected: [],
  end: null,
  tokens: 0,
  ms: 0,
};

function withLast(parts: readonly ReplyPart[], last: ReplyPart): readonly ReplyPart[] {
  return [...parts.slice(0, -1), last];
}

/** The parts with the last thought changed; a thought is made where there is none to change. */
function inThought(
  parts: readonly ReplyPart[],
  change: (thought: ThoughtPart) => ThoughtPart,
): readonly ReplyPart[] {
  const last = parts.at(-1);
  return last?.kind === 'thought' ? withLast(parts, change(last)) : [...parts, change(NEW_THOUGHT)];
}

function withThoughtToken(
  parts: readonly ReplyPart[],
  { text, injected }: { readonly text: string; readonly injected: boolean },
): readonly ReplyPart[] {
  return inThought(parts, (thought) => {
    const start = thought.text.length;
    return {
      ...thought,
      text: thought.text + text,
      tokens: injected ? thought.tokens : (thought.tokens ?? 0) + 1,
      injected:
        injected && text !== ''
          ? [...thought.injected, { start, end: start + text.length }]
          : thought.injected,
    };
  });
}

function withAnswer(parts: readonly ReplyPart[], text: string): readonly ReplyPart[] {
  const last = parts.at(-1);
  if (text === '') return parts;
  return last?.kind === 'answer'
    ? withLast(parts, { ...last, text: last.text + text })
    : [...parts, { kind: 'answer', text }];
}

function isSameStep(a: ReplyPart, b: RolePart): boolean {
  return a.kind === 'role' && a.role === b.role && a.draft === b.draft && a.feedback === b.feedback;
}

function withStep(parts: readonly ReplyPart[], step: RolePart): readonly ReplyPart[] {
  return parts.some((part) => isSameStep(part, step))
    ? parts.map((part) => (isSameStep(part, step) ? step : part))
    : [...parts, step];
}

/** The parts after one more event; the same ones where it adds nothing. */
export function growReply(parts: readonly ReplyPart[], event: ReplyEvent): readonly ReplyPart[] {
  switch (event.type) {
    case 'thought-start':
      // A thought that was stopped goes on in its own part.
      return inThought(parts, (thought) => ({ ...thought, end: null }));
    case 'thought-end':
      return parts.at(-1)?.kind !== 'thought'
        ? parts
        : inThought(parts, (thought) => ({
            ...thought,
            end: event.reason,
            tokens: event.tokens,
            ms: thought.ms + event.ms,
          }));
    case 'token':
      switch (event.channel) {
        case 'thought':
          return withThoughtToken(parts, event);
        case 'answer':
          return withAnswer(parts, event.text);
        case 'tool-call':
          return parts;
        default:
          return event.channel satisfies never;
      }
    case 'tool-call':
      return [...parts, { kind: 'call', call: event.call }];
    case 'tool-result': {
      const { name, content, isError } = event;
      return [...parts, { kind: 'result', name, content, isError }];
    }
    case 'notice':
      return [...parts, { kind: 'notice', text: event.text }];
    case 'role':
      return withStep(parts, event.step);
    case 'prefill':
    case 'memory':
    case 'lab':
    case 'router':
      return parts;
    default:
      return event satisfies never;
  }
}
