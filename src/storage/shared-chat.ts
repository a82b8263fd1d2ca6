/**
 * A short chat to the text of a link and back: what is read of it, packed with the platform's own deflate. Anyone may
 * write such a link, so what comes back is checked in every field, held to a size, and never kept by itself.
 */
import {
  activePath,
  appendMessage,
  EMPTY_TREE,
  type ConversationNode,
  type NewMessage,
} from '../core/chat/conversation-tree';
import type { ReplyContent } from '../core/chat/reply';
import { t } from '../core/language/translate';
import { readFiles } from './read-conversation';
import { readReply, readStoredText, readThinkingLimit } from './read-reply';
import { readList, readObject, readOneOf, readText, ValueProblem } from './read-value';
import { LIMITS, type StoredConversation } from './stored-conversation';

/** Longest link: messengers and mail pass on as much, and it is what links of the lab are held to. */
export const MAX_LINK_CHARACTERS = 16_000;

/** What a link may unpack to: far more than 16,000 characters of prose, far less than what stops a page. In bytes. */
const MAX_UNPACKED_BYTES = 2 * 2 ** 20;

/** In front of each code, so that a later form can be told from this one. */
const FORM = '1.';

export interface SharedParts {
  readonly hasThoughts: boolean;
  readonly hasSystemPrompt: boolean;
}

/** Without what is nobody else's business: figures name the device or the server, notices and problems may. */
function sharedReply(reply: ReplyContent, hasThoughts: boolean): ReplyContent {
  // Drafts and what was said of them are on the way to the answer, as thoughts are.
  const parts = reply.parts.filter(
    ({ kind }) => kind !== 'notice' && (hasThoughts || (kind !== 'thought' && kind !== 'role')),
  );
  return { ...reply, parts, stats: null, problem: '' };
}

function sharedMessage(node: ConversationNode, hasThoughts: boolean): unknown {
  return node.role === 'assistant'
    ? { role: node.role, reply: sharedReply(node.reply, hasThoughts) }
    : { role: node.role, text: node.text, files: node.files };
}

/** The code of the messages that are read, without other branches, times and ids. */
export async function encodeChat(
  { title, systemPrompt, thinkingLimit, tree }: StoredConversation,
  { hasThoughts, hasSystemPrompt }: SharedParts,
): Promise<string> {
  const shared = {
    title,
    systemPrompt: hasSystemPrompt ? systemPrompt : '',
    thinkingLimit,
    messages: activePath(tree).map((node) => sharedMessage(node, hasThoughts)),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  return FORM + toBase64Url(await pipe(bytes, new CompressionStream('deflate'), Infinity));
}

/** Reads what `encodeChat` wrote, as a conversation of one branch; what is wrong with it where it is no such thing. */
export async function decodeChat(
  code: string,
): Promise<StoredConversation | { readonly broken: string }> {
  if (!code.startsWith(FORM))
    return { broken: t('it is of a form that this Tidepool does not know') };
  if (code.length > MAX_LINK_CHARACTERS)
    return { broken: t('it has more than {most} characters', { most: MAX_LINK_CHARACTERS }) };
  let text: string;
  try {
    const packed = fromBase64Url(code.slice(FORM.length));
    const bytes = await pipe(packed, new DecompressionStream('deflate'), MAX_UNPACKED_BYTES);
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Its checksum does not fit, or it unpacks to more than any chat that was packed here.
    return { broken: t('it was cut short or mistyped on its way') };
  }
  try {
    return readShared(JSON.parse(text));
  } catch (error) {
    if (error instanceof ValueProblem) return { broken: error.message };
    if (error instanceof SyntaxError) return { broken: t('it holds no chat') };
    throw error;
  }
}

function readMessage(value: unknown, place: string, at: number): NewMessage {
  const message = readObject(value, place);
  const role = readOneOf(message['role'], `${place}.role`, ['user', 'system', 'assistant']);
  const links = { id: `m${at}`, createdAt: 0 };
  return role === 'assistant'
    ? { ...links, role, reply: readReply(message['reply'], `${place}.reply`) }
    : {
        ...links,
        role,
        text: readStoredText(message['text'], `${place}.text`),
        ...readFiles(message['files'], `${place}.files`),
      };
}

function readShared(value: unknown): StoredConversation {
  const shared = readObject(value, t('the chat'));
  let count = 0;
  const messages = readList(shared['messages'], 'messages', LIMITS.messages, (item, place) =>
    readMessage(item, place, (count += 1)),
  );
  if (messages.length === 0) throw new ValueProblem('messages', t('a list of some'), messages);
  return {
    id: 'shared',
    title: readText(shared['title'], 'title', LIMITS.titleLength),
    isNamed: true,
    createdAt: 0,
    updatedAt: 0,
    systemPrompt: readText(shared['systemPrompt'], 'systemPrompt', LIMITS.systemPromptLength),
    thinkingLimit: readThinkingLimit(shared['thinkingLimit'], 'thinkingLimit'),
    tree: messages.reduce(appendMessage, EMPTY_TREE),
  };
}

/** All that comes out of a stream for these bytes. RangeError above `most` bytes. */
async function pipe(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > most) {
      await reader.cancel();
      throw new RangeError(`more than ${most} bytes`);
    }
    pieces.push(next.value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function toBase64Url(bytes: Uint8Array): string {
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64Url(code: string): Uint8Array<ArrayBuffer> {
  const letters = atob(code.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
