/** Owns what the lab has seen of the reply that runs: bytes, steps and tokens, gathered from the engine's events. Pure. */
import type { TokenDraft } from '../../core/chat/drafts';
import type { EngineEvent, TokenCandidate } from '../../protocol/engine-api';
import type { LabOpened, LabStep } from '../../protocol/lab-api';

/** Bytes of the live states after so many tokens. */
export interface MemoryPoint {
  readonly tokens: number;
  readonly ssmBytes: number;
  readonly convBytes: number;
  readonly kvBytes: number;
}

/** One token that was written, with what stood before it. */
export interface TraceToken {
  readonly text: string;
  readonly channel: 'thought' | 'answer';
  readonly injected: boolean;
  readonly ms: number;
  readonly candidates: readonly TokenCandidate[];
  /** In nats; null when not known. */
  readonly entropy: number | null;
  /** What had been drafted for its place; null where nothing was. */
  readonly draft: TokenDraft | null;
  /** The reply up to this token, to branch off from; null inside a tool call's reply or a half-finished character. */
  readonly before: { readonly thought: string | null; readonly answer: string } | null;
}

/** What one token cost at its place, measured as the replies ran. */
export interface LiveCost {
  /** Tokens of context that it stood on. */
  readonly context: number;
  readonly ms: number;
}

export interface TraceView {
  readonly replyId: string | null;
  readonly memory: readonly MemoryPoint[];
  readonly steps: readonly LabStep[];
  readonly last: LabStep | null;
  /** Of the layer that was last opened and read; kept over tokens that skipped it. */
  readonly opened: readonly LabOpened[];
  /** (layers): the largest activity of each layer so far, to light a layer against itself. */
  readonly peak: Float32Array;
  readonly tokens: readonly TraceToken[];
  /** Texts of tokens by their place in the sequence, as far as they were seen; grows in place. */
  readonly texts: ReadonlyMap<number, string>;
  /** Decode steps of the replies seen, each at its context. */
  readonly decodeCosts: readonly LiveCost[];
  /** For each reply: the milliseconds of one token of its prompt, at the prompt's length. */
  readonly prefillCosts: readonly LiveCost[];
}

/** Steps kept for the charts over time. */
const KEPT_STEPS = 256;
/** Points and tokens kept; a context of the embedded model has 2,048. */
const KEPT_POINTS = 4096;
/** Readings of cost kept: as many as a chart can show. */
const KEPT_COSTS = 1024;

export class LabTrace {
  #replyId: string | null = null;
  #memory: MemoryPoint[] = [];
  #steps: LabStep[] = [];
  #opened: readonly LabOpened[] = [];
  #peak = new Float32Array(0);
  #tokens: TraceToken[] = [];
  #decodeCosts: LiveCost[] = [];
  #prefillCosts: LiveCost[] = [];
  readonly #texts = new Map<number, string>();
  /** Tokens read so far, counted on from the last event that told it. */
  #context = 0;
  #thought: string | null = null;
  #answer = '';
  /** A token whose text is still to come has been sampled (half of a character). */
  #isPending = false;
  #usesTools = false;

  /**
   * A reply begins; `before` is what it goes on from, `usesTools` that it has used some before. Bytes are kept when the
   * context only grew.
   */
  start(
    replyId: string,
    before: { readonly thought: string | null; readonly answer: string } | null,
    usesTools = false,
  ): void {
    this.#replyId = replyId;
    this.#thought = before?.thought ?? null;
    this.#answer = before?.answer ?? '';
    this.#tokens = [];
    this.#steps = [];
    this.#isPending = false;
    this.#usesTools = usesTools;
  }

  /** Forgets what was seen of the opened layer, when another is opened. */
  forgetOpened(): void {
    this.#opened = [];
  }

