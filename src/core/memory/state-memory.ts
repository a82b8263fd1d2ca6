/**
 * Owns the arithmetic of what a hybrid model remembers: bytes of SSM states, conv states and KV
 * cache from its spec.
 */
import {
  mixersOf,
  type AttentionLayerSpec,
  type ConvLayerSpec,
  type LayerSpec,
  type MambaLayerSpec,
  type ModelSpec,
  type RecurrentLayerSpec,
} from '../model-spec';

/** Bytes of one number of each kind of state; `ssm` stands for all recurrent states. */
export interface StateWidths {
  readonly ssmBytes: number;
  readonly convBytes: number;
  readonly kvBytes: number;
}

/**
 * As NVIDIA serves Nemotron 3: float32 SSM states (`mamba_ssm_cache_dtype`), 16-bit conv states and
 * KV cache.
 */
export const NVIDIA_WIDTHS: StateWidths = { ssmBytes: 4, convBytes: 2, kvBytes: 2 };
/** All float32, as ONNX Runtime holds the states on WASM. */
export const FLOAT32_WIDTHS: StateWidths = { ssmBytes: 4, convBytes: 4, kvBytes: 4 };

/**
 * Columns of the conv state kept for each channel: `kernel` as Hugging Face and NVIDIA allocate it,
 * `kernel-1` as the ONNX operators of ONNX Runtime do.
 */
export type ConvWindow = 'kernel' | 'kernel-1';

export interface StateBytes {
  /** Recurrent states: of Mamba layers and of delta-rule layers. */
  readonly ssm: number;
  readonly conv: number;
  readonly kv: number;
  readonly total: number;
}

type Stack = Pick<ModelSpec, 'layers'>;

/** The Mamba mixers of a stack, in order, those beside another mixer too. */
export function mambaLayers(spec: Stack): MambaLayerSpec[] {
  return spec.layers.flatMap(mixersOf).filter((mixer) => mixer.kind === 'mamba');
}

/** All mixers with a recurrent state: Mamba and delta rule, in order. */
export function recurrentLayers(spec: Stack): RecurrentLayerSpec[] {
  return spec.layers
    .flatMap(mixersOf)
    .filter((mixer) => mixer.kind === 'mamba' || mixer.kind === 'delta');
}

/** All mixers with a conv state: the recurrent ones and convolutions by themselves, in order. */
function convolvedLayers(spec: Stack): (RecurrentLayerSpec | ConvLayerSpec)[] {
  return spec.layers.flatMap(mixersOf).filter((mixer) => mixer.kind !== 'attention');
}

/** The attention mixers of a stack, in order, those beside another mixer too. */
export function attentionLayers(spec: Stack): AttentionLayerSpec[] {
  return spec.layers.flatMap(mixersOf).filter((mixer) => mixer.kind === 'attention');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Bytes of all recurrent states of one sequence: Σ heads × head dim × state size × width. Constant in
 * tokens.
 */
export function ssmStateBytes(spec: Stack, width: number): number {
  return sum(
    recurrentLayers(spec).map((layer) => layer.heads * layer.headDim * layer.stateSize * width),
  );
}

/** Bytes of all conv states of one sequence: Σ conv dim × window × width. Constant in tokens. */
export function convStateBytes(spec: Stack, width: number, window: ConvWindow): number {
  const columns = (layer: { readonly convKernel: number }): number =>
    window === 'kernel' ? layer.convKernel : layer.convKernel - 1;
  return sum(convolvedLayers(spec).map((layer) => layer.convDim * columns(layer) * width));
}

/** Bytes by which the KV cache grows with each token: Σ 2 × KV heads × head dim × width. */
export function kvBytesPerToken(spec: Stack, width: number): number {
  return sum(attentionLayers(spec).map((layer) => 2 * layer.kvHeads * layer.headDim * width));
}

/** Bytes of all states of one sequence after `tokens` tokens. */
export function stateBytesAt(
  spec: Stack,
  tokens: number,
  widths: StateWidths,
  window: ConvWindow = 'kernel',
): StateBytes {
  const ssm = ssmStateBytes(spec, widths.ssmBytes);
  const conv = convStateBytes(spec, widths.convBytes, window);
  const kv = kvBytesPerToken(spec, widths.kvBytes) * tokens;
  return { ssm, conv, kv, total: ssm + conv + kv };
}

/**
 * First token count at which the KV cache is at least as large as SSM and conv states together;
 * below it the constant state is the larger one. Null when there is no KV cache (it never is).
 */
export function crossoverTokens(
  spec: Stack,
  widths: StateWidths,
  window: ConvWindow = 'kernel',
): number | null {
  const perToken = kvBytesPerToken(spec, widths.kvBytes);
  if (perToken === 0) return null;
  const { ssm, conv } = stateBytesAt(spec, 0, widths, window);
  return Math.ceil((ssm + conv) / perToken);
}

/**
 * The same model with attention in place of every recurrence and convolution, each with the heads of
 * the model's first attention layer. Null when the model has none to copy.
 */
export function allAttentionTwin(spec: ModelSpec): ModelSpec | null {
  const [pattern] = attentionLayers(spec);
  if (pattern === undefined) return null;
  const { heads, kvHeads, headDim } = pattern;
  const layers = spec.layers.map((layer): LayerSpec => {
    if (layer.kind === 'attention' || layer.kind === 'mlp' || layer.kind === 'moe') return layer;
    const { index, feedForward } = layer;
    return {
      kind: 'attention',
      index,
      heads,
      kvHeads,
      headDim,
      ...(feedForward === undefined ? {} : { feedForward }),
    };
  });
  return { ...spec, name: `${spec.name}, attention only`, layers };
}
