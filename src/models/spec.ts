/** Owns the reading of config.json and manifest.json into checked values. Owns no fetching. */
import { EngineError } from '../core/errors';
import type { ModelSpec } from '../core/model-spec';
import type { RolePrompts } from '../core/roles/role-prompts';
import { asArray, asNumber, asObject, asString, ConfigFields, type Json } from './config-fields';
import { readFamily } from './families';

/** A file of the model folder. */
export interface ManifestFile {
  /** Relative to the model folder, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What a variant must answer after the golden prompt. */
export interface GoldenLogits {
  readonly topIds: readonly number[];
  readonly topLogits: readonly number[];
  /** Largest allowed |logit - golden| on these ids. */
  readonly tolerance: number;
}

export interface ModelManifest {
  readonly name: string;
  readonly parameters: number;
  readonly files: readonly ManifestFile[];
  /** Path by the variant's transformers.js dtype: q4, q4f16, quantized, fp32. */
  readonly variants: Readonly<Record<string, string>>;
  /**
   * Files of weights that every variant reads, in order; empty when each graph has its own. Part i is what a graph calls
   * by its own file name with `_data`, or `_data_i` after the first, behind it.
   */
  readonly parts: readonly string[];
  /** Path of the module of multi-token prediction by the variant that it belongs to; empty where there is none. */
  readonly drafts: Readonly<Record<string, string>>;
  /** What tells the model its role in drafting, checking and mending; null: it was not taught them. */
  readonly roles: RolePrompts | null;
  /** Path of the graph that scores a reply by the model's last state; absent where there is none. */
  readonly reward?: string;
  readonly goldenIds: readonly number[];
  readonly golden: Readonly<Record<string, GoldenLogits>>;
}

function endTokenIds(config: Json, generation: Json): number[] {
  const value = generation['eos_token_id'] ?? config['eos_token_id'] ?? [];
  const ids = Array.isArray(value) ? (value as unknown[]) : [value];
  return ids.map((id) => asNumber(id, 'eos_token_id'));
}

/**
 * Reads config.json (with generation_config.json, {} where there is none). EngineError `model-unsupported` for another
 * architecture or an unknown layer, `model-corrupt` for missing fields.
 */
export function parseSpec(name: string, configJson: unknown, generationJson: unknown): ModelSpec {
  const config = new ConfigFields(asObject(configJson, 'config.json'));
  const generation = asObject(generationJson, 'generation_config.json');
  const { modelType, text, layers } = readFamily(config);
  return {
    name,
    modelType,
    hiddenSize: text.size('hidden_size'),
    vocabSize: text.size('vocab_size'),
    maxPositions: text.size('max_position_embeddings', 4096),
    layers,
    eosTokenIds: endTokenIds(
      { eos_token_id: text.json['eos_token_id'] ?? config.json['eos_token_id'] },
      generation,
    ),
  };
}

/** `drafts` of manifest.json: each a file of the folder and beside a variant, its parent. */
function readDrafts(
  manifest: Json,
  variants: Readonly<Record<string, string>>,
  files: readonly ManifestFile[],
): Record<string, string> {
  const drafts: Record<string, string> = {};
  for (const [variant, value] of Object.entries(
    asObject(manifest['drafts'] ?? {}, 'drafts in manifest.json'),
  )) {
    const path = asString(value, `drafts.${variant} in manifest.json`);
    const isListed = files.some((file) => file.path === path);
    if (variants[variant] === undefined || !isListed) {
      throw new EngineError(
        'model-corrupt',
        isListed
          ? `drafts.${variant} in manifest.json is ${path}, a module without its parent: variants has no ${variant}.`
          : `drafts.${variant} in manifest.json is ${path}, which its files do not list.`,
        'Package the model anew with `python -m tidepool_model.export.package_multi_token`.',
      );
    }
    drafts[variant] = path;
  }
  return drafts;
}

/** `roles` of manifest.json: all three or none. */
function readRoles(manifest: Json): RolePrompts | null {
  if (manifest['roles'] === undefined) return null;
  const roles = asObject(manifest['roles'], 'roles in manifest.json');
  const of = (role: string): string => asString(roles[role], `roles.${role} in manifest.json`);
  return { draft: of('draft'), feedback: of('feedback'), edit: of('edit') };
}

/** `reward` of manifest.json: a file of the folder. */
function readReward(manifest: Json, files: readonly ManifestFile[]): { reward?: string } {
  if ((manifest['reward'] ?? null) === null) return {};
  const reward = asString(manifest['reward'], 'reward in manifest.json');
  if (files.some(({ path }) => path === reward)) return { reward };
  throw new EngineError(
    'model-corrupt',
    `reward in manifest.json is ${reward}, which its files do not list.`,
    'Package the model anew with `python -m tidepool_model.export.package_reward`.',
  );
}

/** Reads manifest.json. EngineError `model-corrupt` naming the field that is wrong. */
export function parseManifest(json: unknown): ModelManifest {
  const manifest = asObject(json, 'manifest.json');
  const files = asArray(manifest['files'], 'files in manifest.json').map(
    (value, i): ManifestFile => {
      const file = asObject(value, `files[${i}] in manifest.json`);
      return {
        path: asString(file['path'], `files[${i}].path in manifest.json`),
        bytes: asNumber(file['bytes'], `files[${i}].bytes in manifest.json`),
        sha256: asString(file['sha256'], `files[${i}].sha256 in manifest.json`),
      };
    },
  );
  const variants: Record<string, string> = {};
  for (const [variant, path] of Object.entries(
    asObject(manifest['variants'], 'variants in manifest.json'),
  )) {
    variants[variant] = asString(path, `variants.${variant} in manifest.json`);
  }
  const parts = asArray(manifest['parts'] ?? [], 'parts in manifest.json').map((value, i) => {
    const path = asString(value, `parts[${i}] in manifest.json`);
    if (files.some((file) => file.path === path)) return path;
    throw new EngineError(
      'model-corrupt',
      `parts[${i}] in manifest.json is ${path}, which its files do not list.`,
      'Package the model anew with `python -m tidepool_model.export.package_hybrid`.',
    );
  });
  const drafts = readDrafts(manifest, variants, files);
  const goldenJson = asObject(manifest['golden'], 'golden in manifest.json');
  const goldenIds = asArray(goldenJson['input_ids'], 'golden.input_ids in manifest.json').map(
    (id) => asNumber(id, 'golden.input_ids in manifest.json'),
  );
  const golden: Record<string, GoldenLogits> = {};
  for (const variant of Object.keys(variants)) {
    const at = `golden.${variant} in manifest.json`;
    const values = asObject(goldenJson[variant], at);
    golden[variant] = {
      topIds: asArray(values['top_ids'], at).map((id) => asNumber(id, at)),
      topLogits: asArray(values['top_logits'], at).map((value) => asNumber(value, at, true)),
      tolerance: asNumber(values['tolerance'], at, true),
    };
  }
  return {
    name: asString(manifest['name'], 'name in manifest.json'),
    parameters: asNumber(manifest['parameters'], 'parameters in manifest.json'),
    files,
    variants,
    parts,
    drafts,
    roles: readRoles(manifest),
    ...readReward(manifest, files),
    goldenIds,
    golden,
  };
}

/** The manifest's entry of a path; EngineError `model-corrupt` when it is not listed. */
export function manifestFile(manifest: ModelManifest, path: string): ManifestFile {
  const file = manifest.files.find((entry) => entry.path === path);
  if (file === undefined) {
    throw new EngineError(
      'model-corrupt',
      `${path} is not listed in manifest.json of ${manifest.name}.`,
      'Package the model anew with `python -m tidepool_model.export.package`.',
    );
  }
  return file;
}
