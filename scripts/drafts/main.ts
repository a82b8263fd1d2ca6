/**
 * Owns the measuring of drafts: greedy replies to held-out problems with and without them, in turns; their tokens must be
 * the same. Then what a run costs by the tokens it reads, and where drafting begins to pay.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseProblems, takeByTurns, type Problem } from '../../src/core/evaluation/problem';
import type { EngineEvent } from '../../src/protocol/engine-api';
import { DRAFT_DEFAULTS, DraftingSession } from '../../workers/draft/drafting-session';
import { openFolder, openWithModule, SHIPPED_VARIANT, type ModelFolder } from '../eval/load-model';
import { runReply, settingsFor } from '../eval/run-reply';
import type { DraftModule } from '../../workers/draft/draft-module';
import type { ModelSession } from '../../workers/runtime/session';
import type { StepSession } from '../../workers/token-cursor';
import { measureCosts, type RunCosts } from './costs';

const HELP = `Measures drafts: equal tokens, accepted length, speed and what a run costs by its tokens.

  npm run drafts [-- OPTIONS]

  --model FOLDER   default public/models/tidepool-mtp
  --problems N     held-out problems, by turns over the families; default 200
  --limit N        thinking limit of the replies; default unlimited
  --most N, --least P, --replay N   as in DRAFT_DEFAULTS
  --out FILE       writes the figures as JSON`;

/** How one problem went, both ways. */
interface Compared {
  readonly family: string;
  readonly tokens: number;
  readonly runs: number;
  readonly guesses: number;
  readonly accepted: number;
  readonly plainMs: number;
  readonly draftMs: number;
  readonly isEqual: boolean;
}

interface Reply {
  readonly ids: readonly number[];
  readonly ms: number;
}

async function reply(
  folder: ModelFolder,
  session: StepSession,
  problem: Problem,
  limit: number | 'unlimited',
): Promise<Reply> {
  const ids: number[] = [];
  let begun = 0;
  let last = 0;
  await runReply(
    folder,
    session,
    { messages: [{ role: 'user', content: problem.question }], limit, ...settingsFor(problem) },
    (event: EngineEvent) => {
      if (event.type === 'prefill') begun = performance.now();
      if (event.type !== 'token') return;
      ids.push(event.id);
      last = performance.now();
    },
  );
  return { ids, ms: Math.max(0, last - begun) };
}

interface Options {
  readonly most: number;
  readonly least: number;
  readonly mostReplayed: number;
}

async function compare(
  folder: ModelFolder,
  session: ModelSession,
  module: DraftModule,
  problem: Problem,
  limit: number | 'unlimited',
  options: Options,
): Promise<Compared> {
  const plain = await reply(folder, session, problem, limit);
  const drafting = new DraftingSession(session, module, {
    ...options,
    maxPositions: folder.spec.maxPositions,
    plain: session,
    mayDraft: () => true,
  });
  try {
    const drafted = await reply(folder, drafting, problem, limit);
    return {
      family: problem.family,
      ...drafting.counts,
      plainMs: plain.ms,
      draftMs: drafted.ms,
      isEqual: plain.ids.join() === drafted.ids.join(),
    };
  } finally {
    drafting.dispose();
  }
}

function sumOf(rows: readonly Compared[], of: (row: Compared) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

function figures(rows: readonly Compared[]): Record<string, number> {
  const round = (value: number): number => Number(value.toFixed(4));
  return {
    replies: rows.length,
    tokens: sumOf(rows, (row) => row.tokens),
    tokensARun: round(sumOf(rows, (row) => row.tokens) / sumOf(rows, (row) => row.runs)),
    accepted: round(sumOf(rows, (row) => row.accepted) / sumOf(rows, (row) => row.guesses)),
    guessesARun: round(sumOf(rows, (row) => row.guesses) / sumOf(rows, (row) => row.runs)),
    speed: round(sumOf(rows, (row) => row.plainMs) / sumOf(rows, (row) => row.draftMs)),
  };
}

/** 2.5 and 97.5 % of `of` over resampled rows. */
function interval(
  rows: readonly Compared[],
  of: (rows: readonly Compared[]) => number,
): [number, number] {
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const values = Array.from({ length: 1000 }, () =>
    of(rows.flatMap(() => rows[Math.floor(random() * rows.length)] ?? [])),
  ).sort((a, b) => a - b);
  return [values[25] ?? NaN, values[974] ?? NaN];
}

export async function main(root: string, words: string[]): Promise<number> {
  if (words.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const option = (name: string, fallback: string): string => {
    const at = words.indexOf(name);
    return at < 0 ? fallback : (words[at + 1] ?? fallback);
  };
  const number = (name: string, fallback: number): number => {
    const value = Number(option(name, String(fallback)));
    if (!Number.isFinite(value)) throw new RangeError(`${name}: not a number`);
    return value;
  };
  const limitWord = option('--limit', 'unlimited');
  const limit = limitWord === 'unlimited' ? limitWord : number('--limit', 0);
  const options: Options = {
    most: number('--most', DRAFT_DEFAULTS.most),
    least: number('--least', DRAFT_DEFAULTS.least),
    mostReplayed: number('--replay', DRAFT_DEFAULTS.mostReplayed),
  };
  const folder = await openFolder(join(root, option('--model', 'public/models/tidepool-mtp')));
  const { session, module } = await openWithModule(folder, SHIPPED_VARIANT);
  if (module === null) {
    console.error(
      `${folder.spec.name} has no module of multi-token prediction; see model/README.md.`,
    );
    return 2;
  }
  const all = parseProblems(
    JSON.parse(readFileSync(join(root, 'tests/fixtures/eval/problems.json'), 'utf8')),
  );
  const problems = takeByTurns(all, Infinity).slice(0, number('--problems', 200));
  const rows: Compared[] = [];
  const [first] = problems;
  // The first reply of all warms up caches and compilers, and counts for neither.
  if (first !== undefined) await compare(folder, session, module, first, limit, options);
  for (const problem of problems) {
    const row = await compare(folder, session, module, problem, limit, options);
    if (!row.isEqual) console.error(`not the same tokens: ${problem.id}, ${problem.question}`);
    rows.push(row);
  }
  const byFamily = Object.fromEntries(
    [...new Set(rows.map(({ family }) => family))]
      .sort()
      .map((family) => [family, figures(rows.filter((row) => row.family === family))]),
  );
  const costs: RunCosts = await measureCosts(folder, session, module);
  const result = {
    options,
    equal: rows.filter(({ isEqual }) => isEqual).length,
    of: rows.length,
    ...figures(rows),
    tokensARunInterval: interval(rows, (some) => figures(some)['tokensARun'] ?? NaN),
    speedInterval: interval(rows, (some) => figures(some)['speed'] ?? NaN),
    byFamily,
    costs,
  };
  const out = option('--out', '');
  if (out !== '') writeFileSync(out, `${JSON.stringify(result, null, 1)}\n`);
  console.log(JSON.stringify(result, null, 1));
  await module.dispose();
  await session.dispose();
  return result.equal === result.of ? 0 : 1;
}
