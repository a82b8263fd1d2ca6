/** Owns the course of an evaluation: options, model, problems, perplexity, chats, files. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { budgetCurve, budgetKey } from '../../src/core/evaluation/budget-curve';
import {
  inChatProblems,
  inChatShares,
  type InChatProblem,
} from '../../src/core/evaluation/in-chat';
import { parseProblems, takeByTurns, type Problem } from '../../src/core/evaluation/problem';
import { EngineError } from '../../src/core/errors';
import { manifestFile } from '../../src/models/spec';
import type { ModelSession } from '../../workers/runtime/session';
import { evalJson, type EvalReport } from './eval-json';
import { runInChat, type FinishedChat } from './in-chat';
import { Journal, journalKey, weightDigests } from './journal';
import {
  openFolder,
  openVariant,
  packagedPerplexity,
  presentVariants,
  SHIPPED_VARIANT,
  type ModelFolder,
} from './load-model';
import { HELP, isWhole, parseOptions, type EvalOptions } from './options';
import { measurePerplexity, type HeldOutDocument, type Perplexity } from './perplexity';
import { Progress } from './progress';
import { evalMarkdown, type ComparedChat, type WrongAnswer } from './report';
import {
  ANSWER_TOKENS,
  CONTEXT_TOKENS,
  runProblem,
  TOOL_ANSWER_TOKENS,
  type FinishedProblem,
} from './run-reply';
import { playChat, type PlayedChat, type SampleChat } from './sample-chats';
import { SharedSteps } from './shared-steps';

const FIXTURES = 'tests/fixtures/eval';
/** Code that a reply hangs on; an interrupted run goes on only where it is the same. */
const CODE = [
  'src/core/budget',
  'src/core/chat',
  'src/core/evaluation',
  'src/core/sampling',
  'src/core/text',
  'src/core/tools',
  'src/models/think-format.ts',
  'workers/generate-loop.ts',
  'workers/prompt.ts',
  'workers/runtime/hub.ts',
  'scripts/eval',
];

function readFixture(root: string, name: string): unknown {
  return JSON.parse(readFileSync(join(root, FIXTURES, name), 'utf8'));
}

/** The commit; "-dirty" where the code or the problems differ from it. */
function commitOf(root: string): string {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();
  try {
    const isDirty = git('status', '--porcelain', '--', ...CODE, FIXTURES) !== '';
    return git('rev-parse', '--short=12', 'HEAD') + (isDirty ? '-dirty' : '');
  } catch {
    // An unpacked archive has no history.
    return 'unknown';
  }
}

/** Replaces a file at once: readers see the old or the new. */
function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}

/** "66.7" of results, in per cent. */
function percentOf<Entry>(entries: readonly Entry[], isRight: (entry: Entry) => boolean): string {
  return ((100 * entries.filter(isRight).length) / entries.length).toFixed(1);
}

interface Resumed<Item, Entry> {
  /** What the items are, in the plural, and what their progress is called. */
  readonly names: string;
  readonly progressName: string;
  readonly idOf: (item: Item) => string;
  readonly run: (item: Item) => Promise<Entry>;
  /** How it goes so far; there is at least one entry. */
  readonly say: (finished: readonly Entry[]) => string;
}

/** Runs what the journal lacks; stops between two items when `isInterrupted` says so. */
async function runResumed<Item, Entry extends object>(
  items: readonly Item[],
  journal: Journal<Entry>,
  isInterrupted: () => boolean,
  { names, progressName, idOf, run, say }: Resumed<Item, Entry>,
): Promise<readonly Entry[]> {
  const done = journal.read();
  const finished: Entry[] = items.flatMap((item) => done.get(idOf(item)) ?? []);
  const open = items.filter((item) => !done.has(idOf(item)));
  if (finished.length > 0)
    console.error(`${finished.length} of ${items.length} ${names} were done by an earlier run`);
  const progress = new Progress(progressName, open.length);
  for (const [index, item] of open.entries()) {
    if (isInterrupted()) break;
    const entry = await run(item);
    journal.add(entry);
    finished.push(entry);
    progress.show(index + 1, say(finished));
    // Timers and signals are heard here.
    await new Promise((settle) => setImmediate(settle));
  }
  return finished;
}

/** Asks the problems that the journal lacks, each at every limit. */
async function runProblems(
  folder: ModelFolder,
  session: ModelSession,
  problems: readonly Problem[],
  options: EvalOptions,
  journal: Journal<FinishedProblem>,
  isInterrupted: () => boolean,
): Promise<readonly FinishedProblem[]> {
  const steps = new SharedSteps(session);
  const lastBudget = budgetKey(options.budgets.at(-1) ?? 0);
  const isRight = ({ result }: FinishedProblem): boolean =>
    result.outcomes[lastBudget]?.isCorrect === true;
  const finished = await runResumed(problems, journal, isInterrupted, {
    names: 'problems',
    progressName: 'problems',
    idOf: ({ id }) => id,
    run: (problem) => runProblem(folder, steps, problem, options.budgets),
    say: (entries) => `${percentOf(entries, isRight)} % right at ${lastBudget}`,
  });
  const { computed, remembered } = steps.counts;
  console.error(`${computed} steps computed, ${remembered} met again`);
  return finished;
}

