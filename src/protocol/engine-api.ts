/** The calls and events that the page and the engine worker share. Plain objects only; owns no behaviour. */
import type { DraftCounts, TokenDraft } from '../core/chat/drafts';
import type { ReplyStats } from '../core/chat/reply';
import type { ThinkingLimit, ThoughtEnd } from '../core/budget/thinking-limit';
import type { PromptMessage, ToolCall } from '../core/chat/prompt-message';
import type { FinishReason } from '../core/chat/reply';
import type { EngineErrorCode } from '../core/errors';
import type { ModelSpec } from '../core/model-spec';
import type { JsonSchema } from '../core/json-schema/read-schema';
import type { RolePrompts } from '../core/roles/role-prompts';
import type { SamplingSettings } from '../core/sampling/sampler';
import type { ServerDevice, ServerFacts, ServerTarget } from '../core/server/server-target';
import type { ModelListing } from '../core/model-listing';
import type {
  LabCapabilities,
  LabRequest,
  LabResult,
  LabStep,
  LabWatch,
  RouterStep,
} from './lab-api';

/* Words of the core that travel between the threads. */
export type { FinishReason, PromptMessage, SamplingSettings, ThinkingLimit, ThoughtEnd, ToolCall };

/* ---------- wire errors ---------- */

/** comlink keeps only message/name/stack of a thrown error, so calls return this instead of throwing. */
export interface WireError {
  readonly code: EngineErrorCode;
  readonly message: string;
  readonly remedy: string;
  /** Joined messages of the causes, for the details view. */
  readonly details: string;
}

export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

/* ---------- loading ---------- */

/** The steps of the device ladder, best first. */
export type DeviceKind = 'webgpu-f16' | 'webgpu-f32' | 'wasm-threads' | 'wasm';
export type DevicePreference = 'auto' | 'webgpu' | 'wasm';

/** Weights of few bits as float32 on WASM: never, where memory allows, or as far as the WASM heap goes. */
export type FourBitPreference = 'off' | 'auto' | 'on';

/** What was done to weights of few bits at load, for WASM's sake. */
export interface FourBitRewrite {
  /** Matrices that are float32 now, and those that there were. */
  readonly matrices: number;
  readonly of: number;
  /** Bytes of the rewritten matrices' codes, scales and zero points, and of their float32 weights. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly ms: number;
}

export interface LoadRequest {
  /** Folder of the model relative to the app's base URL, e.g. `models/tidepool/`, as an absolute URL. */
  readonly modelUrl: string;
  /** Files of a model from a hub or a disk; absent: `manifest.json` in `modelUrl` tells them. */
  readonly listing?: ModelListing;
  /** Contents by path of a listing from disk. */
  readonly blobs?: ReadonlyMap<string, Blob>;
  /** dtype to take of the listing; absent: the best for the device. */
  readonly variant?: string;
  readonly device: DevicePreference;
  /** Absent: auto. */
  readonly rewriteFourBit?: FourBitPreference;
  /** False: nothing of the model is kept, it runs from memory. Absent: it is kept where there is room. */
  readonly isToBeKept?: boolean;
  /** A model on a server, which answers in place of one that is loaded here; `modelUrl` is not asked then. */
  readonly server?: ServerTarget;
  /** The browser's own model answers in place of one that is loaded here. */
  readonly isBrowserModel?: boolean;
  /** Rungs that an earlier worker has left; set by the client when it starts a fresh worker. */
  readonly attempted?: readonly DeviceAttempt[];
}

/**
 * A worker holds one build of ONNX Runtime. When the next rung needs another, load asks for a fresh worker, which the
 * client starts and calls with `attempted`.
 */
export type LoadOutcome =
  | Outcome<LoadedModel>
  | { readonly ok: false; readonly respawn: { readonly attempted: readonly DeviceAttempt[] } };

/** One rung of the device ladder that was tried, and why it was left or kept. */
export interface DeviceAttempt {
  readonly device: DeviceKind;
  readonly outcome: 'chosen' | 'skipped' | 'failed';
  /** A sentence a person can read. */
  readonly reason: string;
}

