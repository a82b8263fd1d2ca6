/**
 * Owns what the kernels pass from step to step: float32 and uint8 tensors in their memory, and caches of keys and values that grow
 * in place. Owns no arithmetic.
 */
import { elementsOf } from '../runtime/tensor-values';
import type { KernelMemory, Room } from './memory';

/** A tensor in the kernels' memory. Whoever holds it disposes of it. */
export class KernelTensor {
  readonly location = 'wasm-heap';
  readonly #memory: KernelMemory;
  readonly #room: Room;
  #isFreed = false;

  /** Takes over a holder of `room`; the first element lies at `pointer` in it. */
  constructor(
    memory: KernelMemory,
    room: Room,
    readonly type: 'float32' | 'uint8',
    readonly dims: readonly number[],
    readonly pointer = room.pointer,
  ) {
    this.#memory = memory;
    this.#room = room;
  }

  /** A new tensor in room of its own. */
  static make(
    memory: KernelMemory,
    dims: readonly number[],
    type: 'float32' | 'uint8' = 'float32',
  ): KernelTensor {
    const width = type === 'float32' ? 4 : 1;
    return new KernelTensor(memory, memory.take(elementsOf(dims) * width), type, dims);
  }

  get size(): number {
    return elementsOf(this.dims);
  }

  /** The same numbers, from element `offset` on, in other dims; held for themselves. */
  view(dims: readonly number[], offset = 0): KernelTensor {
    const width = this.type === 'float32' ? 4 : 1;
    return new KernelTensor(
      this.#memory,
      this.#room.retain(),
      this.type,
      dims,
      this.pointer + offset * width,
    );
  }

