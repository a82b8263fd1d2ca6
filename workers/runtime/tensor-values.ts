/**
 * Owns the way of numbers between tensors and JavaScript: reading without moving a tensor off its GPU, writing into one,
 * float16. Owns no tensors.
 */
import { roundToFloat16 } from '../../src/core/state-math/surgery';

/* Flags of the WebGPU specification, which TypeScript's worker library names as types only. */
const MAP_READ = 0x1;
const COPY_DST = 0x8;
const MAP_MODE_READ = 0x1;

/** The part of ONNX Runtime's Tensor that is read here. `data` throws on the GPU, `gpuBuffer` on the CPU. */
export interface ReadableTensor {
  readonly dims: readonly number[];
  readonly type: string;
  readonly location: string;
  readonly data: unknown;
  readonly gpuBuffer: unknown;
  /** Where `data` is a copy, the way to change the tensor: numbers from element `offset` on. */
  write?(offset: number, values: Float32Array): void;
}

/** A run of elements of a tensor; the whole tensor when `count` is absent. */
export interface TensorRange {
  readonly tensor: ReadableTensor;
  readonly offset?: number;
  readonly count?: number;
}

/** Bytes of one element of an ONNX tensor type that a state or a probe can have. */
export function elementBytes(type: string): number {
  switch (type) {
    case 'float32':
      return 4;
    case 'float16':
      return 2;
    default:
      throw new RangeError(
        `state tensors of type ${type} are not known; export states as float32 or float16`,
      );
  }
}

export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

/** float16 bits to numbers. */
export function widenFloat16(
  bits: Uint16Array,
  out: Float32Array = new Float32Array(bits.length),
): Float32Array {
  for (let i = 0; i < out.length; i += 1) {
    const h = bits[i] ?? 0;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Infinity
            : NaN
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    out[i] = h & 0x8000 ? -size : size;
  }
  return out;
}

/** Numbers to float16 bits, rounded to nearest. */
function narrowFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i += 1) {
    const x = roundToFloat16(values[i] ?? 0);
    const size = Math.abs(x);
    const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
    if (Number.isNaN(x)) bits[i] = 0x7e00;
    else if (size === Infinity) bits[i] = sign | 0x7c00;
    else if (size < 2 ** -14) bits[i] = sign | (size * 2 ** 24);
    else {
      // Exact: `size` is a float16 already.
      let exponent = Math.floor(Math.log2(size));
      if (2 ** exponent > size) exponent -= 1;
      bits[i] = sign | ((exponent + 15) << 10) | Math.round((size / 2 ** exponent - 1) * 1024);
    }
  }
  return bits;
}

/** Bytes of a tensor type as numbers; a view where the type is float32 and the bytes lie right, else a copy. */
export function floatsOf(type: string, bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  if (elementBytes(type) === 4)
    return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
  return widenFloat16(new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2));
}

/** Numbers as the bytes of a tensor type. */
export function bytesOf(type: string, values: Float32Array): Uint8Array {
  const { buffer, byteOffset, byteLength } =
    elementBytes(type) === 4 ? values : narrowFloat16(values);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function rangeBytes({ tensor, offset = 0, count }: TensorRange): { start: number; size: number } {
  const width = elementBytes(tensor.type);
  const all = elementsOf(tensor.dims);
  const elements = count ?? all - offset;
  if (offset < 0 || elements < 0 || offset + elements > all)
    throw new RangeError(`elements ${offset} to ${offset + elements} of a tensor of ${all}`);
  return { start: offset * width, size: elements * width };
}

function cpuBytes(tensor: ReadableTensor): Uint8Array {
  const { data } = tensor;
  if (!ArrayBuffer.isView(data)) throw new RangeError(`a ${tensor.type} tensor without numbers`);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Reads and writes tensors wherever they are. */
export class TensorValues {
  readonly #device: () => Promise<GPUDevice | null>;

  constructor(device: () => Promise<GPUDevice | null>) {
    this.#device = device;
  }

  /**
   * Bytes of each range. Of JavaScript's tensors views, to be copied by who keeps them; else copies, from the GPU all
   * through one buffer and one wait. (ONNX Runtime's own getData would move the tensor and leak its buffer.)
   */
  async readBytes(ranges: readonly TensorRange[]): Promise<Uint8Array[]> {
    const parts = ranges.map((range) => ({ ...rangeBytes(range), tensor: range.tensor, at: 0 }));
    let total = 0;
    for (const part of parts) {
      if (part.tensor.location !== 'gpu-buffer') continue;
      part.at = total;
      // Copies begin and end at multiples of 4 bytes.
      total += 4 * Math.ceil((part.size + (part.start % 4)) / 4);
    }
    const device = total === 0 ? null : await this.#device();
    let copied = new Uint8Array();
    if (total > 0) {
      if (device === null) throw new RangeError('a tensor is on the GPU, but there is none');
      const staging = device.createBuffer({
        size: total,
        usage: MAP_READ | COPY_DST,
      });
      try {
        const encoder = device.createCommandEncoder();
        for (const { tensor, start, size, at } of parts) {
          if (tensor.location !== 'gpu-buffer' || size === 0) continue;
          const from = start - (start % 4);
          const length = 4 * Math.ceil((size + (start % 4)) / 4);
          encoder.copyBufferToBuffer(tensor.gpuBuffer as GPUBuffer, from, staging, at, length);
        }
        device.queue.submit([encoder.finish()]);
        await staging.mapAsync(MAP_MODE_READ);
        copied = new Uint8Array(staging.getMappedRange().slice(0));
      } finally {
        staging.destroy();
      }
    }
    return parts.map(({ tensor, start, size, at }) => {
      if (tensor.location === 'gpu-buffer')
        return copied.subarray(at + (start % 4), at + (start % 4) + size);
      const bytes = cpuBytes(tensor).subarray(start, start + size);
      // Its holder may free it, and other tensors' bytes take its place.
      return tensor.location === 'wasm-heap' ? bytes.slice() : bytes;
    });
  }

  /** Numbers of each range; as {@link readBytes}, float16 widened. */
  async read(ranges: readonly TensorRange[]): Promise<Float32Array[]> {
    const bytes = await this.readBytes(ranges);
    return bytes.map((part, i) => floatsOf(ranges[i]?.tensor.type ?? 'float32', part));
  }

  /** Writes numbers into a tensor from element `offset` on. Only for tensors that nobody else holds. */
  async write(tensor: ReadableTensor, offset: number, values: Float32Array): Promise<void> {
    const { start } = rangeBytes({ tensor, offset, count: values.length });
    if (tensor.write !== undefined) {
      tensor.write(offset, values);
      return;
    }
    const bytes = bytesOf(tensor.type, values);
    if (tensor.location !== 'gpu-buffer') {
      cpuBytes(tensor).set(bytes, start);
      return;
    }
    const device = await this.#device();
    if (device === null) throw new RangeError('a tensor is on the GPU, but there is none');
    device.queue.writeBuffer(tensor.gpuBuffer as GPUBuffer, start, bytes);
  }
}
