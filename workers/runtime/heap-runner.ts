/**
 * Owns running a session on tensors that stay in the WASM heap. ONNX Runtime's JavaScript API copies each input into the
 * heap and each output out of it, at every step: with the states of a 24 M model 8 MB a token, and with a long context
 * tens. Here an output's handle is the next step's input. Owns no session and no meaning of the tensors.
 *
 * The C functions below are those that onnxruntime-web's own JavaScript calls; they are not promised to anybody, so
 * whatever is missing or other than expected means: no runner, and the public API runs the model.
 */
import type * as ort from 'onnxruntime-web/webgpu';

/** The part of ONNX Runtime's Emscripten module that is used. Pointers are byte addresses in the heap. */
interface RuntimeModule {
  readonly PTR_SIZE: number;
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  stackSave(): number;
  stackRestore(stack: number): void;
  stackAlloc(bytes: number): number;
  getValue(pointer: number, type: string): number;
  UTF8ToString(pointer: number): string;
  stringToUTF8(text: string, pointer: number, bytes: number): void;
  lengthBytesUTF8(text: string): number;
  _OrtCreateTensor(
    type: number,
    data: number,
    bytes: number,
    dims: number,
    rank: number,
    location: number,
  ): number;
  _OrtGetTensorData(tensor: number, type: number, data: number, dims: number, rank: number): number;
  _OrtReleaseTensor(tensor: number): number;
  _OrtFree(pointer: number): number;
  _OrtCreateRunOptions(
    logLevel: number,
    verbosity: number,
    terminate: boolean,
    tag: number,
  ): number;
  _OrtReleaseRunOptions(options: number): void;
  _OrtRun(
    session: number,
    inputNames: number,
    inputs: number,
    inputCount: number,
    outputNames: number,
    outputCount: number,
    outputs: number,
    options: number,
  ): number | Promise<number>;
  _OrtGetLastError(code: number, message: number): number;
}

const FUNCTIONS = [
  '_malloc',
  '_free',
  'stackSave',
  'stackRestore',
  'stackAlloc',
  'getValue',
  'UTF8ToString',
  'stringToUTF8',
  'lengthBytesUTF8',
  '_OrtCreateTensor',
  '_OrtGetTensorData',
  '_OrtReleaseTensor',
  '_OrtFree',
  '_OrtCreateRunOptions',
  '_OrtReleaseRunOptions',
  '_OrtRun',
  '_OrtGetLastError',
] as const satisfies readonly (keyof RuntimeModule)[];

/** Element types of onnx.proto that inputs and outputs of a model here can have. */
const TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
type HeapType = keyof typeof TYPES;

/** ONNX Runtime's number for "in the heap". */
const ON_CPU = 1;

/** Severity "error": warnings of a run would be printed at each step. */
const LOG_ERRORS = 3;

/** Under this name the wrapped factory leaves the module. */
const CAPTURED = Symbol.for('tidepool.onnxruntime-module');

function isModule(value: unknown): value is RuntimeModule {
  if (typeof value !== 'object' || value === null) return false;
  const module = value as Record<string, unknown>;
  return (
    FUNCTIONS.every((name) => typeof module[name] === 'function') &&
    module['PTR_SIZE'] === 4 &&
    module['HEAPU8'] instanceof Uint8Array &&
    module['HEAPU32'] instanceof Uint32Array
  );
}

/**
 * Address of an ES module that does what ONNX Runtime's glue at `mjs` does and leaves the made module where {@link
 * HeapRunner.of} finds it; null where such a module cannot be loaded.
 */
export async function capturingGlue(mjs: string): Promise<string | null> {
  const source = [
    `import make from ${JSON.stringify(mjs)};`,
    'export default async (config) => {',
    '  const module = await make(config);',
    "  globalThis[Symbol.for('tidepool.onnxruntime-module')] = module;",
    '  return module;',
    '};',
  ].join('\n');
  // Node, where the tests run, reads its files and has no modules in blobs.
  const address = mjs.startsWith('file:')
    ? `data:text/javascript,${encodeURIComponent(source)}`
    : URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  try {
    const glue = (await import(/* @vite-ignore */ address)) as { default?: unknown };
    return typeof glue.default === 'function' ? address : null;
  } catch {
    // A stricter host policy than ours, or a browser without module blobs: ONNX Runtime loads its own glue.
    return null;
  }
}

let liveTensors = 0;

/** Tensors in the heap that were not disposed of: a leak shows as a number that grows from reply to reply. */
export function liveHeapTensorCount(): number {
  return liveTensors;
}

/** A tensor in the WASM heap. Whoever holds it disposes of it. */
export class HeapTensor {
  readonly location = 'wasm-heap';
  readonly #module: RuntimeModule;
  #handle: number;

