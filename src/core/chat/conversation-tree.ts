/**
 * Owns the messages of a conversation as a tree with branches: an edit or a new answer is a
 * sibling, one child of each node is active, and the active path is what is read. Immutable plain
 * JSON; every operation returns a new tree.
 */
import type { ThinkingLimit } from '../budget/thinking-limit';
import type { AttachedFile } from './attached-file';
import { emptyReply, type ReplyContent } from './reply';

export type NodeId = string;

interface NodeLinks {
  readonly id: NodeId;
  /** Null for a first message. */
  readonly parent: NodeId | null;
  /** Oldest first. */
  readonly children: readonly NodeId[];
  /** One of `children`; null exactly when there are none. */
  readonly activeChild: NodeId | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface TextNode extends NodeLinks {
  readonly role: 'user' | 'system';
  readonly text: string;
  /** Files that go with a question; absent: none. */
  readonly files?: readonly AttachedFile[];
}

export interface AssistantNode extends NodeLinks {
  readonly role: 'assistant';
  readonly reply: ReplyContent;
}

export type ConversationNode = TextNode | AssistantNode;

export interface ConversationTree {
  readonly nodes: Readonly<Record<NodeId, ConversationNode>>;
  /** First messages, oldest first. */
  readonly roots: readonly NodeId[];
  /** One of `roots`; null exactly when the tree is empty. */
  readonly activeRoot: NodeId | null;
}

/** A message to add; its id comes from the caller (crypto.randomUUID), so the tree stays pure. */
export type NewMessage =
  | {
      readonly id: NodeId;
      readonly createdAt: number;
      readonly role: 'user' | 'system';
      readonly text: string;
      readonly files?: readonly AttachedFile[];
    }
  | {
      readonly id: NodeId;
      readonly createdAt: number;
      readonly role: 'assistant';
      readonly reply: ReplyContent;
    };

export const EMPTY_TREE: ConversationTree = { nodes: {}, roots: [], activeRoot: null };

/** Ids that are safe as keys of a plain object. */
export function isNodeId(id: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(id);
}

/** The node, or RangeError when the tree has none of that id. */
export function nodeOf(tree: ConversationTree, id: NodeId): ConversationNode {
  const node = Object.hasOwn(tree.nodes, id) ? tree.nodes[id] : undefined;
  if (node === undefined) throw new RangeError(`message ${id} is not in this conversation`);
  return node;
}

/** Children of a node, or the first messages for null. */
function childrenOf(tree: ConversationTree, parent: NodeId | null): readonly NodeId[] {
  return parent === null ? tree.roots : nodeOf(tree, parent).children;
}

function withChildren(
  tree: ConversationTree,
  parent: NodeId | null,
  children: readonly NodeId[],
  active: NodeId | null,
): ConversationTree {
  if (parent === null) return { ...tree, roots: children, activeRoot: active };
  const node: ConversationNode = { ...nodeOf(tree, parent), children, activeChild: active };
  return { ...tree, nodes: { ...tree.nodes, [parent]: node } };
}

/** Messages from the first to the last that are active, oldest first. */
export function activePath(tree: ConversationTree): ConversationNode[] {
  const path: ConversationNode[] = [];
  for (let id = tree.activeRoot; id !== null;) {
    const node = nodeOf(tree, id);
    path.push(node);
    id = node.activeChild;
  }
  return path;
}

/** The last message of the active path. */
export function activeLeaf(tree: ConversationTree): ConversationNode | null {
  return activePath(tree).at(-1) ?? null;
}

/** Messages from the first down to `id`, both included. */
export function pathTo(tree: ConversationTree, id: NodeId): ConversationNode[] {
  const path: ConversationNode[] = [];
  for (let at: NodeId | null = id; at !== null;) {
    const node = nodeOf(tree, at);
    path.push(node);
    at = node.parent;
  }
  return path.reverse();
}

/**
 * The branches at a message: it and its siblings, oldest first, with its place among them (from 0).
 */
export function branchesAt(
  tree: ConversationTree,
  id: NodeId,
): { ids: readonly NodeId[]; index: number } {
  const ids = childrenOf(tree, nodeOf(tree, id).parent);
  return { ids, index: ids.indexOf(id) };
}

/** Adds a message under `parent` (null: as a first message) and makes the path to it active. */
export function addMessage(
  tree: ConversationTree,
  parent: NodeId | null,
  message: NewMessage,
): ConversationTree {
  const { id } = message;
  if (!isNodeId(id))
    throw new RangeError(`message id "${id}" is not 1 to 64 letters, digits or hyphens`);
  if (Object.hasOwn(tree.nodes, id))
    throw new RangeError(`message ${id} is in this conversation already`);
  const children = [...childrenOf(tree, parent), id];
  const node: ConversationNode = { ...message, parent, children: [], activeChild: null };
  const added: ConversationTree = { ...tree, nodes: { ...tree.nodes, [id]: node } };
  return switchBranch(withChildren(added, parent, children, id), id);
}

/** Adds a message at the end of the active path. */
export function appendMessage(tree: ConversationTree, message: NewMessage): ConversationTree {
  return addMessage(tree, activeLeaf(tree)?.id ?? null, message);
}

/** An edit: a sibling of the message `id` with another text and the same files, active and without children yet. */
export function editMessage(
  tree: ConversationTree,
  id: NodeId,
  edit: { readonly id: NodeId; readonly createdAt: number; readonly text: string },
): ConversationTree {
  const node = nodeOf(tree, id);
  if (node.role === 'assistant')
    throw new RangeError(`message ${id} is a reply: regenerate it, it has no text to edit`);
  const files = node.files === undefined ? {} : { files: node.files };
  return addMessage(tree, node.parent, { ...edit, ...files, role: node.role });
}

/** Another answer: an empty sibling of the reply `id`, active. */
export function regenerateReply(
  tree: ConversationTree,
  id: NodeId,
  fresh: { readonly id: NodeId; readonly createdAt: number; readonly thoughtLimit: ThinkingLimit },
): ConversationTree {
  const node = nodeOf(tree, id);
  if (node.role !== 'assistant')
    throw new RangeError(`message ${id} is from the ${node.role}: only replies regenerate`);
  const { thoughtLimit, ...rest } = fresh;
  return addMessage(tree, node.parent, {
    ...rest,
    role: 'assistant',
    reply: emptyReply(thoughtLimit),
  });
}

/** Puts new content into the reply `id` (streaming, or "continue"). */
export function setReply(
  tree: ConversationTree,
  id: NodeId,
  reply: ReplyContent,
): ConversationTree {
  const node = nodeOf(tree, id);
  if (node.role !== 'assistant')
    throw new RangeError(`message ${id} is from the ${node.role}: it holds no reply`);
  return { ...tree, nodes: { ...tree.nodes, [id]: { ...node, reply } } };
}

/** Makes `id` and its ancestors active; below it the path that was active there stays. */
export function switchBranch(tree: ConversationTree, id: NodeId): ConversationTree {
  let switched = tree;
  for (const node of pathTo(tree, id)) {
    switched = withChildren(switched, node.parent, childrenOf(switched, node.parent), node.id);
  }
  return switched;
}

/**
 * Removes a message and all below it; where it was active, the sibling before it (else after it)
 * becomes active.
 */
export function removeMessage(tree: ConversationTree, id: NodeId): ConversationTree {
  const { parent } = nodeOf(tree, id);
  const doomed = new Set<NodeId>();
  const open: NodeId[] = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    doomed.add(at);
    open.push(...nodeOf(tree, at).children);
  }
  const { ids, index } = branchesAt(tree, id);
  const left = ids.filter((sibling) => sibling !== id);
  const active = parent === null ? tree.activeRoot : nodeOf(tree, parent).activeChild;
  const nextActive = active === id ? (left[Math.max(0, index - 1)] ?? null) : active;
  const nodes = Object.fromEntries(Object.entries(tree.nodes).filter(([key]) => !doomed.has(key)));
  return withChildren({ ...tree, nodes }, parent, left, nextActive);
}
