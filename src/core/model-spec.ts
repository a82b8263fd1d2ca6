/**
 * What a model is made of, read from its config.json and manifest.json. Owns no loading and no
 * arithmetic.
 */

/** What mixes tokens in a layer: a recurrence, attention, or a convolution by itself. */
export type MixerKind = 'mamba' | 'delta' | 'conv' | 'attention';

/**
 * What one layer of the stack does: its (first) mixer, or, as Nemotron-H writes its stack, a
 * feed-forward part by itself.
 */
export type LayerKind = MixerKind | 'mlp' | 'moe';

interface LayerBase {
  /** Index among all layers; the N of `past_ssm.N`. */
  readonly index: number;
  /** Mixers that read the same input in parallel (Falcon-H1: attention beside Mamba); absent = none. */
  readonly beside?: readonly MixerSpec[];
  /** The feed-forward part that follows the mixer in the same layer; absent = none. */
  readonly feedForward?: 'mlp' | 'moe';
}

/** A layer with a recurrent state: a matrix (stateSize, headDim) for each head. */
interface RecurrentShape extends LayerBase {
  readonly heads: number;
  /** Columns of a head's state: the width of a value. P in the Mamba-2 paper. */
  readonly headDim: number;
  /** Rows of a head's state: the width of B and C, or of keys and queries. N in the Mamba-2 paper. */
  readonly stateSize: number;
  /** Groups of heads that share B and C, or a key and a query. */
  readonly groups: number;
  /** Width of the causal convolution (k); k-1 columns are kept as conv state. */
  readonly convKernel: number;
  /** heads·headDim + 2·groups·stateSize. */
  readonly convDim: number;
}

/** Mamba-2: the state decays, and an outer product is added (`past_ssm.N`). */
export interface MambaLayerSpec extends RecurrentShape {
  readonly kind: 'mamba';
}

/** The gated delta rule of Qwen3-Next, Qwen3.5 and OLMo-Hybrid (`past_recurrent.N`). */
export interface DeltaLayerSpec extends RecurrentShape {
  readonly kind: 'delta';
  /** OLMo-Hybrid: query, key and value have a convolution and a conv state of their own. */
  readonly hasSplitConv: boolean;
}

/** LFM2's gated short convolution: remembers its last inputs and nothing else. */
export interface ConvLayerSpec extends LayerBase {
  readonly kind: 'conv';
  readonly convKernel: number;
  readonly convDim: number;
}

export interface AttentionLayerSpec extends LayerBase {
  readonly kind: 'attention';
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

interface MlpLayerSpec {
  readonly kind: 'mlp';
  readonly index: number;
}

/** A mixture of experts with a router, as Nemotron 3 writes it. */
export interface ExpertsSpec {
  /** Experts that a token may go to (E), and those that it goes to (k). */
  readonly count: number;
  readonly chosen: number;
  /** Width between an expert's two matrices, and of the one that every token goes through; null where not told. */
  readonly width: number | null;
  readonly sharedWidth: number | null;
  /** Width that the experts read and write (LatentMoE); null: the full width. */
  readonly latentWidth: number | null;
}

interface MoeLayerSpec {
  readonly kind: 'moe';
  readonly index: number;
  /** Absent: the config does not tell. */
  readonly experts?: ExpertsSpec;
}

/** A feed-forward part that is a layer of its own. */
export type FeedForwardLayerSpec = MlpLayerSpec | MoeLayerSpec;

export type RecurrentLayerSpec = MambaLayerSpec | DeltaLayerSpec;
export type MixerSpec = RecurrentLayerSpec | ConvLayerSpec | AttentionLayerSpec;
export type LayerSpec = MixerSpec | FeedForwardLayerSpec;

export interface ModelSpec {
  readonly name: string;
  readonly modelType: string;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly layers: readonly LayerSpec[];
  readonly eosTokenIds: readonly number[];
}

/** All mixers of a layer, the first one first; [] for a feed-forward layer. */
export function mixersOf(layer: LayerSpec): readonly MixerSpec[] {
  switch (layer.kind) {
    case 'mlp':
    case 'moe':
      return [];
    default:
      return [layer, ...(layer.beside ?? [])];
  }
}
