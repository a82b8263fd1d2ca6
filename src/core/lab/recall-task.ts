/** Owns the texts of the recall test: needles in a list or in a story, and whether an answer names the right value. */
import { createRandom, type Random } from '../sampling/random';

/** What is hidden where. The same task always makes the same text. */
export interface RecallTask {
  /** `name`: a story in which somebody with a name that nobody ever had owns a thing; the name is asked for. */
  readonly kind: 'list' | 'story' | 'name';
  /** Entries of the list, or sentences of the story, needles included: 1…MAX_RECALL_LENGTH. */
  readonly length: number;
  /** Needles that are asked for, one question each: 1…min(length, MAX_RECALL_KEYS). */
  readonly keys: number;
  /** Where the needles stand: 0 at the beginning, 1 right before the question. */
  readonly depth: number;
  readonly seed: number;
}

export interface RecallQuestion {
  readonly key: string;
  readonly text: string;
  readonly expected: string;
}

export interface RecallText {
  /** What is read before the questions; they follow it in the same turn, after a space. */
  readonly context: string;
  /** Asked one by one, each from the state after the context. */
  readonly questions: readonly RecallQuestion[];
}

/** One name for each needle or entry, so a list is no longer than the names below. */
const MAX_RECALL_LENGTH = 400;
const MAX_RECALL_KEYS = 8;

const FIRST =
  'Anna Ben Clara David Emma Felix Grace Henry Iris Jack Kate Leo Mia Noah Olivia Paul Rosa Sam Tina Victor';
const LAST =
  'Adler Baker Carter Dixon Evans Fisher Green Hill Irving Jones King Lane Miller Nolan Owens Porter Reed Stone Turner West';
const DOINGS =
  'walked along the river;fed the ducks;looked for a red kite;sat under a tree;ate a warm bun;sang a short song;' +
  'counted the boats;picked some flowers;ran up the hill;read a little book;watched the clouds;drew a big fish';
const TIMES =
  'In the morning;After lunch;Then;A little later;When the rain stopped;In the evening;Before supper';

const THINGS = 'boat kite lantern drum bell basket ladder compass';
/** Names are made of them, thousands: none that a model was trained on but by chance, and each easy to say. */
const ONSETS = 'b d f g k l m n p r s t v z br dr kr sk tr'.split(' ');
const VOWELS = 'a e i o u'.split(' ');
const ENDS = 'lm nd rk sk x vin zor mel tak'.split(' ');

/** In place, by Fisher and Yates. */
function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random.next() * (i + 1));
    const [a, b] = [items[i], items[j]];
    if (a !== undefined && b !== undefined) {
      items[i] = b;
      items[j] = a;
    }
  }
  return items;
}

/** `count` names without a repeat: single first names while they last, as the model met them, then with surnames. */
function namesOf(count: number, random: Random): string[] {
  const first = shuffle(FIRST.split(' '), random);
  const full = shuffle(
    first.flatMap((name) => LAST.split(' ').map((last) => `${name} ${last}`)),
    random,
  );
  return (count <= first.length ? first : full).slice(0, count);
}

function pickOf(items: readonly string[], random: Random): string {
  return items[Math.floor(random.next() * items.length)] ?? '';
}

/** "Zodrilm", "Kravemel": `count` of them without a repeat. */
function unheardNames(count: number, random: Random): string[] {
  const names = new Set<string>();
  while (names.size < count) {
    const letters = [ONSETS, VOWELS, ONSETS, VOWELS, ENDS].map((part) => pickOf(part, random));
    const name = letters.join('');
    names.add(name.charAt(0).toUpperCase() + name.slice(1));
  }
  return [...names];
}

function checked(task: RecallTask): RecallTask {
  const { length, keys, depth } = task;
  if (!(Number.isInteger(length) && length >= 1 && length <= MAX_RECALL_LENGTH))
    throw new RangeError(`a recall text of ${length} entries is not in 1…${MAX_RECALL_LENGTH}`);
  const most = Math.min(length, MAX_RECALL_KEYS);
  if (!(Number.isInteger(keys) && keys >= 1 && keys <= most))
    throw new RangeError(`${keys} keys in ${length} entries: not in 1…${most}`);
  if (!(depth >= 0 && depth <= 1)) throw new RangeError(`depth ${depth} is not in 0…1`);
  return task;
}

/** Writes the text and its questions; RangeError on a task out of range. */
export function recallText(task: RecallTask): RecallText {
  const { kind, length, keys, seed } = checked(task);
  const random = createRandom(seed);
  if (kind === 'name') return nameText(task, random);
  const names = namesOf(kind === 'list' ? length : keys, random);
  // Two-digit values, without a repeat while they last.
  const values = shuffle(
    Array.from({ length: Math.max(90, names.length) }, (_, i) => String(10 + i)),
    random,
  );
  const { first, isNeedle } = needlesOf(task);
  const questions = (offset: number): RecallQuestion[] =>
    Array.from({ length: keys }, (_, k) => {
      const key = names[offset + k] ?? '';
      const text =
        kind === 'list' ? `What is the value of ${key}?` : `How many points does ${key} have?`;
      return { key, text, expected: values[offset + k] ?? '' };
    });
  if (kind === 'list') {
    const entries = names.map((name, i) => `${name}: ${values[i] ?? ''}`);
    return { context: `Here is a list. ${entries.join('; ')}.`, questions: questions(first) };
  }
  // Those who do something in the story have no points to be mistaken for the needles'.
  const others = FIRST.split(' ').filter((name) => !names.some((used) => used.startsWith(name)));
  const sentences = Array.from({ length }, (_, i) => {
    const needle = i - first;
    if (isNeedle(i)) return `${names[needle] ?? ''} has ${values[needle] ?? ''} points.`;
    return fillerOf(others, random);
  });
  return { context: sentences.join(' '), questions: questions(0) };
}

/** Which entries or sentences are needles. */
function needlesOf({ length, keys, depth }: RecallTask): {
  readonly first: number;
  readonly isNeedle: (i: number) => boolean;
} {
  const first = Math.round(depth * (length - keys));
  return { first, isNeedle: (i) => i >= first && i < first + keys };
}

/** A sentence in which somebody does something. */
function fillerOf(names: readonly string[], random: Random): string {
  const [time, name, doing] = [TIMES.split(';'), names, DOINGS.split(';')].map((items) =>
    pickOf(items, random),
  );
  return `${time ?? ''}, ${name ?? ''} ${doing ?? ''}.`;
}

function nameText(task: RecallTask, random: Random): RecallText {
  const { length, keys } = task;
  const names = unheardNames(keys, random);
  const things = shuffle(THINGS.split(' '), random);
  const { first, isNeedle } = needlesOf(task);
  const sentences = Array.from({ length }, (_, i) =>
    isNeedle(i)
      ? `The ${things[i - first] ?? ''} belongs to ${names[i - first] ?? ''}.`
      : fillerOf(FIRST.split(' '), random),
  );
  const questions = names.map((name, k) => ({
    key: things[k] ?? '',
    text: `Who owns the ${things[k] ?? ''}?`,
    expected: name,
  }));
  return { context: sentences.join(' '), questions };
}

/** Whether the last number that the answer names is the expected one, or a name that is expected stands in it. */
export function isRecalled(answer: string, expected: string): boolean {
  if (/^\d+$/.test(expected)) return answer.match(/\d+/g)?.at(-1) === expected;
  return answer
    .toLowerCase()
    .split(/[^a-z]+/)
    .includes(expected.toLowerCase());
}
