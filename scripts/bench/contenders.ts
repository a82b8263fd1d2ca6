/** Owns who is measured: names, files, and how many bytes each keeps of a weight. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ContenderOptions } from '../../tests/bench/peers/peers';
import {
  CONTEXT,
  fileBytes,
  type BenchModel,
  type GgufFiles,
  type ModelConfig,
} from './model-folders';

export interface Entry {
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly options: ContenderOptions;
  /** False: its weights lie in a memory that Chromium's count of a page leaves out, so that count is no figure of it. */
  readonly isCounted?: false;
  /** Bytes of all weights as the engine keeps them and reads them for each token. */
  readonly weightBytes: number;
  /** Bytes of a number in the KV cache. */
  readonly kvNumberBytes: number;
}

/** What our engine takes on WASM, and transformers.js with the dtype q8. */
export const QUANTIZED = 'onnx/model_quantized.onnx';
const Q4 = 'onnx/model_q4.onnx';

/** Everyone who can take part. `threads` are those that our engine chose. */
export function entries(
  model: BenchModel,
  gguf: GgufFiles | null,
  baseFolder: string | null,
  workerUrl: string,
  threads: number,
): Entry[] {
  // Weights in parts are multiplied as they are packed by our engine's own kernels; stock transformers.js runs the 4-bit graph.
  const hasParts = existsSync(join(model.folder, `${Q4}_data`));
  // ONNX Runtime folds the integers of model_quantized.onnx into float32 at load, whoever loads it.
  const folded = model.parameters * 4;
  const stock = (
    name: string,
    title: string,
    file: string,
    on: number,
    of: Pick<BenchModel, 'name' | 'folder'> = model,
  ): Entry => ({
    name,
    title: `${title}, ${on} thread${on === 1 ? '' : 's'}`,
    // Another model's int8 file keeps its integers: it is dynamically quantised.
    weightBytes: file === QUANTIZED && of === model ? folded : fileBytes(of, file),
    kvNumberBytes: 4,
    options: {
      kind: 'transformers',
      baseUrl: '/bench-models/',
      name: of.name,
      dtype: file === QUANTIZED ? 'q8' : 'q4',
      threads: on,
      // The build our engine takes on WASM: the 4-bit file needs it, and so the engines differ in nothing else.
      build: 'plain',
      file,
      fileBytes: fileBytes(of, file),
      ...(of === model ? {} : { readsText: true }),
    },
  });
  const base = baseFolder === null ? null : { name: basename(baseFolder), folder: baseFolder };
  const counts = threads === 1 ? [1] : [1, threads];
  const suffix = (on: number): string => (on === 1 || threads === 1 ? '' : `-${on}t`);
  return [
    {
      name: 'tidepool',
      title: `${model.name === 'lagoon' ? 'Lagoon in Tidepool' : 'Tidepool'}, ${threads} thread${threads === 1 ? '' : 's'}`,
      ...(hasParts ? { isCounted: false } : {}),
      weightBytes: hasParts ? fileBytes(model, QUANTIZED) : folded,
      kvNumberBytes: 4,
      options: {
        kind: 'tidepool',
        workerUrl,
        modelUrl: `/bench-models/${model.name}/`,
        device: 'wasm',
      },
    },
    ...(hasParts ? [] : counts).map((on) =>
      stock(`transformers${suffix(on)}`, 'transformers.js, same int8 file', QUANTIZED, on),
    ),
    ...counts.map((on) =>
      stock(`transformers-q4${suffix(on)}`, 'transformers.js, usual 4-bit export', Q4, on),
    ),
    ...(base === null
      ? []
      : [
          stock('smollm2-q8', 'transformers.js, SmolLM2-135M, q8', QUANTIZED, 1, base),
          stock('smollm2-q4', 'transformers.js, SmolLM2-135M, q4', Q4, 1, base),
        ]),
    ...(gguf === null
      ? []
      : Object.entries(gguf.files).map(([type, file]): Entry => {
          const bytes = fileBytes(model, `../${file}`);
          return {
            name: `wllama-${type}`,
            title: `wllama${gguf.of === undefined ? '' : `, ${gguf.of}`}, ${type.toUpperCase()}, 1 thread`,
            weightBytes: bytes,
            kvNumberBytes: 2,
            options: {
              kind: 'wllama',
              url: `/bench-models/${file}`,
              file,
              fileBytes: bytes,
              hasOurTokens: gguf.of === undefined,
              threads: 1,
              context: Math.min(CONTEXT, model.config.max_position_embeddings),
            },
          };
        })),
  ];
}

/** Bytes that a decode step must read (and the states it writes) with `context` tokens behind it. */
export function bytesPerToken(entry: Entry, config: ModelConfig, context: number): number {
  const count = (kind: string): number =>
    config.layers_block_type.filter((type) => type === kind).length;
  const kv =
    count('attention') *
    2 *
    config.num_key_value_heads *
    config.head_dim *
    context *
    entry.kvNumberBytes;
  const ssm =
    count('mamba') * config.mamba_num_heads * config.mamba_head_dim * config.ssm_state_size * 4 * 2;
  return entry.weightBytes + kv + ssm;
}
