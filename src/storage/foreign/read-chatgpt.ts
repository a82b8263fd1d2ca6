/** ChatGPT's conversations.json: a list of chats, each a `mapping` of nodes with `parent` and `children`. */
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

export function isChatgptChat(value: unknown): value is Json {
  return isJson(value) && isJson(value['mapping']);
}

/** Marks of sources that only its own page can show: 【…†source】 stays, it reads as text. */
const PRIVATE_MARKS = /\uE200[^\uE201]*\uE201/g;

/** Text of a message's parts; `left` counts pictures, sounds and files. */
function textOfParts(content: Json, left: () => void): string {
  const texts = listAt(content, 'parts').map((part) => {
    if (typeof part === 'string') return part;
    if (isJson(part) && typeof part['text'] === 'string') return part['text'];
    left();
    return '';
  });
  return texts
    .filter((text) => text.trim() !== '')
    .join('\n\n')
    .replace(PRIVATE_MARKS, '')
    .trim();
}

/** What a person told ChatGPT about themselves and how to answer. */
function instructionsOf(content: Json): string {
  return [textAt(content, 'user_profile'), textAt(content, 'user_instructions')]
    .filter((text) => text.trim() !== '')
    .join('\n\n');
}

function thoughtsText(content: Json): string {
  return listAt(content, 'thoughts')
    .filter(isJson)
    .map((thought) => {
      const [summary, text] = [textAt(thought, 'summary'), textAt(thought, 'content')];
      return [summary, text].filter((piece) => piece.trim() !== '').join('\n');
    })
    .join('\n\n');
}

/** The pieces of a reply that one message of the assistant or a tool is; null for a kind that is not known. */
function partsOf(message: Json, left: () => void): readonly ReplyPart[] | null {
  const content = jsonAt(message, 'content');
  const author = jsonAt(message, 'author');
  const recipient = textAt(message, 'recipient') || 'all';
  const isTool = author['role'] === 'tool';
  const name = textAt(author, 'name') || 'tool';
  const kind = textAt(content, 'content_type');
  switch (kind) {
    case 'text':
    case 'multimodal_text': {
      const text = textOfParts(content, left);
      if (text === '') return [];
      if (isTool) return [resultPart(name, text)];
      if (recipient !== 'all') return [callPart(recipient, argumentsOf(text))];
      return message['channel'] === 'analysis' ? [thoughtPart(text)] : answerParts(text);
    }
    case 'code': {
      const code = textAt(content, 'text');
      if (code.trim() === '') return [];
      return recipient === 'all'
        ? [{ kind: 'answer', text: `\`\`\`\n${code}\n\`\`\`` }]
        : [callPart(recipient, { code })];
    }
    case 'thoughts': {
      const text = thoughtsText(content).trim();
      return text === '' ? [] : [thoughtPart(text)];
    }
    // "Thought for 12 seconds": nothing that is not in the thoughts.
    case 'reasoning_recap':
      return [];
    case 'execution_output':
    case 'system_error':
    case 'tether_quote':
      return [resultPart(name, textAt(content, 'text'))];
    case 'tether_browsing_display':
      return [resultPart(name, textAt(content, 'result') || textAt(content, 'summary'))];
    default:
      return null;
  }
}

export function readChatgptChat(value: Json): ForeignChat {
  const mapping = jsonAt(value, 'mapping');
  let leftOut = 0;
  const left = (): void => {
    leftOut += 1;
  };
  const prompts: string[] = [];
  const read = (id: string, node: Json): ForeignMessage => {
    const parent = typeof node['parent'] === 'string' ? node['parent'] : null;
    const nothing: ForeignMessage = {
      ...{ id, parent, kind: 'nothing', text: '', parts: [], problem: '', createdAt: null },
    };
    const message = node['message'];
    if (!isJson(message)) return nothing;
    const content = jsonAt(message, 'content');
    const role = jsonAt(message, 'author')['role'];
    const createdAt = timeOf(message['create_time']);
    if (content['content_type'] === 'user_editable_context') {
      prompts.push(instructionsOf(content));
      return nothing;
    }
    if (jsonAt(message, 'metadata')['is_visually_hidden_from_conversation'] === true)
      return nothing;
    if (role === 'system') {
      prompts.push(textOfParts(content, left));
      return nothing;
    }
    if (role === 'user') {
      const before = leftOut;
      const text = textOfParts(content, left) || (leftOut > before ? '(a picture or file)' : '');
      return text === '' ? nothing : { ...nothing, kind: 'user', text, createdAt };
    }
    const parts = partsOf(message, left);
    if (parts === null) left();
    return parts === null || parts.length === 0
      ? nothing
      : { ...nothing, kind: 'reply', parts, createdAt };
  };
  const messages = inOrder(mapping).map(([id, node]) => read(id, node));
  const createdAt = timeOf(value['create_time']) ?? 0;
  return {
    id: textAt(value, 'conversation_id') || textAt(value, 'id'),
    title: textAt(value, 'title'),
    createdAt,
    updatedAt: timeOf(value['update_time']) ?? createdAt,
    systemPrompt: prompts.filter((text) => text.trim() !== '').join('\n\n'),
    messages,
    current: textAt(value, 'current_node') || null,
    leftOut,
  };
}

/** The nodes, children in the order in which their parent names them. */
function inOrder(mapping: Json): readonly (readonly [string, Json])[] {
  const places = new Map<string, number>();
  for (const node of Object.values(mapping)) {
    if (!isJson(node)) continue;
    for (const [place, child] of listAt(node, 'children').entries())
      if (typeof child === 'string') places.set(child, place);
  }
  return Object.entries(mapping)
    .filter((entry): entry is [string, Json] => isJson(entry[1]))
    .sort(([a], [b]) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
}
