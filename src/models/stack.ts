/**
 * Owns what a config.json tells of a model before anything is downloaded: its layers, what they will remember, what it
 * can read at once. The reading of layers is families.ts', the arithmetic core/memory's.
 */
import type { LayerSpec } from '../core/model-spec';
import { stateBytesAt, type StateWidths } from '../core/memory/state-memory';
import { asObject, ConfigFields } from './config-fields';
import { readFamily } from './families';

export interface Stack {
  readonly modelType: string;
  readonly layers: readonly LayerSpec[];
  readonly hiddenSize: number;
  /** Null where the config names none. */
  readonly vocabSize: number | null;
  readonly contextTokens: number | null;
}

/**
 * The layers of a parsed config.json. EngineError `model-unsupported` for a family or layer that the app does not know,
 * `model-corrupt` for missing or senseless fields.
 */
export function readStack(configJson: unknown): Stack {
  const { modelType, text, layers } = readFamily(
    new ConfigFields(asObject(configJson, 'config.json')),
  );
  return {
    modelType,
    layers,
    hiddenSize: text.size('hidden_size'),
    vocabSize: text.optional('vocab_size'),
    contextTokens: text.optional('max_position_embeddings'),
  };
}

/** How a variant of this dtype holds its states: 16 bits where it computes in 16 bits, but recurrent states stay 32. */
export function stateWidthsOf(dtype: string): StateWidths {
  const width = dtype.includes('16') ? 2 : 4;
  return { ssmBytes: 4, convBytes: width, kvBytes: width };
}

/** Bytes of all states of one conversation of `tokens` tokens, held as a variant of this dtype holds them. */
export function stackStateBytes(stack: Stack, tokens: number, dtype: string): number {
  return stateBytesAt(stack, tokens, stateWidthsOf(dtype)).total;
}
