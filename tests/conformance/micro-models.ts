/**
 * Owns one micro model for each family, with random weights, in the layout of its public export: file and folder names,
 * inputs and outputs with shapes and types, external data, config.json, a byte-level tokenizer with the family's special
 * tokens, its chat template. Owns no operators (micro-layers.ts).
 *
 * Layouts as read on 2026-11-23 in transformers.js 4.3.1 (getCacheNames, session_config) and in public code that runs the
 * exports: onnx-community/granite-4.0-h-350m-ONNX (conv state of mamba_d_conv columns, SSM state (heads, d_head,
 * d_state), all logits, model.onnx + model.onnx_data), Falcon-H1-Tiny-*-ONNX (num_logits_to_keep, no positions),
 * LFM2-350M-ONNX (position_ids, conv state of conv_L_cache columns, data in several files), Qwen3.5-0.8B/2B-ONNX
 * (embed_tokens and decoder_model_merged, position_ids of three rows, logits not the first output). For Nemotron 3,
 * Qwen3-Next and OLMo-Hybrid only transformers.js' names were to be had.
 */
import { readFileSync } from 'node:fs';
import { addedToken } from '../added-token';
import { LayerWriter, type AttentionShape, type MambaShape, type WeightType } from './micro-layers';
import type { ExternalData, FloatType, WrittenModel } from './onnx-writer';

export interface MicroModel {
  /** Repository on the hub, `owner/name`. */
  readonly id: string;
  readonly family: string;
  readonly dtypes: readonly WeightType[];
  /** Contents by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

interface Plan {
  readonly id: string;
  readonly dtypes: readonly WeightType[];
  /** Without `vocab_size`, `hidden_size` and token ids. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly template: string;
  /** Where the template lies: in tokenizer_config.json or in a file of its own. */
  readonly templateFile: boolean;
  readonly tokens: {
    readonly bos?: string;
    readonly eos: string;
    readonly special: readonly string[];
  };
  readonly positions: 'none' | 'rows' | 'mrope';
  readonly keepsLogits: boolean;
  readonly isSplit: boolean;
  /** Bytes of one data file; null: weights inside. */
  readonly dataBytes: number | null;
  readonly layers: readonly ((writer: LayerWriter, value: string, index: number) => string)[];
}

const HIDDEN = 64;
const MAMBA: MambaShape = { heads: 4, headDim: 16, stateSize: 8, groups: 1, kernel: 4 };
const DELTA: MambaShape = { heads: 4, headDim: 16, stateSize: 8, groups: 2, kernel: 4 };
const ATTENTION: AttentionShape = { heads: 4, kvHeads: 2, headDim: 16, rotary: 'none' };
const INNER = 96;

type Layer = (writer: LayerWriter, value: string, index: number) => string;

/** A mixer after a norm, added to the stream, then a feed-forward part likewise. */
function block(mixer: Layer, feedForward: 'mlp' | 'moe' | null): Layer {
  return (writer, value, index) => {
    const mixed = writer.add(value, mixer(writer, writer.norm(value), index));
    if (feedForward === null) return mixed;
    const normed = writer.norm(mixed);
    return writer.add(
      mixed,
      feedForward === 'mlp' ? writer.feedForward(normed, INNER) : writer.experts(normed, 32, 3),
    );
  };
}

const mamba: Layer = (writer, value, index) => writer.mamba(value, index, MAMBA);
const delta =
  (isSplit: boolean): Layer =>
  (writer, value, index) =>
    writer.delta(value, index, DELTA, isSplit);
const conv: Layer = (writer, value, index) => writer.shortConv(value, index, 3);
const attend =
  (changes: Partial<AttentionShape> = {}): Layer =>
  (writer, value, index) =>
    writer.attention(value, index, { ...ATTENTION, ...changes });
const both: Layer = (writer, value, index) =>
  writer.add(mamba(writer, value, index), attend({ rotary: 'inside' })(writer, value, index));
const feed: Layer = (writer, value) => writer.feedForward(value, INNER);

