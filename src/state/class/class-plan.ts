/**
 * Owns a class as a link carries it: lessons, experiments and questions in their order, checked piece by piece when it is
 * read, since anyone may have written it. Owns no results.
 */
import { t } from '../../core/language/translate';
import { decodeExperiment, encodeExperiment, type ExperimentLink } from '../lab/experiment-link';

export type ClassItem =
  | { readonly kind: 'lesson'; readonly lesson: string }
  | { readonly kind: 'experiment'; readonly link: ExperimentLink }
  /** Answered by one of the choices; in words where there are none. */
  | { readonly kind: 'question'; readonly text: string; readonly choices: readonly string[] };

export interface ClassPlan {
  readonly title: string;
  readonly items: readonly ClassItem[];
}

export const MOST_ITEMS = 20;
export const MOST_CHOICES = 6;
const MOST_TITLE = 120;
const MOST_TEXT = 400;
/** Longest link that is read, in characters; what it unfolds to may be ten times as long, no more. */
const MOST_CODE = 16_000;
const MOST_UNFOLDED = 160_000;

/** What is wrong with a class, as a clause. */
class Unfit extends Error {}

async function throughStream(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new Unfit(t('it unfolds to more than a class can be'));
    }
    parts.push(value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** As it goes on the wire: experiments as their own links have them. */
function plainOf({ title, items }: ClassPlan): unknown {
  return {
    title,
    items: items.map((item) =>
      item.kind === 'experiment' ? { kind: item.kind, code: encodeExperiment(item.link) } : item,
    ),
  };
}

/** The class as the part of a link behind `#class=`: packed, in letters that no messenger changes. */
export async function encodeClass(plan: ClassPlan): Promise<string> {
  const json = new TextEncoder().encode(JSON.stringify(plainOf(plan)));
  const packed = await throughStream(json, new CompressionStream('deflate-raw'), MOST_UNFOLDED);
  return btoa(String.fromCharCode(...packed))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** Reads what {@link encodeClass} wrote; a clause on what is wrong when it is no such thing. */
export async function decodeClass(code: string): Promise<ClassPlan | { readonly broken: string }> {
  if (code.length > MOST_CODE)
    return {
      broken: t('it has {length} characters, {MOSTCODE} at most are read', {
        length: code.length,
        MOSTCODE: MOST_CODE,
      }),
    };
  try {
    const packed = Uint8Array.from(atob(code.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
      letter.charCodeAt(0),
    );
    const json = await throughStream(packed, new DecompressionStream('deflate-raw'), MOST_UNFOLDED);
    return readPlan(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)));
  } catch (error) {
    return {
      broken: error instanceof Unfit ? error.message : t('it was cut short or mistyped on its way'),
    };
  }
}

function textOf(value: unknown, name: string, most: number): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw new Unfit(t('{name} is missing', { name }));
  if (value.length > most)
    throw new Unfit(t('{name} has more than {most} characters', { name, most }));
  return value;
}

function fieldsOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Unfit(t('{name} is missing', { name }));
  return value as Readonly<Record<string, unknown>>;
}

function readPlan(value: unknown): ClassPlan {
  const plan = fieldsOf(value, t('the class'));
  const { items } = plan;
  if (!Array.isArray(items) || items.length === 0 || items.length > MOST_ITEMS)
    throw new Unfit(t('it has not 1 to {MOSTITEMS} entries', { MOSTITEMS: MOST_ITEMS }));
  return {
    title: textOf(plan['title'], t('its title'), MOST_TITLE),
    items: items.map((item: unknown, at) => readItem(item, t('entry {at}', { at: at + 1 }))),
  };
}

function readItem(value: unknown, name: string): ClassItem {
  const item = fieldsOf(value, name);
  switch (item['kind']) {
    case 'lesson': {
      const lesson = textOf(item['lesson'], t('the lesson of {name}', { name }), 40);
      if (!/^[a-z-]+$/.test(lesson)) throw new Unfit(t('{name} names no lesson', { name }));
      return { kind: 'lesson', lesson };
    }
    case 'experiment': {
      const link = decodeExperiment(
        textOf(item['code'], t('the experiment of {name}', { name }), MOST_CODE),
      );
      if ('broken' in link)
        throw new Unfit(
          t('the experiment of {name} can’t be read: {broken}', { name, broken: link.broken }),
        );
      return { kind: 'experiment', link };
    }
    case 'question': {
      const choices = item['choices'];
      if (!Array.isArray(choices) || choices.length > MOST_CHOICES)
        throw new Unfit(
          t('the choices of {name} are no list of up to {MOSTCHOICES}', {
            name,
            MOSTCHOICES: MOST_CHOICES,
          }),
        );
      return {
        kind: 'question',
        text: textOf(item['text'], t('the question of {name}', { name }), MOST_TEXT),
        choices: choices.map((choice: unknown) =>
          textOf(choice, t('a choice of {name}', { name }), MOST_TEXT),
        ),
      };
    }
    default:
      throw new Unfit(t('{name} is neither a lesson nor an experiment nor a question', { name }));
  }
}

const EXPERIMENTS: Readonly<Record<ExperimentLink['experiment'], string>> = {
  get recall() {
    return t('Recall');
  },
  get compare() {
    return t('With and without');
  },
  get fork() {
    return t('A fork');
  },
};

/** What an entry is called in lists and tables; `lessonTitle` knows the lessons. */
export function itemTitle(
  item: ClassItem,
  lessonTitle: (id: string) => string | undefined,
): string {
  switch (item.kind) {
    case 'lesson':
      return lessonTitle(item.lesson) ?? item.lesson;
    case 'experiment':
      return t('Experiment: {EXPERIMENTS}', { EXPERIMENTS: EXPERIMENTS[item.link.experiment] });
    case 'question':
      return item.text;
    default: {
      const never: never = item;
      return never;
    }
  }
}
