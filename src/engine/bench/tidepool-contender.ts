/** Owns this app's engine as a contender: the real client and worker, greedy, on given ids. */
import { GREEDY } from '../../core/sampling/greedy';
import type {
  Contender,
  ContenderLoad,
  ContenderRun,
  RunRequest,
} from '../../core/bench/contender';
import type { EngineEvent, GenerateRequest } from '../../protocol/engine-api';
import type { Engine } from '../engine';

export interface TidepoolOptions {
  /** Makes an engine of its own; ended with the contender. */
  readonly createEngine: () => Engine;
  /** Folder of the model, with its closing slash. */
  readonly modelUrl: string;
  readonly device: 'auto' | 'wasm' | 'webgpu';
}

export class TidepoolContender implements Contender {
  readonly #options: TidepoolOptions;
  #engine: Engine | null = null;
  #runs = 0;

  constructor(options: TidepoolOptions) {
    this.#options = options;
  }

  async load(): Promise<ContenderLoad> {
    await this.dispose();
    const { createEngine, modelUrl, device } = this.#options;
    const startedAt = performance.now();
    const engine = createEngine();
    this.#engine = engine;
    const model = await engine.load({ modelUrl, device }, () => {});
    return {
      loadMs: performance.now() - startedAt,
      threads: model.threads,
      file: model.variant,
      fileBytes: model.weightBytes,
    };
  }

  async run({ promptIds, newTokens, reuse }: RunRequest): Promise<ContenderRun> {
    if (this.#engine === null) throw new RangeError('run before load');
    this.#runs += 1;
    const request: GenerateRequest = {
      id: `bench ${this.#runs}`,
      messages: [],
      thinkingLimit: 0,
      closingSentence: '',
      maxAnswerTokens: newTokens,
      sampling: GREEDY,
      stopStrings: [],
      tools: [],
      candidates: 0,
      promptIds,
    };
    const ids: number[] = [];
    let text = '';
    let firstAt = 0;
    let lastAt = 0;
    const onEvents = (events: readonly EngineEvent[]): void => {
      for (const event of events) {
        if (event.type !== 'token') continue;
        lastAt = performance.now();
        if (ids.length === 0) firstAt = lastAt;
        ids.push(event.id);
        text += event.text;
      }
    };
    const startedAt = performance.now();
    const { stats } = await this.#engine.generate(request, onEvents).done;
    if (!reuse && stats.reusedTokens > 0) {
      throw new RangeError(`${stats.reusedTokens} tokens came from an earlier run`);
    }
    return {
      ids,
      text,
      tokens: ids.length,
      readTokens: stats.promptTokens - stats.reusedTokens,
      firstTokenMs: firstAt - startedAt,
      decodeMs: lastAt - firstAt,
      inner: { prefillMs: stats.prefillMs, decodeTokensPerSecond: stats.decodeTokensPerSecond },
    };
  }

  async dispose(): Promise<void> {
    await this.#engine?.dispose();
    this.#engine = null;
  }
}
