/** Owns how a folder says that its weights are one NVFP4 checkpoint beside graphs without any. Owns no reading of it. */

/** modelopt's note of what it packed; published NVFP4 checkpoints have it. */
export const PACKING_NOTE = 'hf_quant_config.json';
const WEIGHTS = 'model.safetensors';

/** The checkpoint, as the external data of every graph that has none of its own; [] where there is none such. */
export function packedWeightsOf(paths: Iterable<string>): readonly string[] {
  const all = new Set(paths);
  return all.has(PACKING_NOTE) && all.has(WEIGHTS) ? [WEIGHTS] : [];
}

export function isPackedCheckpoint(path: string): boolean {
  return path.endsWith('.safetensors');
}
