/**
 * Owns the memory that the kernels compute in and the tensors in it: instantiation, rooms with holders, views. Owns no
 * arithmetic (kernels.as) and no graph (plan.ts).
 */
import { KERNELS_WASM } from './kernels-wasm';

/** What kernels.as exports; pointers are byte addresses. */
interface KernelExports {
  readonly memory: WebAssembly.Memory;
  heapStart(): number;
  quantise(x: number, rows: number, size: number, bits: number, q: number, scales: number): void;
  product4(
    codes: number,
    weightScales: number,
    q: number,
    scales: number,
    rows: number,
    columns: number,
    size: number,
    out: number,
  ): void;
  product8: KernelExports['product4'];
  multiply(a: number, b: number, count: number, out: number): void;
  add: KernelExports['multiply'];
  multiplyRows(a: number, b: number, rows: number, size: number, out: number): void;
  addRows: KernelExports['multiplyRows'];
  scaleRows: KernelExports['multiplyRows'];
  silu(x: number, count: number, out: number): void;
  norm(
    x: number,
    added: number,
    weight: number,
    epsilon: number,
    rows: number,
    size: number,
    out: number,
    kept: number,
  ): void;
  gatedNorm(
    y: number,
    weight: number,
    gate: number,
    epsilon: number,
    rows: number,
    size: number,
    out: number,
  ): void;
  transpose(x: number, rows: number, columns: number, out: number): void;
  cut(x: number, rows: number, columns: number, start: number, count: number, out: number): void;
  rotate(
    x: number,
    rows: number,
    heads: number,
    half: number,
    positions: number,
    cos: number,
    sin: number,
    out: number,
  ): void;
  attend(
    q: number,
    keys: number,
    values: number,
    mask: number,
    rows: number,
    total: number,
    capacity: number,
    heads: number,
    groups: number,
    size: number,
    scale: number,
    scores: number,
    out: number,
  ): void;
  convolve(
    x: number,
    weight: number,
    bias: number,
    past: number,
    channels: number,
    rows: number,
    taps: number,
    out: number,
    present: number,
  ): void;
  scan(
    query: number,
    key: number,
    value: number,
    decay: number,
    past: number,
    rows: number,
    heads: number,
    keySize: number,
    valueSize: number,
    out: number,
    present: number,
  ): void;
}

/** Kernels work on four numbers at a time, and the last four may reach beyond the end. */
const SLACK_BYTES = 16;

const PAGE_BYTES = 65_536;

/** Rooms from here on are cut out of what is free and joined again; smaller ones come in sizes of their own. */
const LARGE_BYTES = 65_536;

/** Sizes that small rooms come in: quarters of an octave, so that a room given back fits what is asked for next. */
export function roomSize(bytes: number): number {
  const quarter = 2 ** Math.max(4, Math.floor(Math.log2(Math.max(bytes, 1))) - 2);
  return Math.ceil(bytes / quarter) * quarter;
}

/** A stretch of memory that nobody uses. */
interface Gap {
  pointer: number;
  size: number;
}

let liveRooms = 0;

/** Rooms that were taken and not given back: a leak shows as a number that grows from reply to reply. */
export function liveRoomCount(): number {
  return liveRooms;
}

/** A stretch of the kernels' memory; the last holder gives it back. */
export class Room {
  readonly #free: (pointer: number) => void;
  #holders = 1;

  constructor(
    readonly pointer: number,
    readonly bytes: number,
    free: (pointer: number) => void,
  ) {
    this.#free = free;
    liveRooms += 1;
  }

