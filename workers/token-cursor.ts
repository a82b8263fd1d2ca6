/** Owns the place where reading stands: the tokens read so far and the states after them. */
import type { LayerStates } from './runtime/layer-states';
import type { DeviceRow, ModelSession, StepResult } from './runtime/session';

/** What reading needs of a session; the evaluation puts a memory of steps between. */
export interface StepSession extends Pick<ModelSession, 'emptyStates'> {
  step(
    tokens: ArrayLike<number>,
    from: LayerStates,
    probes?: readonly string[],
    temperature?: number | null,
  ): Promise<StepResult>;
  /** The token that was guessed to come next; null where none was. */
  guessAfter?(states: LayerStates): number | null;
  /** States that may be kept, where those given may be a promise; the caller's, who lets go of `states`. */
  settle?(states: LayerStates): Promise<LayerStates>;
}

/** What the next token is drawn from: all logits (vocab), or the largest of a row that stays on the device. */
export type LogitRow = Float32Array | DeviceRow;

/** Reads tokens into a session's states, one reader at a time. Dispose it in `finally`. */
export class TokenCursor {
  readonly #session: StepSession;
  #states: LayerStates;
  #tokens: Int32Array;
  #row: LogitRow | null = null;

  /** Takes over `states` (releases them later), which have read the first `states.tokens` of `tokens`. */
  constructor(session: StepSession, states: LayerStates, tokens: ArrayLike<number>) {
    this.#session = session;
    this.#states = states;
    this.#tokens = new Int32Array(Math.max(256, states.tokens * 2));
    for (let i = 0; i < states.tokens; i += 1) this.#tokens[i] = tokens[i] ?? 0;
  }

  get length(): number {
    return this.#states.tokens;
  }

  get states(): LayerStates {
    return this.#states;
  }

  /** The session's guess of the next token; null where it made none. */
  get guess(): number | null {
    return this.#session.guessAfter?.(this.#states) ?? null;
  }

  /** The states, to be kept: computed, where the session had only promised them. */
  async settled(): Promise<LayerStates> {
    const settled = await this.#session.settle?.(this.#states);
    if (settled !== undefined) {
      this.#states.release();
      this.#states = settled;
    }
    return this.#states;
  }

  /** (vocab) after the last token, valid until the next read; null when this cursor has read nothing. */
  async wholeLogits(): Promise<Float32Array | null> {
    return this.#row === null || this.#row instanceof Float32Array ? this.#row : this.#row.whole();
  }

  /** The tokens read so far; a view, valid until the next read. */
  get tokens(): Int32Array {
    return this.#tokens.subarray(0, this.length);
  }

  /** Reads `ids`; returns the logits (vocab) after the last of them, valid until the next read. */
  async read(ids: ArrayLike<number>): Promise<Float32Array> {
    const row = await this.#read(ids, null);
    return row instanceof Float32Array ? row : row.whole();
  }

  /** As {@link read}, for drawing at `temperature`: where the session can, the row stays on its device. */
  async readForDraw(ids: ArrayLike<number>, temperature: number): Promise<LogitRow> {
    return this.#read(ids, temperature);
  }

  async #read(ids: ArrayLike<number>, temperature: number | null): Promise<LogitRow> {
    const before = this.#states;
    const { logits, states, top } = await this.#session.step(ids, before, [], temperature);
    if (this.#tokens.length < states.tokens) {
      const grown = new Int32Array(states.tokens * 2);
      grown.set(this.#tokens);
      this.#tokens = grown;
    }
    for (let i = 0; i < ids.length; i += 1) this.#tokens[before.tokens + i] = ids[i] ?? 0;
    this.#states = states;
    this.#dropRow();
    this.#row = top ?? logits;
    before.release();
    return this.#row;
  }

  #dropRow(): void {
    if (this.#row !== null && !(this.#row instanceof Float32Array)) this.#row.dispose();
    this.#row = null;
  }

  dispose(): void {
    this.#dropRow();
    this.#states.release();
  }
}
