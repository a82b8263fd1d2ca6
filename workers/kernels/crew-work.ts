/**
 * Owns how threads share one call of a kernel: the words they speak through, and who takes which part. The engine's worker
 * and its helpers run the same lines. Owns no threads (crew.ts) and no memory.
 */

/** Places in the shared Int32Array. */
export const WORD = {
  /** Number of the call that is under way, or was last; negative: go home. */
  call: 0,
  /** Its last sixteen bits, and the part that nobody has taken yet. */
  next: 1,
  /** Parts that are done. */
  done: 2,
  kind: 3,
  /** Units in all (columns or rows of the result), and in one part. */
  units: 4,
  part: 5,
  /** Bytes of work room for each thread, of which the first is at the kernel's own argument. */
  room: 6,
  /** The kernel's arguments begin here; one is a float32. */
  arguments: 8,
} as const;

export const WORDS = 32;

/** Kernels whose results fall into parts. */
export const KINDS = ['product4', 'product8', 'attend'] as const;
export type Kind = (typeof KINDS)[number];

/** Arguments before `from` and `to`. */
const COUNTS: Readonly<Record<Kind, number>> = { product4: 8, product8: 8, attend: 13 };

/** Places of `attend`'s float and of its work room among its arguments. */
export const ATTEND = { scale: 10, scores: 11 } as const;

type Kernel = (...numbers: number[]) => void;
export type Kernels = Readonly<Record<Kind, Kernel>>;

/** Part 65,535 would run into the call's number. */
const MOST_PARTS = 65_535;

/** Words of a call that nobody has begun. Only when all parts of the one before are done. */
export function post(
  words: Int32Array,
  call: number,
  kind: Kind,
  { units, part, room }: { readonly units: number; readonly part: number; readonly room: number },
  numbers: readonly number[],
): void {
  words[WORD.kind] = KINDS.indexOf(kind);
  words[WORD.units] = units;
  words[WORD.part] = Math.max(part, Math.ceil(units / MOST_PARTS));
  words[WORD.room] = room;
  words.set(numbers, WORD.arguments);
  if (kind === 'attend')
    new Float32Array(words.buffer)[WORD.arguments + ATTEND.scale] = numbers[ATTEND.scale] ?? 0;
  Atomics.store(words, WORD.done, 0);
  Atomics.store(words, WORD.next, (call & 0xffff) << 16);
  Atomics.store(words, WORD.call, call);
}

/**
 * Takes parts of a call until none is left; `thread` counts from 0. The arguments are read before a part is taken: whoever
 * still gets one of this call has read this call's, since the next is posted only when all parts are done.
 */
export function takeParts(words: Int32Array, call: number, kernels: Kernels, thread: number): void {
  const kind = KINDS[words[WORD.kind] ?? -1];
  if (kind === undefined) return;
  const units = words[WORD.units] ?? 0;
  const part = words[WORD.part] ?? 1;
  const numbers = Array.from(words.subarray(WORD.arguments, WORD.arguments + COUNTS[kind]));
  if (kind === 'attend') {
    numbers[ATTEND.scale] = new Float32Array(words.buffer)[WORD.arguments + ATTEND.scale] ?? 0;
    numbers[ATTEND.scores] = (numbers[ATTEND.scores] ?? 0) + thread * (words[WORD.room] ?? 0);
  }
  const kernel = kernels[kind];
  for (;;) {
    const next = Atomics.load(words, WORD.next);
    if (next >>> 16 !== (call & 0xffff)) return;
    const from = (next & 0xffff) * part;
    if (from >= units) return;
    if (Atomics.compareExchange(words, WORD.next, next, next + 1) !== next) continue;
    kernel(...numbers, from, Math.min(units, from + part));
    Atomics.add(words, WORD.done, 1);
  }
}
