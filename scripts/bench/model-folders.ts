/**
 * Owns the model files that are measured, in `.cache/bench/models`: the shipped folder with a longer context, the same
 * weights as GGUF, and the base shape with random weights. Owns no measuring.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Tokens that the measured copies may read. The shipped config stops earlier; attention here has no positions, so the
 * number bounds buffers only and changes no output.
 */
export const CONTEXT = 16_384;

export interface BenchModel {
  readonly name: string;
  readonly folder: string;
  readonly parameters: number;
  /** What the shipped config allows. */
  readonly shippedContext: number;
  readonly config: ModelConfig;
}

/** The fields of config.json that sizes are computed from, by Nemotron-H's names. */
export interface ModelConfig {
  readonly layers_block_type: readonly string[];
  readonly max_position_embeddings: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly mamba_num_heads: number;
  readonly mamba_head_dim: number;
  readonly ssm_state_size: number;
}

interface Manifest {
  readonly parameters: number;
  files: { path: string; bytes: number; sha256: string }[];
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Config.json of a `granitemoehybrid`, as Lagoon's: the same sizes by other names. */
interface GraniteConfig {
  readonly layer_types: readonly string[];
  readonly max_position_embeddings: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly mamba_n_heads: number;
  readonly mamba_d_head: number;
  readonly mamba_d_state: number;
}

/** A model folder as it is, copied: a model with rotary positions reads no further than it was taught to. */
export function plainCopy(from: string, name: string, models: string): BenchModel {
  const folder = join(models, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(models, { recursive: true });
  // The built site has each part of the weights under the name of every graph, as stock transformers.js wants.
  cpSync(from, folder, { recursive: true });
  const config = readJson(join(folder, 'config.json')) as GraniteConfig;
  return {
    name,
    folder,
    parameters: (readJson(join(folder, 'manifest.json')) as Manifest).parameters,
    shippedContext: config.max_position_embeddings,
    config: {
      layers_block_type: config.layer_types,
      max_position_embeddings: config.max_position_embeddings,
      num_key_value_heads: config.num_key_value_heads,
      head_dim: config.head_dim,
      mamba_num_heads: config.mamba_n_heads,
      mamba_head_dim: config.mamba_d_head,
      ssm_state_size: config.mamba_d_state,
    },
  };
}

/** Copies a model folder, letting it read CONTEXT tokens. */
export function lengthenedCopy(from: string, name: string, models: string): BenchModel {
  const folder = join(models, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(models, { recursive: true });
  cpSync(from, folder, { recursive: true });
  const shipped = readJson(join(folder, 'config.json')) as ModelConfig;
  const config = { ...shipped, max_position_embeddings: CONTEXT };
  const text = `${JSON.stringify(config, null, 2)}\n`;
  writeFileSync(join(folder, 'config.json'), text);
  const manifest = readJson(join(folder, 'manifest.json')) as Manifest;
  manifest.files = manifest.files.map((file) =>
    file.path === 'config.json'
      ? {
          path: file.path,
          bytes: Buffer.byteLength(text),
          sha256: createHash('sha256').update(text).digest('hex'),
        }
      : file,
  );
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return {
    name,
    folder,
    parameters: manifest.parameters,
    shippedContext: shipped.max_position_embeddings,
    config,
  };
}

/** Bytes of a file of the folder, with the parts that hold its weights where it has some. */
export function fileBytes(model: Pick<BenchModel, 'folder'>, path: string): number {
  const parts = [`${path}_data`, ...Array.from({ length: 16 }, (_, i) => `${path}_data_${i + 1}`)];
  return [path, ...parts]
    .map((part) => statSync(join(model.folder, part), { throwIfNoEntry: false })?.size)
    .reduce<number>((sum, size, at) => {
      if (at === 0 && size === undefined)
        throw new Error(`${join(model.folder, path)} is not there; build anew`);
      return sum + (size ?? 0);
    }, 0);
}

/** The interpreter of the recipe: PYTHON, the repository's own environment, or the system's. */
function pythonOf(root: string): string {
  const own = resolve(root, 'model/.venv/bin/python');
  return process.env['PYTHON'] ?? (existsSync(own) ? own : 'python3');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

export interface GgufFiles {
  /** Addresses' last parts, by llama.cpp's name of the type. */
  readonly files: Readonly<Record<string, string>>;
  /** Whose weights they hold, where it is not the measured model. */
  readonly of?: string;
}

/** Runs a module of the recipe that writes GGUF files; a sentence where it can't. */
function writeGguf(root: string, args: readonly string[]): { readonly missing: string } | null {
  const made = spawnSync(pythonOf(root), ['-m', ...args], {
    cwd: resolve(root, 'model'),
    encoding: 'utf8',
  });
  if (made.status === 0) return null;
  const why = made.error === undefined ? lastLine(made.stderr) : made.error.message;
  return {
    missing: `no GGUF could be made (${why}). For wllama's part: pip install gguf onnx numpy, and set PYTHON to that interpreter.`,
  };
}

/** SmolLM2-135M, which Lagoon is made from, as others run it. */
export interface BaseModel {
  /** For llama.cpp: Q4_1 as published, Q8_0 from it. */
  readonly gguf: GgufFiles;
  /** For transformers.js: model_quantized.onnx (int8) and model_q4.onnx, as the usual tools export them. */
  readonly folder: string;
}

/** Writes both unless they are there already; a sentence where it can't. */
export function makeBaseModel(
  root: string,
  models: string,
): BaseModel | { readonly missing: string } {
  const missing = writeGguf(root, [
    'tidepool_model.convert.base_gguf',
    '--out',
    models,
    '--checkpoint',
  ]);
  if (missing !== null) return missing;
  const folder = join(models, 'smollm2');
  if (!existsSync(join(folder, 'tokenizer_config.json'))) {
    const failed = writeGguf(root, [
      'tidepool_model.export.usual_export',
      join(models, 'smollm2-checkpoint'),
      folder,
    ]);
    if (failed !== null) return failed;
  }
  return {
    gguf: {
      files: { q8_0: 'smollm2-q8_0.gguf', q4_1: 'smollm2-q4_1.gguf' },
      of: 'SmolLM2-135M',
    },
    folder,
  };
}

/** Writes the weights of `model_quantized.onnx` as GGUF beside the folder, or says in a sentence why it can't. */
export function makeGguf(
  root: string,
  model: BenchModel,
): GgufFiles | { readonly missing: string } {
  const files = { q8_0: `${model.name}-q8_0.gguf`, q4_0: `${model.name}-q4_0.gguf` };
  const models = resolve(model.folder, '..');
  const missing = writeGguf(root, [
    'tidepool_model.export.export_gguf',
    '--model',
    model.folder,
    '--out',
    models,
  ]);
  return missing ?? { files };
}

/** Makes the base shape with random weights by the recipe, once; Error when Python or a package is missing. */
export function makeBase(root: string, cache: string): string {
  const folder = join(cache, 'base');
  if (existsSync(join(folder, 'manifest.json'))) return folder;
  execFileSync(
    pythonOf(root),
    ['-m', 'tidepool_model.export.random_model', '--preset', 'base', '--out', folder],
    { cwd: resolve(root, 'model'), stdio: 'inherit' },
  );
  return folder;
}
