/**
 * Owns the files that wait beside the message box: they are read, their tokens counted against the context, and cut where
 * the model has no room.
 */
import { t } from '../../core/language/translate';
import type { AttachedFile } from '../../core/chat/attached-file';
import { fitTexts } from '../../core/files/cut-to-room';
import { shortenText } from '../../core/text/letters';
import { LIMITS } from '../../storage/stored-conversation';
import type { ChatSession } from '../chat-session.svelte';
import type { ModelStatus } from '../model-status.svelte';
import type { Settings } from '../settings.svelte';
import type { ReadFile } from './read-file';

export interface PendingFile {
  readonly id: number;
  readonly name: string;
  /** As far as it was read. */
  readonly whole: string;
  /** Of the file's letters those that `whole` has. */
  readonly wholeShare: number;
  /** What the model will read; null: not counted yet. `empty`: there is no room for any of it. */
  readonly fitted: AttachedFile | 'empty' | null;
}

export interface PendingFilesHost {
  readonly chat: ChatSession;
  readonly status: ModelStatus;
  readonly settings: Settings;
  readonly count: (messages: ReturnType<ChatSession['promptWith']>) => Promise<number>;
  readonly read: (file: File) => Promise<ReadFile>;
}

/** What is taken of the context before files, so that the reply has room. */
export interface ContextRoom {
  /** Tokens that the context holds. */
  readonly context: number;
  /** Of them kept for the thought and the answer. */
  readonly reply: number;
  /** Of the rest taken by chat, question and files. */
  readonly taken: number;
}

/** A thought without a limit gets so many tokens at least. */
const UNLIMITED_THOUGHT = 256;
/** For what closes a thought and ends a turn. */
const RESERVE = 32;
/** The reply never takes more than this share from the files. */
const MOST_REPLY_SHARE = 0.5;
/** A server counts its tokens itself; English text has about so many letters for each. */
const LETTERS_A_TOKEN = 4;

export class PendingFiles {
  list = $state.raw<readonly PendingFile[]>([]);
  /** Names of files that are being read. */
  reading = $state.raw<readonly string[]>([]);
  /** Sentences about files that could not be taken. */
  problems = $state.raw<readonly string[]>([]);
  /** Null: not counted yet, or the context is not known. */
  room = $state.raw<ContextRoom | null>(null);

  isSending = $state(false);

  readonly #host: PendingFilesHost;
  #ids = 0;
  /** Grows with every fit: one that was overtaken changes nothing. */
  #fits = 0;

  constructor(host: PendingFilesHost) {
    this.#host = host;
  }

  get isEmpty(): boolean {
    return this.list.length + this.reading.length + this.problems.length === 0;
  }

