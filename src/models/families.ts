/**
 * Owns what the config.json of each model family says about its layers: field names, defaults and layer names as
 * Hugging Face transformers 5.23 reads them. Owns no state names (those stand in the ONNX file).
 */
import { EngineError } from '../core/errors';
import type {
  AttentionLayerSpec,
  ConvLayerSpec,
  ExpertsSpec,
  LayerKind,
  LayerSpec,
} from '../core/model-spec';
import type { ConfigFields } from './config-fields';

type FeedForward = 'mlp' | 'moe';
type LayersOf = (config: ConfigFields) => LayerSpec[];

interface Family {
  readonly layers: LayersOf;
  /** Name of the config that holds the text model, where it is nested. */
  readonly nested?: string;
}

function unknownLayer(index: number, found: string, known: string): EngineError {
  return new EngineError(
    'model-unsupported',
    `Layer ${index} of the model is of an unknown kind: ${found}. Known are ${known}.`,
    'Choose a model of Mamba-2, gated delta rule, short convolution, attention, MLP and MoE layers.',
  );
}

/** Ten times the deepest model there is; checked before anything of that length is made, for the file comes from anyone. */
const MAX_LAYERS = 1000;

function layerCount(config: ConfigFields): number {
  const count = config.size('num_hidden_layers');
  if (count > MAX_LAYERS) {
    throw new EngineError(
      'model-corrupt',
      `num_hidden_layers in config.json is ${count}; ${MAX_LAYERS} can be.`,
      'Get the files of the model again, or choose another model.',
    );
  }
  return count;
}

/** `names[i]` as a kind; EngineError naming the layer that is none. */
function kindsOf<Kind extends string>(
  names: readonly string[],
  known: Readonly<Record<string, Kind>>,
): Kind[] {
  return names.map((name, index) => {
    const kind = known[name];
    if (kind === undefined)
      throw unknownLayer(index, JSON.stringify(name), Object.keys(known).join(', '));
    return kind;
  });
}

/** Layer names under either field; those that transformers 5 writes for all families are taken beside the old ones. */
function layerNames(config: ConfigFields): readonly string[] | null {
  return config.strings('layers_block_type') ?? config.strings('layer_types');
}

function attention(config: ConfigFields, index: number): AttentionLayerSpec {
  const heads = config.size('num_attention_heads');
  return {
    kind: 'attention',
    index,
    heads,
    kvHeads: config.size('num_key_value_heads', heads),
    headDim: config.size('head_dim', Math.floor(config.size('hidden_size') / heads)),
  };
}

/* ---------- Nemotron-H: each layer is one block ---------- */

const NEMOTRON_LETTERS = { M: 'mamba', '*': 'attention', '-': 'mlp', E: 'moe' } as const;

const NEMOTRON_NAMES = {
  mamba: 'mamba',
  linear_attention: 'mamba',
  attention: 'attention',
  full_attention: 'attention',
  mlp: 'mlp',
  moe: 'moe',
} as const;

function nemotronKinds(config: ConfigFields): ('mamba' | 'attention' | 'mlp' | 'moe')[] {
  const names = layerNames(config);
  if (names !== null) return kindsOf(names, NEMOTRON_NAMES);
  const pattern = config.string('hybrid_override_pattern');
  return Array.from(pattern, (letter, index) => {
    const kind = (
      NEMOTRON_LETTERS as Readonly<Record<string, 'mamba' | 'attention' | 'mlp' | 'moe'>>
    )[letter];
    if (kind === undefined) throw unknownLayer(index, `the letter "${letter}"`, 'M, *, - and E');
    return kind;
  });
}

/** What the config tells of the experts in its `E` layers; null where it names none. */
function nemotronExperts(config: ConfigFields): ExpertsSpec | null {
  const [count, chosen] = [
    config.optional('n_routed_experts'),
    config.optional('num_experts_per_tok'),
  ];
  if (count === null || chosen === null) return null;
  if (chosen === 0 || chosen > count)
    throw new EngineError(
      'model-corrupt',
      `num_experts_per_tok in config.json is ${chosen}, but n_routed_experts is ${count}.`,
      'Get the files of the model again, or choose another model.',
    );
  const size = (key: string): number | null =>
    config.optional(key) === null ? null : config.size(key);
  return {
    count,
    chosen,
    width: size('moe_intermediate_size'),
    sharedWidth: size('moe_shared_expert_intermediate_size'),
    latentWidth: size('moe_latent_size'),
  };
}

const nemotronLayers: LayersOf = (config) =>
  nemotronKinds(config).map((kind, index): LayerSpec => {
    if (kind === 'attention') return attention(config, index);
    if (kind === 'moe') {
      const experts = nemotronExperts(config);
      return experts === null ? { kind, index } : { kind, index, experts };
    }
    if (kind !== 'mamba') return { kind, index };
    const heads = config.size('mamba_num_heads');
    const headDim = config.size('mamba_head_dim');
    const stateSize = config.size('ssm_state_size');
    const groups = config.size('n_groups', 1);
    const convKernel = config.size('conv_kernel', 4);
    const convDim = heads * headDim + 2 * groups * stateSize;
    return { kind, index, heads, headDim, stateSize, groups, convKernel, convDim };
  });

