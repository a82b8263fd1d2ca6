/**
 * Owns the files of the judge's page: one that a person opens (tasks, replies, or a whole export), the export as JSON, and
 * the table of verdicts as CSV. The same JSON is what the browser keeps.
 */
import { EngineError } from '../errors';
import { t } from '../language/translate';
import {
  countOf,
  FieldProblem,
  isFields,
  readRows,
  refuse,
  rowsOf,
  rowsOfLines,
  textOf,
  type Fields,
  type Row,
  type Rows,
} from './file-rows';
import { WEIGHTS, type JudgeAnswer, type JudgeTask, type TaskReply, type Verdict } from './rubric';
import { readTasks, taskRow } from './task-file';

const FORMAT = 'tidepool-judge';
const VERSION = 1;
const ANSWERS: readonly JudgeAnswer[] = ['yes', 'no', 'neither'];

/** All that a judging is made of. */
export interface JudgeBook {
  readonly tasks: readonly JudgeTask[];
  readonly replies: readonly TaskReply[];
  readonly verdicts: readonly Verdict[];
}

export interface OpenedFile extends JudgeBook {
  readonly kind: 'tasks' | 'replies' | 'whole';
  /** A sentence on each thing that could not be read. */
  readonly problems: readonly string[];
}

function idOfTask(row: Row, known: ReadonlyMap<string, JudgeTask>): string {
  const id = textOf(row, 'task_id');
  if (!known.has(id))
    throw new FieldProblem(
      t('{place}: the field “task_id” names {id}, which is none of the tasks.', {
        place: row.place,
        id,
      }),
    );
  return id;
}

/** A reply may be empty: a model has said nothing. */
function replyOf({ place, fields }: Row): string {
  const value = fields['response'];
  if (typeof value !== 'string') refuse(place, 'response', t('a text'), value);
  return value;
}

/** A row of a file of replies: `task_id`, `response`, and where there are several sources `source`. */
function readReply(row: Row, tasks: ReadonlyMap<string, JudgeTask>, source: string): TaskReply {
  return {
    source: row.fields['source'] === undefined ? source : textOf(row, 'source'),
    task: idOfTask(row, tasks),
    text: replyOf(row),
    tokens: countOf(row, 'completion_tokens'),
    ms: countOf(row, 'ms'),
  };
}

function readVerdict(row: Row, tasks: ReadonlyMap<string, JudgeTask>): Verdict {
  const id = idOfTask(row, tasks);
  const number = countOf(row, 'criterion');
  const count = tasks.get(id)?.criteria.length ?? 0;
  if (number === null || !Number.isInteger(number) || number < 1 || number > count)
    refuse(row.place, 'criterion', t('a criterion of the task, 1 to {count}', { count }), number);
  const answer = ANSWERS.find((one) => one === row.fields['answer']);
  if (answer === undefined) refuse(row.place, 'answer', ANSWERS.join(', '), row.fields['answer']);
  return {
    judge: textOf(row, 'judge'),
    source: textOf(row, 'source'),
    task: id,
    criterion: number - 1,
    answer,
    promptTokens: countOf(row, 'prompt_tokens'),
    tokens: countOf(row, 'completion_tokens') ?? 0,
    ms: countOf(row, 'ms') ?? 0,
  };
}

function listOf(fields: Fields, name: string): Rows {
  const list = fields[name] ?? [];
  if (!Array.isArray(list)) return { rows: [], problems: [t('“{name}” is no list.', { name })] };
  return rowsOf(list as readonly unknown[], name);
}

/** Reads a whole export, or what the browser kept. */
export function readBook(value: unknown): OpenedFile {
  const fields = isFields(value) ? value : {};
  if (
    fields['format'] !== FORMAT ||
    typeof fields['version'] !== 'number' ||
    fields['version'] > VERSION
  )
    throw unreadable(t('The file has no “format” and “version” that this app knows.'));
  const { tasks, replies: own, problems } = readTasks(listOf(fields, 'tasks'));
  const known = new Map(tasks.map((task) => [task.id, task]));
  const replies = readRows(listOf(fields, 'replies'), (row) => readReply(row, known, ''));
  const verdicts = readRows(listOf(fields, 'verdicts'), (row) => readVerdict(row, known));
  return {
    kind: 'whole',
    tasks,
    replies: [...own, ...replies.read],
    verdicts: verdicts.read,
    problems: [...problems, ...replies.problems, ...verdicts.problems],
  };
}