const HEADS = { num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16 };
const PREFIXED = {
  mamba_n_heads: MAMBA.heads,
  mamba_d_head: MAMBA.headDim,
  mamba_d_state: MAMBA.stateSize,
  mamba_n_groups: MAMBA.groups,
  mamba_d_conv: MAMBA.kernel,
  mamba_expand: 1,
};
const LINEAR = {
  linear_num_key_heads: DELTA.groups,
  linear_num_value_heads: DELTA.heads,
  linear_key_head_dim: DELTA.stateSize,
  linear_value_head_dim: DELTA.headDim,
  linear_conv_kernel_dim: DELTA.kernel,
};
const CHATML = { eos: '<|im_end|>', special: ['<|im_start|>', '<|im_end|>', '<|endoftext|>'] };
const THINK = ['<think>', '</think>'];
const CALL = ['<tool_call>', '</tool_call>'];
const EXPORTS: readonly WeightType[] = ['fp32', 'fp16', 'q4', 'q4f16'];
const DEFAULTS = {
  dtypes: EXPORTS,
  templateFile: false,
  positions: 'none',
  keepsLogits: false,
  isSplit: false,
  dataBytes: 2 ** 31,
} as const;

const linearTypes = ['linear_attention', 'linear_attention', 'full_attention'];

