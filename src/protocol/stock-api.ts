/** The calls that the page and the worker of stock transformers.js share. Plain objects only. */

export interface StockLoadRequest {
  /** Folder that holds the model's folder, as an absolute address with its closing slash. */
  readonly baseUrl: string;
  /** Name of the model's folder. */
  readonly name: string;
  /** transformers.js's name of a file: `q8` is model_quantized.onnx, `q4` model_q4.onnx; null: as config.json says. */
  readonly dtype: 'q8' | 'q4' | null;
  readonly threads: number;
  /**
   * Build of ONNX Runtime. `asyncify` is what transformers.js takes by itself; its processor provider lacks
   * GatherBlockQuantized, so 4-bit files need `plain`, which this app takes too.
   */
  readonly build: 'asyncify' | 'plain';
}

export interface StockRunRequest {
  readonly promptIds: readonly number[];
  readonly newTokens: number;
  /** Go on from the cache of the run before, which the prompt must extend. */
  readonly reuse: boolean;
  /** True: the end-of-turn token ends a run, as stock. */
  readonly stopsAtEnd: boolean;
}

/** What `generate()` gave to its streamer. */
export type StockEvent =
  | { readonly type: 'token'; readonly id: number }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'end' };

export interface StockRunResult {
  readonly ids: readonly number[];
  /** Prompt tokens that the cache did not hold. */
  readonly readTokens: number;
}

/** Exposed by workers/bench/transformers.worker.ts through Comlink. Errors are thrown as they are. */
export interface StockApi {
  load(request: StockLoadRequest): Promise<void>;
  encode(text: string): Promise<readonly number[]>;
  /** Text of ids, special tokens written out. */
  decode(ids: readonly number[]): Promise<string>;
  /** Ids of a conversation by the model's own template, ready for a reply. */
  render(
    messages: readonly { readonly role: string; readonly content: string }[],
    enableThinking: boolean,
  ): Promise<readonly number[]>;
  /** Events go to `port` as StockEvent; the last is `end`. */
  run(request: StockRunRequest, port: MessagePort): Promise<StockRunResult>;
}
