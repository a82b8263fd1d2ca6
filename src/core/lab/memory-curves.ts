/** Owns the curves of what models remember over tokens, to draw the running one beside published ones. Owns no drawing. */
import { REFERENCE_SPECS } from '../memory/reference-specs';
import {
  allAttentionTwin,
  kvBytesPerToken,
  NVIDIA_WIDTHS,
  stateBytesAt,
} from '../memory/state-memory';
import type { ModelSpec } from '../model-spec';

/** Where a figure comes from: read off this tab's tensors, computed from a config, or published. */
export type Provenance = 'measured' | 'derived' | 'published';

/** Bytes over tokens: constant + growth × tokens. */
export interface MemoryCurve {
  readonly name: string;
  readonly provenance: Provenance;
  readonly source: string;
  /** SSM and conv states together. */
  readonly constantBytes: number;
  readonly ssmBytes: number;
  readonly convBytes: number;
  /** Growth of the KV cache with each token. */
  readonly bytesPerToken: number;
  /** Longest context that the config allows. */
  readonly maxTokens: number;
}

/** What was read off the tensors of the running model. */
export interface MeasuredMemory {
  readonly ssmBytes: number;
  readonly convBytes: number;
  readonly bytesPerToken: number;
}

/** Bytes after `tokens` tokens. */
export function curveBytes(curve: MemoryCurve, tokens: number): number {
  return curve.constantBytes + curve.bytesPerToken * tokens;
}

/** First whole token count at which what grows is at least as large as what stays; null when one of them is absent. */
export function curveCrossover(curve: MemoryCurve): number | null {
  if (curve.bytesPerToken === 0 || curve.constantBytes === 0) return null;
  return Math.ceil(curve.constantBytes / curve.bytesPerToken);
}

/**
 * The running model, the same with attention in place of every Mamba layer (absent without an attention layer to
 * copy), and NVIDIA's published hybrids. The twin's width of a number is the one measured.
 */
export function memoryCurves(spec: ModelSpec, measured: MeasuredMemory): MemoryCurve[] {
  const running: MemoryCurve = {
    name: spec.name,
    provenance: 'measured',
    source: 'Bytes of the tensors in this tab, extended in a straight line.',
    ...measured,
    constantBytes: measured.ssmBytes + measured.convBytes,
    maxTokens: spec.maxPositions,
  };
  const numbersPerToken = kvBytesPerToken(spec, 1);
  const twin = allAttentionTwin(spec);
  const width = numbersPerToken === 0 ? 0 : measured.bytesPerToken / numbersPerToken;
  const twins: MemoryCurve[] =
    twin === null
      ? []
      : [
          {
            name: 'The same, all attention',
            provenance: 'derived',
            source: `Computed: every Mamba layer replaced by this model’s attention layer, ${width} bytes a number.`,
            constantBytes: 0,
            ssmBytes: 0,
            convBytes: 0,
            bytesPerToken: kvBytesPerToken(twin, width),
            maxTokens: spec.maxPositions,
          },
        ];
  const published = REFERENCE_SPECS.map(({ spec: reference, source }): MemoryCurve => {
    const empty = stateBytesAt(reference, 0, NVIDIA_WIDTHS);
    return {
      name: reference.name,
      provenance: 'published',
      source: `${source}; float32 SSM states, 16-bit conv states and KV cache.`,
      constantBytes: empty.total,
      ssmBytes: empty.ssm,
      convBytes: empty.conv,
      bytesPerToken: kvBytesPerToken(reference, NVIDIA_WIDTHS.kvBytes),
      maxTokens: reference.maxPositions,
    };
  });
  return [running, ...twins, ...published];
}
