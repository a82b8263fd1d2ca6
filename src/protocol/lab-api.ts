/**
 * The jobs and events of the state lab that the page and the engine worker share. Plain objects and typed arrays only;
 * owns no behaviour.
 *
 * The lab works on the LIVE STATE: what the model remembers after the last reply (or after `read` or `load`): the
 * tokens read, the conv and SSM state of each Mamba layer, the KV cache of each attention layer. All matrices are
 * row-major. Layer numbers count all layers of the stack (`LayerSpec.index`); heads count from 0.
 */
import type { LayerKind, RecurrentLayerSpec } from '../core/model-spec';
import type { QuantiseBits } from '../core/state-math/surgery';
import type { DraftCounts, TokenDraft } from '../core/chat/drafts';
import type { DraftCosts } from '../core/lab/draft-speed';
import type { RecallTask } from '../core/lab/recall-task';
import type { SamplingSettings } from '../core/sampling/sampler';
import type { PromptMessage } from '../core/chat/prompt-message';

export type { QuantiseBits, RecallTask };

/** A matrix of numbers, row-major: `values.length === rows * columns`. */
export interface LabMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/* ---------- what can be seen ---------- */

/**
 * Quantities that the ONNX graph must name for the lab to read them. `delta` and `decay`: step size and share kept, per
 * Mamba head; `b`, `c`: the vectors that write into and read out of the state; `query`: the attention queries;
 * `output`: what a layer adds to the residual stream. States, conv windows and KV caches are always there.
 */
export type LabQuantity = 'delta' | 'decay' | 'b' | 'c' | 'query' | 'output';

export interface MissingQuantity {
  readonly quantity: LabQuantity;
  readonly layers: readonly number[];
  /** A sentence for the panel that would have shown it. */
  readonly reason: string;
}

/** What the loaded model lets the lab see, given by `watch`. */
export interface LabCapabilities {
  /** Empty for the embedded model. */
  readonly missing: readonly MissingQuantity[];
  /** False when attention layers must keep KV caches of one length: then kv operations on one layer are refused. */
  readonly hasLayerwiseKv: boolean;
  /** Hex SHA-256 of the manifest that a saved state must agree with. */
  readonly modelId: string;
  /** Layers whose router can be followed, with the experts that each chooses from; absent: none. */
  readonly routers?: readonly { readonly layer: number; readonly experts: number }[];
}

/* ---------- watching a reply ---------- */

/**
 * What is open on the page; all mixers of the layer are watched, each at this head or its own last one. A layer that
 * mixes no tokens is watched by its activity only.
 */
export interface LabWatch {
  readonly opened: { readonly layer: number; readonly head: number } | null;
  /** Send what the routers chose, of every token; absent: nothing of them is fetched. */
  readonly routers?: true;
}

/** What one layer's router chose for some tokens, each `chosen` experts, best first; row-major (tokens, chosen). */
export interface RouterChoice {
  readonly layer: number;
  readonly chosen: number;
  readonly experts: Int32Array;
  /** What each counts in the layer's sum. */
  readonly weights: Float32Array;
}

/** What all routers chose for the tokens of one step; an EngineEvent of type `router`. */
export interface RouterStep {
  /** Place of the last of them in the sequence, from 0. */
  readonly position: number;
  /** Text of each token that was read. */
  readonly texts: readonly string[];
  readonly layers: readonly RouterChoice[];
}

/**
 * One layer with a recurrent state (Mamba or delta rule) at one token; arrays (heads). `delta` is Δ after bias and softplus, > 0; `decay` is exp(Δ·A), the
 * share of the state kept, 0…1. Null where the model lacks the quantity (see LabCapabilities.missing).
 */
export interface LabMambaStep {
  readonly layer: number;
  readonly delta: Float32Array | null;
  readonly decay: Float32Array | null;
  /**
   * Frobenius norm of each head's state after this token; null on tokens where it was not read: on the GPU reading
   * costs, so there the states come every few tokens.
   */
  readonly stateNorm: Float32Array | null;
}

/** A layer with a recurrent state: Mamba, or the gated delta rule. */
export type RecurrentKind = RecurrentLayerSpec['kind'];

