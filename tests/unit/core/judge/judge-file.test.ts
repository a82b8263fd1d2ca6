/** Files of tasks, replies and verdicts: ProfBench's own form, what is wrong told by row and field, and a way back. */
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../../src/core/errors';
import {
  openJudgeFile,
  readBook,
  verdictsCsv,
  writeBook,
  type JudgeBook,
} from '../../../../src/core/judge/judge-file';

const criterion = {
  criterion_description: 'Says 12',
  criterion_type: ['Extraction (recall)'],
  criterion_weight: 'Critical',
  o3_fulfilment: true,
  'r1-0528_fulfilment': false,
};
const row = {
  task_id: 'Phys-0',
  domain: 'Physics PhD',
  prompt: 'How many?',
  filepaths: [],
  o3_response: 'It is 12.',
  'r1-0528_response': 'No idea.',
  rubrics: [criterion],
};

function lines(...rows: readonly unknown[]): string {
  return rows.map((one) => JSON.stringify(one)).join('\n');
}

describe('a file of tasks', () => {
  it('is read in the form that ProfBench is published in', () => {
    const { kind, tasks, replies, problems } = openJudgeFile(lines(row), 'test.jsonl', []);
    expect(kind).toBe('tasks');
    expect(problems).toEqual([]);
    expect(tasks[0]?.criteria[0]).toEqual({
      description: 'Says 12',
      types: ['Extraction (recall)'],
      weight: 'Critical',
      labels: { o3: true, 'r1-0528': false },
    });
    expect(replies.map(({ source, text }) => [source, text])).toEqual([
      ['o3', 'It is 12.'],
      ['r1-0528', 'No idea.'],
    ]);
  });

  it('may be a list', () => {
    expect(openJudgeFile(JSON.stringify([row]), '', []).tasks).toHaveLength(1);
  });

  it('names row and field of what is wrong, and reads the rest', () => {
    const weightless = { ...criterion, criterion_weight: undefined };
    const { tasks, problems } = openJudgeFile(
      [
        lines(
          { ...row, rubrics: [weightless, criterion] },
          { ...row, task_id: undefined },
          { ...row, task_id: 'b', rubrics: [{ ...criterion, criterion_weight: 'Huge' }] },
          { ...row, task_id: 'c', rubrics: [{ ...criterion, o3_fulfilment: 'yes' }, criterion] },
          { ...row, task_id: 'd', rubrics: 'none' },
          row,
        ),
        '{"task_id": ',
        '7',
      ].join('\n'),
      '',
      [],
    );
    expect(tasks.map(({ id, criteria }) => [id, criteria.length])).toEqual([
      ['Phys-0', 1],
      ['c', 1],
    ]);
    for (const part of [
      'Row 1, criterion 1: the field “criterion_weight” is missing.',
      'Row 2: the field “task_id” is missing.',
      'Row 3, criterion 1: the field “criterion_weight” should be Critical, Major, Minor, Additional, but is "Huge".',
      'Row 3: no criterion of the field “rubrics” could be read',
      'Row 4, criterion 1: the field “o3_fulfilment” should be true or false, but is "yes".',
      'Row 5: the field “rubrics” should be a list, but is "none".',
      'Row 6: the field “task_id” is Phys-0 once more',
      'Row 7 is no JSON',
      'Row 8 is no object with fields.',
    ])
      expect(
        problems.some((problem) => problem.startsWith(part)),
        part,
      ).toBe(true);
    expect(problems).toHaveLength(9);
  });

  it.each(['', 'hello', '[]', '{"format":"tidepool-judge","version":9}', '{"rubrics":[]}'])(
    'that is none (%j) is refused with a sentence',
    (text) => {
      expect(() => openJudgeFile(text, '', [])).toThrow(EngineError);
    },
  );
});

describe('a file of replies', () => {
  const { tasks } = openJudgeFile(lines(row), '', []);

  it('needs an id and a known task in each row, and takes the file’s name for a source', () => {
    const { kind, replies, problems } = openJudgeFile(
      lines(
        { task_id: 'Phys-0', response: 'Twelve.' },
        { response: 'Whose?' },
        { task_id: 'Chem-9', response: 'What?' },
        { task_id: 'Phys-0', source: 'x', response: '', completion_tokens: 3 },
        { task_id: 'Phys-0' },
      ),
      'mine',
      tasks,
    );
    expect(kind).toBe('replies');
    expect(replies.map(({ source, text, tokens }) => [source, text, tokens])).toEqual([
      ['mine', 'Twelve.', null],
      ['x', '', 3],
    ]);
    expect(problems).toEqual([
      'Row 2: the field “task_id” is missing.',
      'Row 3: the field “task_id” names Chem-9, which is none of the tasks.',
      'Row 5: the field “response” is missing.',
    ]);
  });
});

describe('a whole judging', () => {
  const read = openJudgeFile(lines(row), '', []);
  const book: JudgeBook = {
    tasks: read.tasks,
    replies: read.replies,
    verdicts: [
      {
        judge: 'tide, "small"',
        source: 'o3',
        task: 'Phys-0',
        criterion: 0,
        answer: 'neither',
        promptTokens: 40,
        tokens: 3,
        ms: 12,
      },
    ],
  };

  it('comes back as it was written', () => {
    const back = readBook(JSON.parse(JSON.stringify(writeBook(book))));
    expect({ tasks: back.tasks, replies: back.replies, verdicts: back.verdicts }).toEqual(book);
    expect(back.problems).toEqual([]);
  });

  it('leaves out a verdict on a criterion that the task has not, by row and field', () => {
    const written = writeBook(book);
    const [first] = written['verdicts'] as Record<string, unknown>[];
    const { verdicts, problems } = readBook({
      ...written,
      verdicts: [{ ...first, criterion: 2 }, { ...first, answer: 'maybe' }, first],
    });
    expect(verdicts).toEqual(book.verdicts);
    expect(problems).toEqual([
      'verdicts, Row 1: the field “criterion” should be a criterion of the task, 1 to 1, but is 2.',
      'verdicts, Row 2: the field “answer” should be yes, no, neither, but is "maybe".',
    ]);
  });

  it('is a table with one line a verdict, commas and quotes kept', () => {
    const [head, line] = verdictsCsv(book).trim().split('\r\n');
    expect(head?.split(',')).toHaveLength(13);
    expect(line).toBe(
      '"tide, ""small""",o3,Physics PhD,Phys-0,Says 12,Extraction (recall),Critical,4,neither,true,40,3,12',
    );
  });
});