export interface LoadProgress {
  readonly stage:
    | 'manifest'
    | 'runtime'
    | 'weights'
    | 'session'
    | 'self-test'
    | 'warm-up'
    | 'ready'
    | 'server'
    /** The browser gets its own model; of its bytes only the share is told: loadedBytes of totalBytes 1. */
    | 'browser';
  /** Bytes so far and true total over all files (uncompressed); 0 total when not known yet. */
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** True when the bytes came from a cache, not over the network. */
  readonly fromCache: boolean;
  readonly file?: string;
  /** The rung that is being climbed. */
  readonly device?: DeviceKind;
}

export interface LoadedModel {
  readonly spec: ModelSpec;
  readonly device: DeviceKind | ServerDevice;
  readonly attempts: readonly DeviceAttempt[];
  /** File in use, e.g. `onnx/model_q4.onnx`, and its bytes. */
  readonly variant: string;
  readonly weightBytes: number;
  readonly parameters: number;
  readonly threads: number;
  readonly loadMs: number;
  /** Absent: no weights were rewritten. */
  readonly rewrite?: FourBitRewrite;
  /** True when this app's own kernels multiply its weights as they are packed; on WASM. */
  readonly usesKernels?: true;
  /** Largest |logit - golden| of the self-test and the tolerance it was held to. */
  readonly selfTest: { readonly maxDifference: number; readonly tolerance: number };
  /** True when its files could not be kept for want of room or leave: it runs from memory. */
  readonly isLeftOut?: boolean;
  /** True when it has a module of multi-token prediction and this device can draft with it. */
  readonly canDraft?: true;
  /** What tells it its role in drafting, checking and mending; absent: it was not taught them. */
  readonly roles?: RolePrompts;
  /** True when it has a reward graph, so that replies can be scored. */
  readonly canScore?: true;
  /** A sentence on anything the person should know (no threads, fell back…); empty when nothing. */
  readonly notice: string;
  /** Set when a server answers: then nothing is loaded here, and figures of weights and layers are what it says, or 0. */
  readonly server?: ServerFacts;
}

/* ---------- messages and generation ---------- */

export interface GenerateRequest {
  readonly id: string;
  readonly messages: readonly PromptMessage[];
  readonly thinkingLimit: ThinkingLimit;
  /** Sentence injected before the close when the limit ends the thought; '' = none. */
  readonly closingSentence: string;
  /** Most answer tokens; reserved, so that thinking never eats them. */
  readonly maxAnswerTokens: number;
  readonly sampling: SamplingSettings;
  readonly stopStrings: readonly string[];
  readonly tools: readonly ('calculator' | 'clock')[];
  /** The answer is JSON that satisfies this, and no tools are offered; the thought is free. Absent: any text. */
  readonly answerSchema?: JsonSchema;
  /**
   * Go on with the unfinished last turn of a reply (its raw text) in place of starting one; its finished turns, with
   * their tools' results, are the last of `messages`.
   */
  readonly continueFrom?: { readonly thought: string | null; readonly answer: string };
  /** Send the top candidates of each token (lab: token choice). 0 = none. */
  readonly candidates: number;
  /** Let the model's own module of multi-token prediction draft, where it has one. The words are the same. */
  readonly drafts?: boolean;
  /** Score the reply when it has ended, and keep the states after the prompt for further drafts of it. */
  readonly isScored?: boolean;
  /** Each token that was drawn waits for {@link EngineApi.step} before it is read (lab: step mode). */
  readonly isStepped?: boolean;
  /** Measuring: read these ids in place of the rendered messages, and let only `maxAnswerTokens` end the reply. */
  readonly promptIds?: readonly number[];
}

export interface TokenCandidate {
  readonly id: number;
  readonly text: string;
  readonly probability: number;
}

/** Bytes really held by the live states, read from the tensors. */
export interface MemoryReport {
  readonly weightBytes: number;
  readonly ssmBytes: number;
  readonly convBytes: number;
  /** Bytes of the filled part of the KV cache: layers × 2 × KV heads × head dim × bytes × tokens. */
  readonly kvBytes: number;
  /** Bytes allocated for the KV cache (capacity), at least kvBytes. */
  readonly kvAllocatedBytes: number;
  readonly snapshotBytes: number;
  readonly snapshotCount: number;
  /** Tokens in the live state. */
  readonly tokens: number;
}