/* ---------- Granite 4 and Falcon-H1: Mamba-2 with the `mamba_` fields, a feed-forward part in each layer ---------- */

function prefixedMamba(
  config: ConfigFields,
  index: number,
  width: number,
): Extract<LayerSpec, { kind: 'mamba' }> {
  const heads = config.size('mamba_n_heads');
  const headDim =
    config.json['mamba_d_head'] === 'auto'
      ? Math.floor(width / heads)
      : config.size('mamba_d_head', Math.floor(width / heads));
  const stateSize = config.size('mamba_d_state');
  const groups = config.size('mamba_n_groups', 1);
  const convKernel = config.size('mamba_d_conv', 4);
  const convDim = heads * headDim + 2 * groups * stateSize;
  return { kind: 'mamba', index, heads, headDim, stateSize, groups, convKernel, convDim };
}

const GRANITE_NAMES = {
  mamba: 'mamba',
  linear_attention: 'mamba',
  attention: 'attention',
  full_attention: 'attention',
} as const;

const graniteLayers: LayersOf = (config) => {
  const names = layerNames(config) ?? Array.from({ length: layerCount(config) }, () => 'mamba');
  const width = config.size('mamba_expand', 2) * config.size('hidden_size');
  // Tiny and Small route to experts beside the shared MLP; the dense ones have the shared MLP only.
  const feedForward: FeedForward = config.number('num_local_experts', 0) > 0 ? 'moe' : 'mlp';
  return kindsOf(names, GRANITE_NAMES).map((kind, index): LayerSpec => {
    const layer = kind === 'mamba' ? prefixedMamba(config, index, width) : attention(config, index);
    return { ...layer, feedForward };
  });
};

const falconLayers: LayersOf = (config) => {
  const expanded = config.size('mamba_expand', 2) * config.size('hidden_size');
  const width = config.optional('mamba_d_ssm') ?? expanded;
  return Array.from({ length: layerCount(config) }, (_, index) => ({
    ...prefixedMamba(config, index, width),
    beside: [attention(config, index)],
    feedForward: 'mlp' as const,
  }));
};

/* ---------- LFM2: short convolutions ---------- */

const LFM2_NAMES = { conv: 'conv', short_conv: 'conv', full_attention: 'attention' } as const;

function lfm2Layers(
  config: ConfigFields,
  feedForwardOf: (index: number) => FeedForward,
): LayerSpec[] {
  const count = layerCount(config);
  const attended = config.numbers('full_attn_idxs');
  const names =
    layerNames(config) ??
    Array.from({ length: count }, (_, index) =>
      attended === null || attended.includes(index) ? 'full_attention' : 'conv',
    );
  return kindsOf(names, LFM2_NAMES).map((kind, index): LayerSpec => {
    const layer: AttentionLayerSpec | ConvLayerSpec =
      kind === 'attention'
        ? attention(config, index)
        : {
            kind,
            index,
            convKernel: config.size('conv_L_cache', 3),
            convDim: config.size('hidden_size'),
          };
    return { ...layer, feedForward: feedForwardOf(index) };
  });
}

/* ---------- The gated delta rule: Qwen3-Next, Qwen3.5, OLMo-Hybrid ---------- */

const DELTA_NAMES = { linear_attention: 'delta', full_attention: 'attention' } as const;

/** Every `interval`-th layer attends, where the layers are not listed. */
function everyNth(count: number, interval: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    (i + 1) % interval === 0 ? 'full_attention' : 'linear_attention',
  );
}

interface DeltaSizes {
  readonly groups: number;
  readonly heads: number;
  readonly stateSize: number;
  readonly headDim: number;
  readonly hasSplitConv: boolean;
}

function deltaLayers(
  config: ConfigFields,
  { groups, heads, stateSize, headDim, hasSplitConv }: DeltaSizes,
  feedForwardOf: (index: number) => FeedForward,
): LayerSpec[] {
  const names =
    layerNames(config) ?? everyNth(layerCount(config), config.size('full_attention_interval', 4));
  const convKernel = config.size('linear_conv_kernel_dim', 4);
  const convDim = heads * headDim + 2 * groups * stateSize;
  return kindsOf(names, DELTA_NAMES).map((kind, index): LayerSpec => {
    const feedForward = feedForwardOf(index);
    if (kind === 'attention') return { ...attention(config, index), feedForward };
    return {
      ...{ kind, index, heads, headDim, stateSize, groups, convKernel, convDim, hasSplitConv },
      feedForward,
    };
  });
}

