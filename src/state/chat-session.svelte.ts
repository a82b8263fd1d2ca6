/**
 * Owns the open conversation and the one reply that is being written in it: send, stop, continue, regenerate, edit,
 * branches. Knows the engine only by its interface; keeps nothing itself, but says when something is worth keeping.
 */
import type { AttachedFile } from '../core/chat/attached-file';
import { said, t } from '../core/language/translate';
import {
  activePath,
  addMessage,
  appendMessage,
  branchesAt,
  editMessage,
  nodeOf,
  regenerateReply,
  removeMessage,
  setReply,
  switchBranch,
  type ConversationNode,
  type ConversationTree,
  type NodeId,
} from '../core/chat/conversation-tree';
import { toPromptMessages } from '../core/chat/prompt-assembly';
import { emptyReply, type ReplyContent } from '../core/chat/reply';
import { begunParts, rolesOf } from '../core/chat/reply-parts';
import { bestReply } from '../core/chat/best-reply';
import type { EngineError } from '../core/errors';
import { placeOfDevice } from '../core/server/server-target';
import { createSentenceSegmenter } from '../core/text/sentences';
import type { Engine, Generation } from '../engine/engine';
import type { MemoryReport, PromptMessage, ThinkingLimit } from '../protocol/engine-api';
import { NEW_CHAT_DRAFT } from '../storage/draft-store';
import { entryProblem, fitDraft, fitReply, fitSystemPrompt, fitTitle } from '../storage/fit-entry';
import type { Author } from './author';
import { newConversation, titleFrom, type Conversation } from './conversation';
import { generateRequest, withEarlierStats } from './generate-request';
import { LiveReply, nextFrame, type FrameScheduler, type ReplyView } from './live-reply.svelte';
import { asEngineError, type ModelStatus } from './model-status.svelte';
import type { ReplyEvents, ReplyWay } from './reply-way';
import type { Settings } from './settings.svelte';
import type { DraftKeeping } from './tab-drafts';

/** A reload in mid-reply loses at most this much of it, and what the write itself takes: under a second in all. */
const KEEP_EVERY_MS = 600;

export interface ChatHost {
  readonly engine: Engine;
  readonly status: ModelStatus;
  readonly settings: Settings;
  /** Something worth keeping has changed. */
  readonly keep: (conversation: Conversation) => void;
  readonly drafts: DraftKeeping;
  /** Title of the model that answers now; absent: replies do not say who wrote them. */
  readonly writer?: () => string;
  readonly newId?: () => string;
  readonly now?: () => number;
  readonly schedule?: FrameScheduler;
}

/** What went wrong with a message that could not be sent; its text is back in the box. */
export interface SendProblem {
  readonly message: string;
  readonly remedy: string;
}

/** Where ids and times come from. */
export interface Makers {
  readonly newId: () => string;
  readonly now: () => number;
}

/** A chat that has been private so far is about to be sent to a server. */
export interface PendingMove {
  /** Host and port. */
  readonly place: string;
  /** Messages that would leave. */
  readonly messages: number;
  readonly decide: (mayLeave: boolean) => void;
}

interface Job {
  readonly nodeId: NodeId;
  readonly live: LiveReply;
  readonly author: Author;
  generation: Generation | null;
  isStopped: boolean;
  /** Ends the wait for a model that is still loading. */
  endWait: () => void;
  /** The conversation as it was when another was opened in mid-reply; its jobs share it. */
  left: { conversation: Conversation } | null;
}

export class ChatSession {
  conversation: Conversation;
  sendProblem = $state.raw<SendProblem | null>(null);
  /** Finished sentences for the polite live region. */
  announcement = $state('');
  /** Bytes the live states hold for this conversation; null before its first reply here. */
  memory = $state.raw<MemoryReport | null>(null);

  /** Set while the person is asked whether this chat may leave the tab. */
  pendingMove = $state.raw<PendingMove | null>(null);

  /** How the first model's replies are written; null: by one call of the model each. */
  way = $state.raw<ReplyWay | null>(null);