const PLANS: readonly Plan[] = [
  {
    ...DEFAULTS,
    id: 'onnx-community/NVIDIA-Nemotron-3-Nano-4B-ONNX',
    config: {
      model_type: 'nemotron_h',
      hybrid_override_pattern: 'M-*-',
      mamba_num_heads: MAMBA.heads,
      mamba_head_dim: MAMBA.headDim,
      ssm_state_size: MAMBA.stateSize,
      n_groups: MAMBA.groups,
      conv_kernel: MAMBA.kernel,
      ...HEADS,
    },
    template: 'nemotron-3',
    templateFile: true,
    tokens: {
      bos: '<s>',
      eos: '<|im_end|>',
      special: ['<s>', ...CHATML.special, ...THINK, ...CALL],
    },
    keepsLogits: true,
    dtypes: ['q4', 'q4f16'],
    layers: [block(mamba, null), block(feed, null), block(attend(), null), block(feed, null)],
  },
  {
    ...DEFAULTS,
    id: 'onnx-community/granite-4.0-h-350m-ONNX',
    config: {
      model_type: 'granitemoehybrid',
      layer_types: ['mamba', 'mamba', 'attention'],
      num_local_experts: 0,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      ...PREFIXED,
    },
    template: 'granite-4.0',
    tokens: {
      eos: '<|end_of_text|>',
      special: ['<|start_of_role|>', '<|end_of_role|>', '<|end_of_text|>', ...CALL],
    },
    layers: [block(mamba, 'mlp'), block(mamba, 'mlp'), block(attend(), 'mlp')],
  },
  {
    ...DEFAULTS,
    id: 'onnx-community/granite-4.0-h-tiny-ONNX',
    config: {
      model_type: 'granitemoehybrid',
      layer_types: ['mamba', 'attention'],
      num_local_experts: 3,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      ...PREFIXED,
    },
    template: 'granite-4.0',
    tokens: {
      eos: '<|end_of_text|>',
      special: ['<|start_of_role|>', '<|end_of_role|>', '<|end_of_text|>', ...CALL],
    },
    dtypes: ['q4', 'q4f16'],
    layers: [block(mamba, 'moe'), block(attend(), 'moe')],
  },
  {
    ...DEFAULTS,
    id: 'onnx-community/Falcon-H1-Tiny-Multilingual-100M-Instruct-ONNX',
    config: { model_type: 'falcon_h1', mamba_d_ssm: 64, ...HEADS, ...PREFIXED },
    template: 'falcon-h1-reduced',
    tokens: {
      bos: '<|begin_of_text|>',
      ...CHATML,
      special: ['<|begin_of_text|>', ...CHATML.special],
    },
    keepsLogits: true,
    layers: [block(both, 'mlp'), block(both, 'mlp')],
  },
  {
    ...DEFAULTS,
    id: 'onnx-community/LFM2-350M-ONNX',
    config: {
      model_type: 'lfm2',
      layer_types: ['conv', 'full_attention', 'conv'],
      conv_L_cache: 3,
      num_attention_heads: 4,
      num_key_value_heads: 2,
    },
    template: 'lfm2.5',
    templateFile: true,
    tokens: {
      bos: '<|startoftext|>',
      eos: '<|im_end|>',
      special: ['<|startoftext|>', ...CHATML.special, '<|tool_call_start|>', '<|tool_call_end|>'],
    },
    positions: 'rows',
    dataBytes: 20_000,
    layers: [
      block(conv, 'mlp'),
      block(attend({ rotary: 'position-ids' }), 'mlp'),
      block(conv, 'mlp'),
    ],
  },
  {
    ...DEFAULTS,
    id: 'LiquidAI/LFM2.5-8B-A1B-ONNX',
    config: {
      model_type: 'lfm2_moe',
      layer_types: ['conv', 'full_attention'],
      conv_L_cache: 3,
      num_dense_layers: 1,
      num_experts: 3,
      num_attention_heads: 4,
      num_key_value_heads: 2,
    },
    template: 'lfm2.5',
    templateFile: true,
    tokens: {
      bos: '<|startoftext|>',
      eos: '<|im_end|>',
      special: ['<|startoftext|>', ...CHATML.special, ...THINK],
    },
    positions: 'rows',
    dtypes: ['q4', 'q4f16'],
    layers: [block(conv, 'mlp'), block(attend({ rotary: 'position-ids' }), 'moe')],
  },
  {
    ...DEFAULTS,
    id: 'onnx-community/Qwen3.5-0.8B-ONNX',
    config: {
      model_type: 'qwen3_5',
      text_config: { model_type: 'qwen3_5_text', layer_types: linearTypes, ...HEADS, ...LINEAR },
    },
    template: 'qwen3.5',
    templateFile: true,
    tokens: { ...CHATML, special: [...CHATML.special, ...THINK, ...CALL] },
    positions: 'mrope',
    isSplit: true,
    layers: [
      block(delta(false), 'mlp'),
      block(delta(false), 'mlp'),
      block(attend({ rotary: 'position-ids', isGated: true }), 'mlp'),
    ],
  },
  {
    ...DEFAULTS,
    id: 'onnx-community/tiny-qwen3-next-ONNX',
    config: {
      model_type: 'qwen3_next',
      layer_types: linearTypes,
      num_experts: 3,
      decoder_sparse_step: 1,
      ...HEADS,
      ...LINEAR,
    },
    template: 'qwen3.5',
    tokens: { ...CHATML, special: [...CHATML.special, ...THINK, ...CALL] },
    dtypes: ['q4', 'q4f16'],
    layers: [
      block(delta(false), 'moe'),
      block(delta(false), 'moe'),
      block(attend({ rotary: 'inside', isGated: true }), 'moe'),
    ],
  },
  {
    ...DEFAULTS,
    id: 'onnx-community/OLMo-Hybrid-Instruct-ONNX',
    config: {
      model_type: 'olmo_hybrid',
      layer_types: linearTypes,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      ...LINEAR,
    },
    template: 'olmo-3',
    tokens: { ...CHATML, special: [...CHATML.special, '<functions>', '</functions>'] },
    layers: [block(delta(true), 'mlp'), block(delta(true), 'mlp'), block(attend(), 'mlp')],
  },
  {
    ...DEFAULTS,
    id: 'onnx-community/Qwen3-0.6B-ONNX',
    config: { model_type: 'qwen3', num_hidden_layers: 2, ...HEADS },
    template: 'qwen3',
    tokens: { ...CHATML, special: [...CHATML.special, ...THINK, ...CALL] },
    positions: 'rows',
    dtypes: ['fp32', 'fp16', 'q4', 'q4f16', 'quantized'],
    dataBytes: null,
    layers: [
      block(attend({ rotary: 'position-ids' }), 'mlp'),
      block(attend({ rotary: 'position-ids' }), 'mlp'),
    ],
  },
];

/**
 * The shape of the larger model of this site, thirty blocks of which every second one is Mamba-2, with rotary positions, a
 * template with thoughts and tools, and its weights in several parts; at micro size, with random weights.
 */
