/**
 * Everything that a person has here to one file, and back: chats, settings, drafts, saved prompts, the judging, what was set
 * aside. Owns the format and its limits; models are not in it, they can be fetched again.
 */
import { EngineError } from '../core/errors';
import { readJudging, type Judging } from '../core/judge/judging';
import { t } from '../core/language/translate';
import { isoTime } from './export-conversations';
import { conversationFiles, type FilePieces } from './export-files';
import { findConversations, parseLimited } from './import-conversations';
import { PROMPT_LIMITS, readEntries, type PromptEntry } from './prompt-store';
import { readList, readNumber, readObject, readText, ValueProblem } from './read-value';
import { rawText, readAsideValue, type AsideValue } from './stored-aside';
import { readSettings, type StoredSettings } from './settings-store';
import { LIMITS, type StoredConversation } from './stored-conversation';

const WHOLE_FORMAT = 'tidepool-everything';
/** Raised when a reader of the version before could not understand the file. */
const WHOLE_VERSION = 2;

export interface WholeExport {
  readonly conversations: readonly StoredConversation[];
  readonly settings: Partial<StoredSettings>;
  /** Texts that were begun and not sent, by conversation. */
  readonly drafts: Readonly<Record<string, string>>;
  readonly aside: readonly AsideValue[];
  readonly prompts: readonly PromptEntry[];
  /** As it is kept (core/judge/judging.ts); null where nothing is. */
  readonly judge: unknown;
}

/** What came out of a file: conversations unread, each is checked by whoever adds it. */
export interface WholeImport extends Omit<WholeExport, 'conversations' | 'judge'> {
  readonly conversations: readonly unknown[];
  /** Null where the file has none that can be read. */
  readonly judge: Judging | null;
  /** What was left out: of another program's file, of the prompts, or of the judging. */
  readonly problems: readonly string[];
}

/** The JSON files: one, or as many as it takes, the first with all that is no chat; `exportedAt` in ms since 1970. */
export function wholeExportFiles(
  {
    conversations,
    settings,
    drafts,
    aside,
    prompts,
    judge,
  }: Omit<WholeExport, 'conversations'> & {
    readonly conversations: AsyncIterable<StoredConversation>;
  },
  exportedAt: number,
): Promise<readonly FilePieces[]> {
  const head = { format: WHOLE_FORMAT, version: WHOLE_VERSION, exportedAt: isoTime(exportedAt) };
  const first = {
    ...head,
    settings,
    drafts,
    prompts: prompts.map(({ kind, name, text }) => ({ kind, name, text })),
    judge,
    // As text: a damaged record may lie deeper than any file may, and hold what JSON cannot say.
    aside: aside.map(({ reason, keptAt, value }) => ({ reason, keptAt, raw: rawText(value) })),
  };
  return conversationFiles(conversations, first, {
    ...head,
    settings: {},
    drafts: {},
    prompts: [],
    judge: null,
    aside: [],
  });
}

/**
 * Reads an exported file: everything, or chats alone as "Your chats as files" and other programs write them.
 * @throws EngineError `storage` naming what is wrong with the file
 */
export async function readWholeExport(json: string, newId: () => string): Promise<WholeImport> {
  const value = parseLimited(json);
  const isWhole =
    typeof value === 'object' &&
    value !== null &&
    'format' in value &&
    value.format === WHOLE_FORMAT;
  if (!isWhole) {
    const { values, problems } = await findConversations(value, newId);
    const none = { settings: {}, drafts: {}, aside: [], prompts: [], judge: null };
    return { ...none, conversations: values, problems };
  }
  try {
    const file = readObject(value, t('the file'));
    const version = readNumber(file['version'], t('its version'), 1, WHOLE_VERSION);
    if (!Number.isInteger(version))
      throw new ValueProblem(t('its version'), t('a whole number'), version);
    // Files that were written before have none.
    const { prompts, problems } = readEntries(
      readList(file['prompts'] ?? [], 'prompts', PROMPT_LIMITS.prompts, (entry) => entry),
    );
    const { judge, problems: judgeProblems } = readJudge(file['judge'] ?? null);
    return {
      problems: [...problems, ...judgeProblems],
      prompts,
      judge,
      conversations: readList(
        file['conversations'],
        'conversations',
        LIMITS.conversations,
        (conversation) => conversation,
      ),
      settings: readSettings(file['settings']),
      drafts: readDrafts(file['drafts']),
      aside: readList(file['aside'], 'aside', LIMITS.conversations, readExportedAside),
    };
  } catch (cause) {
    if (!(cause instanceof ValueProblem)) throw cause;
    throw new EngineError(
      'storage',
      `The file was not imported: ${cause.message}.`,
      'Choose a file that Tidepool has exported.',
      { cause },
    );
  }
}

/** A judging that is none, or a newer version's, is left out and said; so are its entries that are not as they should be. */
function readJudge(value: unknown): Pick<WholeImport, 'judge' | 'problems'> {
  // Files that were written before have none.
  if (value === null) return { judge: null, problems: [] };
  const inJudge = (problem: string): string => t('Under “Judge”: {problem}', { problem });
  try {
    const { book, setUp, problems } = readJudging(value);
    return { judge: { book, setUp }, problems: problems.map(inJudge) };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { judge: null, problems: [inJudge(error.message)] };
  }
}

function readDrafts(value: unknown): Record<string, string> {
  const entries = Object.entries(readObject(value, 'drafts'));
  if (entries.length > LIMITS.conversations)
    throw new ValueProblem(
      'drafts',
      t('at most {most}', { most: LIMITS.conversations }),
      entries.length,
    );
  return Object.fromEntries(
    entries.map(([key, text]) => [
      readText(key, t('a draft’s chat'), LIMITS.titleLength),
      readText(text, t('a draft'), LIMITS.textLength),
    ]),
  );
}

function readExportedAside(value: unknown, place: string): AsideValue {
  const { raw } = readObject(value, place) as { raw?: unknown };
  const record = readAsideValue(value, place);
  const text = readText(raw, `${place}.raw`, LIMITS.fileBytes);
  try {
    return { ...record, value: parseLimited(text) };
  } catch {
    return { ...record, value: text };
  }
}
