/**
 * Owns the reading and writing of a file of tasks in ProfBench's fields (`task_id`, `prompt`, `domain`, `rubrics`,
 * `<source>_response`, and in each criterion `<source>_fulfilment`). What can't be read is told by row and field.
 */
import { t } from '../language/translate';
import { FieldProblem, isFields, readRows, refuse, textOf, type Row, type Rows } from './file-rows';
import {
  WEIGHTS,
  type Criterion,
  type CriterionWeight,
  type JudgeTask,
  type TaskReply,
} from './rubric';

export interface ReadTasks {
  readonly tasks: readonly JudgeTask[];
  /** The replies that came with the tasks, which the labels are of. */
  readonly replies: readonly TaskReply[];
  readonly problems: readonly string[];
}

const RESPONSE = '_response';
const FULFILMENT = '_fulfilment';

function isWeight(value: unknown): value is CriterionWeight {
  return typeof value === 'string' && Object.hasOwn(WEIGHTS, value);
}

function typesOf({ place, fields }: Row): readonly string[] {
  const value = fields['criterion_type'] ?? [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const types = list.filter((type) => typeof type === 'string');
  if (types.length !== list.length)
    refuse(place, 'criterion_type', t('a text or a list of texts'), value);
  return types;
}

function readCriterion(row: Row): Criterion {
  const description = textOf(row, 'criterion_description');
  const weight = row.fields['criterion_weight'];
  if (!isWeight(weight))
    refuse(row.place, 'criterion_weight', Object.keys(WEIGHTS).join(', '), weight);
  const labels: Record<string, boolean> = {};
  for (const [field, value] of Object.entries(row.fields)) {
    if (!field.endsWith(FULFILMENT) || value === null) continue;
    if (typeof value !== 'boolean') refuse(row.place, field, t('true or false'), value);
    labels[field.slice(0, -FULFILMENT.length)] = value;
  }
  return { description, types: typesOf(row), weight, labels };
}

interface ReadTask {
  readonly task: JudgeTask;
  readonly replies: readonly TaskReply[];
}

/** Reads a task, and tells what is left out of it. */
function readTask(row: Row, tell: (problem: string) => void): ReadTask {
  const id = textOf(row, 'task_id');
  const rubrics = row.fields['rubrics'];
  if (!Array.isArray(rubrics)) refuse(row.place, 'rubrics', t('a list'), rubrics);
  const criteria: Criterion[] = [];
  for (const [at, value] of (rubrics as readonly unknown[]).entries()) {
    const place = t('{place}, criterion {number}', { place: row.place, number: at + 1 });
    const one = readRows(
      isFields(value)
        ? { rows: [{ place, fields: value }], problems: [] }
        : { rows: [], problems: [t('{place} is no object with fields.', { place })] },
      readCriterion,
    );
    criteria.push(...one.read);
    for (const problem of one.problems) tell(problem);
  }
  if (criteria.length === 0)
    throw new FieldProblem(
      t('{place}: no criterion of the field “rubrics” could be read; the task is left out.', {
        place: row.place,
      }),
    );
  const replies = Object.entries(row.fields).flatMap(([field, text]) => {
    if (!field.endsWith(RESPONSE)) return [];
    if (typeof text !== 'string') refuse(row.place, field, t('a text'), text);
    return [{ source: field.slice(0, -RESPONSE.length), task: id, text, tokens: null, ms: null }];
  });
  const prompt = textOf(row, 'prompt');
  return { task: { id, prompt, domain: textOf(row, 'domain'), criteria }, replies };
}

/** Reads the rows of a file of tasks; two tasks of one id are one, the first. */
export function readTasks(rows: Rows): ReadTasks {
  const left: string[] = [];
  const seen = new Set<string>();
  const { read, problems } = readRows(rows, (row) => {
    const one = readTask(row, (problem) => void left.push(problem));
    if (seen.has(one.task.id))
      throw new FieldProblem(
        t('{place}: the field “task_id” is {id} once more; the first one counts.', {
          place: row.place,
          id: one.task.id,
        }),
      );
    seen.add(one.task.id);
    return one;
  });
  return {
    tasks: read.map(({ task }) => task),
    replies: read.flatMap(({ replies }) => replies),
    problems: [...problems, ...left],
  };
}

/** The row that {@link readTasks} reads back. */
export function taskRow(task: JudgeTask): Record<string, unknown> {
  return {
    task_id: task.id,
    domain: task.domain,
    prompt: task.prompt,
    rubrics: task.criteria.map(({ description, types, weight, labels }) => ({
      criterion_description: description,
      criterion_type: types,
      criterion_weight: weight,
      ...Object.fromEntries(
        Object.entries(labels).map(([source, label]) => [`${source}${FULFILMENT}`, label]),
      ),
    })),
  };
}
