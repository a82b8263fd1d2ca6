/**
 * Owns which engine answers: the tab's or a server's, chosen by what is loaded. One of them holds a model at a time. Owns
 * neither; the server's code comes when a server is first chosen.
 */
import type { EngineError } from '../core/errors';
import type {
  EngineEvent,
  GenerateRequest,
  LoadedModel,
  LoadProgress,
  LoadRequest,
  PromptMessage,
} from '../protocol/engine-api';
import type {
  LabCapabilities,
  LabJobName,
  LabJobs,
  LabProgress,
  LabWatch,
} from '../protocol/lab-api';
import type { Engine, Generation, LabRun } from './engine';

export class EngineSwitch implements Engine {
  readonly #tab: Engine;
  readonly #makeServer: () => Promise<Engine>;
  #server: Engine | null = null;
  #current: Engine;

  constructor(tab: Engine, makeServer: () => Promise<Engine>) {
    this.#tab = tab;
    this.#makeServer = makeServer;
    this.#current = tab;
  }

  async load(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadedModel> {
    const wanted =
      request.server === undefined ? this.#tab : (this.#server ??= await this.#makeServer());
    if (wanted !== this.#current) {
      await this.#current.dispose();
      this.#current = wanted;
    }
    return wanted.load(request, onProgress);
  }

  generate(
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Generation {
    return this.#current.generate(request, onEvents);
  }

  countTokens(messages: readonly PromptMessage[]): Promise<number> {
    return this.#current.countTokens(messages);
  }

  watch(watch: LabWatch | null): Promise<LabCapabilities> {
    return this.#current.watch(watch);
  }

  lab<K extends LabJobName>(
    job: K,
    request: LabJobs[K]['request'],
    onProgress?: (progress: LabProgress) => void,
  ): LabRun<K> {
    return this.#current.lab(job, request, onProgress);
  }

  onDeath(listener: (error: EngineError) => void): () => void {
    return this.#tab.onDeath(listener);
  }

  dispose(): Promise<void> {
    return this.#current.dispose();
  }
}