export type LabOpened =
  | {
      readonly kind: RecurrentKind;
      readonly layer: number;
      readonly head: number;
      /** (stateSize, headDim) of the head, after the token. */
      readonly state: LabMatrix;
      /** B_t and C_t of the head's group: (stateSize); null where missing. */
      readonly b: Float32Array | null;
      readonly c: Float32Array | null;
      /**
       * (convDim, columns kept): the last inputs of the convolution, newest right; channels x, then B, then C, or of the
       * delta rule query, key, value as the model orders them.
       */
      readonly convWindow: LabMatrix;
    }
  | { readonly kind: 'conv'; readonly layer: number; readonly convWindow: LabMatrix }
  | {
      readonly kind: 'attention';
      readonly layer: number;
      /** The head that is open; `rows` has them all. */
      readonly head: number;
      /**
       * (heads, keys): softmax(q·k/√headDim) of this token over the KV cache, the token itself last; each row sums to
       * 1. Null where the queries are missing.
       */
      readonly rows: LabMatrix | null;
      /** Position in the sequence of the first key: above 0 when older ones were dropped. */
      readonly firstKey: number;
    };

/**
 * What the watched model did at one token; an EngineEvent of type `lab` on the generation's port, before the `token`
 * event of the token that was drawn from it. In a prefill chunk only its last token has one, and of tokens that follow
 * each other within 4 ms some have none, so that watching stays cheap: go by `position`.
 */
export interface LabStep {
  /** Place in the sequence, from 0. */
  readonly position: number;
  /** The token that was read. */
  readonly tokenId: number;
  readonly text: string;
  /** Texts of all tokens that were read together with it, itself last; [] when it was read alone. */
  readonly readTexts: readonly string[];
  readonly phase: 'prefill' | 'decode';
  /** One entry for each layer with a recurrent state, in order. */
  readonly mamba: readonly LabMambaStep[];
  /**
   * (layers): norm of what each layer adds to the residual stream at this token, NaN where missing. Compare a layer
   * with itself over time; sizes differ between layers.
   */
  readonly activity: Float32Array;
  /** Each mixer of the opened layer; [] when none is open or this token was skipped to keep decoding fast. */
  readonly opened: readonly LabOpened[];
  /** Milliseconds that watching cost at this token, apart from the run of the model itself. */
  readonly watchMs: number;
}

/* ---------- where a job begins ---------- */

/**
 * The state that a job begins from. `live`: after the first `tokens` tokens of the live sequence (all when absent;
 * fewer are re-read). `messages`: a chat, rendered up to where the reply begins; `text`: raw text. The live state is
 * changed by `read`, `load`, `surgery` and `restore` only.
 */
export type LabSource =
  | { readonly kind: 'live'; readonly tokens?: number }
  | {
      readonly kind: 'messages';
      readonly messages: readonly PromptMessage[];
      readonly thinking: boolean;
    }
  | { readonly kind: 'text'; readonly text: string }
  /** The very tokens that were read elsewhere: a link's way to go on from a chat. Ids of the model's vocabulary. */
  | { readonly kind: 'tokens'; readonly tokenIds: readonly number[] };

/** The live state in numbers. */
export interface LabLive {
  /** Tokens read. */
  readonly tokens: number;
  readonly tokenIds: Int32Array;
  /** Text of each token by itself, same length. */
  readonly texts: readonly string[];
  /** Operations that the live state stands under, in the order they were done; [] when untouched. */
  readonly operations: readonly SurgeryOp[];
}

/* ---------- inspecting ---------- */

/** Longest window of tokens whose history and attention matrices are computed. */
export const MAX_HISTORY_TOKENS = 256;

export interface InspectRequest {
  /** Layers to look at, each with the head to open; one re-reading serves all of them. */
  readonly targets: readonly { readonly layer: number; readonly head: number }[];
  /** Last tokens of the live sequence to look back on: 1…MAX_HISTORY_TOKENS. */
  readonly lastTokens: number;
}

/**
 * `state`, its norm, values and rank are the live state's, operations and all. Histories and matrices come from reading
 * the tokens again without operations.
 */
