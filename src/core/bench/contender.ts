/** Owns what the benchmark asks of an engine, ours or another, so that all are measured alike. Types only. */

/** How a contender stands after loading. */
export interface ContenderLoad {
  /** From the call until it can answer, as the page sees it. */
  readonly loadMs: number;
  readonly threads: number;
  /** File of weights and its bytes. */
  readonly file: string;
  readonly fileBytes: number;
}

/** What a contender says of a run by its own clock, without the way to the page. */
export interface InnerFigures {
  readonly prefillMs: number;
  readonly decodeTokensPerSecond: number;
}

/** One greedy run. All times are taken on the page, when messages arrive there. */
export interface ContenderRun {
  /** Tokens in order; null where the engine gives out text only. */
  readonly ids: readonly number[] | null;
  readonly text: string;
  readonly tokens: number;
  /** Prompt tokens that were computed, not taken from an earlier run; null where the engine does not tell. */
  readonly readTokens: number | null;
  readonly firstTokenMs: number;
  /** From the first token's arrival to the last's. */
  readonly decodeMs: number;
  readonly inner: InnerFigures | null;
}

export interface RunRequest {
  readonly promptIds: readonly number[];
  /** The same prompt written out, for an engine that takes text only. */
  readonly promptText: string;
  /** Exactly so many are made: no end of turn ends a run. */
  readonly newTokens: number;
  /** True: what an earlier run has read may be gone on from. */
  readonly reuse: boolean;
}

/** An engine under measurement. One run at a time. Loading again after `dispose` is a fresh start. */
export interface Contender {
  load(): Promise<ContenderLoad>;
  run(request: RunRequest): Promise<ContenderRun>;
  dispose(): Promise<void>;
}
