/** Owns a student's results as a file, checked when it is read, and what a folder of them comes to. Pure. */
import { t } from '../../core/language/translate';
import { shortenText } from '../../core/text/letters';

/** What one student did at one entry. */
export interface ItemResult {
  /** Place in the class. */
  readonly item: number;
  /** What was foreseen, or answered, in words. */
  readonly predicted: string;
  /** What came out, in words; '' of a question that is only answered. */
  readonly outcome: string;
  /** Null where there is no right and wrong. */
  readonly isRight: boolean | null;
}

export interface ClassResults {
  /** The same for all who had the same link. */
  readonly classKey: string;
  readonly title: string;
  /** Titles of the entries. */
  readonly items: readonly string[];
  readonly student: string;
  readonly model: string;
  readonly device: string;
  readonly results: readonly ItemResult[];
}

const FORMAT = 'tidepool-class-results';
const MOST_FILE = 1_000_000;
const MOST_TEXT = 4000;

export function resultsJson(results: ClassResults): string {
  return JSON.stringify({ format: FORMAT, version: 1, ...results }, null, 2);
}

class Unfit extends Error {}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new Unfit(t('{name} is missing', { name }));
  if (value.length > MOST_TEXT)
    throw new Unfit(
      t('{name} is longer than {MOSTTEXT} characters', { name, MOSTTEXT: MOST_TEXT }),
    );
  return value;
}

function listOf<T>(value: unknown, name: string, read: (one: unknown, name: string) => T): T[] {
  if (!Array.isArray(value) || value.length > 100)
    throw new Unfit(t('{name} is no list of up to 100', { name }));
  return value.map((one: unknown, at) =>
    read(one, t('entry {at} of {name}', { at: at + 1, name })),
  );
}

function fieldsOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null)
    throw new Unfit(t('{name} is missing', { name }));
  return value as Readonly<Record<string, unknown>>;
}

/** Reads a student's file; a sentence on what is wrong when it is none. */
export function readResults(
  name: string,
  text: string,
): ClassResults | { readonly broken: string } {
  const file = `“${shortenText(name, 80)}”`;
  if (text.length > MOST_FILE)
    return {
      broken: t('{file} is too large for a student’s results, so it was left out.', { file }),
    };
  try {
    const json = fieldsOf(JSON.parse(text), t('its contents'));
    if (json['format'] !== FORMAT) throw new Unfit(t('it was not saved by a class'));
    if (json['version'] !== 1) throw new Unfit(t('a newer version of this app saved it'));
    const items = listOf(json['items'], t('the entries'), textOf);
    return {
      classKey: textOf(json['classKey'], t('the class')),
      title: textOf(json['title'], t('the title')),
      items,
      student: textOf(json['student'], t('the name')),
      model: textOf(json['model'], t('the model')),
      device: textOf(json['device'], t('the device')),
      results: listOf(json['results'], t('the results'), (one, at) =>
        readResult(one, at, items.length),
      ),
    };
  } catch (error) {
    const why =
      error instanceof Unfit
        ? error.message
        : error instanceof SyntaxError
          ? t('it is no JSON, or was cut short')
          : null;
    if (why === null) throw error;
    return { broken: t('{file} was left out: {why}.', { file, why }) };
  }
}

function readResult(value: unknown, name: string, items: number): ItemResult {
  const result = fieldsOf(value, name);
  const { item, isRight } = result;
  if (typeof item !== 'number' || !Number.isInteger(item) || item < 0 || item >= items)
    throw new Unfit(t('{name} belongs to no entry of the class', { name }));
  if (isRight !== null && typeof isRight !== 'boolean')
    throw new Unfit(t('{name} does not say whether it was right', { name }));
  return {
    item,
    predicted: textOf(result['predicted'], t('the prediction of {name}', { name })),
    outcome: textOf(result['outcome'], t('the outcome of {name}', { name })),
    isRight,
  };
}

/** One entry of a class over all students. */
export interface ItemSum {
  readonly title: string;
  /** Students who got there. */
  readonly answered: number;
  /** Null where there is no right and wrong. */
  readonly right: number | null;
  /** What was foreseen or answered, the most frequent first. */
  readonly predictions: readonly { readonly text: string; readonly count: number }[];
  /** What came out, the most frequent first: it may differ between devices and models. */
  readonly outcomes: readonly { readonly text: string; readonly count: number }[];
}

export interface ClassSum {
  readonly classKey: string;
  readonly title: string;
  readonly students: readonly string[];
  readonly items: readonly ItemSum[];
}

function tally(texts: readonly string[]): { text: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const flat = text.trim().replace(/\s+/g, ' ');
    if (flat !== '') counts.set(flat, (counts.get(flat) ?? 0) + 1);
  }
  return [...counts]
    .map(([text, count]) => ({ text, count }))
    .sort((a, b) => b.count - a.count || a.text.localeCompare(b.text));
}

/** Sums up files, one sum for each class among them. */
export function sumUp(files: readonly ClassResults[]): ClassSum[] {
  const keys = [...new Set(files.map(({ classKey }) => classKey))];
  return keys.map((classKey) => {
    const own = files.filter((file) => file.classKey === classKey);
    const first = own[0];
    return {
      classKey,
      title: first?.title ?? '',
      students: own.map(({ student }, at) =>
        student.trim() === '' ? t('Student {at}', { at: at + 1 }) : student,
      ),
      items: (first?.items ?? []).map((title, item): ItemSum => {
        const results = own.flatMap((file) => file.results.filter((one) => one.item === item));
        const judged = results.filter(({ isRight }) => isRight !== null);
        return {
          title,
          answered: results.length,
          right:
            judged.length === 0 ? null : judged.filter(({ isRight }) => isRight === true).length,
          predictions: tally(results.map(({ predicted }) => predicted)),
          outcomes: tally(results.map(({ outcome }) => outcome)),
        };
      }),
    };
  });
}