export type InspectedLayer =
  | {
      readonly kind: RecurrentKind;
      readonly layer: number;
      readonly head: number;
      /** (stateSize, headDim) */
      readonly state: LabMatrix;
      /** (heads): Frobenius norms. */
      readonly stateNorm: Float32Array;
      /** Largest first, min(stateSize, headDim) of them. */
      readonly singularValues: Float64Array;
      /** exp of the entropy of the singular values' shares: 1…min(stateSize, headDim); 0 for a zero state. */
      readonly effectiveRank: number;
      /** (convDim, columns kept) */
      readonly convWindow: LabMatrix;
      /** (tokens, heads); null where missing. */
      readonly delta: LabMatrix | null;
      readonly decay: LabMatrix | null;
      /** (tokens, stateSize) of the head's group; null where missing. */
      readonly b: LabMatrix | null;
      readonly c: LabMatrix | null;
      /**
       * Hidden attention of the head (tokens, tokens), lower triangle: entry (t, s) is C_t·B_s · Δ_s · decay_{s+1…t};
       * may be negative; null where a quantity is missing.
       */
      readonly hiddenAttention: LabMatrix | null;
    }
  | { readonly kind: 'conv'; readonly layer: number; readonly convWindow: LabMatrix }
  | {
      readonly kind: 'attention';
      readonly layer: number;
      readonly head: number;
      /** Attention of the head (tokens, tokens), lower triangle: softmax over all keys, cut to the window. */
      readonly attention: LabMatrix | null;
      /** (tokens): share of each row on keys before the window; row sum + outside = 1. */
      readonly outside: Float32Array | null;
    };

export interface InspectResult {
  /** Position of the window's first token. */
  readonly firstPosition: number;
  /** The window's tokens. */
  readonly tokenIds: Int32Array;
  readonly texts: readonly string[];
  /** In the order of the targets, for each of them one entry a mixer. */
  readonly layers: readonly InspectedLayer[];
  /** Tokens read again to collect the history, and how long it took. */
  readonly rereadTokens: number;
  readonly ms: number;
}

/* ---------- surgery ---------- */

/** SSM states that an operation acts on. */
export type SsmTarget =
  | { readonly scope: 'all' }
  | { readonly scope: 'layer'; readonly layer: number }
  | { readonly scope: 'head'; readonly layer: number; readonly head: number };

/**
 * `noise`: normal, with an expected norm of `strength` × the state's own, for each head. `freeze`: from then on the
 * state is put back after every token. `quantise`: once, or after every token. `kv-drop` and `kv-window` forget the
 * keys and values of all but the last `tokens` tokens, in one layer or (null) all; without positional encoding a
 * shorter cache is exactly that of a model that never attended to the rest.
 */
export type SurgeryOp =
  | { readonly kind: 'zero'; readonly target: SsmTarget }
  | { readonly kind: 'freeze'; readonly target: SsmTarget }
  | {
      readonly kind: 'noise';
      readonly target: SsmTarget;
      readonly strength: number;
      readonly seed: number;
    }
  | { readonly kind: 'scale'; readonly target: SsmTarget; readonly factor: number }
  | {
      readonly kind: 'quantise';
      readonly target: SsmTarget;
      readonly bits: QuantiseBits;
      readonly everyToken: boolean;
    }
  | { readonly kind: 'kv-drop'; readonly layer: number | null }
  | { readonly kind: 'kv-window'; readonly layer: number | null; readonly tokens: number };

/* ---------- running with and without ---------- */

/** A continuation. */
export interface LabRunResult {
  readonly tokenIds: readonly number[];
  /** Text of each token by itself. */
  readonly texts: readonly string[];
  readonly text: string;
  /** The model ended its turn itself. */
  readonly ended: boolean;
}

export interface CompareRequest {
  readonly source: LabSource;
  /** Done on the one side, before `message` is read. */
  readonly operations: readonly SurgeryOp[];
  /** A user's next turn that both sides read after the operations; none: both go on at once. */
  readonly message?: string;
  /** Most tokens to write. */
  readonly tokens: number;
  readonly sampling: SamplingSettings;
}

/**
 * Both continuations with the same seed. Without a message the first token is drawn from logits that were computed
 * before the operation, so it is the same and its KL is 0.
 */
export interface CompareResult {
  readonly baseline: LabRunResult;
  readonly operated: LabRunResult;
  /**
   * (baseline tokens): KL divergence in nats of the operated model's next-token distribution from the baseline's, both
   * given the baseline's tokens (teacher forcing).
   */
  readonly kl: Float64Array;
  /** Index of the first token that differs; null when the texts are the same. */
  readonly firstDifference: number | null;
  /** Bytes of all states on both sides before the continuation. */
  readonly baselineBytes: number;
  readonly operatedBytes: number;
}

