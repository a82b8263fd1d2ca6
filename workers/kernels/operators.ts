/**
 * Owns what each operator of a plan does with tensors in the kernels' memory: shapes, views, which kernel runs. Owns no order
 * of steps (session.ts) and no loop over a matrix (kernels.as).
 */
import { elementsOf, widenFloat16 } from '../runtime/tensor-values';
import type { KernelMemory, Room } from './memory';
import { NoKernel, type Step } from './plan';
import { CacheTensor, KernelTensor } from './tensors';

/** Whole numbers, which stay in JavaScript: shapes, axes, tokens, positions. */
export interface Integers {
  readonly integers: readonly number[];
  readonly dims: readonly number[];
}

/** float16 numbers of the file, of which rows are widened. */
export interface Halves {
  readonly bits: Uint16Array;
  readonly dims: readonly number[];
}

export type Value = KernelTensor | CacheTensor | Integers | Halves;

/** Numbers that share a scale. */
const BLOCK = 32;

/** Where a step finds its inputs and puts its outputs. */
export class Workbench {
  /** What was fed or made since the run began. */
  readonly values = new Map<string, Value>();
  #rounded: Room | null = null;
  #scales: Room | null = null;

  /** `constants` were read from the file or folded from it, and do not change. */
  constructor(
    readonly memory: KernelMemory,
    readonly constants: ReadonlyMap<string, Value> = new Map(),
  ) {}

  get(name = ''): Value | undefined {
    return this.values.get(name) ?? this.constants.get(name);
  }

  tensor(name: string | undefined): KernelTensor {
    const value = this.get(name);
    if (value instanceof KernelTensor) return value;
    throw new RangeError(`the kernels expected a tensor where ${name ?? 'nothing'} is`);
  }

  tensors<const T extends readonly (string | undefined)[]>(
    ...names: T
  ): { readonly [K in keyof T]: KernelTensor } {
    return names.map((name) => this.tensor(name)) as { readonly [K in keyof T]: KernelTensor };
  }

  integers(name: string | undefined): Integers {
    const value = this.get(name);
    if (value !== undefined && 'integers' in value) return value;
    throw new RangeError(`the kernels expected whole numbers where ${name ?? 'nothing'} is`);
  }

  make(name: string | undefined, dims: readonly number[]): KernelTensor {
    const made = KernelTensor.make(this.memory, dims);
    this.put(name, made);
    return made;
  }

  put(name: string | undefined, value: Value): void {
    this.values.set(name ?? '', value);
  }

  /** Room for the rounded input (rows, size) of a product; good until the next. */
  rounding(rows: number, size: number): { readonly q: number; readonly scales: number } {
    this.#rounded = this.#roomOf(this.#rounded, 2 * rows * size);
    // One for 32 numbers, and of whole fours of rows.
    this.#scales = this.#roomOf(this.#scales, 4 * 4 * Math.ceil(rows / 4) * (size / BLOCK));
    return { q: this.#rounded.pointer, scales: this.#scales.pointer };
  }

  /** `room` where it has `bytes`, else another in its place. */
  #roomOf(room: Room | null, bytes: number): Room {
    if (room !== null && room.bytes >= bytes) return room;
    room?.release();
    return this.memory.take(bytes);
  }

  dispose(): void {
    this.#rounded?.release();
    this.#scales?.release();
    this.#rounded = null;
    this.#scales = null;
  }
}

interface Operator {
  /** What the operator can't do as this step asks for it; null where it can. */
  readonly lacks?: (step: Step) => string | null;
  readonly run: (step: Step, bench: Workbench) => void;
}

const lastOf = (dims: readonly number[]): number => dims.at(-1) ?? 1;

/** Dims of two tensors with ones stretched, as NumPy does. */
function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1)
      throw new RangeError(`(${a.join(', ')}) and (${b.join(', ')}) do not go together`);
    return x === 1 ? y : x;
  });
}

