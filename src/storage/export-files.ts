/** Many conversations to as many JSON files as it takes for each to be read again (LIMITS.fileBytes). Owns no format. */
import type { StoredConversation } from './stored-conversation';

/** Below the most that a file may have (LIMITS.fileBytes) by room for what stands before the conversations. In UTF-16 units. */
const FILE_LENGTH = 48 * 1024 * 1024;

/** Pieces of one file: a text of the whole would be in memory twice. */
export type FilePieces = readonly string[];

/**
 * Files that begin with the fields of `first`, then of `later`, each with its share of the conversations. One file at least;
 * a conversation is never cut.
 */
export async function conversationFiles(
  conversations: Iterable<StoredConversation> | AsyncIterable<StoredConversation>,
  first: object,
  later: object,
  fileLength = FILE_LENGTH,
): Promise<readonly FilePieces[]> {
  const begin = (head: object): string[] => [
    `${JSON.stringify(head).slice(0, -1)},"conversations":[`,
  ];
  const files: string[][] = [];
  let file = begin(first);
  let length = 0;
  for await (const conversation of conversations) {
    const json = JSON.stringify(conversation);
    if (length > 0 && length + json.length > fileLength) {
      files.push(file);
      file = begin(later);
      length = 0;
    }
    file.push(`${length === 0 ? '' : ','}\n${json}`);
    length += json.length;
  }
  return [...files, file].map((pieces) => [...pieces, '\n]}\n']);
}

/** "chats.json", or "chats-2-of-3.json" where one file was not enough. */
export function numberedName(name: string, at: number, count: number): string {
  return count === 1 ? name : name.replace(/(\.\w+)?$/, `-${at + 1}-of-${count}$1`);
}
