/**
 * Owns the one engine that all sessions of a model share: it is started with the first of them and ends with the last; its
 * jobs wait for each other; a death is answered by loading anew. Owns no session.
 */
import type { PromptMessage } from '../core/chat/prompt-message';
import { EngineError } from '../core/errors';
import type { Engine } from '../engine/engine';
import type { GenerateRequest, LoadedModel, LoadProgress } from '../protocol/engine-api';

export interface EngineSource {
  readonly spawn: () => Engine;
  /** Folder of the model, with closing slash. */
  readonly modelUrl: string;
  readonly device: 'auto' | 'webgpu' | 'wasm';
}

type OnProgress = (progress: LoadProgress) => void;

export class SharedEngine {
  readonly #source: EngineSource;
  readonly #listeners = new Set<OnProgress>();
  #engine: Engine | null = null;
  #loading: Promise<LoadedModel> | null = null;
  #model: LoadedModel | null = null;
  #lastJob: Promise<unknown> = Promise.resolve();
  #sessions = 0;

  constructor(source: EngineSource) {
    this.#source = source;
  }

  get isLoaded(): boolean {
    return this.#model !== null;
  }

  get isLoading(): boolean {
    return this.#loading !== null && this.#model === null;
  }

  get contextWindow(): number {
    return this.#model?.spec.maxPositions ?? 0;
  }

  enter(): void {
    this.#sessions += 1;
  }

  leave(): void {
    this.#sessions -= 1;
    if (this.#sessions > 0) return;
    const engine = this.#engine;
    this.#forget();
    this.#engine = null;
    void engine?.dispose();
  }

  /** Loads the model where it is not loaded, and joins a load that runs. Rejects with EngineError. */
  async load(onProgress: OnProgress = () => {}): Promise<LoadedModel> {
    this.#listeners.add(onProgress);
    try {
      this.#loading ??= this.#load();
      return await this.#loading;
    } finally {
      this.#listeners.delete(onProgress);
    }
  }

  async countTokens(messages: readonly PromptMessage[]): Promise<number> {
    await this.load();
    return this.#alive().countTokens(messages);
  }

  /** Writes one answer; its text comes in pieces, without the thought. A signal stops it. Rejects with EngineError. */
  generate(
    request: GenerateRequest,
    signal: AbortSignal,
    onText: (text: string) => void,
  ): Promise<void> {
    const job = this.#lastJob.then(async () => {
      if (signal.aborted) return;
      await this.load();
      const generation = this.#alive().generate(request, (events) => {
        for (const event of events)
          if (event.type === 'token' && event.channel === 'answer' && event.text !== '')
            onText(event.text);
      });
      const stop = (): void => generation.stop();
      signal.addEventListener('abort', stop, { once: true });
      await generation.done.finally(() => signal.removeEventListener('abort', stop));
    });
    this.#lastJob = job.catch(() => undefined);
    return job;
  }

  #alive(): Engine {
    if (this.#engine === null)
      throw new EngineError('not-loaded', 'The model was let go.', 'Create a session again.');
    return this.#engine;
  }

  async #load(): Promise<LoadedModel> {
    const { spawn, modelUrl, device } = this.#source;
    if (this.#engine === null) {
      this.#engine = spawn();
      // The next job loads it again.
      this.#engine.onDeath(() => this.#forget());
    }
    try {
      const model = await this.#engine.load({ modelUrl, device }, (progress) => {
        for (const listener of [...this.#listeners]) listener(progress);
      });
      this.#model = model;
      return model;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#loading = null;
    this.#model = null;
  }
}
