/** Owns the course of measuring a judge in Node: the labelled replies, two readings of each answer, figures, the record. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openJudgeFile } from '../../src/core/judge/judge-file';
import {
  constantJudge,
  judgeQuality,
  macroF1,
  taskInterval,
  type JudgedPair,
} from '../../src/core/judge/quality';
import { firstByTurns, type Criterion, type TaskReply } from '../../src/core/judge/rubric';
import { createRandom } from '../../src/core/sampling/random';
import { openFolder, openVariant, SHIPPED_VARIANT } from '../eval/load-model';
import { Journal, journalKey, weightDigests } from '../eval/journal';
import { Progress } from '../eval/progress';
import { SharedSteps } from '../eval/shared-steps';
import { replyTo, verdictOn, type AskedVerdict } from './ask';
import { HELP, parseJudgeOptions, READINGS, type JudgeOptions, type Reading } from './options';
import { recordSystem } from './record';

interface Asked {
  readonly reply: TaskReply;
  readonly criterion: Criterion;
  readonly truth: boolean;
}

/** What was said of a criterion in both readings; `key`: of the reply's text and the criterion's. */
interface AskedBoth extends Readonly<Record<Reading, AskedVerdict>> {
  readonly key: string;
}

/** Code that a verdict hangs on; an interrupted run goes on only where it is the same. */
const CODE = [
  'src/core/budget',
  'src/core/json-schema',
  'src/core/judge/question.ts',
  'src/core/sampling',
  'workers/generate-loop.ts',
  'workers/prompt.ts',
  'scripts/judge/ask.ts',
];

interface Figures {
  readonly pairs: number;
  readonly macroF1: number;
  readonly macroF1Interval: readonly [number, number];
  readonly bias: Readonly<Record<string, number>>;
  readonly biasIndex: number | null;
  readonly score: number | null;
  readonly scoreInterval: readonly [number, number] | null;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}

function roundBoth([low, high]: readonly [number, number]): [number, number] {
  return [round(low), round(high)];
}