  /** A second model that answers each question too; null: one answers. */
  second = $state.raw<Author | null>(null);
  /** Questions whose answers are shown beside each other. */
  besides = $state.raw<readonly NodeId[]>([]);

  /** Chats that may leave, with the server they may go to. */
  #mayLeave: readonly string[] = [];
  #draft = $state('');
  /** Replies that are being written: one, or two where a second model answers too. */
  #jobs = $state.raw<readonly Job[]>([]);
  /** The engine does one job at a time: a reply waits for the end of the one that was stopped for it. */
  #lastRun: Promise<unknown> = Promise.resolve();
  /** The same of the engine of a second model. */
  #lastBeside: Promise<unknown> = Promise.resolve();
  readonly #first: Author;
  readonly #host: ChatHost;
  readonly #newId: () => string;
  readonly #now: () => number;

  /** Messages that are shown, first to last. */
  readonly path: readonly ConversationNode[];
  readonly isBusy: boolean = $derived(this.#jobs.length > 0);
  /** The reply being written and its message; of two, the one that was begun first. */
  readonly live: { readonly id: NodeId; readonly reply: LiveReply } | null = $derived.by(() => {
    const [job] = this.#jobs;
    return job === undefined ? null : { id: job.nodeId, reply: job.live };
  });

  constructor(host: ChatHost) {
    this.#host = host;
    this.#newId = host.newId ?? (() => crypto.randomUUID());
    this.#now = host.now ?? (() => Date.now());
    this.#first = {
      turn: 'first',
      engine: host.engine,
      whenReady: () => host.status.whenReady(),
      get place() {
        return host.status.place;
      },
      writer: () => host.writer?.(),
    };
    this.conversation = $state.raw(this.#fresh());
    this.path = $derived(activePath(this.conversation.tree));
    // The states died with the engine.
    host.engine.onDeath(() => {
      this.memory = null;
    });
  }

  /** Text in the message box; kept for each conversation. */
  get draft(): string {
    return this.#draft;
  }

  set draft(text: string) {
    this.#draft = fitDraft(text);
    this.#host.drafts.save(this.#draftKey, this.#draft);
  }

  get canSend(): boolean {
    return this.draft.trim() !== '' && !this.isBusy;
  }

  /** Shows another conversation; a reply that runs is stopped and kept as far as it came. */
  open(conversation: Conversation): void {
    this.stop();
    this.pendingMove?.decide(false);
    const left = { conversation: this.conversation };
    for (const job of this.#jobs) job.left = left;
    this.#jobs = [];
    this.besides = [];
    this.conversation = conversation;
    this.memory = null;
    this.sendProblem = null;
    this.#draft = '';
    void this.loadDraft();
  }

  /** Reads the kept draft of the open conversation into the box, unless something is written there already. */
  async loadDraft(): Promise<void> {
    const { id } = this.conversation;
    const text = await this.#host.drafts.load(this.#draftKey);
    if (this.conversation.id === id && this.#draft === '') this.#draft = text;
  }

  /** Keeps a reply in mid-writing as it stands, when the page may be about to go. */
  keepNow(): void {
    for (const { nodeId, live } of this.#jobs) this.#setReply(nodeId, live.reply);
  }

  startNew(): void {
    this.open(this.#fresh());
  }

  /** What is written in the reply `id` at the moment; null when nothing is. */
  liveOf(id: NodeId): ReplyView | null {
    return this.#jobs.find(({ nodeId }) => nodeId === id)?.live.view ?? null;
  }

  /** What the author of the reply `id` does before its first token; '' where that goes without saying. */
  waitOf(id: NodeId): string {
    return this.#jobs.find(({ nodeId }) => nodeId === id)?.author.wait?.() ?? '';
  }

  /** Puts a changed tree in the place of this one, with fresh ids for what comes in; nothing while a reply is written. */
  rewrite(
    change: (tree: ConversationTree, make: Makers) => ConversationTree,
    text = '',
  ): ConversationTree | null {
    if (this.isBusy || (text !== '' && !this.#hasRoom(text))) return null;
    const before = this.conversation.tree;
    this.#update({ tree: change(before, this.makers) });
    return before;
  }

  /** Makes ids and times. */
  get makers(): Makers {
    return { newId: this.#newId, now: this.#now };
  }

  /**
   * Sends the draft, with files; does nothing when it is blank or a reply runs. False when the question is not in the chat
   * afterwards: whoever brought the files still has them to bring.
   */
  async send(text: string = this.draft, files: readonly AttachedFile[] = []): Promise<boolean> {
    if (text.trim() === '' || this.isBusy) return false;
    const more = files.reduce((sum, file) => sum + file.text.length, 0);
    if (!this.#hasRoom(text.trim(), more)) {
      // A text that did not come from the box would be lost otherwise.
      if (this.draft === '') this.draft = text;
      return false;
    }
    if (this.#mustAsk && !(await this.#asksToLeave())) return false;
    const isFirst = this.path.length === 0;
    const question = this.#newId();
    let tree = appendMessage(this.conversation.tree, {
      id: question,
      createdAt: this.#now(),
      role: 'user',
      text: text.trim(),
      ...(files.length === 0 ? {} : { files }),
    });
    const answer = this.#newId();
    tree = addMessage(tree, question, this.#emptyAnswer(answer));
    const title = isFirst && !this.conversation.isNamed ? titleFrom(text) : this.conversation.title;
    this.draft = '';
    this.#update({ tree, title });
    const isAlone = this.second === null;
    const error = await this.#answer(question, answer);
    // Where two answer, the other one may have read it.
    if (error?.code !== 'prompt-too-long' || !isAlone) return true;
    this.#update({ tree: removeMessage(this.conversation.tree, question) });
    if (this.draft === '') this.draft = text;
    this.sendProblem = error;
    return false;
  }

  stop(): void {
    for (const job of this.#jobs.filter(({ isStopped }) => !isStopped)) {
      job.isStopped = true;
      job.endWait();
      job.generation?.stop();
    }
  }

  /** Ends the thought of the reply `id`, or of all that are written. */
  answerNow(id: NodeId | null = null): void {
    for (const job of this.#jobs) if (id === null || job.nodeId === id) job.generation?.answerNow();
  }

  /** Answers a question that has no reply. */
  async answer(question: NodeId): Promise<void> {
    if (this.isBusy || !this.#hasRoom()) return;
    if (this.#mustAsk && !(await this.#asksToLeave())) return;
    const answer = this.#newId();
    this.#update({
      tree: addMessage(this.conversation.tree, question, this.#emptyAnswer(answer)),
    });
    await this.#answer(question, answer);
  }

  /** Another answer beside the reply `id`. */
  async regenerate(id: NodeId): Promise<void> {
    if (this.isBusy || !this.#hasRoom()) return;
    if (this.#mustAsk && !(await this.#asksToLeave())) return;
    const author = this.#authorOf(id);
    const fresh = this.#newId();
    const tree = regenerateReply(this.conversation.tree, id, {
      id: fresh,
      createdAt: this.#now(),
      thoughtLimit: this.conversation.thinkingLimit,
    });
    this.#update({ tree });
    await this.#run(fresh, false, author);
  }

  /** Goes on with a reply that was stopped, cut by its length or by a reload. */
  async continueReply(id: NodeId): Promise<void> {
    if (this.isBusy || !this.#hasRoom()) return;
    if (this.#mustAsk && !(await this.#asksToLeave())) return;
    await this.#run(id, true, this.#authorOf(id));
  }

  /** Another answer beside the reply `id` that goes on from the beginning given: another token at some place. */
  async branchReply(
    id: NodeId,
    begun: { readonly thought: string | null; readonly answer: string },
  ): Promise<void> {
    if (this.isBusy || !this.#hasRoom()) return;
    if (this.#mustAsk && !(await this.#asksToLeave())) return;
    const fresh = this.#newId();
    const tree = regenerateReply(this.conversation.tree, id, {
      id: fresh,
      createdAt: this.#now(),
      thoughtLimit: this.conversation.thinkingLimit,
    });
    const reply = { ...emptyReply(this.conversation.thinkingLimit), parts: begunParts(begun) };
    this.#update({ tree: setReply(tree, fresh, reply) });
    await this.#run(fresh, true);
  }

  /** Puts another question beside the question `id` and answers it. */
  async edit(id: NodeId, text: string): Promise<void> {
    if (this.isBusy || text.trim() === '' || !this.#hasRoom(text.trim())) return;
    if (this.#mustAsk && !(await this.#asksToLeave())) return;
    const question = this.#newId();
    const answer = this.#newId();
    let tree = editMessage(this.conversation.tree, id, {
      id: question,
      createdAt: this.#now(),
      text: text.trim(),
    });
    tree = addMessage(tree, question, this.#emptyAnswer(answer));
    this.#update({ tree });
    await this.#answer(question, answer);
  }

  /** Shows the branch `offset` places beside the message `id`. */
  switchBranch(id: NodeId, offset: number): void {
    if (this.isBusy) return;
    const { ids, index } = branchesAt(this.conversation.tree, id);
    const target = ids[index + offset];
    if (target !== undefined) this.#update({ tree: switchBranch(this.conversation.tree, target) });
  }

  branches(id: NodeId): { readonly count: number; readonly index: number } {
    const { ids, index } = branchesAt(this.conversation.tree, id);
    return { count: ids.length, index };
  }

  /** What the model would read if `text` were sent now, with files. */
  promptWith(text: string, files: readonly AttachedFile[]): readonly PromptMessage[] {
    const question = { id: 'next', createdAt: 0, role: 'user', text, files } as const;
    const tree = appendMessage(this.conversation.tree, question);
    return toPromptMessages(activePath(tree), this.conversation.systemPrompt);
  }

  setThinkingLimit(thinkingLimit: ThinkingLimit): void {
    this.#host.settings.change({ thinkingLimit });
    this.#update({ thinkingLimit });
  }

  setSystemPrompt(systemPrompt: string): void {
    this.#update({ systemPrompt: fitSystemPrompt(systemPrompt) });
  }

  /** Holds the answers to come to a schema, which has been read before; '' lets them be any text. */
  setAnswerSchema(answerSchema: string): void {
    this.#update({ answerSchema });
  }

  rename(title: string): void {
    const fitting = fitTitle(title);
    if (fitting !== '') this.#update({ title: fitting, isNamed: true });
  }

  /** True when the chat can take a reply, and `text` before it; else `sendProblem` says why not. */
  #hasRoom(text = '', more = 0): boolean {
    this.sendProblem = entryProblem(this.conversation, text, more);
    return this.sendProblem === null;
  }

  /**
   * True when the person must be asked before the open chat goes to whoever answers. What was written with the model in
   * this tab has been private; a chat that this server has answered in is known there.
   */
  get #mustAsk(): boolean {
    return this.#placeToAsk !== null;
  }

  /** Where the open chat would go, and is not known yet. */
  get #placeToAsk(): string | null {
    if (this.path.length === 0) return null;
    const isKnown = (place: string): boolean =>
      this.#mayLeave.includes(`${this.conversation.id} ${place}`) ||
      this.path.some(
        (node) =>
          node.role === 'assistant' && placeOfDevice(node.reply.stats?.device ?? '') === place,
      );
    return this.#places.find((place) => !isKnown(place)) ?? null;
  }

  /** Servers that answer. */
  get #places(): readonly string[] {
    return [this.#first.place, this.second?.place ?? null].filter((place) => place !== null);
  }

  /** Asks, once for each chat and server. */
  async #asksToLeave(): Promise<boolean> {
    const place = this.#placeToAsk;
    const { id } = this.conversation;
    if (place === null || this.pendingMove !== null) return false;
    const mayLeave = await new Promise<boolean>((decide) => {
      this.pendingMove = { place, messages: this.path.length, decide };
    });
    this.pendingMove = null;
    if (mayLeave) this.#mayLeave = [...this.#mayLeave, `${id} ${place}`];
    // Meanwhile another chat may have been opened, another model chosen, or a reply begun.
    const isSame = this.conversation.id === id && this.#places.includes(place);
    if (!mayLeave || !isSame || this.isBusy) return false;
    return this.#mustAsk ? this.#asksToLeave() : true;
  }

  get #draftKey(): string {
    return this.path.length === 0 ? NEW_CHAT_DRAFT : this.conversation.id;
  }

  #fresh(): Conversation {
    const { thinkingLimit, systemPrompt } = this.#host.settings.values;
    return newConversation(this.#newId(), this.#now(), { thinkingLimit, systemPrompt });
  }

  #emptyAnswer(id: NodeId): {
    id: NodeId;
    createdAt: number;
    role: 'assistant';
    reply: ReplyContent;
  } {
    const reply = emptyReply(this.conversation.thinkingLimit);
    return { id, createdAt: this.#now(), role: 'assistant', reply };
  }

  #update(change: Partial<Conversation>): void {
    this.conversation = { ...this.conversation, ...change, updatedAt: this.#now() };
    if (this.path.length > 0) this.#host.keep(this.conversation);
  }

  #setReply(id: NodeId, reply: ReplyContent): void {
    this.#update({ tree: setReply(this.conversation.tree, id, fitReply(reply)) });
  }

  /** Runs other work on the engine when no reply is being written; replies wait for its end. */
  runAlone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#lastRun.then(work);
    this.#lastRun = run.catch(() => null);
    return run;
  }

  /** Who goes on with the reply `id` or writes it anew: the second model with its own, the first with all others. */
  #authorOf(id: NodeId): Author {
    const node = nodeOf(this.conversation.tree, id);
    const { second } = this;
    if (second === null || node.role !== 'assistant') return this.#first;
    const title = second.writer();
    const isSeconds = node.reply.writer === title && title !== this.#first.writer();
    return isSeconds ? second : this.#first;
  }

  /**
   * Writes the reply `id` of a question, and another beside it where a second model answers too; the first is the one that
   * is read. Gives the error that the first ended in, or null.
   */
  async #answer(question: NodeId, id: NodeId): Promise<EngineError | null> {
    const { second } = this;
    if (second === null) {
      return this.drafts > 1 ? this.#bestOf(id, this.drafts) : this.#run(id, false);
    }
    const beside = this.#newId();
    const tree = addMessage(this.conversation.tree, question, this.#emptyAnswer(beside));
    this.besides = [...this.besides, question];
    this.#update({ tree: switchBranch(tree, id) });
    const [error] = await Promise.all([this.#run(id, false), this.#run(beside, false, second)]);
    return error;
  }

  /** Replies that are written to a question, of which the best is shown; 1: it is not chosen. */
  get drafts(): number {
    const { settings, status } = this.#host;
    return this.way === null && status.model?.canScore === true ? settings.values.bestOf : 1;
  }

  /**
   * Writes `count` replies beside each other, the first of them `id`, and shows the best. A stop ends
   * the draft and all that would follow; what was written stays, as versions.
   */
  async #bestOf(id: NodeId, count: number): Promise<EngineError | null> {
    const { id: chatId } = this.conversation;
    const written = [id];
    let error = await this.#run(id, false);
    while (written.length < count && error === null && this.conversation.id === chatId) {
      const last = nodeOf(this.conversation.tree, written.at(-1) ?? id);
      if (last.role !== 'assistant' || last.reply.finish === 'stopped') break;
      if (!this.#hasRoom()) break;
      const fresh = this.#newId();
      const tree = regenerateReply(this.conversation.tree, id, {
        id: fresh,
        createdAt: this.#now(),
        thoughtLimit: this.conversation.thinkingLimit,
      });
      this.#update({ tree });
      written.push(fresh);
      error = await this.#run(fresh, false);
    }
    if (this.conversation.id !== chatId) return error;
    const { tree } = this.conversation;
    const best = bestReply(tree, written);
    if (best !== null) this.#update({ tree: switchBranch(tree, best) });
    return error;
  }

  /** Writes the reply `id`; gives the error it ended in, or null. */
  #run(id: NodeId, isContinued: boolean, author = this.#first): Promise<EngineError | null> {
    const previous = author.turn === 'beside' ? this.#lastBeside : this.#lastRun;
    const run = this.#write(id, isContinued, previous, author);
    const last = run.then(
      () => author.release?.(),
      () => author.release?.(),
    );
    if (author.turn === 'beside') this.#lastBeside = last;
    else this.#lastRun = last;
    return run;
  }

  async #write(
    id: NodeId,
    isContinued: boolean,
    previous: Promise<unknown>,
    author: Author,
  ): Promise<EngineError | null> {
    const isFirst = author.turn === 'first';
    const node = nodeOf(this.conversation.tree, id);
    if (node.role !== 'assistant') throw new RangeError(`message ${id} is no reply`);
    const sentences = createSentenceSegmenter();
    let keptAt = this.#now();
    const live = new LiveReply(
      { ...node.reply, finish: null, problem: '' },
      {
        schedule: this.#host.schedule ?? nextFrame,
        onText: (text) => {
          const finished = sentences.push(text);
          // Two voices at once are none: of the second only its end is said.
          if (finished.length > 0 && isFirst) this.announcement = finished.join(' ');
        },
      },
    );
    const job: Job = {
      nodeId: id,
      live,
      author,
      generation: null,
      isStopped: false,
      endWait: () => {},
      left: null,
    };
    const waitEnds = new Promise<void>((resolve) => {
      job.endWait = resolve;
    });
    const isOpen = (): boolean => job.left === null;
    this.#jobs = [...this.#jobs, job];
    if (isFirst) this.announcement = '';
    const before = node.reply;
    const conversation = this.conversation;
    let reply: ReplyContent;
    let failure: EngineError | null = null;
    try {
      if (author.turn === 'after') await previous;
      if (!job.isStopped) await Promise.race([author.whenReady(), waitEnds]);
      if (!job.isStopped) await previous;
      if (job.isStopped) {
        reply = { ...live.reply, finish: 'stopped' };
      } else {
        const writer = author.writer();
        if (writer !== undefined) live.sign(writer);
        const request = generateRequest(
          conversation,
          node,
          isContinued,
          this.#host.settings.values,
          isFirst && this.drafts > 1,
        );
        const onEvents: ReplyEvents = (events) => {
          live.take(events);
          if (isFirst && events.some((event) => event.type === 'thought-start')) {
            this.announcement = t('The model is thinking.');
          }
          const { memory } = live.view;
          if (memory !== null && isFirst && isOpen()) this.memory = memory;
          if (Math.abs(this.#now() - keptAt) < KEEP_EVERY_MS) return; // a clock may jump back
          keptAt = this.#now();
          if (isOpen()) this.#setReply(id, live.reply);
        };
        // The second model answers plainly, whatever the first does; so does one that goes on with a plain reply.
        const isPlain = !isFirst || (isContinued && rolesOf(before.parts).length === 0);
        job.generation =
          this.way === null || isPlain
            ? author.engine.generate(request, onEvents)
            : this.way.generate(author.engine, request, before.parts, onEvents);
        const result = await job.generation.done;
        reply = live.finish(result);
        if (isFirst && isOpen()) this.memory = result.memory;
      }
    } catch (cause) {
      failure = asEngineError(cause);
      reply = live.fail(`${said(failure.message)} ${said(failure.remedy)}`);
    }
    if (isContinued) reply = withEarlierStats(reply, before);
    if (job.left === null) {
      this.#setReply(id, reply);
      const last = sentences.flush();
      const told = isFirst
        ? last
        : t('{writer} has answered too.', { writer: reply.writer ?? t('The second model') });
      this.announcement = failure === null ? told : said(failure.message);
    } else {
      const { left } = job;
      left.conversation = {
        ...left.conversation,
        tree: setReply(left.conversation.tree, id, fitReply(reply)),
        updatedAt: this.#now(),
      };
      this.#host.keep(left.conversation);
    }
    this.#jobs = this.#jobs.filter((other) => other !== job);
    return failure;
  }
}