/** Asks later in chats what the journal lacks. */
function runChats(
  folder: ModelFolder,
  session: ModelSession,
  chats: readonly InChatProblem[],
  journal: Journal<FinishedChat>,
  isInterrupted: () => boolean,
): Promise<readonly FinishedChat[]> {
  return runResumed(chats, journal, isInterrupted, {
    names: 'chats',
    progressName: 'problems asked in chats',
    idOf: ({ problem }) => problem.id,
    run: (chat) => runInChat(folder, session, chat),
    say: (entries) => {
      const second = percentOf(entries, (entry) => entry.second.isCorrect);
      const fourth = percentOf(entries, (entry) => entry.fourth.isCorrect);
      return `${second} % right as second, ${fourth} % as fourth`;
    },
  });
}

/** Each chat with what its problem came to alone, at "unlimited". */
function besideAlone(
  finished: readonly FinishedProblem[],
  chats: readonly FinishedChat[],
): readonly ComparedChat[] {
  const alone = new Map(finished.map(({ result }) => [result.id, result]));
  return chats.flatMap(({ id, second, fourth, turns }) => {
    const result = alone.get(id);
    const outcome = result?.outcomes['unlimited'];
    if (result === undefined || outcome === undefined) return [];
    return [{ family: result.family, outcomes: { alone: outcome, second, fourth }, turns }];
  });
}

interface Perplexities {
  readonly byVariant: Readonly<Record<string, number>>;
  readonly own: Perplexity | null;
  readonly notes: readonly string[];
}

/** Perplexity of every variant that is present and that WASM can run. */
async function runPerplexities(
  root: string,
  path: string,
  folder: ModelFolder,
  session: ModelSession,
  isInterrupted: () => boolean,
): Promise<Perplexities> {
  const documents = readFixture(root, 'held-out-text.json') as readonly HeldOutDocument[];
  const byVariant: Record<string, number> = {};
  const notes: string[] = [];
  let own: Perplexity | null = null;
  for (const variant of presentVariants(folder, path)) {
    if (isInterrupted()) break;
    let opened = session;
    try {
      if (variant !== SHIPPED_VARIANT) opened = await openVariant(folder, variant);
      const progress = new Progress(`documents read by ${variant}`, documents.length);
      const encode = (text: string): number[] => folder.tokenizer.encode(text);
      const measured = await measurePerplexity(opened, encode, documents, (done) =>
        progress.show(done),
      );
      byVariant[variant] = measured.perplexity;
      if (variant === SHIPPED_VARIANT) own = measured;
    } catch (error) {
      if (variant === SHIPPED_VARIANT) throw error;
      const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
      notes.push(
        `The variant ${variant} could not be measured on WebAssembly: ${reason ?? 'unknown error'}`,
      );
    } finally {
      if (opened !== session) await opened.dispose();
    }
  }
  return { byVariant, own, notes };
}

/** One wrong answer a family, the easiest first. */
function wrongAnswers(
  problems: readonly Problem[],
  finished: readonly FinishedProblem[],
  budget: string,
): WrongAnswer[] {
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const wrong = new Map<string, WrongAnswer>();
  for (const { result, lastAnswer } of [...finished].sort(
    (a, b) => a.result.difficulty - b.result.difficulty,
  )) {
    const problem = byId.get(result.id);
    if (
      problem === undefined ||
      wrong.has(result.family) ||
      result.outcomes[budget]?.isCorrect !== false
    )
      continue;
    wrong.set(result.family, { problem, answer: lastAnswer });
  }
  return [...wrong.values()].sort((a, b) => a.problem.family.localeCompare(b.problem.family));
}