const LAGOON: Plan = {
  ...DEFAULTS,
  id: 'lagoon',
  config: {
    model_type: 'granitemoehybrid',
    layer_types: Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 'mamba' : 'attention')),
    num_local_experts: 0,
    position_embedding_type: 'rope',
    num_attention_heads: 4,
    num_key_value_heads: 2,
    ...PREFIXED,
  },
  template: 'nemotron-3',
  templateFile: true,
  tokens: { ...CHATML, special: [...CHATML.special, ...THINK, ...CALL] },
  positions: 'rows',
  keepsLogits: true,
  dtypes: ['q4', 'quantized'],
  dataBytes: 200_000,
  layers: Array.from({ length: 30 }, (_, i) =>
    block(i % 2 === 0 ? mamba : attend({ rotary: 'position-ids' }), 'mlp'),
  ),
};

/* ---------- tokenizer ---------- */

/** The 256 characters of byte-level BPE, in byte order. */
function byteAlphabet(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPlain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    return String.fromCodePoint(isPlain ? byte : next++);
  });
}

function tokenizerOf({ tokens }: Plan): { json: object; idOf: (token: string) => number } {
  const alphabet = byteAlphabet();
  const idOf = (token: string): number => 256 + tokens.special.indexOf(token);
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
  };
  return {
    idOf,
    json: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: tokens.special.map((content) => ({
        ...addedToken(idOf(content), content),
        // As published, tags of thoughts and calls are added tokens, but not special ones.
        special: !/^<\/?(?:think|tool_call|functions)>$/.test(content),
      })),
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: byteLevel,
      decoder: byteLevel,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(alphabet.map((piece, id) => [piece, id])),
        merges: [],
      },
    },
  };
}

/* ---------- files ---------- */

/** Padded beyond the tokenizer, as published models are. */
const VOCAB = 288;

const SUFFIX: Readonly<Record<WeightType, string>> = {
  fp32: '',
  fp16: '_fp16',
  q4: '_q4',
  q4f16: '_q4f16',
  quantized: '_quantized',
};

function decoderOf(
  plan: Plan,
  dtype: WeightType,
  external: ExternalData | null,
  forgets = false,
): WrittenModel {
  const writer = new LayerWriter(HIDDEN, dtype, seedOf(plan.id), forgets);
  const { graph } = writer;
  const ids = ['batch_size', 'sequence_length'];
  let value = plan.isSplit
    ? graph.input('inputs_embeds', 'float32', [...ids, HIDDEN])
    : writer.embedding(graph.input('input_ids', 'int64', ids), VOCAB);
  // The published embedding session answers in float32 whatever the decoder computes in.
  if (plan.isSplit && writer.type === 'float16') value = graph.op('Cast', [value], { to: 10 });
  graph.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length']);
  if (plan.positions === 'rows') writer.usePositions(graph.input('position_ids', 'int64', ids));
  if (plan.positions === 'mrope') {
    const rows = graph.input('position_ids', 'int64', [3, ...ids]);
    writer.usePositions(writer.firstRow(rows));
  }
  const keep = plan.keepsLogits ? graph.input('num_logits_to_keep', 'int64', []) : null;
  plan.layers.forEach((layer, index) => {
    value = layer(writer, value, index);
  });
  const last = keep === null ? value : writer.keepLast(value, keep);
  const logits = writer.linear(writer.norm(last), HIDDEN, VOCAB);
  const rows = keep === null ? 'sequence_length' : 'num_logits_to_keep';
  const type: FloatType = writer.type;
  graph.output('logits', logits, type, ['batch_size', rows, VOCAB]);
  return graph.write(external);
}

function embeddingOf(plan: Plan, dtype: WeightType, external: ExternalData | null): WrittenModel {
  const writer = new LayerWriter(HIDDEN, dtype, seedOf(plan.id) + 1);
  const { graph } = writer;
  const ids = ['batch_size', 'sequence_length'];
  const value = writer.embedding(graph.input('input_ids', 'int64', ids), VOCAB);
  const wide = writer.type === 'float16' ? graph.op('Cast', [value], { to: 1 }) : value;
  graph.output('inputs_embeds', wide, 'float32', [...ids, HIDDEN]);
  return graph.write(external);
}

function seedOf(id: string): number {
  return Array.from(id).reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 2 ** 31, 7);
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, 2));
}

