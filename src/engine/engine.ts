/** What the state layer sees of an engine; the real client and the fake engine both are one. */
import type {
  EngineEvent,
  GenerateRequest,
  GenerateResult,
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
  LabResult,
  LabWatch,
} from '../protocol/lab-api';
import type { EngineError } from '../core/errors';

export interface Generation {
  readonly id: string;
  /** Settles when the reply has ended; rejects with EngineError. A stop is a result (finish "stopped"). */
  readonly done: Promise<GenerateResult>;
  stop(): void;
  answerNow(): void;
  /** Of a reply in step mode: lets it read so many tokens more. Does nothing where an engine can't be stepped. */
  step(tokens: number): void;
}

/** One running job of the state lab. */
export interface LabRun<K extends LabJobName> {
  /** Settles when the job has ended; rejects with EngineError. A stop is a result. */
  readonly done: Promise<LabResult<K>>;
  stop(): void;
}

export interface Engine {
  /** Loads a model, replacing the one before. Rejects with EngineError. */
  load(request: LoadRequest, onProgress: (progress: LoadProgress) => void): Promise<LoadedModel>;
  /** Starts one reply; `onEvents` is called with batches in order. */
  generate(
    request: GenerateRequest,
    onEvents: (events: readonly EngineEvent[]) => void,
  ): Generation;
  countTokens(messages: readonly PromptMessage[]): Promise<number>;
  /** Makes replies send `lab` events from the next token on; null ends it. Tells what the model lets the lab see. */
  watch(watch: LabWatch | null): Promise<LabCapabilities>;
  /** Starts a job of the state lab on the loaded model. Large arrays are copied, not taken. */
  lab<K extends LabJobName>(
    job: K,
    request: LabJobs[K]['request'],
    onProgress?: (progress: LabProgress) => void,
  ): LabRun<K>;
  /** Called when the worker died or the device was lost; pending calls have been rejected before. Returns unsubscribe. */
  onDeath(listener: (error: EngineError) => void): () => void;
  dispose(): Promise<void>;
}
