/**
 * Owns the layers of the micro models as ONNX operators, with random weights: embeddings, Mamba-2, gated delta rule,
 * short convolution, attention, feed-forward. States lie as the public exports keep them. Owns no families
 * (micro-models.ts).
 */
import { floats, GraphWriter, int64s, type FloatType, type TensorData } from './onnx-writer';

/** How weights are kept: transformers.js' dtypes. */
export type WeightType = 'fp32' | 'fp16' | 'q4' | 'q4f16' | 'quantized';

const BLOCK = 32;
/** More than any slice reaches. */
const END = 2 ** 31 - 1;

/** Numbers in -1…1 from a seed, the same on every machine (mulberry32). */
function* randomNumbers(seed: number): Generator<number> {
  let state = seed >>> 0;
  for (;;) {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    yield (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * 2 - 1;
  }
}

export interface MambaShape {
  readonly heads: number;
  readonly headDim: number;
  readonly stateSize: number;
  readonly groups: number;
  readonly kernel: number;
}

export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** `none` (Granite), `inside` GroupQueryAttention, or from `position_ids`. */
  readonly rotary: 'none' | 'inside' | 'position-ids';
  /** Qwen3.5 and Qwen3-Next multiply the output with a gate. */
  readonly isGated?: boolean;
}

/** Builds the layers into one graph. */
export class LayerWriter {
  readonly graph = new GraphWriter();
  readonly #hidden: number;
  readonly #weights: WeightType;
  readonly #random: Generator<number>;
  /** Inputs that attention needs, made on first use. */
  #lengths: { last: string; total: string } | null = null;
  #positions: string | null = null;
  #weightCount = 0;
  /** Drops the past when several tokens come at once, as some public exports did. */
  readonly #forgets: boolean;

  constructor(hidden: number, weights: WeightType, seed: number, forgets = false) {
    this.#forgets = forgets;
    this.#hidden = hidden;
    this.#weights = weights;
    this.#random = randomNumbers(seed);
  }

  /** Type of activations and states. */
  get type(): FloatType {
    return this.#weights === 'fp16' || this.#weights === 'q4f16' ? 'float16' : 'float32';
  }