/** Text of a chat template fixture. */
export function templateText(name: string): string {
  return readFileSync(new URL(`../fixtures/templates/${name}.jinja`, import.meta.url), 'utf8');
}

function build(plan: Plan): MicroModel {
  const files = new Map<string, Uint8Array>();
  const tokenizer = tokenizerOf(plan);
  const { bos, eos } = plan.tokens;
  const eosId = tokenizer.idOf(eos);
  const sizes = {
    vocab_size: VOCAB,
    hidden_size: HIDDEN,
    max_position_embeddings: 512,
    eos_token_id: eosId,
    num_hidden_layers: plan.layers.length,
  };
  const nested = plan.config['text_config'];
  const config =
    nested === undefined
      ? { ...sizes, ...plan.config }
      : { ...plan.config, text_config: { ...sizes, ...(nested as object) } };
  const sessions = plan.isSplit ? ['embed_tokens', 'decoder_model_merged'] : ['model'];
  const external: Record<string, number> = {};
  for (const dtype of plan.dtypes) {
    for (const session of sessions) {
      const name = `${session}${SUFFIX[dtype]}.onnx`;
      const data =
        plan.dataBytes === null ? null : { name: `${name}_data`, maxBytes: plan.dataBytes };
      const write = session === 'embed_tokens' ? embeddingOf : decoderOf;
      const written = write(plan, dtype, data);
      files.set(`onnx/${name}`, written.graph);
      for (const [path, bytes] of written.data) files.set(`onnx/${path}`, bytes);
      external[name] = written.data.size;
    }
  }
  files.set(
    'config.json',
    json({
      ...config,
      'transformers.js_config': {
        use_external_data_format: external,
        kv_cache_dtype: { fp16: 'float16', q4f16: 'float16' },
      },
    }),
  );
  files.set('generation_config.json', json({ eos_token_id: [eosId] }));
  files.set('tokenizer.json', json(tokenizer.json));
  const template = templateText(plan.template);
  files.set(
    'tokenizer_config.json',
    json({
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...(bos === undefined ? {} : { bos_token: bos }),
      eos_token: eos,
      ...(plan.templateFile ? {} : { chat_template: template }),
    }),
  );
  if (plan.templateFile) files.set('chat_template.jinja', new TextEncoder().encode(template));
  files.set('README.md', new TextEncoder().encode(`# ${plan.id}\nRandom weights, for tests.\n`));
  const modelType = String(plan.config['model_type']);
  return { id: plan.id, family: modelType, dtypes: plan.dtypes, files };
}

/** All micro models; made on the first call, some 100 kB each. */
export function microModels(): readonly MicroModel[] {
  built ??= PLANS.map(build);
  return built;
}

let built: readonly MicroModel[] | null = null;

/** The larger model's stand-in; made on the first call, about two megabytes. */
export function lagoonModel(): MicroModel {
  lagoon ??= build(LAGOON);
  return lagoon;
}

let lagoon: MicroModel | null = null;

/** Granite's micro model as an export that drops its states whenever it reads several tokens at once. */
export function forgetfulModel(): Pick<MicroModel, 'id' | 'files'> {
  const plan = PLANS.find(({ id }) => id.includes('h-350m'));
  const model = microModels().find(({ id }) => id === plan?.id);
  if (plan === undefined || model === undefined) throw new Error('there is no Granite');
  const { graph } = decoderOf(plan, 'fp32', null, true);
  const files = new Map([...model.files].filter(([path]) => !path.endsWith('.onnx_data')));
  for (const path of files.keys()) if (path.endsWith('.onnx')) files.delete(path);
  files.set('onnx/model.onnx', graph);
  return { id: model.id, files };
}

/** One block of attention alone, whose positions turn keys and queries in one of the two ways that exports have. */
export function rotaryModel(rotary: 'inside' | 'position-ids'): MicroModel {
  return build({
    ...LAGOON,
    id: `rotary-${rotary}`,
    config: { ...LAGOON.config, layer_types: ['attention'] },
    positions: rotary === 'inside' ? 'none' : 'rows',
    dtypes: ['fp32'],
    dataBytes: null,
    layers: [block(attend({ rotary }), 'mlp')],
  });
}