  /** Reads files and puts them beside the message; what cannot be taken is said in `problems`. */
  async add(files: readonly File[]): Promise<void> {
    this.problems = [];
    const room = LIMITS.files - this.list.length - this.reading.length;
    const taken = files.slice(0, Math.max(0, room));
    if (taken.length < files.length)
      this.problems = [
        t('A question takes at most {files} files; the first {length} of these were added.', {
          files: LIMITS.files,
          length: taken.length,
        }),
      ];
    this.reading = [...this.reading, ...taken.map(({ name }) => name)];
    for (const file of taken) {
      const read = await this.#host.read(file);
      this.reading = this.reading.filter((_, at) => at !== this.reading.indexOf(file.name));
      if (!read.ok) this.problems = [...this.problems, read.problem];
      else this.list = [...this.list, this.#pending(file.name, read.text, read.share)];
    }
    await this.fit();
  }

  #pending(name: string, whole: string, wholeShare: number): PendingFile {
    this.#ids += 1;
    const shown = shortenText(name, LIMITS.fileNameLength);
    return { id: this.#ids, name: shown, whole, wholeShare, fitted: null };
  }

  remove(id: number): void {
    this.list = this.list.filter((file) => file.id !== id);
    void this.fit();
  }

  dismissProblems(): void {
    this.problems = [];
  }

  /** The files, gone from beside the box; `putBack` brings them back. */
  take(): readonly PendingFile[] {
    const taken = this.list;
    this.list = [];
    this.problems = [];
    this.room = null;
    return taken;
  }

  putBack(files: readonly PendingFile[]): void {
    this.list = [...files, ...this.list].slice(0, LIMITS.files);
    void this.fit();
  }

  /**
   * Sends the draft with the files, once a model that is still loading has counted them. Gives the sentence that stands in
   * the way, or '' when the question is on its way.
   */
  async send(): Promise<string> {
    const { chat, status } = this.#host;
    if (this.reading.length > 0)
      return t('A file is still being read. Send again when it is here.');
    if (this.isSending) return '';
    this.isSending = true;
    try {
      const { id } = chat.conversation;
      let text = '';
      do {
        text = chat.draft;
        // A model that does not come is a sentence of the reply; the letters are counted then.
        await status.whenReady().catch(() => undefined);
        await this.fit(text);
        if (chat.conversation.id !== id || text.trim() === '') return '';
      } while (chat.draft !== text || this.list.some(({ fitted }) => fitted === null));
      const files = this.list.flatMap(({ fitted }) =>
        fitted === null || fitted === 'empty' ? [] : [fitted],
      );
      if (files.length < this.list.length)
        return t(
          'There is no room left for a file in this chat. Take it away, or start a new chat for it.',
        );
      const taken = this.take();
      void chat.send(text, files).then((isIn) => {
        if (!isIn) this.putBack(taken);
      });
      return '';
    } finally {
      this.isSending = false;
    }
  }

  /**
   * Counts and cuts anew: for what is written, for the chat that is open and the model that answers now. While a model
   * loads nothing is counted.
   */
  async fit(question = this.#host.chat.draft): Promise<void> {
    this.#fits += 1;
    const own = this.#fits;
    const files = this.list;
    const counter = this.#counter();
    if (files.length === 0 || counter === null) {
      this.room = null;
      return;
    }
    const { context, count } = counter;
    const reply = Number.isFinite(context) ? this.#replyTokens(context) : 0;
    const base = await count(question, null);
    const fitted = await fitTexts(
      files.map(({ whole }) => whole),
      context - reply - base,
      async (text) => (await count(question, text)) - base,
    );
    if (own !== this.#fits) return;
    this.list = files.map((file, at): PendingFile => {
      const cut = fitted[at] ?? null;
      if (cut === null) return { ...file, fitted: 'empty' };
      const { name, whole, wholeShare } = file;
      const share = Math.min(1, (wholeShare * cut.text.length) / whole.length);
      const tokens = this.#host.status.place === null ? cut.tokens : null;
      return { ...file, fitted: { name, text: cut.text, share, tokens } };
    });
    const used = fitted.reduce((sum, cut) => sum + (cut?.tokens ?? 0), 0);
    this.room = Number.isFinite(context) ? { context, reply, taken: base + used } : null;
  }

  /** How tokens are counted now, and how many the context holds (Infinity where nobody says); null while a model loads. */
  #counter(): {
    context: number;
    count: (question: string, text: string | null) => Promise<number>;
  } | null {
    const { chat, status, count } = this.#host;
    const { model, place, phase } = status;
    const messages = (question: string, text: string | null) =>
      chat.promptWith(
        question,
        text === null ? [] : [{ name: 'file', text, share: 1, tokens: null }],
      );
    if (model !== null && place === null)
      return {
        context: model.spec.maxPositions,
        count: (question, text) => count(messages(question, text)),
      };
    if (model === null && phase !== 'failed') return null;
    return {
      context: model?.server?.contextTokens ?? Infinity,
      count: async (question, text) => {
        const letters = messages(question, text).reduce(
          (sum, { content }) => sum + content.length,
          0,
        );
        return Math.ceil(letters / LETTERS_A_TOKEN);
      },
    };
  }

  #replyTokens(context: number): number {
    const { maxAnswerTokens } = this.#host.settings.values;
    const { thinkingLimit } = this.#host.chat.conversation;
    const thought = thinkingLimit === 'unlimited' ? UNLIMITED_THOUGHT : thinkingLimit;
    return Math.min(maxAnswerTokens + thought + RESERVE, Math.floor(context * MOST_REPLY_SHARE));
  }
}
