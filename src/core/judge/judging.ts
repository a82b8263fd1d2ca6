/** Owns a whole judging as it is kept and exchanged: its book and what it is set to, and two of them made one. */
import { t } from '../language/translate';
import { isFields } from './file-rows';
import { readBook, writeBook, type JudgeBook } from './judge-file';
import { byPlace, placeKey } from './rubric';
import { MOST_SOURCES, readSetUp, type JudgeSetUp } from './set-up';
import { taskRow } from './task-file';

export interface Judging {
  readonly book: JudgeBook;
  readonly setUp: JudgeSetUp;
}

export interface ReadJudging extends Judging {
  /** A sentence on each entry that could not be read; the others are read. */
  readonly problems: readonly string[];
}

export interface MergedJudging extends Judging {
  /** Tasks, replies and verdicts that are new. */
  readonly added: number;
  /** A sentence on each thing that had to be left out. */
  readonly problems: readonly string[];
}

/** @throws EngineError `storage` where it is none, or of a newer version */
export function readJudging(value: unknown): ReadJudging {
  const { tasks, replies, verdicts, problems } = readBook(value);
  const setUp = readSetUp(isFields(value) ? value['setUp'] : undefined);
  return { book: { tasks, replies, verdicts }, setUp, problems };
}

/** The value that {@link readJudging} reads back whole. */
export function writeJudging({ book, setUp }: Judging): Record<string, unknown> {
  return { ...writeBook(book), setUp };
}

interface Merged<T> {
  readonly merged: T;
  readonly problems: readonly string[];
}

/**
 * What is here stays. A task that has other criteria here, and a reply that has another text, are left out with what was
 * said of them: their verdicts would be of something else.
 */
function mergeBooks(here: JudgeBook, found: JudgeBook): Merged<JudgeBook> {
  const tasks = new Map(here.tasks.map((task) => [task.id, JSON.stringify(taskRow(task))]));
  const replies = byPlace(here.replies);
  const problems: string[] = [];
  const leftTasks = new Set<string>();
  for (const task of found.tasks) {
    const own = tasks.get(task.id);
    if (own === undefined || own === JSON.stringify(taskRow(task))) continue;
    leftTasks.add(task.id);
    problems.push(
      t('Task {id} is here with other words; that of the file was left out with its replies.', {
        id: task.id,
      }),
    );
  }
  const leftReplies = new Set<string>();
  for (const { source, task, text } of found.replies) {
    const key = placeKey(source, task, 0);
    const own = replies.get(key);
    if (own === undefined || own.text === text || leftTasks.has(task)) continue;
    leftReplies.add(key);
    problems.push(
      t(
        'Another reply of {source} to task {task} is here; that of the file was left out with its verdicts.',
        { source, task },
      ),
    );
  }
  const isLeft = ({ source, task }: { source: string; task: string }): boolean =>
    leftTasks.has(task) || leftReplies.has(placeKey(source, task, 0));
  const verdictKey = (one: JudgeBook['verdicts'][number]): string =>
    JSON.stringify([one.judge, one.source, one.task, one.criterion]);
  const verdicts = new Set(here.verdicts.map(verdictKey));
  return {
    merged: {
      tasks: [...here.tasks, ...found.tasks.filter(({ id }) => !tasks.has(id))],
      replies: [
        ...here.replies,
        ...found.replies.filter(
          (one) => !isLeft(one) && !replies.has(placeKey(one.source, one.task, 0)),
        ),
      ],
      verdicts: [
        ...here.verdicts,
        ...found.verdicts.filter((one) => !isLeft(one) && !verdicts.has(verdictKey(one))),
      ],
    },
    problems,
  };
}

/** The setting that is here, with the file's sources as far as there is room. */
function mergeSetUps(here: JudgeSetUp, found: JudgeSetUp): Merged<JudgeSetUp> {
  const fresh = found.sources.filter(
    ({ name }) => !here.sources.some((source) => source.name === name),
  );
  const sources = [...here.sources, ...fresh].slice(0, MOST_SOURCES);
  const left = [...here.sources, ...fresh].slice(MOST_SOURCES).map(({ name }) => name);
  return {
    merged: { ...here, sources },
    problems:
      left.length === 0
        ? []
        : [
            t('Replies come from {most} sources at most; not shown: {names}.', {
              most: MOST_SOURCES,
              names: left.join(', '),
            }),
          ],
  };
}

/** Adds a file's judging to the one that is here (null: none), of which nothing is lost. */
export function mergeJudgings(here: Judging | null, found: Judging): MergedJudging {
  const count = ({ tasks, replies, verdicts }: JudgeBook): number =>
    tasks.length + replies.length + verdicts.length;
  if (here === null)
    return { book: found.book, setUp: found.setUp, added: count(found.book), problems: [] };
  const book = mergeBooks(here.book, found.book);
  const setUp = mergeSetUps(here.setUp, found.setUp);
  return {
    book: book.merged,
    setUp: setUp.merged,
    added: count(book.merged) - count(here.book),
    problems: [...book.problems, ...setUp.problems],
  };
}
