/**
 * Owns the memory that the kernels compute in and the tensors in it: instantiation, rooms with holders, views. Owns no
 * arithmetic (kernels.as) and no graph (plan.ts).
 */
import { Crew, kernelsOf } from './crew';
import type { Kind } from './crew-work';
import { KERNELS_WASM, MOST_SHARED_PAGES, SHARED_KERNELS_WASM } from './kernels-wasm';

/** What kernels.as exports; pointers are byte addresses. */
interface KernelExports {
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
    from: number,
    to: number,
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
    from: number,
    to: number,
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

function endOf({ pointer, size }: Gap): number {
  return pointer + size;
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

/** Columns of a product, and rows of attention, that a thread takes at a time. */
const PART_COLUMNS = 64;
const PART_ROWS = 4;

type Head<T extends readonly unknown[]> = T extends readonly [...infer H, unknown, unknown]
  ? H
  : never;
type ProductNumbers = Head<Parameters<KernelExports['product4']>>;
/** Up to the scale. */
type AttendNumbers = Head<Head<Parameters<KernelExports['attend']>>>;

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function canShare(): boolean {
  return (
    typeof Worker !== 'undefined' &&
    typeof SharedArrayBuffer !== 'undefined' &&
    globalThis.crossOriginIsolated
  );
}

function spawnHelper(): Worker {
  return new Worker(new URL('./helper.worker.ts', import.meta.url), {
    type: 'module',
    name: 'kernels',
  });
}

export class KernelMemory {
  readonly run: Omit<KernelExports, 'heapStart' | Kind>;
  readonly #memory: WebAssembly.Memory;
  /** As it is now; another one when the memory has grown. */
  #buffer: ArrayBuffer;
  readonly #own: Pick<KernelExports, Kind>;
  /** Threads that share long calls; null: there is this one alone. */
  readonly #crew: Crew | null;
  /** Small rooms that were given back, by size. */
  readonly #spare = new Map<number, number[]>();
  /** Where large rooms were, by address; no two touch. */
  readonly #gaps: Gap[] = [];
  /** Where untouched memory begins. */
  #end: number;

  private constructor(exports: KernelExports, memory: WebAssembly.Memory, crew: Crew | null) {
    this.#memory = memory;
    this.#buffer = memory.buffer;
    this.#end = Math.ceil(exports.heapStart() / 16) * 16;
    this.#crew = crew;
    this.#own = exports;
    this.run = exports;
  }

  /** Memory of its own; with `threads` above 1 one that helpers share, where the page may share memory. */
  static async open(threads = 1): Promise<KernelMemory> {
    const shared = threads > 1 && canShare() ? await KernelMemory.#openShared(threads) : null;
    if (shared !== null) return shared;
    const { instance } = await WebAssembly.instantiate(bytesOf(KERNELS_WASM));
    const { memory } = instance.exports as unknown as { memory: WebAssembly.Memory };
    return new KernelMemory(instance.exports as unknown as KernelExports, memory, null);
  }

  /** Null where the device has no addresses for it, or no helper starts. */
  static async #openShared(threads: number): Promise<KernelMemory | null> {
    let memory: WebAssembly.Memory;
    try {
      memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_SHARED_PAGES, shared: true });
    } catch {
      return null;
    }
    const module = await WebAssembly.compile(bytesOf(SHARED_KERNELS_WASM));
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    const kernels = kernelsOf(instance.exports);
    const crew = await Crew.gather(threads, module, memory, kernels, spawnHelper);
    if (crew === null) return null;
    return new KernelMemory(instance.exports as unknown as KernelExports, memory, crew);
  }

  /** Threads that compute. */
  get threads(): number {
    return this.#crew?.threads ?? 1;
  }

  /** A product (assembly: product4, product8), its columns shared among the threads. */
  product(bits: 4 | 8, ...numbers: ProductNumbers): void {
    const kind = bits === 4 ? 'product4' : 'product8';
    const columns = numbers[5];
    if (this.#crew !== null && columns >= 2 * PART_COLUMNS)
      this.#crew.run(kind, numbers, { units: columns, part: PART_COLUMNS });
    else this.#own[kind](...numbers, 0, columns);
  }

  /** Attention, its rows shared among the threads; its work room is taken here. */
  attend(numbers: AttendNumbers, out: number): void {
    const [q, keys, values, mask, rows, total, capacity, heads, groups, size, scale] = numbers;
    const bytes = 16 * Math.ceil(((heads / groups) * (total + 4)) / 4);
    const isShared = this.#crew !== null && rows >= 2 * PART_ROWS;
    const room = this.take(bytes * (isShared ? this.threads : 1));
    const all = [q, keys, values, mask, rows, total, capacity, heads, groups, size, scale] as const;
    if (isShared)
      this.#crew.run('attend', [...all, room.pointer, out], {
        units: rows,
        part: PART_ROWS,
        room: bytes,
      });
    else this.#own.attend(...all, room.pointer, out, 0, rows);
    room.release();
  }

  /** Sends the helpers home. */
  dispose(): void {
    this.#crew?.dispose();
  }

  /** Bytes that the memory has taken of the device; it never shrinks while it lives. */
  get bytes(): number {
    return this.#buffer.byteLength;
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
    const touchesAfter = after?.pointer === endOf(gap);
    if (before !== undefined && endOf(before) === gap.pointer) {
      before.size += gap.size + (touchesAfter ? after.size : 0);
      if (touchesAfter) this.#gaps.splice(at, 1);
    } else if (touchesAfter) {
      after.pointer = gap.pointer;
      after.size += gap.size;
    } else this.#gaps.splice(at, 0, gap);
  }

  #grow(size: number): number {
    const last = this.#gaps.at(-1);
    if (last !== undefined && endOf(last) === this.#end) {
      this.#gaps.pop();
      this.#end = last.pointer;
    }
    const pointer = this.#end;
    const missing = pointer + size - this.bytes;
    if (missing > 0) {
      try {
        this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
        this.#buffer = this.#memory.buffer;
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
    return new Float32Array(this.#buffer, pointer, count);
  }

  integers(pointer: number, count: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#buffer, pointer, count);
  }

  octets(pointer: number, count: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer, pointer, count);
  }
}
