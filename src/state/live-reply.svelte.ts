/** Owns one reply while it is being written: gathers the engine's events and shows them at most once a frame. */
import { growReply, type RoleEvent } from '../core/chat/grow-reply';
import { signReply, type ReplyContent, type ReplyPart } from '../core/chat/reply';
import { thoughtTokensOf } from '../core/chat/reply-parts';
import type { EngineEvent, GenerateResult, MemoryReport, ThoughtEnd } from '../protocol/engine-api';

export type ReplyPhase = 'waiting' | 'reading' | 'thinking' | 'writing' | 'using-tool';

export interface ReplyView {
  readonly reply: ReplyContent;
  readonly phase: ReplyPhase;
  /** Prompt tokens read so far, of all; null before the first chunk. */
  readonly prefill: {
    readonly done: number;
    readonly total: number;
    readonly reused: number;
  } | null;
  /** Thought tokens the model sampled, in all thoughts together. */
  readonly thoughtTokens: number;
  readonly memory: MemoryReport | null;
}

/** Runs `write` at the next frame; in a hidden tab, where no frames come, within a quarter of a second. */
export type FrameScheduler = (write: () => void) => void;

export const nextFrame: FrameScheduler = (write) => {
  if (document.visibilityState === 'visible') requestAnimationFrame(write);
  else setTimeout(write, 250);
};

export class LiveReply {
  /** What the page shows. */
  view: ReplyView;

  readonly #schedule: FrameScheduler;
  readonly #now: () => number;
  readonly #onText: (answer: string) => void;
  #reply: ReplyContent;
  #phase: ReplyPhase = 'waiting';
  #prefill: ReplyView['prefill'] = null;
  #memory: MemoryReport | null = null;
  #thoughtStartedAt: number | null = null;
  #freshAnswer = '';
  #isScheduled = false;

  constructor(
    reply: ReplyContent,
    options: {
      readonly schedule?: FrameScheduler;
      readonly now?: () => number;
      /** New answer text, once a frame. */
      readonly onText?: (answer: string) => void;
    } = {},
  ) {
    this.#reply = reply;
    this.#schedule = options.schedule ?? nextFrame;
    this.#now = options.now ?? (() => performance.now());
    this.#onText = options.onText ?? (() => {});
    this.view = $state.raw(this.#viewNow());
  }

  /** Notes who writes from here on. */
  sign(writer: string): void {
    this.#reply = signReply(this.#reply, writer);
  }

  /** Takes one batch of events; the view follows at the next frame. */
  readonly take = (events: readonly (EngineEvent | RoleEvent)[]): void => {
    for (const event of events) this.#apply(event);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      this.#publish();
    });
  };

  /** The finished reply; what had not been shown yet is shown now. */
  finish(result: GenerateResult): ReplyContent {
    this.#reply = {
      ...this.#reply,
      parts: withThoughtEnd(this.#reply.parts, result.thoughtEnd),
      stats: result.stats,
      finish: result.finish,
      ...(result.reward === undefined ? {} : { reward: result.reward }),
    };
    this.#memory = result.memory;
    this.#publish();
    return this.#reply;
  }

  /** The reply as far as it came when the engine gave up. */
  fail(problem: string): ReplyContent {
    this.#reply = {
      ...this.#reply,
      parts: withThoughtEnd(this.#reply.parts, 'stopped'),
      finish: 'failed',
      problem,
    };
    this.#publish();
    return this.#reply;
  }

  /** The reply so far, for saving in mid-reply. */
  get reply(): ReplyContent {
    return this.#reply;
  }

  #viewNow(): ReplyView {
    const running = this.#thoughtStartedAt === null ? 0 : this.#now() - this.#thoughtStartedAt;
    const { parts } = this.#reply;
    const last = parts.at(-1);
    return {
      reply:
        running > 0 && last?.kind === 'thought'
          ? { ...this.#reply, parts: [...parts.slice(0, -1), { ...last, ms: last.ms + running }] }
          : this.#reply,
      phase: this.#phase,
      prefill: this.#prefill,
      thoughtTokens: thoughtTokensOf(parts) ?? 0,
      memory: this.#memory,
    };
  }

  #publish(): void {
    this.view = this.#viewNow();
    if (this.#freshAnswer !== '') {
      this.#onText(this.#freshAnswer);
      this.#freshAnswer = '';
    }
  }

  #apply(event: EngineEvent | RoleEvent): void {
    this.#reply = { ...this.#reply, parts: growReply(this.#reply.parts, event) };
    switch (event.type) {
      case 'prefill':
        this.#phase = 'reading';
        this.#prefill = event;
        return;
      case 'thought-start':
        this.#phase = 'thinking';
        this.#thoughtStartedAt = this.#now();
        return;
      case 'thought-end':
        this.#phase = 'writing';
        this.#thoughtStartedAt = null;
        return;
      case 'token':
        if (event.channel === 'tool-call') this.#phase = 'using-tool';
        if (event.channel !== 'answer') return;
        this.#phase = 'writing';
        this.#freshAnswer += event.text;
        return;
      case 'tool-call':
        this.#phase = 'using-tool';
        return;
      case 'tool-result':
        this.#phase = 'writing';
        return;
      case 'memory':
        this.#memory = event.memory;
        return;
      case 'role':
        this.#phase = 'writing';
        return;
      case 'notice':
      case 'lab': // For the lab, which listens for itself.
      case 'router':
        return;
      default: {
        const never: never = event;
        return never;
      }
    }
  }
}

/** The parts with an end for a thought that has none yet. */
function withThoughtEnd(parts: readonly ReplyPart[], end: ThoughtEnd | null): readonly ReplyPart[] {
  const last = parts.at(-1);
  return last?.kind === 'thought' && last.end === null
    ? [...parts.slice(0, -1), { ...last, end }]
    : parts;
}