function unreadable(message: string): EngineError {
  return new EngineError(
    'storage',
    message,
    'Choose a file of tasks in ProfBench’s fields, of replies with “task_id” and “response”, or one that this page has saved.',
  );
}

function rowsOfFile(text: string): Rows {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return rowsOf(value as readonly unknown[]);
    return {
      rows: isFields(value) ? [{ place: t('Row {row}', { row: 1 }), fields: value }] : [],
      problems: [],
    };
  } catch {
    // Not one piece of JSON: lines of it, and what is wrong with one is told with its number.
    return rowsOfLines(text);
  }
}

/**
 * Reads a file that a person opened. Replies are of the tasks that are here; `name` is their source where the rows name none.
 * @throws EngineError `storage` where nothing of it can be read as any of the three kinds
 */
export function openJudgeFile(text: string, name: string, here: readonly JudgeTask[]): OpenedFile {
  const file = rowsOfFile(text);
  const [first] = file.rows;
  if (first === undefined)
    throw unreadable([t('The file has no rows of JSON.'), ...file.problems.slice(0, 1)].join(' '));
  if (first.fields['format'] === FORMAT) return readBook(first.fields);
  if (file.rows.some(({ fields }) => fields['rubrics'] !== undefined)) {
    const read = readTasks(file);
    if (read.tasks.length === 0) throw unreadable(read.problems[0] ?? '');
    return { ...read, kind: 'tasks', verdicts: [] };
  }
  const known = new Map(here.map((task) => [task.id, task]));
  const { read, problems } = readRows(file, (row) => readReply(row, known, name));
  if (read.length === 0) throw unreadable(problems[0] ?? '');
  return { kind: 'replies', tasks: [], replies: read, verdicts: [], problems };
}

/** The value that {@link readBook} reads back whole. */
export function writeBook({ tasks, replies, verdicts }: JudgeBook): Record<string, unknown> {
  return {
    format: FORMAT,
    version: VERSION,
    tasks: tasks.map(taskRow),
    replies: replies.map(({ source, task, text, tokens, ms }) => ({
      source,
      task_id: task,
      response: text,
      ...(tokens === null ? {} : { completion_tokens: tokens }),
      ...(ms === null ? {} : { ms }),
    })),
    verdicts: verdicts.map(
      ({ judge, source, task, criterion, answer, promptTokens, tokens, ms }) => ({
        judge,
        source,
        task_id: task,
        criterion: criterion + 1,
        answer,
        ...(promptTokens === null ? {} : { prompt_tokens: promptTokens }),
        completion_tokens: tokens,
        ms: Math.round(ms),
      }),
    ),
  };
}

function cell(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line a verdict (RFC 4180), with the criterion in words and the label where there is one. */
export function verdictsCsv({ tasks, verdicts }: JudgeBook): string {
  const known = new Map(tasks.map((task) => [task.id, task]));
  const head = [
    'judge',
    'source',
    'domain',
    'task_id',
    'criterion',
    'criterion_type',
    'criterion_weight',
    'points',
  ];
  const lines = verdicts.map((verdict) => {
    const task = known.get(verdict.task);
    const criterion = task?.criteria[verdict.criterion];
    return [
      verdict.judge,
      verdict.source,
      task?.domain ?? '',
      verdict.task,
      criterion?.description ?? '',
      criterion?.types.join('; ') ?? '',
      criterion?.weight ?? '',
      criterion === undefined ? null : WEIGHTS[criterion.weight],
      verdict.answer,
      criterion?.labels[verdict.source] ?? null,
      verdict.promptTokens,
      verdict.tokens,
      Math.round(verdict.ms),
    ]
      .map(cell)
      .join(',');
  });
  return `${[[...head, 'answer', 'label', 'prompt_tokens', 'completion_tokens', 'ms'].join(','), ...lines].join('\r\n')}\r\n`;
}