  /** The first of several rows of positions: text has the same in all. */
  firstRow(positions: string): string {
    return this.graph.op('Gather', [positions, this.#ints([0], [])], { axis: 0 });
  }

  /** Where rows of positions stand, (batch, tokens). */
  usePositions(name: string): void {
    this.#positions = name;
  }

  #numbers(count: number, scale: number, around = 0): Float32Array {
    return Float32Array.from(
      { length: count },
      () => around + scale * ((this.#random.next().value as number) || 0),
    );
  }

  #floats(dims: readonly number[], scale: number, around = 0): string {
    this.#weightCount += 1;
    const count = dims.reduce((a, b) => a * b, 1);
    return this.graph.weight(
      `weight_${this.#weightCount}`,
      floats(this.type, this.#numbers(count, scale, around), dims),
    );
  }

  #scalar(value: number): string {
    return this.graph.constant(floats(this.type, Float32Array.of(value), []));
  }

  #ints(values: readonly number[], dims?: readonly number[]): string {
    return this.graph.constant(int64s(values, dims));
  }

  /** The past, or zeros where the model forgets and `tokens`, (batch, tokens, width), are several. */
  #remembered(past: string, tokens: string): string {
    if (!this.#forgets) return past;
    const { graph } = this;
    const count = graph.op('Gather', [graph.op('Shape', [tokens]), this.#ints([1], [])]);
    const isOne = graph.op('Equal', [count, this.#ints([1], [])]);
    return graph.op('Mul', [past, graph.op('Cast', [isOne], { to: 1 })]);
  }

  #slice(value: string, axis: number, start: number, end: number = END): string {
    return this.graph.op('Slice', [
      value,
      this.#ints([start]),
      this.#ints([end]),
      this.#ints([axis]),
    ]);
  }

  #split(value: string, sizes: readonly number[]): string[] {
    return this.graph.ops('Split', [value, this.#ints(sizes)], sizes.length, { axis: -1 });
  }

  #reshape(value: string, dims: readonly number[]): string {
    return this.graph.op('Reshape', [value, this.#ints(dims)]);
  }

  #silu(value: string): string {
    return this.graph.op('Mul', [value, this.graph.op('Sigmoid', [value])]);
  }

  /** A matrix product with a random (inputs, outputs) matrix, kept as the variant keeps its weights. */
  linear(value: string, inputs: number, outputs: number): string {
    const { graph } = this;
    const scale = Math.sqrt(3 / inputs);
    if (this.#weights === 'fp32' || this.#weights === 'fp16' || inputs % BLOCK !== 0)
      return graph.op('MatMul', [value, this.#floats([inputs, outputs], scale)]);
    this.#weightCount += 1;
    const name = `weight_${this.#weightCount}`;
    const numbers = this.#numbers(inputs * outputs, scale);
    if (this.#weights === 'quantized') {
      const bytes = Uint8Array.from(numbers, (x) => Math.round((x / scale) * 127));
      const width: TensorData = floats('float32', Float32Array.of(scale / 127), []);
      const zero: TensorData = { type: 'int8', dims: [], bytes: Uint8Array.of(0) };
      return graph.op(
        'DynamicQuantizeMatMul',
        [
          value,
          graph.weight(name, { type: 'int8', dims: [inputs, outputs], bytes }),
          graph.weight(`${name}_scale`, width),
          graph.weight(`${name}_zero`, zero),
        ],
        {},
        'com.microsoft',
      );
    }
    // (outputs, blocks, 16): two 4-bit numbers a byte, 8 stands for zero.
    const blocks = inputs / BLOCK;
    const packed = new Uint8Array((outputs * inputs) / 2);
    for (let i = 0; i < packed.length; i += 1) {
      const code = (at: number): number =>
        Math.max(0, Math.min(15, Math.round(((numbers[at] ?? 0) / scale) * 7) + 8));
      packed[i] = code(2 * i) | (code(2 * i + 1) << 4);
    }
    const scales = new Float32Array(outputs * blocks).fill(scale / 7);
    return graph.op(
      'MatMulNBits',
      [
        value,
        graph.weight(name, { type: 'uint8', dims: [outputs, blocks, BLOCK / 2], bytes: packed }),
        graph.weight(`${name}_scales`, floats(this.type, scales)),
      ],
      { K: inputs, N: outputs, bits: 4, block_size: BLOCK },
      'com.microsoft',
    );
  }

  embedding(ids: string, vocab: number): string {
    return this.graph.op('Gather', [this.#floats([vocab, this.#hidden], 1), ids]);
  }

  norm(value: string, width = this.#hidden): string {
    return this.graph.op('SimplifiedLayerNormalization', [value, this.#floats([width], 0.2, 1)], {
      axis: -1,
      epsilon: { float: 1e-5 },
    });
  }

  add(a: string, b: string): string {
    return this.graph.op('Add', [a, b]);
  }

  /**
   * Causal convolution, each channel by itself, over (batch, tokens, channels). The state `name` has (batch, channels,
   * kernel) columns, as Hugging Face keeps it: one more than the next window needs.
   */
  convolution(
    value: string,
    name: string,
    channels: number,
    kernel: number,
    hasSilu = true,
  ): string {
    const { graph } = this;
    const dims = ['batch_size', channels, kernel];
    const past = graph.input(name, this.type, dims);
    const turned = graph.op('Transpose', [value], { perm: [0, 2, 1] });
    const all = graph.op('Concat', [this.#remembered(past, value), turned], { axis: 2 });
    graph.output(name.replace('past_', 'present_'), this.#slice(all, 2, -kernel), this.type, dims);
    const bounds = Math.sqrt(3 / kernel);
    const out = graph.op(
      'Conv',
      [
        this.#slice(all, 2, 1),
        this.#floats([channels, 1, kernel], bounds),
        this.#floats([channels], 0.1),
      ],
      { group: channels, kernel_shape: [kernel] },
    );
    const back = graph.op('Transpose', [out], { perm: [0, 2, 1] });
    return hasSilu ? this.#silu(back) : back;
  }

  /** The recurrence of LinearAttention, in float32 whatever the variant; returns the output and keeps the state. */
  #recurrence(
    inputs: { query: string; key: string; value: string; decay: string; beta?: string },
    state: { name: string; dims: readonly (number | string)[]; isTransposed: boolean },
    attributes: { q_num_heads: number; kv_num_heads: number; update_rule: string },
  ): string {
    const { graph } = this;
    const wide = (value: string): string =>
      this.type === 'float32' ? value : graph.op('Cast', [value], { to: 1 });
    const narrow = (value: string): string =>
      this.type === 'float32' ? value : graph.op('Cast', [value], { to: 10 });
    const turn = (value: string): string =>
      state.isTransposed ? graph.op('Transpose', [value], { perm: [0, 1, 3, 2] }) : value;
    const past = graph.input(state.name, this.type, state.dims);
    const [out = '', present = ''] = graph.ops(
      'LinearAttention',
      [
        wide(inputs.query),
        wide(inputs.key),
        wide(inputs.value),
        turn(wide(this.#remembered(past, inputs.value))),
        wide(inputs.decay),
        ...(inputs.beta === undefined ? [] : [wide(inputs.beta)]),
      ],
      2,
      { ...attributes, scale: { float: 1 } },
      'com.microsoft',
    );
    graph.output(
      state.name.replace('past_', 'present_'),
      narrow(turn(present)),
      this.type,
      state.dims,
    );
    return narrow(out);
  }

  /** Mamba-2; `past_ssm` is (batch, heads, headDim, stateSize). */
  mamba(value: string, index: number, shape: MambaShape): string {
    const { graph } = this;
    const { heads, headDim, stateSize, groups, kernel } = shape;
    const inner = heads * headDim;
    const shared = groups * stateSize;
    const convDim = inner + 2 * shared;
    const projected = this.linear(value, this.#hidden, inner + convDim + heads);
    const [gate = '', mixed = '', raw = ''] = this.#split(projected, [inner, convDim, heads]);
    const conv = this.convolution(mixed, `past_conv.${index}`, convDim, kernel);
    const [x = '', b = '', c = ''] = this.#split(conv, [inner, shared, shared]);
    const delta = graph.op('Softplus', [this.add(raw, this.#floats([heads], 0.5, -1))]);
    const decay = graph.op('Mul', [delta, this.#floats([heads], 0.3, -0.5)]);
    const perHead = this.#reshape(x, [0, 0, heads, headDim]);
    const scaled = graph.op('Mul', [perHead, graph.op('Unsqueeze', [delta, this.#ints([-1])])]);
    const out = this.#recurrence(
      { query: c, key: b, value: this.#reshape(scaled, [0, 0, inner]), decay },
      {
        name: `past_ssm.${index}`,
        dims: ['batch_size', heads, headDim, stateSize],
        isTransposed: true,
      },
      { q_num_heads: groups, kv_num_heads: heads, update_rule: 'gated' },
    );
    const skip = graph.op('Mul', [perHead, this.#floats([heads, 1], 0.5, 1)]);
    const y = this.add(out, this.#reshape(skip, [0, 0, inner]));
    const gated = this.norm(graph.op('Mul', [y, this.#silu(gate)]), inner);
    return this.linear(gated, inner, this.#hidden);
  }

  /** Each head's vector to length 1. */
  #normalise(value: string, heads: number, width: number): string {
    const { graph } = this;
    const rows = this.#reshape(value, [0, 0, heads, width]);
    const squares = graph.op('ReduceSum', [graph.op('Mul', [rows, rows]), this.#ints([-1])], {
      keepdims: 1,
    });
    const length = graph.op('Sqrt', [this.add(squares, this.#scalar(1e-3))]);
    return this.#reshape(graph.op('Div', [rows, length]), [0, 0, heads * width]);
  }

  /** The gated delta rule; `past_recurrent` is (batch, heads, stateSize, headDim). */
  delta(value: string, index: number, shape: MambaShape, hasSplitConv: boolean): string {
    const { graph } = this;
    const { heads, headDim, stateSize, groups, kernel } = shape;
    const keys = groups * stateSize;
    const values = heads * headDim;
    const sizes = [keys, keys, values];
    const convDim = 2 * keys + values;
    const projected = this.linear(value, this.#hidden, convDim + values + 2 * heads);
    const [mixed = '', gate = '', rawBeta = '', rawDecay = ''] = this.#split(projected, [
      convDim,
      values,
      heads,
      heads,
    ]);
    let parts: string[];
    if (hasSplitConv) {
      const raw = this.#split(mixed, sizes);
      parts = ['query', 'key', 'value'].map((part, i) =>
        this.convolution(raw[i] ?? '', `past_conv.${index}.${part}`, sizes[i] ?? 0, kernel),
      );
    } else {
      parts = this.#split(this.convolution(mixed, `past_conv.${index}`, convDim, kernel), sizes);
    }
    const [query = '', key = '', out = ''] = parts;
    const step = graph.op('Softplus', [this.add(rawDecay, this.#floats([heads], 0.5))]);
    const result = this.#recurrence(
      {
        query: this.#normalise(query, groups, stateSize),
        key: this.#normalise(key, groups, stateSize),
        value: out,
        decay: graph.op('Mul', [step, this.#floats([heads], 0.3, -0.5)]),
        beta: graph.op('Sigmoid', [rawBeta]),
      },
      {
        name: `past_recurrent.${index}`,
        dims: ['batch_size', heads, stateSize, headDim],
        isTransposed: false,
      },
      { q_num_heads: groups, kv_num_heads: heads, update_rule: 'gated_delta' },
    );
    const gated = graph.op('Mul', [this.norm(result, values), this.#silu(gate)]);
    return this.linear(gated, values, this.#hidden);
  }

  /** LFM2's gated short convolution. */
  shortConv(value: string, index: number, kernel: number): string {
    const { graph } = this;
    const width = this.#hidden;
    const [b = '', c = '', x = ''] = this.#split(this.linear(value, width, 3 * width), [
      width,
      width,
      width,
    ]);
    const mixed = graph.op('Mul', [b, x]);
    const conv = this.convolution(mixed, `past_conv.${index}`, width, kernel, false);
    return this.linear(graph.op('Mul', [c, conv]), width, width);
  }

  /** Numbers of keys out of the attention mask, as exports compute them. */
  #keyCounts(): { last: string; total: string } {
    const { graph } = this;
    if (this.#lengths === null) {
      const ones = graph.op('ReduceSum', ['attention_mask', this.#ints([1])], { keepdims: 0 });
      const last = graph.op('Cast', [graph.op('Sub', [ones, this.#ints([1])])], { to: 6 });
      const shape = graph.op('Shape', ['attention_mask']);
      const total = graph.op('Cast', [graph.op('Gather', [shape, this.#ints([1], [])])], { to: 6 });
      this.#lengths = { last, total };
    }
    return this.#lengths;
  }

  #rotaryTables(headDim: number): [string, string] {
    const positions = 512;
    const half = headDim / 2;
    const angle = (i: number): number =>
      Math.floor(i / half) / 10000 ** ((i % half) / Math.max(1, half));
    const table = (of: (x: number) => number): string =>
      this.graph.constant(
        floats(
          this.type,
          Float32Array.from({ length: positions * half }, (_, i) => of(angle(i))),
          [positions, half],
        ),
      );
    return [table(Math.cos), table(Math.sin)];
  }

  attention(value: string, index: number, shape: AttentionShape): string {
    const { graph } = this;
    const { heads, kvHeads, headDim, rotary, isGated = false } = shape;
    const width = heads * headDim;
    const kvWidth = kvHeads * headDim;
    let query = this.linear(value, this.#hidden, width);
    let key = this.linear(value, this.#hidden, kvWidth);
    const values = this.linear(value, this.#hidden, kvWidth);
    const tables = rotary === 'none' ? [] : this.#rotaryTables(headDim);
    if (rotary === 'position-ids') {
      const turn = (rows: string, count: number): string =>
        graph.op(
          'RotaryEmbedding',
          [rows, this.#positions ?? '', ...tables],
          { num_heads: count, rotary_embedding_dim: 0 },
          'com.microsoft',
        );
      query = turn(query, heads);
      key = turn(key, kvHeads);
    }
    const { last, total } = this.#keyCounts();
    const past = ['batch_size', kvHeads, 'past_sequence_length', headDim];
    const present = ['batch_size', kvHeads, 'total_sequence_length', headDim];
    const [out = '', newKey = '', newValue = ''] = graph.ops(
      'GroupQueryAttention',
      [
        query,
        key,
        values,
        graph.input(`past_key_values.${index}.key`, this.type, past),
        graph.input(`past_key_values.${index}.value`, this.type, past),
        last,
        total,
        ...(rotary === 'inside' ? tables : []),
      ],
      3,
      {
        num_heads: heads,
        kv_num_heads: kvHeads,
        ...(rotary === 'inside' ? { do_rotary: 1 } : {}),
      },
      'com.microsoft',
    );
    graph.output(`present.${index}.key`, newKey, this.type, present);
    graph.output(`present.${index}.value`, newValue, this.type, present);
    const mixed = isGated
      ? graph.op('Mul', [out, graph.op('Sigmoid', [this.linear(value, this.#hidden, width)])])
      : out;
    return this.linear(mixed, width, this.#hidden);
  }

  /** SwiGLU. */
  feedForward(value: string, inner: number): string {
    const gate = this.#silu(this.linear(value, this.#hidden, inner));
    const up = this.linear(value, this.#hidden, inner);
    return this.linear(this.graph.op('Mul', [gate, up]), inner, this.#hidden);
  }

  /** All experts, each weighted by the router: the shape of a mixture, small enough to compute whole. */
  experts(value: string, inner: number, count: number): string {
    const { graph } = this;
    const routed = graph.op('Softmax', [this.linear(value, this.#hidden, count)], { axis: -1 });
    const shares = this.#split(
      routed,
      Array.from({ length: count }, () => 1),
    );
    return shares
      .map((share) => graph.op('Mul', [this.feedForward(value, inner), share]))
      .reduce((sum, one) => this.add(sum, one));
  }

  /** The last `keep` tokens, all where `keep` is 0. */
  keepLast(value: string, keep: string): string {
    const { graph } = this;
    const start = graph.op('Neg', [this.#reshape(keep, [1])]);
    return graph.op('Slice', [value, start, this.#ints([END]), this.#ints([1])]);
  }
}