export interface ForkRequest {
  readonly source: LabSource;
  readonly message?: string;
  /** One continuation for each seed, 1…4. */
  readonly seeds: readonly number[];
  readonly tokens: number;
  readonly sampling: Omit<SamplingSettings, 'seed'>;
  /** First tokens that each continuation must begin with (token choice: the candidate that was clicked); same length as seeds. */
  readonly firstTokens?: readonly (number | null)[];
}

export interface ForkResult {
  readonly continuations: readonly LabRunResult[];
}

/* ---------- recall ---------- */

export interface RecallRequest {
  readonly task: RecallTask;
  /** Done after the text is read and right before the question. */
  readonly operations: readonly SurgeryOp[];
  /** Most tokens of the answer. */
  readonly answerTokens: number;
}

export interface RecallAnswer {
  /** The name that was asked for, the question, and the value it should have named. */
  readonly key: string;
  readonly question: string;
  readonly expected: string;
  readonly answer: string;
  readonly isRight: boolean;
}

/** One cell of the grid. */
export interface RecallResult {
  /** The user's turn up to the question. */
  readonly context: string;
  /** One for each key, each asked from the same state. */
  readonly answers: readonly RecallAnswer[];
  /** Tokens read before the operations. */
  readonly contextTokens: number;
  readonly ms: number;
}

/* ---------- teleport ---------- */

export interface SavedState {
  /** A whole `.tidepool-state` file. */
  readonly bytes: Uint8Array;
  readonly sizes: StateSizes;
}

/** Bytes of what the state could be kept as. */
export interface StateSizes {
  /** UTF-8 bytes of the text that was read. */
  readonly transcript: number;
  readonly ssm: number;
  readonly conv: number;
  readonly kv: number;
  /** The file with its header. */
  readonly file: number;
}

export interface LoadStateRequest {
  readonly bytes: Uint8Array;
}

export interface LoadedState {
  readonly live: LabLive;
  /**
   * Written with the same model file, so going on gives the same tokens bit for bit; false between files of other
   * precision, whose numbers differ.
   */
  readonly isExact: boolean;
  readonly sizes: StateSizes;
}

/* ---------- memory and cost ---------- */

/** Bytes allocated for one layer's states, read off the tensors. */
export interface LayerMemory {
  readonly layer: number;
  readonly kind: LayerKind;
  readonly ssmBytes: number;
  readonly convBytes: number;
  readonly kvBytes: number;
  /** Tokens in the layer's KV cache; 0 without one. */
  readonly kvTokens: number;
}

export interface LabMemory {
  readonly tokens: number;
  readonly weightBytes: number;
  readonly layers: readonly LayerMemory[];
}

export interface CostRequest {
  /** Context lengths to measure decoding at, ascending; each is really read. */
  readonly contexts: readonly number[];
  /** Decode steps at each length; the median counts. */
  readonly steps: number;
}

/** Milliseconds a token at one context length. */
export interface CostPoint {
  readonly context: number;
  /** Median of the decode steps. */
  readonly decodeMs: number;
  /** Fastest and slowest decode step. */
  readonly decodeRange: readonly [number, number];
  /** Of reading up to this length, since the last one, in chunks. */
  readonly prefillMs: number;
}

/* ---------- without a part ---------- */

/** A part of the model that can be taken out: the graph is opened again without it. */
export type ModelPart =
  /** Never chosen by its router any more; the others go on. */
  | { readonly kind: 'expert'; readonly layer: number; readonly expert: number }
  /** Adds nothing to the residual stream. */
  | { readonly kind: 'layer'; readonly layer: number };

export interface WithoutRequest {
  /** Read afresh by both; the live state was made by the whole model. */
  readonly source: Exclude<LabSource, { readonly kind: 'live' }>;
  /** Taken out together; [] writes the whole model's continuation only. */
  readonly parts: readonly ModelPart[];
  readonly tokens: number;
  readonly sampling: SamplingSettings;
}

export interface RoutedRun extends LabRunResult {
  /** What the routers chose for the prompt and the continuation; [] where the model has none. */
  readonly routed: readonly RouterStep[];
}

export interface WithoutResult {
  readonly baseline: RoutedRun;
  /** Null where no part was named. */
  readonly changed: RoutedRun | null;
  /** KL(whole ‖ without) in nats at each token of the whole model's continuation; null where no part was named. */
  readonly kl: Float64Array | null;
  /** Index of the first unlike token; null: none. */
  readonly firstDifference: number | null;
}

/* ---------- weights ---------- */

