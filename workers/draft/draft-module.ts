/**
 * Owns a module of multi-token prediction at work: from the backbone's hidden states and the tokens that followed, a guess
 * of the token after, and its own keys and values. What it guessed of its own guesses is dropped again. Owns no checking
 * of the guesses (drafting-session.ts).
 */
import { EngineError } from '../../src/core/errors';
import type { ModelSpec } from '../../src/core/model-spec';
import type { GraphFile } from '../runtime/graph-reader';
import { presentNameOf } from '../runtime/session-inputs';
import { SmallSession, type Feed } from '../runtime/small-session';

/** Most pairs that go in at once: as long a piece as a prompt's. */
const MOST_PAIRS = 256;

/** What comes next in the module's view. */
export interface Guess {
  readonly id: number;
  /** The module's own probability of it. */
  readonly probability: number;
  /** (hidden) for a guess of the token after this one. */
  readonly hidden: Float32Array;
}

/** What drafting asks of a module; tests put one of their own. */
export interface Guesser {
  /** Takes in `ids.length` positions: `hidden` (ids, hidden) at each, and the token that followed. */
  read(hidden: Float32Array, ids: readonly number[]): Promise<Guess>;
  /** A guess after a guess; kept only until the next {@link read}. */
  guessOn(guess: Guess): Promise<Guess>;
  /** Forgets all that was read. */
  reset(): void;
}

type Cache = ReadonlyMap<string, Feed>;

function release(cache: Cache): void {
  for (const tensor of cache.values()) if (tensor.location !== 'cpu') tensor.dispose();
}

function floatsOf(tensor: Feed | undefined): Float32Array {
  const data: unknown = tensor?.data;
  if (!(data instanceof Float32Array))
    throw new RangeError(`the module gave ${tensor?.type ?? 'nothing'}, not float32`);
  return data.slice();
}

/** The most probable of a row of logits and how probable. */
function bestOf(logits: Float32Array): { id: number; probability: number } {
  let id = 0;
  for (let i = 1; i < logits.length; i += 1) if ((logits[i] ?? 0) > (logits[id] ?? 0)) id = i;
  const most = logits[id] ?? 0;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return { id, probability: 1 / sum };
}

function misfit(file: string, message: string): EngineError {
  return new EngineError(
    'model-corrupt',
    `${file}: ${message}`,
    'A module fits only the model that it was trained on: use the files of one and the same folder.',
  );
}

export class DraftModule implements Guesser {
  readonly #session: SmallSession;
  readonly #hiddenSize: number;
  readonly #vocabSize: number;
  readonly #pasts: readonly string[];
  readonly #outputs: readonly string[];
  readonly #empty: Cache;
  readonly #mask: BigInt64Array;
  #kept: Cache;
  #keptLength = 0;
  /** Behind what is kept: the keys of guesses. */
  #drafted: Cache | null = null;
  #draftedLength = 0;

  private constructor(session: SmallSession, spec: ModelSpec, empty: Cache) {
    this.#session = session;
    this.#hiddenSize = spec.hiddenSize;
    this.#vocabSize = spec.vocabSize;
    this.#pasts = [...empty.keys()];
    this.#outputs = ['logits', 'next_hidden_states', ...this.#pasts.map(presentNameOf)];
    this.#empty = empty;
    this.#kept = empty;
    this.#mask = new BigInt64Array(spec.maxPositions + MOST_PAIRS).fill(1n);
  }

