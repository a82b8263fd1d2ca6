/** Open WebUI's exported chats: `{ chat: { history: { messages, currentId } } }`, thoughts and tools as <details> in the text. */
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

export function isOpenWebuiChat(value: unknown): value is Json {
  if (!isJson(value) || !isJson(value['chat'])) return false;
  return isJson(value['chat']['history']) || Array.isArray(value['chat']['messages']);
}

/** A block that its page shows folded; it ends at the beginning of a line, since what is quoted in it begins with `>`. */
const DETAILS =
  /<details type="(reasoning|tool_calls|code_interpreter)"([^>]*)>\s*<summary>[\s\S]*?<\/summary>([\s\S]*?)\n<\/details>/g;

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' },
};

function unescapeHtml(text: string): string {
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (typeof name === 'string') return ENTITIES[name] ?? all;
    const code = typeof hex === 'string' ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

function attribute(attributes: string, name: string): string {
  return unescapeHtml(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
}

/** A result that is JSON of a text is that text. */
function plainResult(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

function detailsParts(kind: string, attributes: string, body: string): ReplyPart[] {
  if (kind === 'reasoning') {
    const text = unescapeHtml(body.replace(/^> ?/gm, '')).trim();
    const seconds = Number(attribute(attributes, 'duration'));
    return text === '' ? [] : [thoughtPart(text, seconds > 0 ? seconds * 1000 : 0)];
  }
  if (kind === 'tool_calls') {
    const name = attribute(attributes, 'name') || 'tool';
    const given = argumentsOf(plainResult(attribute(attributes, 'arguments')));
    const result = attribute(attributes, 'result');
    return [
      callPart(name, given),
      ...(result === '' ? [] : [resultPart(name, plainResult(result))]),
    ];
  }
  const code = unescapeHtml(body)
    .replace(/^\s*```\w*\n?|\n?```\s*$/g, '')
    .trim();
  const output = attribute(attributes, 'output');
  return [
    callPart('code_interpreter', { code }),
    ...(output === '' ? [] : [resultPart('code_interpreter', plainResult(output))]),
  ];
}

/** A reply's text to its parts, in the order in which they stand. */
function partsOf(content: string): ReplyPart[] {
  const parts: ReplyPart[] = [];
  let at = 0;
  for (const found of content.matchAll(DETAILS)) {
    const [all, kind = '', attributes = '', body = ''] = found;
    parts.push(...answerParts(content.slice(at, found.index)));
    parts.push(...detailsParts(kind, attributes, body));
    at = found.index + all.length;
  }
  return [...parts, ...answerParts(content.slice(at))];
}

export function readOpenWebuiChat(value: Json): ForeignChat {
  const chat = jsonAt(value, 'chat');
  const history = jsonAt(chat, 'history');
  let leftOut = 0;
  const left = (): void => {
    leftOut += 1;
  };
  const prompts = [textAt(jsonAt(chat, 'params'), 'system') || textAt(chat, 'system')];
  const read = (id: string, message: Json, parent: string | null): ForeignMessage => {
    const nothing: ForeignMessage = {
      ...{ id, parent, kind: 'nothing', text: '', parts: [], problem: '' },
      createdAt: timeOf(message['timestamp']),
    };
    const text = textAt(message, 'content');
    const files = listAt(message, 'files').length;
    for (let file = 0; file < files; file += 1) left();
    switch (message['role']) {
      case 'system':
        prompts.push(text);
        return nothing;
      case 'user': {
        const said = text.trim() === '' && files > 0 ? '(a picture or file)' : text.trim();
        return said === '' ? nothing : { ...nothing, kind: 'user', text: said };
      }
      case 'assistant': {
        const error = message['error'];
        const problem = isJson(error)
          ? textAt(error, 'content')
          : typeof error === 'string'
            ? error
            : '';
        const thought = textAt(message, 'reasoning_content').trim();
        const parts = [...(thought === '' ? [] : [thoughtPart(thought)]), ...partsOf(text)];
        return parts.length === 0 && problem === ''
          ? nothing
          : { ...nothing, kind: 'reply', parts, problem };
      }
      default:
        left();
        return nothing;
    }
  };
  const tree = Object.entries(jsonAt(history, 'messages'))
    .filter((entry): entry is [string, Json] => isJson(entry[1]))
    .map(([id, message]) =>
      read(id, message, typeof message['parentId'] === 'string' ? message['parentId'] : null),
    );
  // Chats of its first versions have the shown branch alone.
  const line = listAt(chat, 'messages').filter(isJson);
  const messages =
    tree.length > 0
      ? tree.sort((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0))
      : line.map((message, at) => read(`m-${at}`, message, at === 0 ? null : `m-${at - 1}`));
  const createdAt = timeOf(value['created_at']) ?? timeOf(chat['timestamp']) ?? 0;
  return {
    id: textAt(value, 'id') || textAt(chat, 'id'),
    title: textAt(value, 'title') || textAt(chat, 'title'),
    createdAt,
    updatedAt: timeOf(value['updated_at']) ?? createdAt,
    systemPrompt: prompts.filter((text) => text.trim() !== '').join('\n\n'),
    messages,
    current: textAt(history, 'currentId') || null,
    leftOut,
  };
}
