/**
 * Owns running a decoder graph with 4- and 8-bit weights by this project's own WASM kernels, in place of ONNX Runtime's
 * session: the weights stay packed as the file has them, so that a token reads an eighth of the bytes (docs/speed.md). Owns
 * no reading of the graph (plan.ts), no operator (operators.ts) and no meaning of inputs and outputs (runtime/session.ts).
 */
import { FLOAT16, FLOAT32, UINT8, type GraphFile, type Tensor } from '../runtime/graph-reader';
import type { InputMetadata } from '../runtime/session-inputs';
import { KernelMemory } from './memory';
import { operatorOf, Workbench, type Value } from './operators';
import { NoKernel, planKernels, type Step } from './plan';
import { CacheTensor, KernelTensor } from './tensors';

const INT32 = 6;
const INT64 = 7;

/** What is fed: a tensor of the kernels' memory, or one with its numbers in JavaScript, which is copied in. */
export interface KernelFeed {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

export type KernelOutput = KernelTensor | CacheTensor;

interface Planned {
  readonly step: Step;
  readonly run: (step: Step, bench: Workbench) => void;
  /** Values that nothing after this step reads. */
  readonly done: readonly string[];
}

/** Bytes as the numbers of a type, wherever they lie. */
function aligned(data: Uint8Array): ArrayBuffer {
  return data.slice().buffer;
}

function integersOf({ data, type, dims }: Tensor): Value {
  const buffer = aligned(data ?? new Uint8Array());
  const integers =
    type === INT64
      ? Array.from(new BigInt64Array(buffer), Number)
      : Array.from(new Int32Array(buffer));
  return { integers, dims };
}

export class KernelSession {
  readonly inputMetadata: readonly InputMetadata[];
  readonly outputNames: readonly string[];
  readonly #memory: KernelMemory;
  readonly #steps: readonly Planned[];
  readonly #bench: Workbench;

  private constructor(
    memory: KernelMemory,
    steps: readonly Planned[],
    constants: ReadonlyMap<string, Value>,
    inputs: readonly InputMetadata[],
    outputs: readonly string[],
  ) {
    this.#memory = memory;
    this.#steps = steps;
    this.#bench = new Workbench(memory, constants);
    this.inputMetadata = inputs;
    this.outputNames = outputs;
  }

  /**
   * A session for `file`, with up to `threads` where the page may share memory. {@link NoKernel} where the graph has what
   * the kernels lack; RangeError for no ONNX file and `out of memory`.
   */
  static async open(file: GraphFile, threads = 1): Promise<KernelSession> {
    const { steps, constants, inputs, outputs } = planKernels(file);
    if (!steps.some(({ op }) => op === 'MatMulNBits'))
      throw new NoKernel('the graph has no weights of few bits');
    for (const step of steps) operatorOf(step);
    const memory = await KernelMemory.open(threads);
    try {
      const bench = KernelSession.#prepare(memory, steps, constants);
      return KernelSession.#over(memory, bench, steps, inputs, outputs);
    } catch (error) {
      memory.dispose();
      throw error;
    }
  }

  /** A workbench with the constants that `steps` use on it. */
  static #prepare(
    memory: KernelMemory,
    steps: readonly Step[],
    constants: ReadonlyMap<string, Tensor>,
  ): Workbench {
    const bench = new Workbench(memory);
    const used = new Set(steps.flatMap(({ inputs: names }) => names));
    for (const [name, tensor] of constants)
      if (used.has(name)) bench.put(name, KernelSession.#constant(memory, name, tensor));
    return bench;
  }

  static #over(
    memory: KernelMemory,
    bench: Workbench,
    steps: readonly Step[],
    inputs: readonly InputMetadata[],
    outputs: readonly string[],
  ): KernelSession {
    // What depends on constants alone is computed once: scales widened, tables of angles.
    const left: Step[] = [];
    for (const step of steps) {
      if (step.inputs.every((name) => name === '' || bench.values.has(name)))
        operatorOf(step).run(step, bench);
      else left.push(step);
    }
    const needed = new Set([...left.flatMap(({ inputs: names }) => names), ...outputs]);
    for (const [name, value] of bench.values) {
      if (needed.has(name)) continue;
      if (value instanceof KernelTensor) value.dispose();
      bench.values.delete(name);
    }
    const last = new Map<string, Step>();
    for (const step of left)
      for (const name of [...step.outputs, ...step.inputs]) last.set(name, step);
    const planned = left.map((step) => ({
      step,
      run: operatorOf(step).run,
      done: [...new Set([...step.inputs, ...step.outputs])].filter(
        (name) => name !== '' && last.get(name) === step && !bench.values.has(name),
      ),
    }));
    return new KernelSession(memory, planned, bench.values, inputs, outputs);
  }

