/** Owns the recall test's grid: which cells it has, how they are counted, and what they say. Pure. */
import type { RecallTask, RecallResult, SurgeryOp } from '../../protocol/lab-api';
import { operationInWords } from './operation-words';

export interface RecallSettings {
  readonly kind: RecallTask['kind'];
  readonly lengths: readonly number[];
  readonly depths: readonly number[];
  readonly keys: number;
  readonly seed: number;
  /** Null: untouched. */
  readonly operations: readonly (SurgeryOp | null)[];
}

export interface RecallCell {
  readonly task: RecallTask;
  readonly operation: SurgeryOp | null;
  /** Null until it was run. */
  readonly result: RecallResult | null;
}

/** All cells, operation by operation, so that the untouched row is there to compare with first. */
export function recallCells(settings: RecallSettings): RecallCell[] {
  const { kind, lengths, depths, keys, seed, operations } = settings;
  return operations.flatMap((operation) =>
    lengths.flatMap((length) =>
      depths.map((depth) => ({
        task: { kind, length, keys: Math.min(keys, length), depth, seed },
        operation,
        result: null,
      })),
    ),
  );
}

export interface RecallScore {
  readonly right: number;
  readonly asked: number;
}

function scoreOf(cells: readonly RecallCell[]): RecallScore {
  const answers = cells.flatMap((cell) => cell.result?.answers ?? []);
  return { right: answers.filter(({ isRight }) => isRight).length, asked: answers.length };
}

/** The score of one row of operations. */
export function scoreUnder(cells: readonly RecallCell[], operation: SurgeryOp | null): RecallScore {
  return scoreOf(cells.filter((cell) => cell.operation === operation));
}

export function operationTitle(operation: SurgeryOp | null): string {
  if (operation === null) return 'Untouched';
  const words = operationInWords(operation);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * What the grid found, beside what was predicted: the share of right answers under the first operation; null when none
 * was made.
 */
export function recallSentence(
  cells: readonly RecallCell[],
  operations: readonly (SurgeryOp | null)[],
  predicted: number | null,
): string {
  const plain = scoreUnder(cells, null);
  if (plain.asked === 0) return 'The grid fills in as it runs.';
  const part = (score: RecallScore): string => `${score.right} of ${score.asked}`;
  const found = operations.flatMap((operation) => {
    const score = operation === null ? null : scoreUnder(cells, operation);
    return operation === null || score === null || score.asked === 0 ? [] : [{ operation, score }];
  });
  const words = [
    `Untouched, the model recalled ${part(plain)}.`,
    ...found.map(
      ({ operation, score }) => `With the ${operationInWords(operation)}: ${part(score)}.`,
    ),
  ];
  const [first] = found;
  if (first !== undefined && predicted !== null)
    words.push(
      `You predicted ${Math.round(predicted * 100)} %${found.length > 1 ? ' for the first' : ''}; it was ${Math.round((first.score.right / first.score.asked) * 100)} %.`,
    );
  if (first !== undefined && plain.right / plain.asked < 0.5)
    words.push('A model this small misses many even untouched, so read the difference with care.');
  return words.join(' ');
}
