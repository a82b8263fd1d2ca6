/**
 * Owns the one shape in which a chat of another program stands before it is ours, and the way from there to a conversation: its
 * branches, its replies put together from their pieces, held to our limits. Owns no program's format. Pure.
 */
import {
  isNodeId,
  type ConversationNode,
  type ConversationTree,
  type NodeId,
} from '../../core/chat/conversation-tree';
import type { ThinkingLimit } from '../../core/budget/thinking-limit';
import { emptyReply, type ReplyPart } from '../../core/chat/reply';
import { cutText } from '../../core/text/letters';
import { fitReply, fitSystemPrompt, fitTitle } from '../fit-entry';
import { LIMITS, type StoredConversation } from '../stored-conversation';

/** A piece of a chat as another program keeps it. */
export interface ForeignMessage {
  readonly id: string;
  /** Null for a first one. */
  readonly parent: string | null;
  /** `reply`: one piece of a reply, of which several in a row are one. `nothing`: only its place in the tree counts. */
  readonly kind: 'user' | 'reply' | 'nothing';
  /** Of a person's message. */
  readonly text: string;
  readonly parts: readonly ReplyPart[];
  /** What broke the reply off; '' for nothing. */
  readonly problem: string;
  /** Milliseconds since 1970; null where it is not told. */
  readonly createdAt: number | null;
}

export interface ForeignChat {
  readonly id: string;
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly systemPrompt: string;
  /** Siblings in the order of their branches. */
  readonly messages: readonly ForeignMessage[];
  /** The end of the branch that is shown. */
  readonly current: string | null;
  /** Pictures, files and pieces of unknown kinds. */
  readonly leftOut: number;
}

/** As new chats begin; a reply from elsewhere had no limit of ours. */
const THINKING_LIMIT: ThinkingLimit = 128;

/** More nodes than may be kept are not built up first. */
export class TooManyMessages extends Error {}

/** A node while its children are still being found. */
interface Growing {
  readonly node: ConversationNode;
  readonly children: NodeId[];
  activeChild: NodeId | null;
}

/** What is to be read next: a message, what it hangs on, and the reply that is being put together. */
interface Step {
  readonly message: ForeignMessage;
  readonly parent: NodeId | null;
  readonly reply: readonly ForeignMessage[];
}

class TreeBuilder {
  readonly #chat: ForeignChat;
  readonly #below = new Map<string | null, ForeignMessage[]>();
  readonly #grown = new Map<NodeId, Growing>();
  readonly #roots: NodeId[] = [];
  /** The node in which each message came to lie. */
  readonly #placeOf = new Map<string, NodeId>();

  constructor(chat: ForeignChat) {
    this.#chat = chat;
    const known = new Set(chat.messages.map(({ id }) => id));
    for (const message of chat.messages) {
      const { parent } = message;
      const key = parent !== null && known.has(parent) && parent !== message.id ? parent : null;
      const siblings = this.#below.get(key);
      if (siblings === undefined) this.#below.set(key, [message]);
      else siblings.push(message);
    }
  }

  /** Children that have content, in order; those without are stepped over. A ring has no way in from the first messages. */
  #childrenOf(id: string | null): readonly ForeignMessage[] {
    const found: ForeignMessage[] = [];
    const open = (this.#below.get(id) ?? []).toReversed();
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.kind === 'nothing') {
        for (const below of (this.#below.get(next.id) ?? []).toReversed()) open.push(below);
      } else found.push(next);
    }
    return found;
  }

  #add(wanted: string, parent: NodeId | null, make: (id: NodeId) => ConversationNode): NodeId {
    if (this.#grown.size >= LIMITS.messages) throw new TooManyMessages();
    const id = isNodeId(wanted) && !this.#grown.has(wanted) ? wanted : `m-${this.#grown.size + 1}`;
    this.#grown.set(id, { node: make(id), children: [], activeChild: null });
    const siblings = parent === null ? this.#roots : this.#grown.get(parent)?.children;
    siblings?.push(id);
    return id;
  }