/** NaN stands in an interval only where a draw of tasks has fewer than three sources. */
function figuresOf(pairs: readonly JudgedPair[]): Figures {
  const { bias, biasIndex, score } = judgeQuality(pairs);
  return {
    pairs: pairs.length,
    macroF1: round(macroF1(pairs)),
    macroF1Interval: roundBoth(taskInterval(pairs, macroF1, createRandom(1))),
    bias: Object.fromEntries([...bias].map(([source, value]) => [source, round(value)])),
    biasIndex: biasIndex === null ? null : round(biasIndex),
    score: score === null ? null : round(score),
    scoreInterval:
      score === null
        ? null
        : roundBoth(
            taskInterval(pairs, (some) => judgeQuality(some).score ?? NaN, createRandom(1)),
          ),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function line(
  name: string,
  { macroF1: f1, biasIndex, score, scoreInterval, bias }: Figures,
): string {
  const biases = Object.entries(bias).map(([source, value]) => `${source} ${value}`);
  return `${name.padEnd(12)} MF1 ${f1}  BI ${biasIndex ?? '-'}  MF1-BI ${score ?? '-'} (${scoreInterval?.join(' to ') ?? '-'})  bias: ${biases.join(', ')}`;
}

/** Goes on where an interrupted run has stopped: each reply is written at once. */
async function writeReplies(root: string, options: JudgeOptions, out: string): Promise<void> {
  const read = openJudgeFile(readFileSync(join(root, options.tasks), 'utf8'), '', []);
  const path = resolve(root, out);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const done =
    before.trim() === ''
      ? []
      : openJudgeFile(before, '', read.tasks).replies.map(({ task }) => task);
  const open = firstByTurns(read.tasks, 0).filter(({ id }) => !done.includes(id));
  const folder = await openFolder(join(root, options.model));
  const session = await openVariant(folder, SHIPPED_VARIANT);
  const progress = new Progress('replies', open.length);
  try {
    for (const [at, task] of open.entries()) {
      const {
        task: id,
        source,
        text,
        tokens,
        ms,
      } = await replyTo(folder, session, task, options.thinking);
      const row = { task_id: id, source, response: text, completion_tokens: tokens, ms };
      appendFileSync(path, `${JSON.stringify(row)}\n`);
      progress.show(at + 1);
    }
  } finally {
    await session.dispose();
  }
}

async function measure(
  root: string,
  words: readonly string[],
  options: JudgeOptions,
): Promise<number> {
  const { tasks, replies, problems } = openJudgeFile(
    readFileSync(join(root, options.tasks), 'utf8'),
    '',
    [],
  );
  for (const problem of problems) console.error(problem);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const asked: Asked[] = replies.flatMap((reply) =>
    (byId.get(reply.task)?.criteria ?? []).flatMap((criterion) => {
      const truth = criterion.labels[reply.source];
      return truth === undefined ? [] : [{ reply, criterion, truth }];
    }),
  );
  const folder = await openFolder(join(root, options.model));
  const session = await openVariant(folder, SHIPPED_VARIANT);
  const journal = new Journal<AskedBoth>(
    join(
      root,
      '.cache/judge',
      `${journalKey(root, CODE, { weights: weightDigests(folder.manifest), thinking: options.thinking })}.jsonl`,
    ),
    ({ key }) => key,
  );
  const done = journal.read();
  const steps = new SharedSteps(session);
  const progress = new Progress('criteria', asked.length);
  const both: AskedBoth[] = [];
  try {
    for (const [at, { reply, criterion }] of asked.entries()) {
      const key = createHash('sha256')
        .update(JSON.stringify([reply.text, criterion.description]))
        .digest('hex');
      const known = done.get(key);
      const ask = (reading: Reading): Promise<AskedVerdict> =>
        verdictOn(folder, steps, reply.text, criterion, reading, options.thinking);
      // The second reading finds the prompt read.
      steps.isRemembering = true;
      const one = known ?? { key, free: await ask('free'), forced: await ask('forced') };
      steps.forget();
      if (known === undefined) {
        journal.add(one);
        done.set(key, one);
      }
      both.push(one);
      progress.show(at + 1);
      await new Promise((settle) => setImmediate(settle));
    }
  } finally {
    await session.dispose();
  }
  const pairsOf = (isYes: (at: number) => boolean): JudgedPair[] =>
    asked.map(({ reply, truth }, at) => ({
      source: reply.source,
      task: reply.task,
      truth,
      said: isYes(at),
    }));
  const labels = pairsOf(() => false);
  const constant = {
    yes: figuresOf(constantJudge(labels, true)),
    no: figuresOf(constantJudge(labels, false)),
  };
  const readings = Object.fromEntries(
    READINGS.map((reading) => {
      const verdicts = both.map((one) => one[reading]);
      const figures = figuresOf(pairsOf((at) => verdicts[at]?.answer === 'yes'));
      return [
        reading,
        {
          ...figures,
          answers: Object.fromEntries(
            (['yes', 'no', 'neither'] as const).map((answer) => [
              answer,
              verdicts.filter((verdict) => verdict.answer === answer).length,
            ]),
          ),
          promptTokens: round(mean(verdicts.map(({ promptTokens }) => promptTokens))),
          tokens: round(mean(verdicts.map(({ tokens }) => tokens))),
          seconds: round(verdicts.reduce((sum, { ms }) => sum + ms, 0) / 1000),
        },
      ];
    }),
  );
  const command = ['npm run judge', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
  const result = {
    model: folder.manifest.name,
    tasks: tasks.length,
    yesLabels: asked.filter(({ truth }) => truth).length,
    constant,
    readings,
    command,
  };
  console.log(line('always yes', constant.yes));
  console.log(line('always no', constant.no));
  for (const reading of READINGS) {
    const figures = readings[reading];
    if (figures === undefined) continue;
    console.log(line(reading, figures));
    console.log(
      `             ${JSON.stringify(figures.answers)}, ${figures.promptTokens} tokens read and ${figures.tokens} written a question, ${figures.seconds} s in all`,
    );
  }
  if (options.out !== null)
    writeFileSync(resolve(root, options.out), `${JSON.stringify(result, null, 1)}\n`);
  if (options.record !== null) {
    const figures = readings[options.record];
    // The better of the two constants: the harder one to beat.
    const before = Math.max(constant.yes.score ?? -Infinity, constant.no.score ?? -Infinity);
    if (figures === undefined || figures.score === null || figures.scoreInterval === null)
      throw new RangeError('the labels are of fewer than three sources: there is no MF1-BI');
    recordSystem(root, {
      id: 'judge',
      model: folder.manifest.name,
      figure: {
        name: 'MF1 - BI of the judge, beside the better constant one',
        before,
        after: figures.score,
        interval: figures.scoreInterval,
      },
      command,
      commit: commitOf(root),
      note: noteOf(figures, constant),
    });
  }
  return 0;
}

/** What the figure is, from the figures themselves. */
function noteOf(
  figures: Figures,
  constant: { readonly yes: Figures; readonly no: Figures },
): string {
  const { scoreInterval, pairs } = figures;
  const better = Math.max(constant.yes.score ?? -Infinity, constant.no.score ?? -Infinity);
  const isBetter = scoreInterval !== null && scoreInterval[0] > better;
  return `On ${pairs} labelled criteria, with the interval over tasks drawn anew. ${isBetter ? 'Better than a judge that has read nothing.' : 'Not shown to be better than a judge that has read nothing.'}`;
}

function commitOf(root: string): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
  } catch {
    // An unpacked archive has no history.
    return 'unknown';
  }
}

export async function main(root: string, words: string[]): Promise<number> {
  const options = parseJudgeOptions(words);
  if (options === null) {
    console.log(HELP);
    return 0;
  }
  if (options.replies === null) return measure(root, words, options);
  await writeReplies(root, options, options.replies);
  return 0;
}
