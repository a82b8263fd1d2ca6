/** Owns the handing on of an engine's calls to another one, for engines that stand before others. Owns none of them. */
import type { PromptMessage } from '../core/chat/prompt-message';
import type { EngineError } from '../core/errors';
import type {
  EngineEvent,
  GenerateRequest,
  LoadedModel,
  LoadProgress,
  LoadRequest,
} from '../protocol/engine-api';
import type {
  LabCapabilities,
  LabJobName,
  LabJobs,
  LabProgress,
  LabWatch,
} from '../protocol/lab-api';
import type { Engine, Generation, LabRun } from './engine';

/** Each call goes to the engine that stands in front at that moment; what is to be done otherwise is overridden. */
export abstract class ForwardingEngine implements Engine {
  protected abstract get front(): Engine;

  load(request: LoadRequest, onProgress: (progress: LoadProgress) => void): Promise<LoadedModel> {
    return this.front.load(request, onProgress);
  }

  generate(
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Generation {
    return this.front.generate(request, onEvents);
  }

  countTokens(messages: readonly PromptMessage[]): Promise<number> {
    return this.front.countTokens(messages);
  }

  watch(watch: LabWatch | null): Promise<LabCapabilities> {
    return this.front.watch(watch);
  }

  lab<K extends LabJobName>(
    job: K,
    request: LabJobs[K]['request'],
    onProgress?: (progress: LabProgress) => void,
  ): LabRun<K> {
    return this.front.lab(job, request, onProgress);
  }

  onDeath(listener: (error: EngineError) => void): () => void {
    return this.front.onDeath(listener);
  }

  dispose(): Promise<void> {
    return this.front.dispose();
  }
}
