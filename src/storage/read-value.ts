/** Reads unknown values field by field, at the edge: what is not as it should be is named with its place. Owns no format. */
import { t } from '../core/language/translate';

/**
 * A value that is not what was expected; `message` says in the page's language where, what was expected (a phrase of that
 * language) and what was there. Places are fields of the file, which no language changes.
 */
export class ValueProblem extends Error {
  constructor(place: string, expected: string, value: unknown) {
    super(
      t('{place} should be {expected}, but is {found}', {
        place,
        expected,
        found: describe(value),
      }),
    );
    this.name = 'ValueProblem';
  }
}

const SHOWN_LENGTH = 40;

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return t('a list of {length}', { length: value.length });
  if (typeof value === 'object') return t('an object');
  if (typeof value === 'string') {
    return value.length > SHOWN_LENGTH
      ? t('a text of {length} characters', { length: value.length })
      : JSON.stringify(value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value;
}

export type Fields = Readonly<Record<string, unknown>>;

export function readObject(value: unknown, place: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValueProblem(place, t('an object'), value);
  }
  return value as Fields;
}

export function readText(value: unknown, place: string, maxLength: number): string {
  if (typeof value !== 'string' || value.length > maxLength) {
    throw new ValueProblem(
      place,
      t('a text of at most {maxLength} characters', { maxLength }),
      value,
    );
  }
  return value;
}

export function readNumber(value: unknown, place: string, from: number, to: number): number {
  if (typeof value !== 'number' || !(value >= from && value <= to)) {
    throw new ValueProblem(place, t('a number from {from} to {to}', { from, to }), value);
  }
  return value;
}

export function readInteger(value: unknown, place: string, from: number, to: number): number {
  const number = readNumber(value, place, from, to);
  if (!Number.isInteger(number)) throw new ValueProblem(place, t('a whole number'), value);
  return number;
}

export function readBoolean(value: unknown, place: string): boolean {
  if (typeof value !== 'boolean') throw new ValueProblem(place, t('true or false'), value);
  return value;
}

export function readOneOf<T extends string>(
  value: unknown,
  place: string,
  choices: readonly T[],
): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined)
    throw new ValueProblem(place, t('one of {choices}', { choices: choices.join(', ') }), value);
  return choice;
}

export function readList<T>(
  value: unknown,
  place: string,
  maxLength: number,
  readItem: (item: unknown, place: string) => T,
): T[] {
  if (!Array.isArray(value) || value.length > maxLength) {
    throw new ValueProblem(place, t('a list of at most {maxLength}', { maxLength }), value);
  }
  return value.map((item: unknown, index) => readItem(item, `${place}[${index}]`));
}

export function readNullable<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}

/** The text, or undefined when the value is none or too long. */
export function readOrUndefinedText(value: unknown, maxLength: number): string | undefined {
  return typeof value === 'string' && value.length <= maxLength ? value : undefined;
}
