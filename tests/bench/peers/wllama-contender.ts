/** Owns wllama (llama.cpp in WebAssembly) as a contender, through its own API, on the CPU. */
import { Wllama, type RawCompletionChunk } from '@wllama/wllama/esm/index.js';
import wasm from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import type {
  Contender,
  ContenderLoad,
  ContenderRun,
  RunRequest,
} from '../../../src/core/bench/contender';

export interface WllamaOptions {
  readonly url: string;
  readonly file: string;
  readonly fileBytes: number;
  readonly threads: number;
  /** Tokens that its cache has room for. */
  readonly context: number;
  /** Whether its file has the tokenizer of the model that is measured. */
  readonly hasOurTokens: boolean;
}

const quiet = { debug: () => {}, log: () => {}, warn: () => {}, error: console.error };

export class WllamaContender implements Contender {
  readonly #options: WllamaOptions;
  #wllama: Wllama | null = null;

  constructor(options: WllamaOptions) {
    this.#options = options;
  }

  async load(): Promise<ContenderLoad> {
    await this.dispose();
    const { url, file, fileBytes, threads, context } = this.#options;
    const startedAt = performance.now();
    const wllama = new Wllama({ default: wasm }, { logger: quiet, suppressNativeLog: true });
    this.#wllama = wllama;
    await wllama.loadModelFromUrl(url, {
      n_threads: threads,
      n_gpu_layers: 0,
      n_ctx: context,
      n_parallel: 1,
    });
    const loadMs = performance.now() - startedAt;
    // A file that llama.cpp refuses is no error to wllama 3.8.1, only an empty model.
    if (!(wllama.getLoadedContextInfo().n_vocab > 0))
      throw new Error(`llama.cpp can't load ${url}`);
    return { loadMs, threads, file, fileBytes };
  }

  async run({ promptIds, promptText, newTokens, reuse }: RunRequest): Promise<ContenderRun> {
    if (this.#wllama === null) throw new RangeError('run before load');
    let text = '';
    let tokens = 0;
    let firstAt = 0;
    let lastAt = 0;
    let ending: Pick<RawCompletionChunk, 'usage' | 'timings'> = {};
    const startedAt = performance.now();
    await this.#wllama.createCompletion({
      prompt: promptText,
      stream: true,
      max_tokens: newTokens,
      temperature: 0,
      top_k: 1,
      ignore_eos: true,
      ...{ cache_prompt: reuse, timings_per_token: false, return_tokens: true },
      onData: (chunk: RawCompletionChunk) => {
        ending = chunk;
        const piece = chunk.choices[0]?.text ?? '';
        // The last chunk brings the figures and no token.
        if (chunk.choices[0]?.finish_reason !== null) return;
        lastAt = performance.now();
        if (tokens === 0) firstAt = lastAt;
        tokens += 1;
        text += piece;
      },
    });
    const { usage, timings } = ending;
    // Ids can't be given; the same number of tokens and the same greedy text tell that the prompt was the same. Another
    // model's tokenizer cuts the same words otherwise.
    if (!reuse && usage && this.#options.hasOurTokens && usage.prompt_tokens !== promptIds.length) {
      throw new RangeError(`read ${usage.prompt_tokens} tokens, not ${promptIds.length}`);
    }
    return {
      ids: null,
      text,
      tokens,
      readTokens: timings?.prompt_n ?? null,
      firstTokenMs: firstAt - startedAt,
      decodeMs: lastAt - firstAt,
      inner:
        timings === undefined
          ? null
          : {
              prefillMs: timings.prompt_ms,
              decodeTokensPerSecond: timings.predicted_per_second,
            },
    };
  }

  async dispose(): Promise<void> {
    await this.#wllama?.exit();
    this.#wllama = null;
  }
}