function qwenSizes(config: ConfigFields): DeltaSizes {
  return {
    groups: config.size('linear_num_key_heads'),
    heads: config.size('linear_num_value_heads'),
    stateSize: config.size('linear_key_head_dim'),
    headDim: config.size('linear_value_head_dim'),
    hasSplitConv: false,
  };
}

function olmoSizes(config: ConfigFields): DeltaSizes {
  const heads = config.size('num_attention_heads');
  const groups = config.size('linear_num_key_heads', heads);
  const stateSize = config.size(
    'linear_key_head_dim',
    Math.floor((0.75 * config.size('hidden_size')) / groups),
  );
  return {
    groups,
    heads: config.size('linear_num_value_heads', heads),
    stateSize,
    headDim: config.size('linear_value_head_dim', 2 * stateSize),
    hasSplitConv: true,
  };
}

/** Qwen's MoE models: every `decoder_sparse_step`-th layer routes, but those listed as dense. */
function qwenFeedForward(config: ConfigFields): (index: number) => FeedForward {
  const dense = new Set(config.numbers('mlp_only_layers') ?? []);
  const step = config.size('decoder_sparse_step', 1);
  const hasExperts = config.number('num_experts', 0) > 0;
  return (index) => (hasExperts && !dense.has(index) && (index + 1) % step === 0 ? 'moe' : 'mlp');
}

const qwenDelta: LayersOf = (config) =>
  deltaLayers(config, qwenSizes(config), qwenFeedForward(config));

/* ---------- Transformers: attention in every layer ---------- */

const transformerLayers: LayersOf = (config) => {
  const feedForwardOf = qwenFeedForward(config);
  return Array.from({ length: layerCount(config) }, (_, index) => ({
    ...attention(config, index),
    feedForward: feedForwardOf(index),
  }));
};

const NESTED_TEXT = { nested: 'text_config' } as const;

/** By `model_type`. */
const FAMILIES: Readonly<Record<string, Family>> = {
  nemotron_h: { layers: nemotronLayers },
  granitemoehybrid: { layers: graniteLayers },
  falcon_h1: { layers: falconLayers },
  lfm2: { layers: (config) => lfm2Layers(config, () => 'mlp') },
  lfm2_moe: {
    layers: (config) => {
      const dense = config.number('num_dense_layers', 0);
      return lfm2Layers(config, (index) => (index < dense ? 'mlp' : 'moe'));
    },
  },
  qwen3_next: { layers: qwenDelta },
  qwen3_5_text: { layers: qwenDelta },
  qwen3_5: { layers: qwenDelta, ...NESTED_TEXT },
  qwen3_5_moe_text: { layers: qwenDelta },
  qwen3_5_moe: { layers: qwenDelta, ...NESTED_TEXT },
  olmo_hybrid: {
    layers: (config) => deltaLayers(config, olmoSizes(config), () => 'mlp'),
  },
  // Pure transformers, for contrast: the ones whose config names heads and sizes in the common way.
  qwen3: { layers: transformerLayers },
  qwen3_moe: { layers: transformerLayers },
  qwen2: { layers: transformerLayers },
  llama: { layers: transformerLayers },
  mistral: { layers: transformerLayers },
  smollm3: { layers: transformerLayers },
  granite: { layers: transformerLayers },
  olmo2: { layers: transformerLayers },
};

/** The `model_type`s that are known, in the order of the table. */
const KNOWN_MODEL_TYPES: readonly string[] = Object.keys(FAMILIES);

/**
 * The config of the text model and its layers. EngineError `model-unsupported` for another architecture or an unknown
 * layer, `model-corrupt` for missing fields.
 */
export function readFamily(config: ConfigFields): {
  readonly modelType: string;
  readonly text: ConfigFields;
  readonly layers: readonly LayerSpec[];
} {
  const modelType = config.string('model_type');
  const family = FAMILIES[modelType];
  if (family === undefined) {
    throw new EngineError(
      'model-unsupported',
      `The model is of the kind "${modelType}"; this app runs ${KNOWN_MODEL_TYPES.join(', ')}.`,
      'Choose a model of one of these kinds.',
    );
  }
  const text = family.nested === undefined ? config : config.object(family.nested);
  const layers = family.layers(text);
  if (layers.length === 0) {
    throw new EngineError(
      'model-corrupt',
      'config.json lists no layers.',
      'Get the files of the model again, or choose another model.',
    );
  }
  return { modelType, text, layers };
}

/** How many layers of each kind: a mixer beside another one and a feed-forward part inside a layer count too. */
export function countParts(layers: readonly LayerSpec[]): ReadonlyMap<LayerKind, number> {
  const counts = new Map<LayerKind, number>();
  const add = (kind: LayerKind): void => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  };
  for (const layer of layers) {
    add(layer.kind);
    if (layer.kind === 'mlp' || layer.kind === 'moe') continue;
    for (const mixer of layer.beside ?? []) add(mixer.kind);
    if (layer.feedForward !== undefined) add(layer.feedForward);
  }
  return counts;
}