/** Steps from element to element along each of `dims`; 0 where the tensor is stretched. */
function stridesIn(own: readonly number[], dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(0);
  let step = 1;
  for (let i = own.length - 1; i >= 0; i -= 1) {
    const dim = own[i] ?? 1;
    if (dim !== 1) strides[i + dims.length - own.length] = step;
    step *= dim;
  }
  return strides;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** An operator on pairs of numbers; `kernel` where both have the same dims. */
function pairs(
  of: (a: number, b: number) => number,
  kernel: 'multiply' | 'add' | null,
): Operator['run'] {
  return ({ inputs, outputs }, bench) => {
    const [a, b] = bench.tensors(inputs[0], inputs[1]);
    const dims = broadcast(a.dims, b.dims);
    const out = bench.make(outputs[0], dims);
    if (kernel !== null && isSame(a.dims, b.dims)) {
      bench.memory.run[kernel](a.pointer, b.pointer, out.size, out.pointer);
      return;
    }
    const { memory } = bench;
    const width = lastOf(a.dims);
    const rows = a.size / width;
    if (kernel !== null && width % 4 === 0 && isSame(a.dims, dims)) {
      if (b.size === width && lastOf(b.dims) === width) {
        const rowwise = kernel === 'multiply' ? memory.run.multiplyRows : memory.run.addRows;
        rowwise(a.pointer, b.pointer, rows, width, out.pointer);
        return;
      }
      if (kernel === 'multiply' && isSame(b.dims, [...a.dims.slice(0, -1), 1])) {
        memory.run.scaleRows(a.pointer, b.pointer, rows, width, out.pointer);
        return;
      }
    }
    const x = memory.floats(a.pointer, a.size);
    const y = memory.floats(b.pointer, b.size);
    const z = memory.floats(out.pointer, out.size);
    const inner = lastOf(dims);
    const [xs, ys] = [stridesIn(a.dims, dims), stridesIn(b.dims, dims)];
    const [dx, dy] = [xs.at(-1) ?? 0, ys.at(-1) ?? 0];
    const place = new Array<number>(Math.max(0, dims.length - 1)).fill(0);
    let [i, j] = [0, 0];
    for (let at = 0; at < z.length; at += inner) {
      for (let k = 0; k < inner; k += 1) z[at + k] = of(x[i + k * dx] ?? 0, y[j + k * dy] ?? 0);
      for (let axis = place.length - 1; axis >= 0; axis -= 1) {
        place[axis] = (place[axis] ?? 0) + 1;
        i += xs[axis] ?? 0;
        j += ys[axis] ?? 0;
        const dim = dims[axis] ?? 1;
        if ((place[axis] ?? 0) < dim) break;
        place[axis] = 0;
        i -= dim * (xs[axis] ?? 0);
        j -= dim * (ys[axis] ?? 0);
      }
    }
  };
}

/** `wanted` with 0 for "as it is" and -1 for "the rest". */
function reshaped(dims: readonly number[], wanted: readonly number[]): number[] {
  const known = wanted.map((dim, i) => (dim === 0 ? (dims[i] ?? 1) : dim));
  const rest = elementsOf(dims) / known.reduce((a, dim) => (dim === -1 ? a : a * dim), 1);
  const made = known.map((dim) => (dim === -1 ? rest : dim));
  if (elementsOf(made) !== elementsOf(dims))
    throw new RangeError(`(${dims.join(', ')}) cannot be seen as (${wanted.join(', ')})`);
  return made;
}

function softplus(x: number): number {
  return x > 20 ? x : Math.log1p(Math.exp(x));
}

/** Where an attribute must have one value, and which it has when it is absent. */
function must(step: Step, name: string, wanted: number, absent: number): string | null {
  const has = step.numbers.get(name) ?? absent;
  return has === wanted ? null : `${name} ${has}`;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  MatMulNBits: {
    lacks: (step) => {
      const bits = step.numbers.get('bits') ?? 4;
      if (bits !== 4 && bits !== 8) return `${bits} bits`;
      if ((step.numbers.get('K') ?? 0) % BLOCK !== 0) return 'rows that are no whole blocks';
      if (step.inputs.slice(3).some((name) => name !== ''))
        return 'zero points, an order or a bias';
      return must(step, 'block_size', BLOCK, BLOCK);
    },
    run: ({ inputs, outputs, numbers }, bench) => {
      const [x, codes, scales] = bench.tensors(inputs[0], inputs[1], inputs[2]);
      const size = numbers.get('K') ?? 0;
      const columns = numbers.get('N') ?? 0;
      const bits = numbers.get('bits') ?? 4;
      if (lastOf(x.dims) !== size)
        throw new RangeError(`a product of ${size} numbers got ${lastOf(x.dims)}`);
      const rows = x.size / size;
      const out = bench.make(outputs[0], [...x.dims.slice(0, -1), columns]);
      const { q, scales: own } = bench.rounding(rows, size);
      bench.memory.run.quantise(x.pointer, rows, size, bits, q, own);
      bench.memory.product(
        bits === 4 ? 4 : 8,
        codes.pointer,
        scales.pointer,
        q,
        own,
        rows,
        columns,
        size,
        out.pointer,
      );
    },
  },
  SimplifiedLayerNormalization: {
    run: ({ inputs, outputs, numbers }, bench) => {
      const [x, weight] = bench.tensors(inputs[0], inputs[1]);
      const out = bench.make(outputs[0], x.dims);
      const size = lastOf(x.dims);
      const epsilon = numbers.get('epsilon') ?? 1e-5;
      bench.memory.run.norm(
        x.pointer,
        0,
        weight.pointer,
        epsilon,
        x.size / size,
        size,
        out.pointer,
        0,
      );
    },
  },
  SkipSimplifiedLayerNormalization: {
    lacks: ({ inputs }) => ((inputs[3] ?? '') === '' ? null : 'a bias'),
    run: ({ inputs, outputs, numbers }, bench) => {
      const [x, added, weight] = bench.tensors(inputs[0], inputs[1], inputs[2]);
      const out = bench.make(outputs[0], x.dims);
      const kept = KernelTensor.make(bench.memory, x.dims);
      const size = lastOf(x.dims);
      bench.memory.run.norm(
        x.pointer,
        added.pointer,
        weight.pointer,
        numbers.get('epsilon') ?? 1e-5,
        x.size / size,
        size,
        out.pointer,
        kept.pointer,
      );
      if ((outputs[3] ?? '') === '') kept.dispose();
      else bench.put(outputs[3], kept);
    },
  },
  QuickGelu: {
    lacks: (step) => must(step, 'alpha', 1, 1.702),
    run: ({ inputs, outputs }, bench) => {
      const x = bench.tensor(inputs[0]);
      bench.memory.run.silu(x.pointer, x.size, bench.make(outputs[0], x.dims).pointer);
    },
  },
  Mul: { run: pairs((a, b) => a * b, 'multiply') },
  Add: { run: pairs((a, b) => a + b, 'add') },
  Sub: { run: pairs((a, b) => a - b, null) },
  Neg: {
    run: ({ inputs, outputs }, bench) => {
      const { integers, dims } = bench.integers(inputs[0]);
      bench.put(outputs[0], { integers: integers.map((value) => -value), dims });
    },
  },
  Cast: {
    lacks: (step) => must(step, 'to', 1, 0),
    run: ({ inputs, outputs }, bench) => {
      const value = bench.get(inputs[0]);
      if (value === undefined || 'integers' in value || value instanceof CacheTensor)
        throw new RangeError(`the kernels cannot cast ${inputs[0] ?? 'nothing'}`);
      if (value instanceof KernelTensor && value.type === 'float32') {
        bench.put(outputs[0], value.view(value.dims));
        return;
      }
      const out = bench.make(outputs[0], value.dims);
      const to = bench.memory.floats(out.pointer, out.size);
      if (value instanceof KernelTensor) to.set(value.data);
      else widenFloat16(value.bits, to);
    },
  },
  Gather: {
    lacks: (step) => must(step, 'axis', 0, 0),
    run: ({ inputs, outputs }, bench) => {
      const from = bench.get(inputs[0]);
      const { integers, dims } = bench.integers(inputs[1]);
      if (from === undefined || 'integers' in from || from instanceof CacheTensor)
        throw new RangeError(`the kernels cannot gather from ${inputs[0] ?? 'nothing'}`);
      const [rows = 0, ...rest] = from.dims;
      const width = elementsOf(rest);
      const wrong = integers.find((index) => index < 0 || index >= rows);
      if (wrong !== undefined) throw new RangeError(`row ${wrong} of ${rows} was asked for`);
      const made = [...dims, ...rest];
      if (from instanceof KernelTensor) {
        const out = KernelTensor.make(bench.memory, made, from.type);
        bench.put(outputs[0], out);
        const [source, target] = [from.data, out.data];
        integers.forEach((index, i) =>
          target.set(source.subarray(index * width, (index + 1) * width), i * width),
        );
        return;
      }
      const bits = new Uint16Array(integers.length * width);
      integers.forEach((index, i) =>
        bits.set(from.bits.subarray(index * width, (index + 1) * width), i * width),
      );
      bench.put(outputs[0], { bits, dims: made });
    },
  },
  Reshape: {
    run: ({ inputs, outputs }, bench) => {
      const x = bench.tensor(inputs[0]);
      bench.put(outputs[0], x.view(reshaped(x.dims, bench.integers(inputs[1]).integers)));
    },
  },
  Unsqueeze: {
    run: ({ inputs, outputs }, bench) => {
      const value = bench.get(inputs[0]);
      const axes = bench.integers(inputs[1]).integers;
      if (value === undefined || value instanceof CacheTensor || 'bits' in value)
        throw new RangeError(`the kernels cannot unsqueeze ${inputs[0] ?? 'nothing'}`);
      const dims = [...value.dims];
      for (const axis of axes) dims.splice(axis < 0 ? dims.length + 1 + axis : axis, 0, 1);
      bench.put(outputs[0], value instanceof KernelTensor ? value.view(dims) : { ...value, dims });
    },
  },
  Slice: {
    run: ({ inputs, outputs }, bench) => {
      const x = bench.tensor(inputs[0]);
      const [[start = 0], [end = 0], [axis = 0]] = [1, 2, 3].map(
        (i) => bench.integers(inputs[i]).integers,
      ) as [readonly number[], readonly number[], readonly number[]];
      const dim = x.dims[axis] ?? 0;
      if (elementsOf(x.dims.slice(0, axis)) !== 1 || inputs.length > 4)
        throw new RangeError('the kernels cut along the first axis only');
      const from = Math.min(dim, Math.max(0, start < 0 ? dim + start : start));
      const to = Math.min(dim, Math.max(from, end < 0 ? dim + end : end));
      const width = elementsOf(x.dims.slice(axis + 1));
      bench.put(
        outputs[0],
        x.view([...x.dims.slice(0, axis), to - from, ...x.dims.slice(axis + 1)], from * width),
      );
    },
  },
  Split: {
    lacks: (step) => must(step, 'axis', -1, 0),
    run: ({ inputs, outputs }, bench) => {
      const x = bench.tensor(inputs[0]);
      const columns = lastOf(x.dims);
      const rows = x.size / columns;
      const outer = x.dims.slice(0, -1);
      let start = 0;
      for (const [i, count] of bench.integers(inputs[1]).integers.entries()) {
        // Kernels read four numbers at a time from an address that is a multiple of 4 bytes, so a view will do.
        if (rows === 1) bench.put(outputs[i], x.view([...outer, count], start));
        else {
          const out = bench.make(outputs[i], [...outer, count]);
          bench.memory.run.cut(x.pointer, rows, columns, start, count, out.pointer);
        }
        start += count;
      }
    },
  },
  Transpose: {
    lacks: ({ lists }) => {
      const order = lists.get('perm')?.join(' ');
      return order === '0 2 1' ? null : `axes in the order ${order ?? 'of none'}`;
    },
    run: ({ inputs, outputs }, bench) => {
      const x = bench.tensor(inputs[0]);
      const [batch = 1, rows = 1, columns = 1] = x.dims;
      if (rows === 1 || columns === 1) {
        bench.put(outputs[0], x.view([batch, columns, rows]));
        return;
      }
      const out = bench.make(outputs[0], [batch, columns, rows]);
      bench.memory.run.transpose(x.pointer, rows, columns, out.pointer);
    },
  },
  RotaryEmbedding: {
    lacks: (step) => must(step, 'interleaved', 0, 0),
    run: ({ inputs, outputs }, bench) => {
      const x = bench.tensor(inputs[0]);
      const positions = bench.integers(inputs[1]).integers;
      const [cos, sin] = bench.tensors(inputs[2], inputs[3]);
      const half = lastOf(cos.dims);
      const width = lastOf(x.dims);
      const rows = x.size / width;
      const most = cos.dims[0] ?? 0;
      const beyond = positions.find((position) => position < 0 || position >= most);
      if (beyond !== undefined) throw new RangeError(`position ${beyond} of ${most} was asked for`);
      const out = bench.make(outputs[0], x.dims);
      const places = bench.memory.take(4 * rows);
      bench.memory.integers(places.pointer, rows).set(positions);
      bench.memory.run.rotate(
        x.pointer,
        rows,
        width / (2 * half),
        half,
        places.pointer,
        cos.pointer,
        sin.pointer,
        out.pointer,
      );
      places.release();
    },
  },
  Attention: {
    run: ({ inputs, outputs }, bench) => {
      const { memory } = bench;
      const [q, k, v] = bench.tensors(inputs[0], inputs[1], inputs[2]);
      const [keys, values] = [bench.get(inputs[3]), bench.get(inputs[4])];
      if (!(keys instanceof CacheTensor && values instanceof CacheTensor))
        throw new RangeError(`${inputs[3] ?? ''} is no cache`);
      const mask = bench.tensor(inputs[5]);
      const [scale = 1] = bench.tensor(inputs[6]).data;
      const [, groups = 1, , size = 1] = keys.dims;
      const rows = q.size / lastOf(q.dims);
      const heads = lastOf(q.dims) / size;
      // One of both may have been replaced by surgery: the kernel wants them in rooms of one size.
      const [longer, other] = [keys.extended(k.pointer, rows), values.extended(v.pointer, rows)];
      const nextKeys = longer.inRoomOf(other.capacity);
      bench.put(outputs[1], nextKeys);
      const nextValues = other.inRoomOf(nextKeys.capacity);
      bench.put(outputs[2], nextValues);
      const total = nextKeys.dims[2] ?? 0;
      if (
        mask.size !== rows * total ||
        nextValues.dims[2] !== total ||
        nextValues.capacity !== nextKeys.capacity
      )
        throw new RangeError(
          `${rows} tokens with ${total} keys and ${nextValues.dims[2] ?? 0} values got a mask of ${mask.size}`,
        );
      const out = bench.make(outputs[0], q.dims);
      memory.attend(
        [
          q.pointer,
          nextKeys.pointer,
          nextValues.pointer,
          mask.pointer,
          rows,
          total,
          nextKeys.capacity,
          heads,
          groups,
          size,
          scale,
        ],
        out.pointer,
      );
    },
  },
  CausalConvWithState: {
    lacks: (step) => {
      const activation = step.texts.get('activation') ?? 'none';
      return activation === 'none' ? must(step, 'channels_last', 0, 0) : activation;
    },
    run: ({ inputs, outputs }, bench) => {
      const [x, weight, bias, past] = bench.tensors(inputs[0], inputs[1], inputs[2], inputs[3]);
      const [, channels = 1, rows = 1] = x.dims;
      const out = bench.make(outputs[0], x.dims);
      const present = bench.make(outputs[1], past.dims);
      bench.memory.run.convolve(
        x.pointer,
        weight.pointer,
        bias.pointer,
        past.pointer,
        channels,
        rows,
        lastOf(weight.dims),
        out.pointer,
        present.pointer,
      );
    },
  },
  LinearAttentionGate: {
    // decay = A softplus(dt + bias), (…, heads).
    run: ({ inputs, outputs }, bench) => {
      const [dt, bias, a] = bench.tensors(inputs[0], inputs[1], inputs[2]);
      const out = bench.make(outputs[0], dt.dims);
      const [raw, shift, scale] = [dt.data, bias.data, a.data];
      const decay = bench.memory.floats(out.pointer, out.size);
      for (let i = 0; i < decay.length; i += 1) {
        const head = i % shift.length;
        decay[i] = (scale[head] ?? 0) * softplus((raw[i] ?? 0) + (shift[head] ?? 0));
      }
    },
  },
  LinearAttention: {
    lacks: (step) => {
      const rule = step.texts.get('update_rule');
      if (rule !== 'gated') return `the rule ${rule ?? 'of none'}`;
      if (step.numbers.get('q_num_heads') !== step.numbers.get('kv_num_heads'))
        return 'unlike numbers of heads';
      return must(step, 'scale', 1, 0);
    },
    run: ({ inputs, outputs }, bench) => {
      const [query, key, value, past, decay] = bench.tensors(
        inputs[0],
        inputs[1],
        inputs[2],
        inputs[3],
        inputs[4],
      );
      const [, heads = 1, keySize = 1, valueSize = 1] = past.dims;
      const rows = value.size / lastOf(value.dims);
      if (
        decay.size !== rows * heads ||
        query.size !== rows * heads * keySize ||
        valueSize % 16 !== 0
      )
        throw new RangeError(`a scan of ${heads} heads got a decay of ${decay.size} numbers`);
      const out = bench.make(outputs[0], value.dims);
      const present = bench.make(outputs[1], past.dims);
      bench.memory.run.scan(
        query.pointer,
        key.pointer,
        value.pointer,
        decay.pointer,
        past.pointer,
        rows,
        heads,
        keySize,
        valueSize,
        out.pointer,
        present.pointer,
      );
    },
  },
  GatedRMSNorm: {
    run: ({ inputs, outputs, numbers }, bench) => {
      const [y, weight, gate] = bench.tensors(inputs[0], inputs[1], inputs[2]);
      const out = bench.make(outputs[0], y.dims);
      const size = weight.size;
      bench.memory.run.gatedNorm(
        y.pointer,
        weight.pointer,
        gate.pointer,
        numbers.get('epsilon') ?? 1e-5,
        y.size / size,
        size,
        out.pointer,
      );
    },
  },
};

/** The operator of a step; {@link NoKernel} where there is none, or not as the step asks for it. */
export function operatorOf(step: Step): Operator {
  const operator = OPERATORS[step.op];
  if (operator === undefined) throw new NoKernel(`there is no kernel for ${step.op}`);
  const lacking = operator.lacks?.(step) ?? null;
  if (lacking !== null) throw new NoKernel(`the kernel for ${step.op} has no ${lacking}`);
  return operator;
}
