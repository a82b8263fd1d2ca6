/**
 * Owns one session of a graph that is no decoder: what goes in and comes out is the caller's affair. On WASM only, with the
 * tensors kept in its heap where the runtime lets us.
 */
import type { GraphFile } from './graph-reader';
import { HeapRunner, type Feed } from './heap-runner';
import { createSession, makeTensor, type OrtSession } from './session';
import type { InputMetadata } from './session-inputs';

/** Feed and output of such a session; whoever holds an output disposes of it. */
export type { Feed } from './heap-runner';

export class SmallSession {
  readonly inputs: readonly InputMetadata[];
  readonly outputNames: readonly string[];
  readonly #session: OrtSession;
  readonly #runner: HeapRunner | null;

  private constructor(session: OrtSession) {
    this.#session = session;
    this.#runner = HeapRunner.of(session);
    this.inputs = session.inputMetadata;
    this.outputNames = session.outputNames;
  }

  /** Call `configureRuntime` before. EngineError as a model's session gives it. */
  static async open(file: GraphFile): Promise<SmallSession> {
    return new SmallSession(await createSession(file, 'wasm', {}, false));
  }

  floats(values: Float32Array, dims: readonly number[]): Feed {
    return makeTensor(values, dims);
  }

  integers(values: BigInt64Array, dims: readonly number[]): Feed {
    return makeTensor(values, dims);
  }

  /** One run: the named outputs, in that order, the caller's to dispose of. */
  async run(feeds: Readonly<Record<string, Feed>>, names: readonly string[]): Promise<Feed[]> {
    if (this.#runner !== null) return this.#runner.run(feeds, names);
    const outputs = await this.#session.run(feeds as Parameters<OrtSession['run']>[0], names);
    return names.flatMap((name) => outputs[name] ?? []);
  }

  async dispose(): Promise<void> {
    this.#runner?.dispose();
    await this.#session.release();
  }
}
