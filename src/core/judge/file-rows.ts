/** Owns the rows of a file that a person brings: JSON or JSON lines, and the sentence that names row and field. Owns no format. */
import { t } from '../language/translate';

export type Fields = Readonly<Record<string, unknown>>;

/** A field that is not as it should be; `message` is a whole sentence for the person. */
export class FieldProblem extends Error {}

export interface Row {
  /** "Row 3" as a person counts. */
  readonly place: string;
  readonly fields: Fields;
}

export interface Rows {
  readonly rows: readonly Row[];
  readonly problems: readonly string[];
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SHOWN_LENGTH = 40;

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

/** Rejects the field; `expected` is a phrase such as "a text". */
export function refuse(place: string, field: string, expected: string, value: unknown): never {
  throw new FieldProblem(
    value === undefined || value === null
      ? t('{place}: the field “{field}” is missing.', { place, field })
      : t('{place}: the field “{field}” should be {expected}, but is {found}.', {
          place,
          field,
          expected,
          found: shown(value),
        }),
  );
}

export function textOf({ place, fields }: Row, field: string): string {
  const value = fields[field];
  if (typeof value !== 'string' || value.trim() === '') refuse(place, field, t('a text'), value);
  return value;
}

/** A whole number from 0 on, or null where the field is not there. */
export function countOf({ place, fields }: Row, field: string): number | null {
  const value = fields[field] ?? null;
  if (value === null) return null;
  if (typeof value !== 'number' || !(value >= 0)) refuse(place, field, t('a number'), value);
  return value;
}

/** Each element of a list that stands in a file, the first as row 1. */
export function rowsOf(list: readonly unknown[], name?: string): Rows {
  const rows: Row[] = [];
  const problems: string[] = [];
  for (const [at, fields] of list.entries()) {
    const row = t('Row {row}', { row: at + 1 });
    const place = name === undefined ? row : `${name}, ${row}`;
    if (isFields(fields)) rows.push({ place, fields });
    else problems.push(t('{place} is no object with fields.', { place }));
  }
  return { rows, problems };
}

/** Lines of JSON, one object each; a blank line is none. */
export function rowsOfLines(text: string): Rows {
  const rows: Row[] = [];
  const problems: string[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = t('Row {row}', { row: at + 1 });
    try {
      const fields: unknown = JSON.parse(line);
      if (isFields(fields)) rows.push({ place, fields });
      else problems.push(t('{place} is no object with fields.', { place }));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(t('{place} is no JSON: {why}.', { place, why }));
    }
  }
  return { rows, problems };
}

/** What `read` makes of the rows; a row that it rejects is left out and told. */
export function readRows<T>(
  { rows, problems }: Rows,
  read: (row: Row) => T,
): { readonly read: readonly T[]; readonly problems: readonly string[] } {
  const taken: T[] = [];
  const told = [...problems];
  for (const row of rows)
    try {
      taken.push(read(row));
    } catch (error) {
      if (!(error instanceof FieldProblem)) throw error;
      told.push(error.message);
    }
  return { read: taken, problems: told };
}
