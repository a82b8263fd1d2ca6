/** Conversations to files that people keep: JSON that `importConversations` reads back whole, and Markdown to read. Pure. */
import { activePath, type ConversationNode } from '../core/chat/conversation-tree';
import type { ReplyContent, ReplyPart, RolePart } from '../core/chat/reply';
import { withResults } from '../core/chat/reply-parts';
import { cutText } from '../core/text/letters';
import { conversationFiles, type FilePieces } from './export-files';
import type { StoredConversation } from './stored-conversation';

export const EXPORT_FORMAT = 'tidepool-conversations';
/** Raised when a reader of the version before could not understand the file. */
export const EXPORT_VERSION = 2;

/** The JSON files, with all branches: one, or as many as it takes; `exportedAt` in ms since 1970. */
export function exportAsJsonFiles(
  conversations: Iterable<StoredConversation> | AsyncIterable<StoredConversation>,
  exportedAt: number,
): Promise<readonly FilePieces[]> {
  const head = {
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    exportedAt: isoTime(exportedAt),
  };
  return conversationFiles(conversations, head, head);
}

/** The branches that are active, as a person would read them; the thought is quoted before the answer. */
export function exportAsMarkdown(conversations: readonly StoredConversation[]): string {
  return conversations.map(markdownOf).join('\n---\n\n');
}

/** A file name from a title: letters and digits of any script, at most 60 UTF-16 units; never empty. */
export function fileNameOf(title: string, extension: 'json' | 'md' | 'png'): string {
  const words = title.normalize('NFC').match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return `${cutText(words.join('-'), 60) || 'chat'}.${extension}`;
}

export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function quote(text: string): string {
  return text
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}

/** A fence that no run of backticks in the text can close. */
function fenced(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

function callText({ call }: Extract<ReplyPart, { kind: 'call' }>): string {
  const given = Object.entries(call.arguments).map(([key, value]) => `${key} = ${value}`);
  return `${call.name}(${given.join(', ')})`;
}

const STEP_NAMES: Readonly<Record<RolePart['role'], string>> = {
  draft: 'Draft',
  feedback: 'Feedback on draft',
  edit: 'Edit of draft',
};

function stepText({ role, draft, thought, text }: RolePart): string {
  return [`${STEP_NAMES[role]} ${draft}:`, thought.trim(), text.trim()]
    .filter((line) => line !== '')
    .join('\n');
}

/** The parts in the order they came; a call stands in one block with its result. */
function replyBlocks({ parts, problem }: ReplyContent): string[] {
  const results = withResults(parts);
  const told = new Set(results.values());
  const blocks = parts.map((part): string => {
    switch (part.kind) {
      case 'thought':
        return quote(`Thought:\n${part.text.trim()}`);
      case 'answer':
        return part.text.trim();
      case 'call':
        return fenced(`${callText(part)}\n${results.get(part)?.content ?? '(not run)'}`);
      case 'result':
        return told.has(part) ? '' : fenced(part.content);
      case 'notice':
        return `(${part.text})`;
      case 'role':
        return quote(stepText(part));
      default:
        return part satisfies never;
    }
  });
  if (problem !== '') blocks.push(`(${problem})`);
  return blocks.filter((block) => block !== '');
}

function messageOf(node: ConversationNode): string {
  if (node.role === 'assistant')
    return [
      `## ${(node.reply.writer ?? 'Tidepool').replaceAll(/\s+/g, ' ')}${node.reply.isEdited === true ? ', edited' : ''}`,
      ...replyBlocks(node.reply),
    ].join('\n\n');
  const files = (node.files ?? []).map(
    ({ name, text }) => `${name.replaceAll(/\s+/g, ' ')}:\n\n${fenced(text.trim())}`,
  );
  return [`## ${node.role === 'user' ? 'You' : 'System'}`, ...files, node.text.trim()].join('\n\n');
}

function markdownOf(conversation: StoredConversation): string {
  const { title, createdAt, systemPrompt, tree } = conversation;
  const head = [`# ${title.replaceAll(/\s+/g, ' ').trim()}`, `Begun ${isoTime(createdAt)}`];
  if (systemPrompt !== '') head.push(`## System\n\n${systemPrompt.trim()}`);
  return `${[...head, ...activePath(tree).map(messageOf)].join('\n\n')}\n`;
}
