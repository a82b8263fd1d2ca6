/** Exported files back to conversations: checked in every field and held to limits, with plain errors. */
import { EngineError } from '../core/errors';
import { t } from '../core/language/translate';
import { EXPORT_FORMAT, EXPORT_VERSION } from './export-conversations';
import type { ImportReport } from './import-report';
import { readConversation } from './read-conversation';
import { readInteger, readObject, ValueProblem, type Fields } from './read-value';
import { LIMITS, type StoredConversation } from './stored-conversation';

const MEBIBYTE = 1024 * 1024;

function refuse(message: string, cause?: unknown): EngineError {
  return new EngineError(
    'storage',
    `The file was not imported: ${message}.`,
    'Choose a file that Tidepool, ChatGPT, Open WebUI or llama.cpp’s page has exported.',
    { cause },
  );
}

function tooLarge(bytes: number): EngineError {
  return refuse(
    t('it has {size} MiB, and the most is {most} MiB', {
      size: Math.ceil(bytes / MEBIBYTE),
      most: LIMITS.fileBytes / MEBIBYTE,
    }),
  );
}

/** The deepest brackets in JSON text, counted without parsing, because parsing is what depth breaks. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isInText = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (isInText) {
      if (character === '\\') at += 1;
      else if (character === '"') isInText = false;
    } else if (character === '"') isInText = true;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, (depth += 1));
    else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}

/** Parses a file held to the limits of size and depth. EngineError `storage`. */
export function parseLimited(json: string): unknown {
  if (json.length > LIMITS.fileBytes) throw tooLarge(json.length);
  const depth = depthOf(json);
  if (depth > LIMITS.jsonDepth) {
    throw refuse(
      t('its data lies {depth} levels deep, and the most is {most}', {
        depth,
        most: LIMITS.jsonDepth,
      }),
    );
  }
  try {
    // A byte order mark is what some editors leave at the front.
    return JSON.parse(json.replace(/^\uFEFF/, '')) as unknown;
  } catch (cause) {
    throw refuse(t('it is not JSON'), cause);
  }
}

/** The conversations of a file of our own, as they are; the caller reads each. EngineError `storage` when it is none. */
function readOwnFile(file: Fields): readonly unknown[] {
  try {
    readInteger(file['version'], t('its version'), 1, EXPORT_VERSION);
  } catch (cause) {
    if (!(cause instanceof ValueProblem)) throw cause;
    throw refuse(
      t('{problem}; a newer Tidepool may have written it', { problem: cause.message }),
      cause,
    );
  }
  const conversations: unknown = file['conversations'];
  if (!Array.isArray(conversations)) throw refuse(t('it holds no list of conversations'));
  if (conversations.length > LIMITS.conversations) {
    throw refuse(
      t('it holds {count} conversations, and the most is {most}', {
        count: conversations.length,
        most: LIMITS.conversations,
      }),
    );
  }
  return conversations;
}

/** What a file holds: conversations unread, each is checked by whoever adds it, and what had to be left out. */
export interface FoundConversations {
  readonly values: readonly unknown[];
  readonly problems: readonly string[];
}

/**
 * The conversations in a file of chats: our own, or one of another program (foreign/). EngineError `storage` naming what it is
 * when it is neither.
 */
export async function findConversations(
  value: unknown,
  newId: () => string,
): Promise<FoundConversations> {
  if (typeof value !== 'object' || value === null) throw refuse(t('it holds no conversations'));
  if ('format' in value && value.format === EXPORT_FORMAT)
    return { values: readOwnFile(readObject(value, t('the file'))), problems: [] };
  // Loaded when it is needed: few people come from elsewhere.
  const { readForeign } = await import('./foreign/read-foreign');
  const foreign = readForeign(value, newId);
  if (typeof foreign === 'string') throw refuse(foreign);
  if (foreign !== null) return { values: foreign.conversations, problems: foreign.problems };
  throw refuse(
    Array.isArray(value)
      ? t('it holds no conversations')
      : t('it is not of the format "{format}"', { format: EXPORT_FORMAT }),
  );
}

/** Texts in a file: its own, or those of the chats in a zip archive. EngineError `storage` when it cannot be read. */
export async function textsOfFile(file: Blob): Promise<readonly string[]> {
  const { ArchiveProblem, archivedTexts, isArchive } = await import('./foreign/read-archive');
  if (!(await isArchive(file))) {
    if (file.size > LIMITS.fileBytes) throw tooLarge(file.size);
    return [await file.text()];
  }
  try {
    return await archivedTexts(file, LIMITS.fileBytes);
  } catch (cause) {
    if (!(cause instanceof ArchiveProblem)) throw cause;
    throw refuse(cause.message, cause);
  }
}

/** Where the conversations of a file go; `ConversationStore` is one. */
export interface ImportTarget {
  load(id: string): Promise<StoredConversation | null>;
  save(conversation: StoredConversation): Promise<void>;
}

/**
 * Adds the conversations of an exported file. One that is here already and differs comes in beside it under a new id, so
 * nothing here is ever overwritten; one that cannot be read is left out and named.
 * @param json text of the file
 * @param newId a fresh id (crypto.randomUUID)
 * @throws EngineError `storage` when the file as a whole cannot be read, or nothing more can be written.
 */
export async function importConversations(
  json: string,
  target: ImportTarget,
  newId: () => string,
): Promise<ImportReport> {
  const { values, problems } = await findConversations(parseLimited(json), newId);
  const report = await importConversationValues(values, target, newId);
  return { ...report, problems: [...problems, ...report.problems] };
}

/** The same for conversations that are parsed already, each unread. */
export async function importConversationValues(
  values: readonly unknown[],
  target: ImportTarget,
  newId: () => string,
): Promise<ImportReport> {
  const added: StoredConversation[] = [];
  const problems: string[] = [];
  let unchanged = 0;
  // The last of the file is its oldest: saved first, it also comes to lie lowest in the list.
  for (const [index, value] of [...values.entries()].reverse()) {
    let conversation: StoredConversation;
    try {
      conversation = readConversation(value, t('conversation {number}', { number: index + 1 }));
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      problems.unshift(`${error.message}.`);
      continue;
    }
    const present = await target.load(conversation.id);
    if (present !== null && isSame(present, conversation)) {
      unchanged += 1;
      continue;
    }
    const fresh = present === null ? conversation : { ...conversation, id: newId() };
    await target.save(fresh);
    added.unshift(fresh);
  }
  return { added, unchanged, problems };
}

/** Equal as data: both were rebuilt by `readConversation`, but keys of nodes may differ in order. */
function isSame(a: StoredConversation, b: StoredConversation): boolean {
  const sorted = (conversation: StoredConversation): string =>
    JSON.stringify({
      ...conversation,
      tree: {
        ...conversation.tree,
        nodes: Object.entries(conversation.tree.nodes).sort(([x], [y]) => (x < y ? -1 : 1)),
      },
    });
  return sorted(a) === sorted(b);
}
