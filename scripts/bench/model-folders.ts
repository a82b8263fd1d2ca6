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

/** The fields of config.json that sizes are computed from. */
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

export function fileBytes(model: BenchModel, path: string): number {
  return statSync(join(model.folder, path)).size;
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
  readonly files: Readonly<Record<'q8_0' | 'q4_0', string>>;
}

/** Writes the weights of `model_quantized.onnx` as GGUF beside the folder, or says in a sentence why it can't. */
export function makeGguf(
  root: string,
  model: BenchModel,
): GgufFiles | { readonly missing: string } {
  const files = { q8_0: `${model.name}-q8_0.gguf`, q4_0: `${model.name}-q4_0.gguf` };
  const models = resolve(model.folder, '..');
  const python = pythonOf(root);
  const made = spawnSync(
    python,
    ['-m', 'tidepool_model.export.export_gguf', '--model', model.folder, '--out', models],
    { cwd: resolve(root, 'model'), encoding: 'utf8' },
  );
  if (made.status === 0) return { files };
  const why = made.error === undefined ? lastLine(made.stderr) : made.error.message;
  return {
    missing: `no GGUF could be made (${why}). For wllama's part: pip install gguf onnx numpy, and set PYTHON to that interpreter.`,
  };
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
