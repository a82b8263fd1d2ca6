/**
 * Owns the helpers that share kernels with the engine's worker: starting them, posting calls, waiting, sending them home. Owns
 * no arithmetic and no choice of how many (device-profile.ts).
 */
import { KINDS, post, takeParts, WORD, WORDS, type Kernels, type Kind } from './crew-work';

/** What a helper is told; it says 'ready' and serves from then on. */
export interface HelperStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly words: Int32Array;
  /** Its number, from 1: the engine's worker is 0. */
  readonly thread: number;
}

/** Looks at a word before sleeping on it: some microseconds, in which the next call usually comes. */
const LOOKS = 2000;

const START_MS = 3000;
/** A part takes some hundredths of a second at the most. */
const LOST_MS = 20_000;
const NAP_MS = 1;

export class Crew {
  readonly #helpers: readonly Worker[];
  readonly #words: Int32Array;
  readonly #kernels: Kernels;
  #call = 0;

  private constructor(helpers: readonly Worker[], words: Int32Array, kernels: Kernels) {
    this.#helpers = helpers;
    this.#words = words;
    this.#kernels = kernels;
  }

  /** Threads that compute, the engine's worker among them. */
  get threads(): number {
    return this.#helpers.length + 1;
  }

  /** A crew of `threads`, or of as many as started in time; null where no helper did. */
  static async gather(
    threads: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    kernels: Kernels,
    spawn: () => Worker,
  ): Promise<Crew | null> {
    const words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
    const started = await Promise.all(
      Array.from({ length: threads - 1 }, async (_, i) => {
        const start: HelperStart = { module, memory, words, thread: i + 1 };
        return startOf(spawn, start);
      }),
    );
    const helpers = started.filter((worker) => worker !== null);
    return helpers.length === 0 ? null : new Crew(helpers, words, kernels);
  }

  /** Runs a kernel over `units`, `part` of them at a time, all of it when it returns. Error where a helper was lost. */
  run(
    kind: Kind,
    numbers: readonly number[],
    shares: { readonly units: number; readonly part: number; readonly room?: number },
  ): void {
    const words = this.#words;
    this.#call = (this.#call + 1) & 0x3fffffff;
    post(words, this.#call, kind, { room: 0, ...shares }, numbers);
    Atomics.notify(words, WORD.call);
    takeParts(words, this.#call, this.#kernels, 0);
    const parts = Math.ceil(shares.units / (words[WORD.part] ?? 1));
    for (let looks = 0; looks < LOOKS; looks += 1)
      if (Atomics.load(words, WORD.done) === parts) return;
    const lostAt = performance.now() + LOST_MS;
    for (;;) {
      const done = Atomics.load(words, WORD.done);
      if (done === parts) return;
      if (performance.now() > lostAt)
        throw new Error(`a thread of the kernels was lost: ${done} of ${parts} parts are done`);
      // Nobody wakes us: a part is over sooner than a message about it would be read.
      Atomics.wait(words, WORD.done, done, NAP_MS);
    }
  }

  dispose(): void {
    Atomics.store(this.#words, WORD.call, -1);
    Atomics.notify(this.#words, WORD.call);
    for (const helper of this.#helpers) helper.terminate();
  }
}

/** A helper that is ready; null where it did not start, with nothing left of it. */
async function startOf(spawn: () => Worker, start: HelperStart): Promise<Worker | null> {
  let worker: Worker;
  try {
    worker = spawn();
  } catch {
    return null;
  }
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), START_MS);
    const end = (ready: boolean) => (): void => {
      clearTimeout(timer);
      resolve(ready);
    };
    worker.onmessage = end(true);
    worker.onerror = end(false);
    worker.postMessage(start);
  });
  if (isReady) return worker;
  worker.terminate();
  return null;
}

/** A helper's life: parts of each call as it comes, until it is sent home. Never returns before. */
export function serve(
  { words, thread }: Pick<HelperStart, 'words' | 'thread'>,
  kernels: Kernels,
): void {
  let seen = 0;
  for (;;) {
    let call = Atomics.load(words, WORD.call);
    for (let looks = 0; call === seen; looks += 1) {
      if (looks >= LOOKS) Atomics.wait(words, WORD.call, seen);
      call = Atomics.load(words, WORD.call);
    }
    if (call < 0) return;
    seen = call;
    takeParts(words, call, kernels, thread);
  }
}

/** The kernels of an instance that fall into parts. */
export function kernelsOf(exports: WebAssembly.Exports): Kernels {
  return Object.fromEntries(KINDS.map((kind) => [kind, exports[kind]])) as unknown as Kernels;
}
