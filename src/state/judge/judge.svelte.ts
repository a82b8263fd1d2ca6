/**
 * Owns a judging: tasks, up to six sources of replies, a judge, and what it said so far; writes what replies are missing, asks
 * what verdicts are missing, keeps all of it in the browser, and goes on from there. Owns no figures (judge-figures.ts).
 */
import { cutText } from '../../core/text/letters';
import { said, t } from '../../core/language/translate';
import { createReplyRecorder } from '../../core/evaluation/reply-recorder';
import { openJudgeFile, verdictsCsv, type JudgeBook } from '../../core/judge/judge-file';
import { readJudging, writeJudging } from '../../core/judge/judging';
import { FORCED_ANSWER, judgeQuestion, readAnswer } from '../../core/judge/question';
import {
  byPlace,
  firstByTurns,
  placeKey,
  sourcesOf,
  type JudgeTask,
  type TaskReply,
  type Verdict,
} from '../../core/judge/rubric';
import {
  judgeName,
  MOST_SOURCES,
  readSetUp,
  sourceName,
  type JudgeSetUp,
  type ReplySource,
} from '../../core/judge/set-up';
import { GREEDY } from '../../core/sampling/greedy';
import type { Engine, Generation } from '../../engine/engine';
import type { GenerateRequest, ThinkingLimit } from '../../protocol/engine-api';
import type { JudgeStore } from '../../storage/judge-store';
import { asEngineError } from '../model-status.svelte';
import type { JudgeEngines } from './judge-engines.svelte';

/** Longest answer to a task, and of a judge, of whose answer only the first words count. In tokens. */
const REPLY_TOKENS = 160;
const VERDICT_TOKENS = 8;
const FILE_BYTES = 64 * 1024 * 1024;
/** Of text that a person pastes. */
const PASTE_LENGTH = 20_000;

export type JudgePhase = 'idle' | 'running' | 'stopped' | 'done' | 'failed';

export interface JudgeHost {
  readonly engines: JudgeEngines;
  readonly store: Pick<JudgeStore, 'load' | 'save'>;
  /** The text of the page's own set. */
  readonly fetchTasks: () => Promise<string>;
  readonly now: () => number;
  readonly onProblem: (error: unknown) => void;
}

interface Written {
  readonly text: string;
  readonly promptTokens: number | null;
  readonly tokens: number;
  readonly ms: number;
}

export class Judge {
  book = $state.raw<JudgeBook>({ tasks: [], replies: [], verdicts: [] });
  setUp = $state.raw<JudgeSetUp>(readSetUp(undefined));
  phase = $state<JudgePhase>('idle');
  /** What is not as it should be, as sentences. */
  problems = $state.raw<readonly string[]>([]);

  readonly engines: JudgeEngines;
  readonly #host: JudgeHost;
  #generation: Generation | null = null;
  #isStopped = false;
  #asked = 0;
  #running: Promise<void> = Promise.resolve();
  #saving: Promise<void> = Promise.resolve();

