/** Saved prompts: kept as one record beside the settings, and as a JSON file that people exchange. */
import type { SavedPrompt } from '../core/prompts/prompt';
import { EngineError } from '../core/errors';
import { t } from '../core/language/translate';
import type { Backing } from './backing';
import { readObject, readOneOf, readText, ValueProblem } from './read-value';
import { LIMITS } from './stored-conversation';

const KEY = 'prompts';
export const PROMPT_LIMITS = {
  prompts: 500,
  nameLength: 100,
  textLength: LIMITS.systemPromptLength,
  /** Of an imported file. */
  fileBytes: 64 * 1024 * 1024,
} as const;

const FORMAT = 'tidepool-prompts';
const VERSION = 1;

/** Name and text must not be blank: a prompt that nobody can tell from another, or that says nothing, is a mistake. */
function readFilled(value: unknown, place: string, longest: number): string {
  const text = readText(value, place, longest);
  if (text.trim() === '') throw new ValueProblem(place, t('a text that is not blank'), value);
  return text;
}

function fieldOf(place: string, field: string): string {
  return t('{place}, field “{field}”', { place, field });
}

function readPrompt(value: unknown, place: string): Omit<SavedPrompt, 'id'> {
  const fields = readObject(value, place);
  return {
    kind: readOneOf(fields['kind'], fieldOf(place, 'kind'), ['system', 'question']),
    name: readFilled(fields['name'], fieldOf(place, 'name'), PROMPT_LIMITS.nameLength).trim(),
    text: readFilled(fields['text'], fieldOf(place, 'text'), PROMPT_LIMITS.textLength),
  };
}

/** A prompt as it is kept and exchanged. */
export type PromptEntry = Omit<SavedPrompt, 'id'>;

export interface ReadPrompts {
  readonly prompts: readonly Omit<SavedPrompt, 'id'>[];
  /** A sentence for each entry that was left out, naming it and its field. */
  readonly problems: readonly string[];
}

/** Reads the prompts of a list; an entry that is not as it should be is left out and said. */
export function readEntries(entries: readonly unknown[]): ReadPrompts {
  const prompts: Omit<SavedPrompt, 'id'>[] = [];
  const problems: string[] = [];
  for (const [at, entry] of entries.entries()) {
    try {
      prompts.push(readPrompt(entry, t('Prompt {number}', { number: at + 1 })));
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      problems.push(`${error.message}.`);
    }
  }
  return { prompts, problems };
}

/**
 * The prompts of an exported file; an entry that is not as it should be is left out and said.
 * @throws EngineError `storage` when it is no such file
 */
export function readPromptFile(json: string): ReadPrompts {
  const refused = (message: string): EngineError =>
    new EngineError(
      'storage',
      message,
      'Choose a file that “Save as a file” has written under “Prompts”, or one of the form that docs/prompts.md shows.',
    );
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw refused(`The file is no JSON: ${cause instanceof Error ? cause.message : 'unreadable'}.`);
  }
  const file =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const entries = file['prompts'];
  if (file['format'] !== FORMAT || !Array.isArray(entries))
    throw refused(`The file has no field “format” that says “${FORMAT}”, or no list “prompts”.`);
  if (typeof file['version'] !== 'number' || file['version'] > VERSION)
    throw refused(
      'The file was written by a newer version of the app, which this one cannot read.',
    );
  const read = readEntries(entries.slice(0, PROMPT_LIMITS.prompts));
  const more = entries.length - PROMPT_LIMITS.prompts;
  return more <= 0
    ? read
    : {
        ...read,
        problems: [
          ...read.problems,
          t(
            'The file has {count} prompts; the last {more} were left out, because {most} can be kept.',
            { count: entries.length, more, most: PROMPT_LIMITS.prompts },
          ),
        ],
      };
}

/** Those of a file that are not here yet. */
export function missingPrompts(
  here: readonly PromptEntry[],
  found: readonly PromptEntry[],
): readonly PromptEntry[] {
  return found.filter(
    (one) =>
      !here.some((old) => old.kind === one.kind && old.name === one.name && old.text === one.text),
  );
}

/** The file that {@link readPromptFile} reads back whole. */
export function writePromptFile(prompts: readonly SavedPrompt[]): string {
  const entries = prompts.map(({ kind, name, text }) => ({ kind, name, text }));
  return `${JSON.stringify({ format: FORMAT, version: VERSION, prompts: entries }, null, 2)}\n`;
}

export class PromptStore {
  readonly #backing: Backing;

  constructor(backing: Backing) {
    this.#backing = backing;
  }

  /** Those that can be read; ids are made anew where they are missing. */
  async load(newId: () => string): Promise<readonly SavedPrompt[]> {
    const value = await this.#backing.run(['settings'], 'readonly', (transaction) =>
      transaction.get('settings', KEY),
    );
    const entries: readonly unknown[] = Array.isArray(value) ? value : [];
    return readEntries(entries).prompts.map((prompt) => ({ ...prompt, id: newId() }));
  }

  /** @throws EngineError `storage`, with nothing changed. */
  async save(prompts: readonly PromptEntry[]): Promise<void> {
    const entries = prompts.map(({ kind, name, text }) => ({ kind, name, text }));
    await this.#backing.run(['settings'], 'readwrite', (transaction) =>
      transaction.put('settings', KEY, entries),
    );
  }
}
