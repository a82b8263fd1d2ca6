/** Unknown data to a conversation that the app can trust: every field, every limit, and a tree that is a tree. */
import type { AttachedFile } from '../core/chat/attached-file';
import {
  isNodeId,
  type ConversationNode,
  type ConversationTree,
  type NodeId,
} from '../core/chat/conversation-tree';
import { t } from '../core/language/translate';
import {
  readBoolean,
  readInteger,
  readList,
  readNullable,
  readNumber,
  readObject,
  readOneOf,
  readText,
  ValueProblem,
  type Fields,
} from './read-value';
import { readReply, readStoredText, readThinkingLimit } from './read-reply';
import { LIMITS, type StoredConversation, type StoredSummary } from './stored-conversation';

/** The last millisecond that a Date can hold. */
const LAST_TIME = 8.64e15;
function readTime(value: unknown, place: string): number {
  return readNumber(value, place, 0, LAST_TIME);
}

function readId(value: unknown, place: string): NodeId {
  if (typeof value !== 'string' || !isNodeId(value))
    throw new ValueProblem(place, t('an id of 1 to 64 letters, digits or hyphens'), value);
  return value;
}

function readFile(value: unknown, place: string): AttachedFile {
  const file = readObject(value, place);
  return {
    name: readText(file['name'], `${place}.name`, LIMITS.fileNameLength),
    text: readStoredText(file['text'], `${place}.text`),
    share: readNumber(file['share'], `${place}.share`, 0, 1),
    tokens: readNullable(file['tokens'], (tokens) =>
      readInteger(tokens, `${place}.tokens`, 0, LIMITS.figure),
    ),
  };
}

/** The files of a question as a part of it; none where it has none. */
export function readFiles(value: unknown, place: string): { files?: readonly AttachedFile[] } {
  return value === undefined ? {} : { files: readList(value, place, LIMITS.files, readFile) };
}

function readNode(id: NodeId, value: unknown, place: string): ConversationNode {
  const node = readObject(value, place);
  if (node['id'] !== id)
    throw new ValueProblem(
      `${place}.id`,
      t('its key {id}', { id: JSON.stringify(id) }),
      node['id'],
    );
  const links = {
    id,
    parent: readNullable(node['parent'], (parent) => readId(parent, `${place}.parent`)),
    children: readList(node['children'], `${place}.children`, LIMITS.messages, readId),
    activeChild: readNullable(node['activeChild'], (child) =>
      readId(child, `${place}.activeChild`),
    ),
    createdAt: readTime(node['createdAt'], `${place}.createdAt`),
  };
  const role = readOneOf(node['role'], `${place}.role`, ['user', 'system', 'assistant']);
  return role === 'assistant'
    ? { ...links, role, reply: readReply(node['reply'], `${place}.reply`) }
    : {
        ...links,
        role,
        text: readStoredText(node['text'], `${place}.text`),
        ...readFiles(node['files'], `${place}.files`),
      };
}

/** One branching point: its children know it, one of them is active, none is named twice. */
function checkBranches(
  nodes: ReadonlyMap<NodeId, ConversationNode>,
  parent: NodeId | null,
  children: readonly NodeId[],
  active: NodeId | null,
  place: string,
): void {
  for (const child of children) {
    const node = nodes.get(child);
    if (node === undefined)
      throw new ValueProblem(place, t('a list of messages that exist'), child);
    if (node.parent !== parent) {
      throw new ValueProblem(
        t('the parent of message {id}', { id: child }),
        JSON.stringify(parent),
        node.parent,
      );
    }
  }
  if (new Set(children).size !== children.length) {
    throw new ValueProblem(place, t('a list without doubles'), children);
  }
  if (active === null ? children.length > 0 : !children.includes(active)) {
    throw new ValueProblem(t('the active one of {place}', { place }), t('one of them'), active);
  }
}

function readTree(value: unknown, place: string): ConversationTree {
  const tree: Fields = readObject(value, place);
  const entries = Object.entries(readObject(tree['nodes'], `${place}.nodes`));
  if (entries.length > LIMITS.messages) {
    throw new ValueProblem(
      `${place}.nodes`,
      t('at most {messages} messages', { messages: LIMITS.messages }),
      entries.length,
    );
  }
  const nodes = new Map<NodeId, ConversationNode>();
  for (const [key, node] of entries) {
    const id = isNodeId(key)
      ? key
      : readId(key, t('a key of {place}', { place: `${place}.nodes` }));
    nodes.set(id, readNode(id, node, `${place}.nodes.${id}`));
  }
  const roots = readList(tree['roots'], `${place}.roots`, LIMITS.messages, readId);
  const activeRoot = readNullable(tree['activeRoot'], (id) => readId(id, `${place}.activeRoot`));
  checkBranches(nodes, null, roots, activeRoot, `${place}.roots`);
  for (const { id, children, activeChild } of nodes.values()) {
    checkBranches(nodes, id, children, activeChild, `${place}.nodes.${id}.children`);
  }
  // With parents and children agreeing, a ring of messages is exactly what the roots do not reach.
  const open = [...roots];
  let reached = 0;
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    reached += 1;
    open.push(...(nodes.get(id)?.children ?? []));
  }
  if (reached !== nodes.size) {
    throw new ValueProblem(
      `${place}.nodes`,
      t('{reached} messages, those under its roots', { reached }),
      nodes.size,
    );
  }
  return { nodes: Object.fromEntries(nodes), roots, activeRoot };
}

/** The conversation in `value`, rebuilt from known fields only; throws ValueProblem where it is not one. */
export function readConversation(value: unknown, place = 'conversation'): StoredConversation {
  const fields = readObject(value, place);
  return {
    id: readId(fields['id'], `${place}.id`),
    title: readText(fields['title'], `${place}.title`, LIMITS.titleLength),
    isNamed: readBoolean(fields['isNamed'], `${place}.isNamed`),
    createdAt: readTime(fields['createdAt'], `${place}.createdAt`),
    updatedAt: readTime(fields['updatedAt'], `${place}.updatedAt`),
    systemPrompt: readText(
      fields['systemPrompt'],
      `${place}.systemPrompt`,
      LIMITS.systemPromptLength,
    ),
    ...(fields['answerSchema'] === undefined
      ? {}
      : {
          answerSchema: readText(
            fields['answerSchema'],
            `${place}.answerSchema`,
            LIMITS.answerSchemaLength,
          ),
        }),
    thinkingLimit: readThinkingLimit(fields['thinkingLimit'], `${place}.thinkingLimit`),
    tree: readTree(fields['tree'], `${place}.tree`),
  };
}

/** The summary in `value`; throws ValueProblem where it is not one. */
export function readSummary(value: unknown, place = 'summary'): StoredSummary {
  const fields = readObject(value, place);
  return {
    id: readId(fields['id'], `${place}.id`),
    title: readText(fields['title'], `${place}.title`, LIMITS.titleLength),
    createdAt: readTime(fields['createdAt'], `${place}.createdAt`),
    updatedAt: readTime(fields['updatedAt'], `${place}.updatedAt`),
  };
}
