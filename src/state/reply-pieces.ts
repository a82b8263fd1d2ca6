/** The parts of a reply as the page shows them: calls and their results beside each other as steps. Pure. */
import type { AnswerPart, NoticePart, ReplyPart, RolePart, ThoughtPart } from '../core/chat/reply';
import { withResults } from '../core/chat/reply-parts';

/** One call with what came of it. */
export interface ToolStep {
  readonly name: string;
  /** Values of the call's arguments; none of a call that could not be read. */
  readonly given: readonly string[];
  /** Null: it was not run, or runs still. */
  readonly result: string | null;
  readonly isError: boolean;
}

export interface ToolSteps {
  readonly kind: 'steps';
  readonly steps: readonly ToolStep[];
}

export interface ShownThought extends ThoughtPart {
  /** Tokens of this thought and all before it; null where one was never counted. */
  readonly tokensSoFar: number | null;
  /** The meter stands at the last: it counts over all of them. */
  readonly isLast: boolean;
}

/** All steps of a reply that is drafted, checked and mended. */
export interface ShownRoles {
  readonly kind: 'roles';
  readonly steps: readonly RolePart[];
}

export type ReplyPiece = ShownThought | AnswerPart | ToolSteps | NoticePart | ShownRoles;

/** Pieces in the order of the parts. Text of blanks alone is nothing to see. */
export function replyPieces(parts: readonly ReplyPart[]): readonly ReplyPiece[] {
  const results = withResults(parts);
  const told = new Set(results.values());
  const pieces: ReplyPiece[] = [];
  const addStep = (step: ToolStep): void => {
    const last = pieces.at(-1);
    if (last?.kind === 'steps') {
      pieces[pieces.length - 1] = { kind: 'steps', steps: [...last.steps, step] };
    } else pieces.push({ kind: 'steps', steps: [step] });
  };
  let thoughtsLeft = parts.filter(({ kind }) => kind === 'thought').length;
  let tokensSoFar: number | null = 0;
  for (const part of parts) {
    switch (part.kind) {
      case 'thought':
        thoughtsLeft -= 1;
        tokensSoFar =
          tokensSoFar === null || part.tokens === null ? null : tokensSoFar + part.tokens;
        pieces.push({ ...part, tokensSoFar, isLast: thoughtsLeft === 0 });
        break;
      case 'answer':
        if (part.text.trim() !== '') pieces.push(part);
        break;
      case 'call': {
        const result = results.get(part) ?? null;
        addStep({
          name: part.call.name,
          given: Object.values(part.call.arguments),
          result: result?.content ?? null,
          isError: result?.isError ?? false,
        });
        break;
      }
      case 'result':
        if (!told.has(part)) {
          addStep({ name: part.name, given: [], result: part.content, isError: part.isError });
        }
        break;
      case 'notice':
        pieces.push(part);
        break;
      case 'role': {
        const at = pieces.findIndex(({ kind }) => kind === 'roles');
        const before = pieces[at];
        if (before?.kind === 'roles')
          pieces[at] = { kind: 'roles', steps: [...before.steps, part] };
        else pieces.push({ kind: 'roles', steps: [part] });
        break;
      }
      default:
        part satisfies never;
    }
  }
  return pieces;
}