  /** The tasks that are judged, the domains by turns. */
  readonly tasks: readonly JudgeTask[] = $derived(
    firstByTurns(this.book.tasks, this.setUp.taskCount),
  );
  readonly #replies = $derived(byPlace(this.book.replies));
  /** The model that judges: the one that answers in the chat, until another is chosen. */
  readonly judgeModel: string = $derived.by(() => {
    const { judgeModel } = this.setUp;
    return judgeModel === '' ? (this.engines.models[0]?.key ?? '') : judgeModel;
  });
  /** Who judges, as verdicts and files call it. */
  readonly judge: string = $derived.by(() => {
    const model = this.engines.models.find(({ key }) => key === this.judgeModel);
    return judgeName(model?.title ?? this.setUp.judgeTitle, this.setUp);
  });
  readonly #verdicts = $derived(
    byPlace(this.book.verdicts.filter(({ judge }) => judge === this.judge)),
  );
  /** Replies to be written and criteria to be judged, and how many of them are done. */
  readonly progress = $derived.by(() => {
    let done = 0;
    let total = 0;
    for (const { name, model } of this.setUp.sources)
      for (const task of this.tasks) {
        const isThere = this.#replies.has(placeKey(name, task.id, 0));
        if (model === null && !isThere) continue;
        if (model !== null) {
          total += 1;
          if (isThere) done += 1;
        }
        total += task.criteria.length;
        done += task.criteria.filter((_, at) => this.verdict(name, task.id, at) !== null).length;
      }
    return { done, total };
  });

  constructor(host: JudgeHost) {
    this.#host = host;
    this.engines = host.engines;
  }

  /** What the judge said of a criterion; null where it was not asked. */
  verdict(source: string, task: string, criterion: number): Verdict | null {
    return this.#verdicts.get(placeKey(source, task, criterion)) ?? null;
  }

  reply(source: string, task: string): TaskReply | null {
    return this.#replies.get(placeKey(source, task, 0)) ?? null;
  }

  /** Takes up what the browser kept, or else the page's own set. */
  async load(): Promise<void> {
    try {
      const kept = await this.#host.store.load();
      if (kept === undefined) return await this.useOwnSet();
      const { book, setUp, problems } = readJudging(kept);
      this.book = book;
      this.setUp = setUp;
      this.problems = problems;
      const { done, total } = this.progress;
      this.phase = done === 0 ? 'idle' : done < total ? 'stopped' : 'done';
    } catch (error) {
      this.#host.onProblem(error);
      await this.useOwnSet();
    }
  }

  /** The page's own forty tasks, with the replies that are labelled. */
  async useOwnSet(): Promise<void> {
    try {
      this.#take(await this.#host.fetchTasks(), '');
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Tasks, replies to those that are here, or a file that this page has saved. Never rejects. */
  async takeFile(file: File): Promise<void> {
    try {
      if (file.size > FILE_BYTES) this.problems = [t('The file is too large to be one of tasks.')];
      else this.#take(await file.text(), file.name.replace(/\.\w+$/, ''));
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(text: string, name: string): void {
    const { kind, problems, ...read } = openJudgeFile(text, name, this.book.tasks);
    this.problems = problems;
    if (kind === 'replies') {
      const names = sourcesOf(read.replies);
      const taken = names.filter((one) =>
        this.#add({ name: one, model: null, title: one, limit: 0 }),
      );
      this.#put(read.replies.filter(({ source }) => taken.includes(source)));
      this.#changed();
      return;
    }
    this.book = read;
    const sources = sourcesOf(read.replies);
    this.setUp = {
      ...this.setUp,
      sources: sources
        .slice(0, MOST_SOURCES)
        .map((one) => ({ name: one, model: null, title: one, limit: 0 })),
    };
    if (sources.length > MOST_SOURCES) this.#tellFull();
    this.#changed();
  }

  /** Adds a reply that a person pastes; one of the same name to the same task is replaced. */
  paste(name: string, task: string, text: string): void {
    const source = name.trim();
    if (source === '' || text.trim() === '') return;
    if (!this.#add({ name: source, model: null, title: source, limit: 0 })) return;
    this.#put([{ source, task, text: cutText(text, PASTE_LENGTH), tokens: null, ms: null }]);
    this.#changed();
  }

  /** Lets a model write replies at a limit. */
  addModel(key: string, limit: ThinkingLimit): void {
    const model = this.engines.models.find((one) => one.key === key);
    if (model === undefined) return;
    this.problems = [];
    if (this.#add({ name: sourceName(model.title, limit), model: key, title: model.title, limit }))
      this.#changed();
  }

  removeSource(name: string): void {
    this.setUp = {
      ...this.setUp,
      sources: this.setUp.sources.filter((source) => source.name !== name),
    };
    this.#changed();
  }

  change(
    part: Partial<Pick<JudgeSetUp, 'taskCount' | 'judgeModel' | 'judgeLimit' | 'isForced'>>,
  ): void {
    const key = part.judgeModel ?? this.setUp.judgeModel;
    const model = this.engines.models.find((one) => one.key === key);
    this.setUp = { ...this.setUp, ...part, judgeTitle: model?.title ?? this.setUp.judgeTitle };
    this.#changed();
  }

  /** Forgets what was said and written here; tasks and labelled replies stay. */
  forgetVerdicts(): void {
    const files = this.setUp.sources.filter(({ model }) => model === null).map(({ name }) => name);
    const { tasks, replies } = this.book;
    this.book = {
      tasks,
      replies: replies.filter(({ source }) => files.includes(source)),
      verdicts: [],
    };
    this.#changed();
  }

  asJson(): string {
    return `${JSON.stringify(writeJudging(this), null, 1)}\n`;
  }

  asCsv(): string {
    return verdictsCsv(this.book);
  }

  /** Writes and judges what is missing. Never rejects. */
  run(): Promise<void> {
    if (this.phase !== 'running') this.#running = this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    this.phase = 'running';
    this.problems = [];
    this.#isStopped = false;
    try {
      for (const source of this.setUp.sources) await this.#write(source);
      await this.#judge();
      this.phase = this.#hasStopped() ? 'stopped' : 'done';
    } catch (error) {
      this.#fail(error);
      this.phase = 'failed';
    }
    await this.#save();
  }

  /** Ends within one token; what was said stays. */
  stop(): void {
    this.#isStopped = true;
    this.#generation?.stop();
  }

  /** Stops, and resolves once all that was said is kept: from then on what is kept may be changed from elsewhere. */
  async settle(): Promise<void> {
    if (this.phase === 'running') this.stop();
    await this.#running;
    await this.#saving;
  }

  async #write({ name, model, limit }: ReplySource): Promise<void> {
    const missing = this.tasks.filter(({ id }) => this.reply(name, id) === null);
    if (model === null || missing.length === 0 || this.#hasStopped()) return;
    await this.engines.use(model, async (engine) => {
      for (const task of missing) {
        const written = await this.#ask(engine, {
          messages: [{ role: 'user', content: task.prompt }],
          thinkingLimit: limit,
          maxAnswerTokens: REPLY_TOKENS,
        });
        if (written === null) return;
        const { text, tokens, ms } = written;
        this.#put([{ source: name, task: task.id, text: text.trim(), tokens, ms }]);
        await this.#save();
      }
    });
  }

  async #judge(): Promise<void> {
    const { sources, judgeLimit, isForced } = this.setUp;
    const { done, total } = this.progress;
    if (done === total || this.#hasStopped()) return;
    await this.engines.use(this.judgeModel, async (engine) => {
      for (const task of this.tasks)
        for (const { name } of sources) {
          const reply = this.reply(name, task.id);
          if (reply === null) continue;
          for (const [at, { description }] of task.criteria.entries()) {
            if (this.verdict(name, task.id, at) !== null) continue;
            const written = await this.#ask(engine, {
              messages: [{ role: 'user', content: judgeQuestion(reply.text, description) }],
              thinkingLimit: judgeLimit,
              maxAnswerTokens: VERDICT_TOKENS,
              ...(isForced ? { answerSchema: FORCED_ANSWER } : {}),
            });
            if (written === null) return;
            const { text, promptTokens, tokens, ms } = written;
            const place = { judge: this.judge, source: name, task: task.id, criterion: at };
            const verdict = { ...place, answer: readAnswer(text), promptTokens, tokens, ms };
            this.book = { ...this.book, verdicts: [...this.book.verdicts, verdict] };
          }
          await this.#save();
        }
    });
  }

  /** Null when it was stopped. */
  async #ask(
    engine: Engine,
    asked: Pick<GenerateRequest, 'messages' | 'thinkingLimit' | 'maxAnswerTokens' | 'answerSchema'>,
  ): Promise<Written | null> {
    if (this.#hasStopped()) return null;
    const recorder = createReplyRecorder(asked.thinkingLimit, null);
    const begun = this.#host.now();
    let promptTokens: number | null = null;
    this.#asked += 1;
    this.#generation = engine.generate(
      {
        ...asked,
        id: `judge-${this.#asked}`,
        closingSentence: '',
        sampling: GREEDY,
        stopStrings: [],
        tools: [],
        candidates: 0,
      },
      (events) => {
        for (const event of events) {
          if (event.type === 'prefill') promptTokens = event.total;
          recorder.take(event);
        }
      },
    );
    try {
      const { finish, stats } = await this.#generation.done;
      if (this.#hasStopped()) return null;
      const { answer, thoughtTokens, answerTokens } = recorder.record(finish, stats);
      return {
        text: answer,
        promptTokens,
        tokens: thoughtTokens + answerTokens,
        ms: this.#host.now() - begun,
      };
    } finally {
      this.#generation = null;
    }
  }

  #hasStopped(): boolean {
    return this.#isStopped;
  }

  /** False, and said, where there are six already. */
  #add(source: ReplySource): boolean {
    const { sources } = this.setUp;
    if (sources.some(({ name }) => name === source.name)) return true;
    if (sources.length >= MOST_SOURCES) {
      this.#tellFull();
      return false;
    }
    this.setUp = { ...this.setUp, sources: [...sources, source] };
    return true;
  }

  #tellFull(): void {
    this.problems = [
      ...this.problems,
      t('Replies come from {most} sources at most; take one away first.', { most: MOST_SOURCES }),
    ];
  }

  /** A reply that changes loses what was said of it. */
  #put(replies: readonly TaskReply[]): void {
    const fresh = byPlace(replies);
    const isFresh = (one: { source: string; task: string }): boolean =>
      fresh.has(placeKey(one.source, one.task, 0));
    this.book = {
      ...this.book,
      replies: [...this.book.replies.filter((one) => !isFresh(one)), ...replies],
      verdicts: this.book.verdicts.filter((one) => !isFresh(one)),
    };
  }

  /** Tasks, sources or judge are others now. */
  #changed(): void {
    const { done, total } = this.progress;
    this.phase = total > 0 && done === total ? 'done' : 'idle';
    void this.#save();
  }

  #save(): Promise<void> {
    this.#saving = this.#putAway();
    return this.#saving;
  }

  async #putAway(): Promise<void> {
    try {
      await this.#host.store.save(writeJudging(this));
    } catch (error) {
      this.#host.onProblem(error);
    }
  }

  #fail(error: unknown): void {
    const { message, remedy } = asEngineError(error);
    this.problems = [...this.problems, `${said(message)} ${said(remedy)}`];
  }
}