export type EngineEvent =
  | {
      readonly type: 'prefill';
      readonly done: number;
      readonly total: number;
      readonly reused: number;
    }
  | {
      readonly type: 'token';
      readonly id: number;
      /** Text this token settled (may be '' until a UTF-8 character or a stop string is complete). */
      readonly text: string;
      readonly channel: 'thought' | 'answer' | 'tool-call';
      /** Put in by the budget, not sampled. */
      readonly injected: boolean;
      /** Milliseconds of this decode step in the worker. */
      readonly ms: number;
      readonly candidates?: readonly TokenCandidate[];
      /** Entropy in nats of the distribution before sampling; absent when not computed. */
      readonly entropy?: number;
      /** What had been drafted for this place; absent where nothing was. */
      readonly draft?: TokenDraft;
    }
  | { readonly type: 'thought-start'; readonly limit: ThinkingLimit }
  | {
      readonly type: 'thought-end';
      readonly reason: ThoughtEnd;
      readonly tokens: number;
      readonly ms: number;
    }
  | { readonly type: 'tool-call'; readonly call: ToolCall }
  | {
      readonly type: 'tool-result';
      readonly name: string;
      readonly content: string;
      readonly isError: boolean;
    }
  /** A sentence for the person about what happened in the reply; the model does not read it. */
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'memory'; readonly memory: MemoryReport }
  /** Only while the lab watches. */
  | { readonly type: 'lab'; readonly step: LabStep }
  /** Only while the lab follows the routers. */
  | { readonly type: 'router'; readonly step: RouterStep };

/** One batch on a generation's port; `sequence` counts from 0 without gaps. */
export interface EventBatch {
  readonly sequence: number;
  readonly events: readonly EngineEvent[];
  /** Set on the last batch, which is always sent: nothing comes after it. */
  readonly isLast?: true;
}

export interface GenerateStats extends ReplyStats {
  readonly device: DeviceKind | ServerDevice;
}

export interface GenerateResult {
  readonly finish: FinishReason;
  readonly thoughtEnd: ThoughtEnd | null;
  readonly stats: GenerateStats;
  /** Null: a server holds the states and does not tell. */
  readonly memory: MemoryReport | null;
  /** Present where the reply was written with drafts. */
  readonly drafts?: DraftCounts;
  /** Present where it was asked for and the reply came to its end. */
  readonly reward?: number;
}

/** Of the tab's own engine, whose states are here to be counted. */
export interface TabResult extends GenerateResult {
  readonly memory: MemoryReport;
}

/* ---------- the worker's face ---------- */

/** Exposed by workers/engine.worker.ts through Comlink. One job at a time: a second is refused with `busy`. */
export interface EngineApi {
  /** Progress goes to `port` as LoadProgress messages; the caller closes the port. */
  load(request: LoadRequest, port: MessagePort): Promise<LoadOutcome>;
  /** Events go to `port` as EventBatch, flushed at most once a frame (16 ms) and before the call settles. */
  generate(request: GenerateRequest, port: MessagePort): Promise<Outcome<TabResult>>;
  /** Takes effect within one token or one prefill chunk; the running call settles with finish "stopped". */
  stop(id: string): Promise<void>;
  /** Ends the thought at once: closes it and goes on with the answer. */
  answerNow(id: string): Promise<void>;
  /** Lets a reply read so many of its tokens more; 0: it waits after the next, Infinity: it runs on. */
  step(id: string, tokens: number): Promise<void>;
  /** Tokens that the rendered prompt would have. */
  countTokens(messages: readonly PromptMessage[]): Promise<Outcome<number>>;
  memory(): Promise<Outcome<MemoryReport>>;
  /** From the next token on replies send `lab` events; null ends it. May be called while a reply runs. */
  watch(watch: LabWatch | null): Promise<Outcome<LabCapabilities>>;
  /** Runs one job of the state lab; LabProgress goes to `port`, which the caller closes. `stop(id)` ends it. */
  lab(request: LabRequest, port: MessagePort): Promise<Outcome<LabResult>>;
  /** Answers at once while the worker lives: heartbeat. */
  ping(): Promise<'pong'>;
  /**
   * Holds the Web Lock `name` as long as the worker lives; settles once it is held. The browser frees it when the worker
   * is gone, however that came, and who waits for the lock knows at once.
   */
  hold(name: string): Promise<void>;
  /** Settles when the graphics device of the loaded model is lost, with what to say of it; else never. */
  lost(): Promise<WireError>;
  dispose(): Promise<void>;
}