  retain(): this {
    if (this.#holders <= 0) throw new RangeError('a room in the kernels’ memory was freed already');
    this.#holders += 1;
    return this;
  }

  release(): void {
    if (this.#holders <= 0) throw new RangeError('a room in the kernels’ memory was freed already');
    this.#holders -= 1;
    if (this.#holders > 0) return;
    liveRooms -= 1;
    this.#free(this.pointer);
  }
}

export class KernelMemory {
  readonly run: Omit<KernelExports, 'memory' | 'heapStart'>;
  readonly #memory: WebAssembly.Memory;
  /** Small rooms that were given back, by size. */
  readonly #spare = new Map<number, number[]>();
  /** Where large rooms were, by address; no two touch. */
  readonly #gaps: Gap[] = [];
  /** Where untouched memory begins. */
  #end: number;

  private constructor(exports: KernelExports) {
    this.#memory = exports.memory;
    this.#end = Math.ceil(exports.heapStart() / 16) * 16;
    this.run = exports;
  }

  static async open(): Promise<KernelMemory> {
    const text = atob(KERNELS_WASM);
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const { instance } = await WebAssembly.instantiate(bytes);
    return new KernelMemory(instance.exports as unknown as KernelExports);
  }

  /** Bytes that the memory has taken of the device; it never shrinks while it lives. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Room for `bytes`, filled with nothing in particular. RangeError `out of memory`. */
  take(bytes: number): Room {
    const size = roomSize(bytes + SLACK_BYTES);
    if (size >= LARGE_BYTES) {
      // Caches grow past every size there is: what they leave must serve for others.
      const exact = Math.ceil((bytes + SLACK_BYTES) / 16) * 16;
      const room = (pointer: number): Room =>
        new Room(pointer, bytes, () => this.#join({ pointer, size: exact }));
      return room(this.#cut(exact) ?? this.#grow(exact));
    }
    const spare = this.#spare.get(size)?.pop();
    return new Room(spare ?? this.#grow(size), bytes, this.#giveBack(size));
  }

  /** Room that is never given back, as large as it must be and no larger: for weights. RangeError `out of memory`. */
  keep(bytes: number): Room {
    return new Room(this.#grow(Math.ceil(bytes / 16) * 16 + SLACK_BYTES), bytes, () => {});
  }

  #giveBack(size: number): (pointer: number) => void {
    return (pointer) => {
      const list = this.#spare.get(size);
      if (list === undefined) this.#spare.set(size, [pointer]);
      else list.push(pointer);
    };
  }

  /** Address of `size` bytes out of the smallest gap that has them; null where none has. */
  #cut(size: number): number | null {
    let best: Gap | undefined;
    for (const gap of this.#gaps)
      if (gap.size >= size && (best === undefined || gap.size < best.size)) best = gap;
    if (best === undefined) return null;
    const { pointer } = best;
    best.pointer += size;
    best.size -= size;
    if (best.size === 0) this.#gaps.splice(this.#gaps.indexOf(best), 1);
    return pointer;
  }

  /** Makes a gap of a room, one with those it touches. */
  #join(gap: Gap): void {
    let at = this.#gaps.findIndex(({ pointer }) => pointer > gap.pointer);
    if (at < 0) at = this.#gaps.length;
    const [before, after] = [this.#gaps[at - 1], this.#gaps[at]];
    const touchesAfter = after !== undefined && gap.pointer + gap.size === after.pointer;
    if (before !== undefined && before.pointer + before.size === gap.pointer) {
      before.size += gap.size + (touchesAfter ? after.size : 0);
      if (touchesAfter) this.#gaps.splice(at, 1);
    } else if (touchesAfter) {
      after.pointer = gap.pointer;
      after.size += gap.size;
    } else this.#gaps.splice(at, 0, gap);
  }

  #grow(size: number): number {
    const last = this.#gaps.at(-1);
    if (last !== undefined && last.pointer + last.size === this.#end) {
      this.#gaps.pop();
      this.#end = last.pointer;
    }
    const pointer = this.#end;
    const missing = pointer + size - this.bytes;
    if (missing > 0) {
      try {
        this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
      } catch (cause) {
        throw new RangeError(`out of memory: the kernels have no room for ${size} bytes`, {
          cause,
        });
      }
    }
    this.#end += size;
    return pointer;
  }

  /** Views are good until the next {@link take}: a memory that grows leaves them behind. */
  floats(pointer: number, count: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer as ArrayBuffer, pointer, count);
  }

  integers(pointer: number, count: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#memory.buffer as ArrayBuffer, pointer, count);
  }

  octets(pointer: number, count: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer as ArrayBuffer, pointer, count);
  }
}
