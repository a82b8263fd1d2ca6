/**
 * Owns what a held-out problem is: question, right value and how an answer is judged. Owns no
 * judging (check-answer.ts) and no running of a model.
 */
import type { ToolName } from '../tools/run-tool';

/** How the value is read out of an answer and held against `gold`; see check-answer.ts. */
export type AnswerCheck =
  | {
      readonly kind:
        | 'number'
        | 'number-list'
        | 'word-list'
        | 'letters'
        | 'last-word'
        | 'yes-no'
        | 'point'
        | 'time'
        | 'clock'
        | 'date'
        | 'iso-date';
    }
  /** Exactly one of `choices` may be named. */
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

/** Training's own ways to ask, or ways that training never saw. */
export type Phrasing = 'train' | 'test';

/** One question whose canonical form was kept out of training. */
export interface Problem {
  /** Twelve hex digits of the canonical form's SHA-256. */
  readonly id: string;
  readonly family: string;
  /** 1 (easiest) to 5. */
  readonly difficulty: number;
  readonly phrasing: Phrasing;
  /** The user's message. */
  readonly question: string;
  /** The bare right value, as the check takes it. */
  readonly gold: string;
  readonly check: AnswerCheck;
  readonly tools: readonly ToolName[];
  /** What the clock tool must say, "2026-03-14 09:26"; null where no clock is asked. */
  readonly now: string | null;
}

const PLAIN_KINDS = [
  'number',
  'number-list',
  'word-list',
  'letters',
  'last-word',
  'yes-no',
  'point',
  'time',
  'clock',
  'date',
  'iso-date',
] as const;
const TOOLS: readonly ToolName[] = ['calculator', 'clock'];
const CLOCK_TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)$/;

type Json = Readonly<Record<string, unknown>>;

function fail(at: string, expected: string, value: unknown): never {
  const found = value === undefined ? 'missing' : JSON.stringify(value);
  throw new RangeError(
    `${at} is ${found}, not ${expected}; write the problems anew with \`python -m tidepool_model.evaluation.export_eval\``,
  );
}

function readText(json: Json, key: string, at: string): string {
  const value = json[key];
  return typeof value === 'string' && value !== '' ? value : fail(`${at}.${key}`, 'a text', value);
}

function readTexts(value: unknown, at: string): readonly string[] {
  if (!Array.isArray(value)) return fail(at, 'a list of texts', value);
  return value.map((entry: unknown, i) =>
    typeof entry === 'string' ? entry : fail(`${at}[${i}]`, 'a text', entry),
  );
}

function asObject(value: unknown, at: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail(at, 'an object', value);
  }
  return value as Json;
}

/** Reads a check as the fixtures write it; RangeError that names the place on an unknown kind. */
export function parseCheck(value: unknown, at: string): AnswerCheck {
  const json = asObject(value, at);
  if (json['kind'] === 'choice') {
    return { kind: 'choice', choices: readTexts(json['choices'], `${at}.choices`) };
  }
  const kind = PLAIN_KINDS.find((known) => known === json['kind']);
  return kind === undefined ? fail(`${at}.kind`, 'a known kind', json['kind']) : { kind };
}

function parseProblem(value: unknown, at: string): Problem {
  const json = asObject(value, at);
  const { difficulty, phrasing, now } = json;
  if (typeof difficulty !== 'number' || ![1, 2, 3, 4, 5].includes(difficulty)) {
    return fail(`${at}.difficulty`, '1 to 5', difficulty);
  }
  if (phrasing !== 'train' && phrasing !== 'test') {
    return fail(`${at}.phrasing`, '"train" or "test"', phrasing);
  }
  const tools = readTexts(json['tools'] ?? [], `${at}.tools`).map(
    (name) => TOOLS.find((tool) => tool === name) ?? fail(`${at}.tools`, 'known tools', name),
  );
  return {
    id: readText(json, 'id', at),
    family: readText(json, 'family', at),
    difficulty,
    phrasing,
    question: readText(json, 'question', at),
    gold: readText(json, 'gold', at),
    check: parseCheck(json['check'], `${at}.check`),
    tools,
    now: now === undefined ? null : readText(json, 'now', at),
  };
}

/** Reads problems.json; RangeError that names the problem and the field. `tools` and `now` may lack. */
export function parseProblems(value: unknown): readonly Problem[] {
  if (!Array.isArray(value)) return fail('the list of problems', 'a list', value);
  return value.map((entry: unknown, i) => parseProblem(entry, `problem ${i}`));
}

/** Local date of a problem's `now`; RangeError on another form. */
export function clockDate(now: string): Date {
  const match = CLOCK_TIME.exec(now);
  if (match === null) throw new RangeError(`the clock's time "${now}" is not YYYY-MM-DD HH:MM`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number);
  return new Date(year, month - 1, day, hour, minute);
}

/**
 * The first `perFamily` problems of each family, families by turns, so that whatever has been run
 * so far is a fair sample.
 */
export function takeByTurns(
  problems: readonly Problem[],
  perFamily: number,
  families: readonly string[] | null = null,
): readonly Problem[] {
  const byFamily = new Map<string, Problem[]>();
  for (const problem of problems) {
    if (families !== null && !families.includes(problem.family)) continue;
    const list = byFamily.get(problem.family) ?? [];
    if (list.length < perFamily) list.push(problem);
    byFamily.set(problem.family, list);
  }
  const lists = [...byFamily.values()];
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => i).flatMap((i) =>
    lists.flatMap((list) => list[i] ?? []),
  );
}
