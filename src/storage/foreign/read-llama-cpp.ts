/** What llama.cpp's own page exports: `{ conv, messages }`, one or a list; and its page before, one object with both. */
import type { ReplyPart } from '../../core/chat/reply';
import type { ForeignChat, ForeignMessage } from './foreign-chat';
import {
  answerParts,
  argumentsOf,
  callPart,
  isJson,
  jsonAt,
  listAt,
  resultPart,
  textAt,
  thoughtPart,
  timeOf,
  type Json,
} from './foreign-values';

export function isLlamaCppChat(value: unknown): value is Json {
  if (!isJson(value) || !Array.isArray(value['messages'])) return false;
  return isJson(value['conv']) || 'currNode' in value;
}

/** Attached texts come into the message, as they did into its prompt; `left` counts pictures, sounds and the like. */
function withAttachments(message: Json, left: () => void): string {
  const texts = listAt(message, 'extra').map((extra) => {
    if (isJson(extra) && typeof extra['content'] === 'string')
      return `${textAt(extra, 'name')}\n${extra['content']}`.trim();
    left();
    return '';
  });
  return [textAt(message, 'content'), ...texts].filter((text) => text.trim() !== '').join('\n\n');
}

function callsOf(message: Json): readonly { readonly id: string; readonly part: ReplyPart }[] {
  const list = argumentsOf(`{"calls":${textAt(message, 'toolCalls') || '[]'}}`)['calls'];
  return (Array.isArray(list) ? (list as unknown[]) : []).filter(isJson).map((call) => {
    const asked = jsonAt(call, 'function');
    const given = argumentsOf(textAt(asked, 'arguments'));
    return { id: textAt(call, 'id'), part: callPart(textAt(asked, 'name') || 'tool', given) };
  });
}

export function readLlamaCppChat(value: Json): ForeignChat {
  const conv = isJson(value['conv']) ? value['conv'] : value;
  let leftOut = 0;
  const left = (): void => {
    leftOut += 1;
  };
  const prompts: string[] = [];
  const toolNames = new Map<string, string>();
  const read = (message: Json): ForeignMessage => {
    const id = String(message['id']);
    const { parent } = message;
    const nothing: ForeignMessage = {
      id,
      parent: typeof parent === 'string' || typeof parent === 'number' ? String(parent) : null,
      ...{ kind: 'nothing', text: '', parts: [], problem: '' },
      createdAt: timeOf(message['timestamp']),
    };
    const content = textAt(message, 'content');
    if (message['type'] === 'root') return nothing;
    switch (message['role']) {
      case 'system':
        prompts.push(content);
        return nothing;
      case 'user': {
        const before = leftOut;
        const text =
          withAttachments(message, left) || (leftOut > before ? '(a picture or file)' : '');
        return text.trim() === '' ? nothing : { ...nothing, kind: 'user', text };
      }
      case 'tool': {
        const name = toolNames.get(textAt(message, 'toolCallId')) ?? 'tool';
        return { ...nothing, kind: 'reply', parts: [resultPart(name, content)] };
      }
      case 'assistant': {
        const thought = textAt(message, 'reasoningContent') || textAt(message, 'thinking');
        const calls = callsOf(message);
        for (const { id: callId, part } of calls)
          if (part.kind === 'call') toolNames.set(callId, part.call.name);
        const parts = [
          ...(thought.trim() === '' ? [] : [thoughtPart(thought.trim())]),
          ...answerParts(content),
          ...calls.map(({ part }) => part),
        ];
        for (const extra of listAt(message, 'extra')) if (isJson(extra)) left();
        return parts.length === 0 ? nothing : { ...nothing, kind: 'reply', parts };
      }
      default:
        left();
        return nothing;
    }
  };
  const given = listAt(value, 'messages').filter(isJson);
  // Times are the ids of its older page, and the order of branches.
  const messages = given.map(read).sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0));
  const times = messages.flatMap(({ createdAt }) => (createdAt === null ? [] : [createdAt]));
  const updatedAt = timeOf(conv['lastModified']) ?? times.at(-1) ?? 0;
  const { currNode } = conv;
  return {
    id: textAt(conv, 'id'),
    title: textAt(conv, 'name'),
    createdAt: times.find((time) => time > 0) ?? updatedAt,
    updatedAt,
    systemPrompt: prompts.filter((text) => text.trim() !== '').join('\n\n'),
    messages,
    current: typeof currNode === 'string' || typeof currNode === 'number' ? String(currNode) : null,
    leftOut,
  };
}
