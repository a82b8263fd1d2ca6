/** Owns what is asked of a reply's parts: its texts, its tokens, its calls with their results, its rounds. Pure. */
import type { AnswerPart, CallPart, ReplyPart, ResultPart, RolePart, ThoughtPart } from './reply';

/** All that was said to the person, in order; pieces between which something else came are paragraphs of their own. */
export function answerOf(parts: readonly ReplyPart[]): string {
  return parts
    .filter((part): part is AnswerPart => part.kind === 'answer')
    .map(({ text }) => text.trim())
    .filter((text) => text !== '')
    .join('\n\n');
}

/** The thoughts in order. */
export function thoughtsOf(parts: readonly ReplyPart[]): readonly ThoughtPart[] {
  return parts.filter((part): part is ThoughtPart => part.kind === 'thought');
}

/** The steps of a reply that is drafted, checked and mended, in order; [] for any other. */
export function rolesOf(parts: readonly ReplyPart[]): readonly RolePart[] {
  return parts.filter((part): part is RolePart => part.kind === 'role');
}

/** Tokens of all thoughts together; null where one was never counted. */
export function thoughtTokensOf(parts: readonly ReplyPart[]): number | null {
  return thoughtsOf(parts).reduce<number | null>(
    (sum, { tokens }) => (sum === null || tokens === null ? null : sum + tokens),
    0,
  );
}

/** Milliseconds of all thoughts together. */
export function thoughtMsOf(parts: readonly ReplyPart[]): number {
  return thoughtsOf(parts).reduce((sum, { ms }) => sum + ms, 0);
}

/** Each call with its result: the first one after it, of its name, that no earlier call has. Null: it was not run. */
export function withResults(parts: readonly ReplyPart[]): ReadonlyMap<CallPart, ResultPart | null> {
  const results = new Map<CallPart, ResultPart | null>();
  for (const part of parts) {
    if (part.kind === 'call') results.set(part, null);
    if (part.kind !== 'result') continue;
    for (const [call, result] of results) {
      if (result !== null || call.call.name !== part.name) continue;
      results.set(call, part);
      break;
    }
  }
  return results;
}

/** One turn of the model within a reply: what it thought and said, up to the results of what it asked for. */
export interface Round {
  readonly thought: ThoughtPart | null;
  /** All of its answer text as it was written. */
  readonly text: string;
  readonly calls: readonly CallPart[];
  readonly results: readonly ResultPart[];
}

/** The reply cut behind each run of results; the last round is the one without results, there also when it is empty. */
export function roundsOf(parts: readonly ReplyPart[]): readonly Round[] {
  const rounds: ReplyPart[][] = [[]];
  let isBehindResults = false;
  for (const part of parts) {
    if (part.kind === 'notice' || part.kind === 'role') continue;
    if (part.kind === 'result') isBehindResults = true;
    else if (isBehindResults) {
      rounds.push([]);
      isBehindResults = false;
    }
    rounds.at(-1)?.push(part);
  }
  if (isBehindResults) rounds.push([]);
  return rounds.map((round) => ({
    thought: thoughtsOf(round).at(-1) ?? null,
    text: round.map((part) => (part.kind === 'answer' ? part.text : '')).join(''),
    calls: round.filter((part): part is CallPart => part.kind === 'call'),
    results: round.filter((part): part is ResultPart => part.kind === 'result'),
  }));
}

/** The parts of a reply that shall go on from this beginning; tokens of the thought are counted when it goes on. */
export function begunParts(begun: {
  readonly thought: string | null;
  readonly answer: string;
}): readonly ReplyPart[] {
  const { thought, answer } = begun;
  const parts: ReplyPart[] = [];
  if (thought !== null) {
    parts.push({ kind: 'thought', text: thought, injected: [], end: null, tokens: null, ms: 0 });
  }
  if (answer !== '') parts.push({ kind: 'answer', text: answer });
  return parts;
}