export interface WeightsRequest {
  readonly layer: number;
  /** Which of the layer's matrices, in the order of the result's list. */
  readonly matrix: number;
  /** Output whose weights are looked at; one beyond the last is the last. */
  readonly row: number;
}

/** One row of one of a layer's matrices as the model computes with it, and what NVFP4 would make of the matrix. */
export interface WeightsResult {
  /** The layer's matrices; empty where the file keeps none in a form that is read. */
  readonly matrices: readonly {
    readonly name: string;
    readonly rows: number;
    readonly columns: number;
  }[];
  readonly matrix: number;
  readonly row: number;
  /** (columns) */
  readonly values: Float32Array;
  /** Size of the matrix's largest weight. */
  readonly largest: number;
  /**
   * Norm of what NVFP4 changes in the matrix over its norm, by how blocks are scaled; null where 16 does not divide its
   * columns.
   */
  readonly errors: { readonly six: number; readonly fourOverSix: number } | null;
}

/* ---------- the jobs ---------- */

/** The request of a job that needs none: `{}`. */
export type NoDetails = Readonly<Record<string, never>>;

/** One greedy reply, written without and with drafts. */
export interface DraftTrialRequest {
  readonly messages: readonly PromptMessage[];
  /** Most tokens of the reply. */
  readonly tokens: number;
}

export interface DraftTrialToken {
  readonly text: string;
  /** Null: nothing had been drafted for this place. */
  readonly draft: TokenDraft | null;
}

export interface DraftTrialResult {
  readonly tokens: readonly DraftTrialToken[];
  readonly counts: DraftCounts;
  /** The same tokens both ways. */
  readonly isEqual: boolean;
  readonly plainMs: number;
  readonly draftedMs: number;
  readonly costs: DraftCosts;
}

/** Request and result of each job. One job at a time, replies included: another is refused with `busy`. */
export interface LabJobs {
  /** Reads a source and makes it the live state. */
  readonly read: { readonly request: { readonly source: LabSource }; readonly result: LabLive };
  readonly live: { readonly request: NoDetails; readonly result: LabLive };
  readonly inspect: { readonly request: InspectRequest; readonly result: InspectResult };
  /** Operates on the live state; later replies of this conversation go on from it. */
  readonly surgery: {
    readonly request: { readonly operations: readonly SurgeryOp[] };
    readonly result: LabLive;
  };
  /** Puts back the live state as it was before the first operation, when nothing was read since; else re-reads it. */
  readonly restore: { readonly request: NoDetails; readonly result: LabLive };
  readonly compare: { readonly request: CompareRequest; readonly result: CompareResult };
  readonly fork: { readonly request: ForkRequest; readonly result: ForkResult };
  readonly recall: { readonly request: RecallRequest; readonly result: RecallResult };
  readonly save: { readonly request: NoDetails; readonly result: SavedState };
  readonly load: { readonly request: LoadStateRequest; readonly result: LoadedState };
  readonly cost: { readonly request: CostRequest; readonly result: readonly CostPoint[] };
  readonly memory: { readonly request: NoDetails; readonly result: LabMemory };
  /** Writes a reply both ways and measures what runs cost; the live state stays as it is. */
  readonly drafts: { readonly request: DraftTrialRequest; readonly result: DraftTrialResult };
  /** Reads the model's file again, opens it without some parts, and frees it at the end. */
  readonly without: { readonly request: WithoutRequest; readonly result: WithoutResult };
  /** Reads the model's file again; nothing of it is kept. */
  readonly weights: { readonly request: WeightsRequest; readonly result: WeightsResult };
}

export type LabJobName = keyof LabJobs;

export type LabRequest<K extends LabJobName = LabJobName> = {
  readonly [N in K]: {
    readonly id: string;
    readonly job: N;
    readonly request: LabJobs[N]['request'];
  };
}[K];

/** A job that was stopped is a result, not an error. */
export type LabResult<K extends LabJobName = LabJobName> =
  { readonly stopped: false; readonly value: LabJobs[K]['result'] } | { readonly stopped: true };

/** Posted on a job's port while it runs. */
export type LabProgress =
  /** Tokens read or written so far. `total` may be reached early when the model ends its turn. */
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  /** A continuation grew (compare, without: 0 baseline, 1 changed; fork: its index). */
  | { readonly type: 'token'; readonly run: number; readonly id: number; readonly text: string }
  | { readonly type: 'cost'; readonly point: CostPoint };