async function evaluate(
  root: string,
  words: readonly string[],
  options: EvalOptions,
): Promise<number> {
  const startedAt = performance.now();
  // Now, since the tree may move on while this runs.
  const commit = commitOf(root);
  const path = resolve(root, options.model);
  const folder = await openFolder(path);
  const file = manifestFile(folder.manifest, folder.manifest.variants[SHIPPED_VARIANT] ?? '');
  const text = readFileSync(join(root, FIXTURES, 'problems.json'), 'utf8');
  const all = parseProblems(JSON.parse(text));
  const unknown =
    options.families?.filter((name) => !all.some(({ family }) => family === name)) ?? [];
  if (unknown.length > 0) {
    const known = [...new Set(all.map(({ family }) => family))].join(', ');
    throw new RangeError(`--families: there is no ${unknown.join(', ')}; there are ${known}`);
  }
  const problems = takeByTurns(all, options.limit, options.families);
  const key = journalKey(root, CODE, {
    // The graph alone doesn't say it: the weights of a larger model lie in parts beside it.
    weights: weightDigests(folder.manifest),
    problems: createHash('sha256').update(text).digest('hex'),
    budgets: options.budgets,
    limits: [ANSWER_TOKENS, TOOL_ANSWER_TOKENS, CONTEXT_TOKENS],
  });
  const journal = new Journal<FinishedProblem>(
    join(root, '.cache/eval', `${key}.jsonl`),
    ({ result }) => result.id,
  );
  const chatJournal = new Journal<FinishedChat>(
    join(root, '.cache/eval', `${key}-chats.jsonl`),
    ({ id }) => id,
  );
  if (options.isFresh) for (const each of [journal, chatJournal]) each.clear();

  const interruption = new AbortController();
  const isInterrupted = (): boolean => interruption.signal.aborted;
  const interrupt = (): void => {
    interruption.abort();
    console.error('\nStopping after this problem; Ctrl+C again ends at once.');
  };
  process.once('SIGINT', interrupt);
  const session = await openVariant(folder, SHIPPED_VARIANT);
  try {
    console.error(
      `${folder.manifest.name}: ${problems.length} problems at limits ${options.budgets.join(', ')}`,
    );
    const finished = await runProblems(folder, session, problems, options, journal, isInterrupted);
    const asked = new Set(problems.map(({ id }) => id));
    const inChat =
      options.hasInChat && !isInterrupted()
        ? await runChats(
            folder,
            session,
            inChatProblems(all).filter(({ problem }) => asked.has(problem.id)),
            chatJournal,
            isInterrupted,
          )
        : [];
    const compared = besideAlone(finished, inChat);
    const shares = inChatShares(compared);
    const perplexities: Perplexities =
      options.hasPerplexity && !isInterrupted()
        ? await runPerplexities(root, path, folder, session, isInterrupted)
        : { byVariant: {}, own: null, notes: [] };
    const chats: PlayedChat[] = [];
    if (options.hasChats && !isInterrupted()) {
      const samples = readFixture(root, 'chats.json') as readonly SampleChat[];
      const progress = new Progress('sample chats', samples.length);
      for (const chat of samples) {
        if (isInterrupted()) break;
        chats.push(await playChat(folder, session, chat));
        progress.show(chats.length);
      }
    }
    const budgets = options.budgets.map(budgetKey);
    const curve = budgetCurve(
      finished.map(({ result }) => result),
      options.budgets,
    );
    const report: EvalReport = {
      model: {
        name: folder.manifest.name,
        parameters: folder.manifest.parameters,
        variant: SHIPPED_VARIANT,
        file: file.path,
        bytes: file.bytes,
        sha256: file.sha256,
      },
      ...curve,
      perplexity: perplexities.byVariant,
      perplexityBySource: perplexities.own?.bySource ?? {},
      perplexityTokens: perplexities.own?.tokens ?? 0,
      contextTokens: Math.min(folder.spec.maxPositions, CONTEXT_TOKENS),
      ...(shares === null ? {} : { inChat: shares }),
      command: ['npm run eval', ...(words.length > 0 ? ['--', ...words] : [])].join(' '),
      commit,
    };
    const { user, system } = process.cpuUsage();
    const markdown = evalMarkdown(
      {
        report,
        wrong: wrongAnswers(problems, finished, budgets.at(-1) ?? ''),
        inChat: compared,
        chats,
        packaged: await packagedPerplexity(path),
        notes: perplexities.notes,
        seconds: (performance.now() - startedAt) / 1000,
        cpuSeconds: (user + system) / 1e6,
      },
      budgets,
    );
    if (isInterrupted()) {
      console.log(markdown);
      console.error(
        `Interrupted after ${finished.length} of ${problems.length} problems: no file was replaced. The same command goes on from here.`,
      );
      return 130;
    }
    const isShipped = options.out === null && isWhole(options);
    const out = resolve(root, options.out ?? (isShipped ? path : 'test-results/eval'));
    const reportPath = isShipped ? join(root, 'model/EVAL.md') : join(out, 'EVAL.md');
    replaceFile(join(out, 'eval.json'), evalJson(report));
    replaceFile(reportPath, markdown);
    for (const each of [journal, chatJournal]) each.clear();
    console.log(markdown.slice(0, markdown.indexOf('## By difficulty')));
    console.error(
      `Wrote ${relative(root, join(out, 'eval.json'))} and ${relative(root, reportPath)}.`,
    );
    return 0;
  } finally {
    process.removeListener('SIGINT', interrupt);
    await session.dispose();
  }
}

/** Runs the command; returns the exit status: 0 done, 1 failed, 2 not understood, 130 interrupted. */
export async function main(root: string, words: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(words);
    if (options === null) {
      console.log(HELP);
      return 0;
    }
    return await evaluate(root, words, options);
  } catch (error) {
    if (error instanceof RangeError) {
      console.error(error.message);
      return 2;
    }
    if (error instanceof EngineError) {
      console.error(`${error.message} ${error.remedy}`);
      return 1;
    }
    throw error;
  }
}