  /** A reply has ended: what reading its prompt took, of the tokens that were really read. */
  end(stats: { promptTokens: number; reusedTokens: number; prefillMs: number }): void {
    const read = stats.promptTokens - stats.reusedTokens;
    if (read <= 0) return;
    this.#prefillCosts = [
      ...this.#prefillCosts.slice(1 - KEPT_COSTS),
      { context: stats.promptTokens, ms: stats.prefillMs / read },
    ];
  }

  /** `onToken` is called after each token that was written. */
  take(events: readonly EngineEvent[], onToken?: (trace: LabTrace) => void): void {
    for (const event of events) {
      this.#apply(event);
      if (event.type === 'token') onToken?.(this);
    }
  }

  #apply(event: EngineEvent): void {
    switch (event.type) {
      case 'memory': {
        const { tokens, ssmBytes, convBytes, kvBytes } = event.memory;
        this.#context = tokens;
        // A shorter context is another one: an edit, another branch, another conversation.
        this.#memory = this.#memory.filter((point) => point.tokens < tokens).slice(-KEPT_POINTS);
        this.#memory.push({ tokens, ssmBytes, convBytes, kvBytes });
        return;
      }
      case 'lab':
        this.#takeStep(event.step);
        return;
      case 'thought-start':
        this.#thought ??= '';
        return;
      case 'tool-call':
        this.#usesTools = true;
        return;
      case 'token':
        this.#takeCost(event);
        this.#takeToken(event);
        return;
      case 'prefill':
        this.#context = event.done;
        return;
      case 'thought-end':
      case 'tool-result':
      case 'notice':
      case 'router':
        return;
      default: {
        const never: never = event;
        return never;
      }
    }
  }

  #takeStep(step: LabStep): void {
    // Places that were read before keep their text: what is reused of a conversation is the same.
    const first = step.position + 1 - step.readTexts.length;
    step.readTexts.forEach((text, at) => this.#texts.set(first + at, text));
    this.#texts.set(step.position, step.text);
    this.#steps = [...this.#steps.slice(1 - KEPT_STEPS), step];
    if (step.opened.length > 0) this.#opened = step.opened;
    if (this.#peak.length !== step.activity.length) {
      this.#peak = new Float32Array(step.activity.length);
    }
    const before = this.#peak;
    this.#peak = step.activity.map((value, layer) =>
      Number.isNaN(value) ? (before[layer] ?? 0) : Math.max(before[layer] ?? 0, value),
    );
  }

  /** Injected tokens are read together, so the time of one of them says nothing. */
  #takeCost({ ms, injected, text }: Extract<EngineEvent, { type: 'token' }>): void {
    if (!injected && ms > 0 && this.#context > 0) {
      this.#decodeCosts.push({ context: this.#context, ms });
      if (this.#decodeCosts.length > 2 * KEPT_COSTS)
        this.#decodeCosts = this.#decodeCosts.slice(-KEPT_COSTS);
    }
    if (text !== '') this.#texts.set(this.#context, text);
    this.#context += 1;
  }

  #takeToken(event: Extract<EngineEvent, { type: 'token' }>): void {
    if (event.channel === 'tool-call') {
      this.#usesTools = true;
      return;
    }
    const before =
      this.#isPending || this.#usesTools ? null : { thought: this.#thought, answer: this.#answer };
    if (this.#tokens.length < KEPT_POINTS) {
      this.#tokens.push({
        text: event.text,
        channel: event.channel,
        injected: event.injected,
        ms: event.ms,
        candidates: event.candidates ?? [],
        entropy: event.entropy ?? null,
        draft: event.draft ?? null,
        before,
      });
    }
    this.#isPending = event.text === '' && !event.injected;
    if (event.channel === 'thought') this.#thought = (this.#thought ?? '') + event.text;
    else this.#answer += event.text;
  }

  /** What has been seen, as it stands; later events leave it alone. */
  view(): TraceView {
    return {
      replyId: this.#replyId,
      memory: this.#memory.slice(),
      steps: this.#steps,
      last: this.#steps.at(-1) ?? null,
      opened: this.#opened,
      peak: this.#peak,
      tokens: this.#tokens.slice(),
      texts: this.#texts,
      decodeCosts: this.#decodeCosts.slice(-KEPT_COSTS),
      prefillCosts: this.#prefillCosts,
    };
  }
}