  #addReply(pieces: readonly ForeignMessage[], parent: NodeId | null): NodeId {
    const last = pieces.at(-1);
    const problem = pieces.map((piece) => piece.problem).find((text) => text !== '') ?? '';
    const reply = fitReply({
      ...emptyReply('unlimited'),
      parts: pieces.flatMap(({ parts }) => parts),
      finish: problem === '' ? 'end' : 'failed',
      problem,
    });
    const id = this.#add(last?.id ?? '', parent, (own) => ({
      ...this.#links(own, parent, last?.createdAt ?? null),
      role: 'assistant',
      reply,
    }));
    for (const piece of pieces) this.#placeOf.set(piece.id, id);
    return id;
  }

  #links(id: NodeId, parent: NodeId | null, createdAt: number | null) {
    return {
      id,
      parent,
      children: [],
      activeChild: null,
      createdAt: createdAt ?? this.#chat.createdAt,
    };
  }

  /** One message; gives what comes after it. */
  #take({ message, parent, reply }: Step): readonly Step[] {
    const children = this.#childrenOf(message.id);
    if (message.kind === 'user') {
      const id = this.#add(message.id, parent, (own) => ({
        ...this.#links(own, parent, message.createdAt),
        role: 'user',
        text: cutText(message.text, LIMITS.textLength),
      }));
      this.#placeOf.set(message.id, id);
      return children.map((child) => ({ message: child, parent: id, reply: [] }));
    }
    const pieces = [...reply, message];
    const goingOn = children.filter(({ kind }) => kind === 'reply');
    // Where a reply parts in its middle, each branch is a whole reply.
    const steps: Step[] = goingOn.map((child) => ({ message: child, parent, reply: pieces }));
    if (goingOn.length === 0 || goingOn.length < children.length) {
      const id = this.#addReply(pieces, parent);
      for (const child of children)
        if (child.kind === 'user') steps.push({ message: child, parent: id, reply: [] });
    }
    return steps;
  }

  build(): ConversationTree {
    const open: Step[] = [];
    const put = (steps: readonly Step[]): void => {
      for (const step of steps.toReversed()) open.push(step);
    };
    put(this.#childrenOf(null).map((message) => ({ message, parent: null, reply: [] })));
    for (let step = open.pop(); step !== undefined; step = open.pop()) put(this.#take(step));
    for (const growing of this.#grown.values())
      growing.activeChild = growing.children.at(-1) ?? null;
    const activeRoot = this.#showCurrent() ?? this.#roots.at(-1) ?? null;
    const nodes = Object.fromEntries(
      [...this.#grown].map(([id, { node, children, activeChild }]) => [
        id,
        { ...node, children, activeChild },
      ]),
    );
    return { nodes, roots: this.#roots, activeRoot };
  }

  /** Makes the branch of the current message the active one; gives its root, or null when it names none. */
  #showCurrent(): NodeId | null {
    const parents = new Map(this.#chat.messages.map(({ id, parent }) => [id, parent]));
    let at = this.#chat.current;
    for (let step = 0; at !== null && !this.#placeOf.has(at) && step < parents.size; step += 1)
      at = parents.get(at) ?? null;
    let id = at === null ? null : (this.#placeOf.get(at) ?? null);
    while (id !== null) {
      const parent: NodeId | null = this.#grown.get(id)?.node.parent ?? null;
      if (parent === null) return id;
      const growing = this.#grown.get(parent);
      if (growing !== undefined) growing.activeChild = id;
      id = parent;
    }
    return null;
  }
}

/** The conversation that a foreign chat becomes; null where it has no message. `newId` where its own id cannot be kept. */
export function conversationOfForeign(
  chat: ForeignChat,
  newId: () => string,
): StoredConversation | null {
  const tree = new TreeBuilder(chat).build();
  if (tree.activeRoot === null) return null;
  return {
    id: isNodeId(chat.id) ? chat.id : newId(),
    title: fitTitle(chat.title) || 'Imported chat',
    isNamed: true,
    createdAt: chat.createdAt,
    updatedAt: chat.updatedAt,
    systemPrompt: fitSystemPrompt(chat.systemPrompt),
    thinkingLimit: THINKING_LIMIT,
    tree,
  };
}