  /** A view of the elements, good until the next step. */
  get data(): Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> {
    if (this.#isFreed) throw new RangeError('a tensor in the kernels’ memory was freed already');
    return this.type === 'float32'
      ? this.#memory.floats(this.pointer, this.size)
      : this.#memory.octets(this.pointer, this.size);
  }

  /** Not on a GPU; here because readers of tensors ask for it. */
  get gpuBuffer(): never {
    throw new RangeError('a tensor in the kernels’ memory has no GPU buffer');
  }

  dispose(): void {
    if (this.#isFreed) return;
    this.#isFreed = true;
    this.#room.release();
  }
}

/** Room for the keys or the values of a layer, (groups, capacity, size); caches that grew from each other share it. */
interface CacheRoom {
  readonly room: Room;
  /** Tokens there is room for, and those that are written. */
  readonly capacity: number;
  filled: number;
}

/** Tokens that a new cache has room for at least, and by how much one grows that is full. */
const FIRST_TOKENS = 64;
const GROWTH = 1.5;

/**
 * Keys or values of one layer, (1, groups, tokens, size) to its readers, with room behind each group, so that a token more is
 * written behind the others: nothing is copied while there is room, and a cache is never changed by one that grew from it.
 */
export class CacheTensor {
  readonly location = 'wasm-heap';
  readonly type = 'float32';
  readonly dims: readonly number[];
  readonly #memory: KernelMemory;
  #shared: CacheRoom;
  #isFreed = false;

  private constructor(memory: KernelMemory, shared: CacheRoom, dims: readonly number[]) {
    this.#memory = memory;
    this.#shared = shared;
    this.dims = dims;
  }

  /** Tokens that each group has room for. */
  get capacity(): number {
    return this.#shared.capacity;
  }

  /** Address of the first group's numbers. */
  get pointer(): number {
    if (this.#isFreed) throw new RangeError('a cache in the kernels’ memory was freed already');
    return this.#shared.room.pointer;
  }

  /** A cache with the numbers of one of JavaScript's tensors, (1, groups, tokens, size), and room for `more` tokens. */
  static from(
    memory: KernelMemory,
    data: Float32Array,
    dims: readonly number[],
    more: number,
  ): CacheTensor {
    const [, groups = 1, tokens = 0, size = 1] = dims;
    const capacity = CacheTensor.#roomFor(tokens + more);
    const room = memory.take(4 * capacity * groups * size);
    const made = new CacheTensor(memory, { room, capacity, filled: tokens }, dims);
    for (let group = 0; group < groups; group += 1)
      memory
        .floats(made.#at(group, 0), tokens * size)
        .set(data.subarray(group * tokens * size, (group + 1) * tokens * size));
    return made;
  }

  /** Tokens to take room for where there are `tokens`. */
  static #roomFor(tokens: number): number {
    return Math.max(FIRST_TOKENS, Math.ceil(tokens * GROWTH));
  }

  /** Address of a token's numbers in a group. */
  #at(group: number, token: number): number {
    const size = this.dims[3] ?? 1;
    return this.pointer + 4 * (group * this.#shared.capacity + token) * size;
  }

  /** This cache with `count` tokens more, whose numbers (count, groups, size) lie at `rows`. */
  extended(rows: number, count: number): CacheTensor {
    const [, groups = 1, tokens = 0, size = 1] = this.dims;
    const memory = this.#memory;
    const dims = [1, groups, tokens + count, size];
    let next: CacheTensor;
    if (this.#shared.filled === tokens && tokens + count <= this.#shared.capacity) {
      this.#shared.room.retain();
      next = new CacheTensor(memory, this.#shared, dims);
    } else next = new CacheTensor(memory, this.#copied(CacheTensor.#roomFor(tokens + count)), dims);
    const added = memory.floats(rows, count * groups * size);
    for (let group = 0; group < groups; group += 1) {
      const to = memory.floats(next.#at(group, tokens), count * size);
      for (let i = 0; i < count; i += 1) {
        const from = (i * groups + group) * size;
        to.set(added.subarray(from, from + size), i * size);
      }
    }
    next.#shared.filled = tokens + count;
    return next;
  }

  /** Its numbers in another room, of `capacity` tokens. */
  #copied(capacity: number): CacheRoom {
    const [, groups = 1, tokens = 0, size = 1] = this.dims;
    const memory = this.#memory;
    const room = memory.take(4 * capacity * groups * size);
    const made = new CacheTensor(memory, { room, capacity, filled: tokens }, this.dims);
    for (let group = 0; group < groups; group += 1)
      memory
        .floats(made.#at(group, 0), tokens * size)
        .set(memory.floats(this.#at(group, 0), tokens * size));
    return made.#shared;
  }

  /** This cache, or the same in as much room as `capacity` tokens take; this one is let go then. */
  inRoomOf(capacity: number): CacheTensor {
    if (capacity <= this.#shared.capacity) return this;
    const made = new CacheTensor(this.#memory, this.#copied(capacity), this.dims);
    this.dispose();
    return made;
  }

  /** The elements in the order of the dims: a copy. */
  get data(): Float32Array<ArrayBuffer> {
    const [, groups = 1, tokens = 0, size = 1] = this.dims;
    const data = new Float32Array(groups * tokens * size);
    for (let group = 0; group < groups; group += 1)
      data.set(this.#memory.floats(this.#at(group, 0), tokens * size), group * tokens * size);
    return data;
  }

  /** Changes numbers from element `offset` on, of this cache alone: what it grew from keeps its own. */
  write(offset: number, values: Float32Array): void {
    const data = this.data;
    data.set(values, offset);
    const own = CacheTensor.from(this.#memory, data, this.dims, 1).#shared;
    this.#shared.room.release();
    this.#shared = own;
  }

  /** Not on a GPU; here because readers of tensors ask for it. */
  get gpuBuffer(): never {
    throw new RangeError('a cache in the kernels’ memory has no GPU buffer');
  }

  dispose(): void {
    if (this.#isFreed) return;
    this.#isFreed = true;
    this.#shared.room.release();
  }
}
