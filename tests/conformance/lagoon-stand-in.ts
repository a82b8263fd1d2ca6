/**
 * Owns a stand-in for the larger model of this site, as tests put it on a host: its files with the manifest and measured
 * results that the recipe writes, and the index of a build that has it. Owns no layers (micro-models.ts).
 */
import { createHash } from 'node:crypto';
import { lagoonModel } from './micro-models';

/** As many as the real one has, so that what is said of memory is what is said of that. */
const PARAMETERS = 137_000_000;

export const LAGOON_FOLDER = 'models/lagoon/';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Contents by path inside the folder of the model. */
export function lagoonFiles(): ReadonlyMap<string, Uint8Array> {
  const { files, dtypes } = lagoonModel();
  const manifest = {
    name: 'lagoon',
    parameters: PARAMETERS,
    files: [...files].map(([path, bytes]) => ({
      path,
      bytes: bytes.length,
      sha256: sha256(bytes),
    })),
    variants: Object.fromEntries(dtypes.map((dtype) => [dtype, `onnx/model_${dtype}.onnx`])),
    // Random weights have no reference; what is tested of them is that they are numbers.
    golden: {
      input_ids: [72, 101, 108],
      ...Object.fromEntries(
        dtypes.map((dtype) => [dtype, { top_ids: [1], top_logits: [0], tolerance: 1e6 }]),
      ),
    },
  };
  const shares = (unlimited: number): Record<string, number> => ({ 0: 0.2, 128: 0.8, unlimited });
  const measured = {
    overall: shares(0.81),
    families: { lookup: shares(0.95), state: shares(0.9), word_problems: shares(0.85) },
    tokens: shares(1),
    thoughtTokens: shares(1),
    interval: { 0: [0.1, 0.3], 128: [0.7, 0.9], unlimited: [0.7, 0.9] },
    n: 640,
    visitors: { right: 51, of: 60 },
  };
  return new Map([...files, ['manifest.json', json(manifest)], ['eval.json', json(measured)]]);
}

/** models/index.json of a build that has it. */
export function indexWithLagoon(): Uint8Array {
  const has = { hasEval: true };
  return json({ models: { lagoon: has, micro: { hasEval: false }, tidepool: has } });
}