  constructor(
    module: RuntimeModule,
    handle: number,
    readonly type: HeapType,
    readonly dims: readonly number[],
    /** Address of the first element. */
    readonly pointer: number,
  ) {
    this.#module = module;
    this.#handle = handle;
    liveTensors += 1;
  }

  /** RangeError when it was freed. */
  get handle(): number {
    if (this.#handle === 0) throw new RangeError('a tensor in the WASM heap was freed already');
    return this.#handle;
  }

  /** A view of the elements (float16 as bits), good until the next step: a heap that grows leaves old views behind. */
  get data(): Float32Array | Uint16Array | Uint8Array | Int32Array | BigInt64Array {
    if (this.#handle === 0) throw new RangeError('a tensor in the WASM heap was freed already');
    const { buffer } = heapOf(this.#module);
    const count = this.dims.reduce((a, b) => a * b, 1);
    switch (this.type) {
      case 'float32':
        return new Float32Array(buffer, this.pointer, count);
      case 'float16':
        return new Uint16Array(buffer, this.pointer, count);
      case 'int32':
        return new Int32Array(buffer, this.pointer, count);
      case 'int64':
        return new BigInt64Array(buffer, this.pointer, count);
      case 'uint8':
      case 'int8':
      case 'bool':
        return new Uint8Array(buffer, this.pointer, count);
      default: {
        const unknown: never = this.type;
        throw new RangeError(`tensor of type ${String(unknown)}`);
      }
    }
  }

  /** Not on a GPU; here because readers of tensors ask for it. */
  get gpuBuffer(): never {
    throw new RangeError('a tensor in the WASM heap has no GPU buffer');
  }

  dispose(): void {
    if (this.#handle === 0) return;
    this.#module._OrtReleaseTensor(this.#handle);
    this.#handle = 0;
    liveTensors -= 1;
  }
}

/** What can be fed: a tensor of the heap, or one of JavaScript's, which is copied in. */
export type Feed = HeapTensor | ort.Tensor;

/** The heap as it is now: another thread may have grown it, and only an access through the module tells. */
function heapOf(module: RuntimeModule): Uint8Array {
  module.getValue(0, 'i8');
  return module.HEAPU8;
}

function isHeapType(type: string): type is HeapType {
  return type in TYPES;
}

const TYPE_NAMES = new Map<number, HeapType>(
  Object.entries(TYPES).map(([name, number]) => [number, name as HeapType]),
);

/** Runs one session. Dispose it before the session. */
export class HeapRunner {
  readonly #module: RuntimeModule;
  readonly #session: number;
  /** Addresses of the names, zero-terminated. */
  readonly #names = new Map<string, number>();
  /** Room for what is copied in, by input; grows, is kept. */
  readonly #rooms = new Map<string, { pointer: number; bytes: number }>();
  readonly #options: number;
  /** Room for the four lists of pointers that a run takes. */
  readonly #lists: number;
  readonly #most: number;

  private constructor(module: RuntimeModule, session: number, names: readonly string[]) {
    this.#module = module;
    this.#session = session;
    this.#most = names.length;
    for (const name of names) {
      const bytes = module.lengthBytesUTF8(name) + 1;
      const pointer = this.#allocate(bytes);
      module.stringToUTF8(name, pointer, bytes);
      this.#names.set(name, pointer);
    }
    this.#lists = this.#allocate(4 * 4 * names.length);
    this.#options = module._OrtCreateRunOptions(LOG_ERRORS, 0, false, 0);
  }

  /** A runner for a session of the WASM provider; null where this build does not offer what is needed. */
  static of(session: ort.InferenceSession): HeapRunner | null {
    const module = (globalThis as Record<symbol, unknown>)[CAPTURED];
    const handler = (session as unknown as { handler?: { sessionId?: unknown } }).handler;
    const id = handler?.sessionId;
    if (!isModule(module) || typeof id !== 'number') return null;
    return new HeapRunner(module, id, [...session.inputNames, ...session.outputNames]);
  }

  /**
   * One run: the named outputs, in that order, the caller's to dispose of. Feeds stay the caller's. Throws what ONNX
   * Runtime says.
   */
  async run(
    feeds: Readonly<Record<string, Feed>>,
    outputs: readonly string[],
  ): Promise<HeapTensor[]> {
    const module = this.#module;
    heapOf(module);
    const entries = Object.entries(feeds);
    const step = 4 * this.#most;
    const [inputNames, inputs, outputNames, results] = [0, 1, 2, 3].map(
      (i) => this.#lists + i * step,
    ) as [number, number, number, number];
    const made: number[] = [];
    try {
      for (const [i, [name, feed]] of entries.entries()) {
        let handle: number;
        if (feed instanceof HeapTensor) ({ handle } = feed);
        else {
          handle = this.#copyIn(name, feed);
          made.push(handle);
        }
        this.#put(inputNames + 4 * i, this.#nameOf(name));
        this.#put(inputs + 4 * i, handle);
      }
      for (const [i, name] of outputs.entries()) {
        this.#put(outputNames + 4 * i, this.#nameOf(name));
        this.#put(results + 4 * i, 0);
      }
      const code = await module._OrtRun(
        this.#session,
        inputNames,
        inputs,
        entries.length,
        outputNames,
        outputs.length,
        results,
        this.#options,
      );
      if (code !== 0) throw new Error(this.#lastError());
      return outputs.map((_, i) => this.#describe(module.getValue(results + 4 * i, '*')));
    } finally {
      for (const handle of made) module._OrtReleaseTensor(handle);
    }
  }

  /** Frees what the runner holds; tensors that it gave are their holders'. */
  dispose(): void {
    const module = this.#module;
    for (const pointer of this.#names.values()) module._free(pointer);
    for (const { pointer } of this.#rooms.values()) module._free(pointer);
    module._free(this.#lists);
    module._OrtReleaseRunOptions(this.#options);
    this.#names.clear();
    this.#rooms.clear();
  }

  #allocate(bytes: number): number {
    const pointer = this.#module._malloc(Math.max(16, bytes));
    if (pointer === 0) throw new RangeError(`the WASM heap has no room for ${bytes} bytes`);
    heapOf(this.#module);
    return pointer;
  }

  #put(pointer: number, value: number): void {
    this.#module.HEAPU32[pointer >>> 2] = value;
  }

  #nameOf(name: string): number {
    const pointer = this.#names.get(name);
    if (pointer === undefined) throw new RangeError(`the model has no value "${name}"`);
    return pointer;
  }

  /** Handle of a tensor over the input's room, filled with the feed's elements. */
  #copyIn(name: string, feed: ort.Tensor): number {
    const { type, dims, data } = feed;
    if (!isHeapType(type) || !ArrayBuffer.isView(data))
      throw new RangeError(`input ${name}: a ${type} tensor cannot be copied into the WASM heap`);
    let room = this.#rooms.get(name);
    if (room === undefined || room.bytes < data.byteLength) {
      if (room !== undefined) this.#module._free(room.pointer);
      // Doubling: the attention mask grows by one entry a token.
      const bytes = Math.max(64, data.byteLength * 2);
      room = { pointer: this.#allocate(bytes), bytes };
      this.#rooms.set(name, room);
    }
    heapOf(this.#module).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      room.pointer,
    );
    return this.#create(type, room.pointer, data.byteLength, dims);
  }

  #create(type: HeapType, pointer: number, bytes: number, dims: readonly number[]): number {
    const module = this.#module;
    const stack = module.stackSave();
    try {
      const at = module.stackAlloc(4 * Math.max(1, dims.length));
      for (const [i, dim] of dims.entries()) this.#put(at + 4 * i, dim);
      const handle = module._OrtCreateTensor(TYPES[type], pointer, bytes, at, dims.length, ON_CPU);
      if (handle === 0) throw new Error(this.#lastError());
      return handle;
    } finally {
      module.stackRestore(stack);
    }
  }

  #describe(handle: number): HeapTensor {
    const module = this.#module;
    const stack = module.stackSave();
    try {
      const at = module.stackAlloc(16);
      if (module._OrtGetTensorData(handle, at, at + 4, at + 8, at + 12) !== 0)
        throw new Error(this.#lastError());
      const [typeNumber, pointer, dimsAt, rank] = [0, 4, 8, 12].map((offset) =>
        module.getValue(at + offset, '*'),
      ) as [number, number, number, number];
      const dims = Array.from({ length: rank }, (_, i) => module.getValue(dimsAt + 4 * i, '*'));
      module._OrtFree(dimsAt);
      const type = TYPE_NAMES.get(typeNumber);
      if (type === undefined) throw new RangeError(`an output has the unknown type ${typeNumber}`);
      return new HeapTensor(module, handle, type, dims, pointer);
    } finally {
      module.stackRestore(stack);
    }
  }

  #lastError(): string {
    const module = this.#module;
    const stack = module.stackSave();
    try {
      const at = module.stackAlloc(8);
      module._OrtGetLastError(at, at + 4);
      const code = module.getValue(at, 'i32');
      const message = module.getValue(at + 4, '*');
      return `ONNX Runtime failed (${code}): ${message === 0 ? 'no reason given' : module.UTF8ToString(message)}`;
    } finally {
      module.stackRestore(stack);
    }
  }
}