  /**
   * Opens the module at `path` beside a model of this spec, whose graph gives `outputs`. EngineError `model-corrupt` when
   * they don't belong together, naming file and field; nothing stays open then.
   */
  static async open(
    path: string,
    file: GraphFile,
    spec: ModelSpec,
    outputs: readonly string[],
  ): Promise<DraftModule> {
    const parent = file.externalData[0];
    if (parent === undefined || parent.data.byteLength === 0)
      throw misfit(path, 'the model that it drafts for is not there, whose embedding it reads.');
    if (!outputs.includes('hidden_states'))
      throw misfit(
        parent.path,
        `it has no output "hidden_states", so it is not the parent of ${path}.`,
      );
    const session = await SmallSession.open(file).catch((error: unknown) => {
      throw new EngineError(
        'model-corrupt',
        `${path}: it can't be opened beside ${parent.path}.`,
        'A module fits only the model that it was trained on: use the files of one and the same folder.',
        { cause: error },
      );
    });
    try {
      const empty = new Map<string, Feed>();
      for (const meta of session.inputs) {
        if (!meta.isTensor) continue;
        if (meta.name === 'hidden_states' && meta.shape[2] !== spec.hiddenSize)
          throw misfit(
            path,
            `its input "hidden_states" is ${String(meta.shape[2])} wide, but hidden_size in config.json is ${spec.hiddenSize}.`,
          );
        if (!meta.name.startsWith('past_key_values.')) continue;
        const dims = meta.shape.map((dim, axis) =>
          typeof dim === 'number' ? dim : axis === 0 ? 1 : 0,
        );
        empty.set(meta.name, session.floats(new Float32Array(), dims));
      }
      return new DraftModule(session, spec, empty);
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  async read(hidden: Float32Array, ids: readonly number[]): Promise<Guess> {
    this.#dropDrafts();
    const width = this.#hiddenSize;
    if (ids.length === 0 || hidden.length !== ids.length * width)
      throw new RangeError(`${ids.length} tokens with ${hidden.length} numbers of ${width} each`);
    let guess: Guess | null = null;
    for (let at = 0; at < ids.length; at += MOST_PAIRS) {
      const piece = ids.slice(at, at + MOST_PAIRS);
      const rows = hidden.subarray(at * width, (at + piece.length) * width);
      const { cache, ...found } = await this.#run(rows, piece, this.#kept, this.#keptLength);
      release(this.#kept);
      this.#kept = cache;
      this.#keptLength += piece.length;
      guess = found;
    }
    if (guess === null) throw new RangeError('the module was given nothing');
    return guess;
  }

  async guessOn(guess: Guess): Promise<Guess> {
    const from = this.#drafted ?? this.#kept;
    const length = this.#keptLength + this.#draftedLength;
    const { cache, ...found } = await this.#run(guess.hidden, [guess.id], from, length);
    if (this.#drafted !== null) release(this.#drafted);
    this.#drafted = cache;
    this.#draftedLength += 1;
    return found;
  }

  reset(): void {
    this.#dropDrafts();
    release(this.#kept);
    this.#kept = this.#empty;
    this.#keptLength = 0;
  }

  async dispose(): Promise<void> {
    this.reset();
    await this.#session.dispose();
  }

  #dropDrafts(): void {
    if (this.#drafted !== null) release(this.#drafted);
    this.#drafted = null;
    this.#draftedLength = 0;
  }

  async #run(
    hidden: Float32Array,
    ids: readonly number[],
    past: Cache,
    length: number,
  ): Promise<Guess & { cache: Cache }> {
    const session = this.#session;
    const count = ids.length;
    const feeds: Record<string, Feed> = {
      input_ids: session.integers(BigInt64Array.from(ids, BigInt), [1, count]),
      hidden_states: session.floats(hidden, [1, count, this.#hiddenSize]),
      attention_mask: session.integers(this.#mask.subarray(0, length + count), [1, length + count]),
      num_logits_to_keep: session.integers(BigInt64Array.of(1n), []),
    };
    for (const [name, tensor] of past) feeds[name] = tensor;
    const [logits, next, ...presents] = await session.run(feeds, this.#outputs);
    const cache = new Map<string, Feed>();
    for (const [i, name] of this.#pasts.entries()) {
      const tensor = presents[i];
      if (tensor !== undefined) cache.set(name, tensor);
    }
    try {
      const row = floatsOf(logits);
      if (row.length !== this.#vocabSize)
        throw new RangeError(`the module gave ${row.length} logits of ${this.#vocabSize}`);
      return { ...bestOf(row), hidden: floatsOf(next), cache };
    } catch (error) {
      release(cache);
      throw error;
    } finally {
      logits?.dispose();
      next?.dispose();
    }
  }
}