  static #constant(memory: KernelMemory, name: string, tensor: Tensor): Value {
    const { type, dims, data } = tensor;
    if (data === null) throw new NoKernel(`the values of ${name} are not there`);
    switch (type) {
      case INT64:
      case INT32:
        return integersOf(tensor);
      case FLOAT16:
        return { bits: new Uint16Array(aligned(data)), dims };
      case FLOAT32:
      case UINT8: {
        const room = memory.keep(data.byteLength);
        memory.octets(room.pointer, data.byteLength).set(data);
        return new KernelTensor(memory, room, type === FLOAT32 ? 'float32' : 'uint8', dims);
      }
      default:
        throw new NoKernel(`${name} has numbers of type ${type}`);
    }
  }

  get threads(): number {
    return this.#memory.threads;
  }

  /** One run: the named outputs, the caller's to dispose of. Feeds stay the caller's. */
  run(
    feeds: Readonly<Record<string, KernelFeed>>,
    names: readonly string[],
  ): Record<string, KernelOutput> {
    const bench = this.#bench;
    const { values } = bench;
    const wanted = new Set(names);
    // What the caller holds is not ours to free.
    const kept = new Set<Value>();
    const copies = new Map<KernelFeed, Value>();
    const free = (name: string): void => {
      const value = values.get(name);
      values.delete(name);
      if (value === undefined || kept.has(value)) return;
      if (value instanceof KernelTensor || value instanceof CacheTensor) value.dispose();
    };
    try {
      for (const [name, feed] of Object.entries(feeds)) {
        if (feed instanceof KernelTensor || feed instanceof CacheTensor) {
          values.set(name, feed);
          kept.add(feed);
          continue;
        }
        // The layers' masks are one tensor, fed under many names.
        const copy = copies.get(feed);
        const value =
          copy instanceof KernelTensor ? copy.view(copy.dims) : this.#copied(name, feed);
        copies.set(feed, value);
        values.set(name, value);
      }
      for (const { step, run, done } of this.#steps) {
        run(step, bench);
        for (const name of done) if (!wanted.has(name)) free(name);
      }
      const results: Record<string, KernelOutput> = {};
      for (const name of names) {
        const value = values.get(name);
        if (!(value instanceof KernelTensor || value instanceof CacheTensor))
          throw new RangeError(`the model has no value "${name}"`);
        results[name] = value;
      }
      for (const value of Object.values(results)) kept.add(value);
      return results;
    } finally {
      for (const name of [...values.keys()]) free(name);
    }
  }

  /** A tensor of JavaScript's in the kernels' memory. */
  #copied(name: string, { type, dims, data }: KernelFeed): Value {
    if (data instanceof BigInt64Array) return { integers: Array.from(data, Number), dims };
    if (data instanceof Int32Array) return { integers: Array.from(data), dims };
    if (!(data instanceof Float32Array))
      throw new RangeError(`input ${name}: a ${type} tensor cannot be fed to the kernels`);
    if (name.startsWith('past_key_values.')) return CacheTensor.from(this.#memory, data, dims, 1);
    const tensor = KernelTensor.make(this.#memory, dims);
    this.#memory.floats(tensor.pointer, data.length).set(data);
    return tensor;
  }

  /** Frees what the session holds; tensors that it gave are their holders'. */
  release(): void {
    this.#bench.dispose();
    this.#memory.dispose();
  }
}
