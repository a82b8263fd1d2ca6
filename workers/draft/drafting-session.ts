/**
 * Owns drafting: reads a token together with guesses of those that follow, in one run, and gives the rows of logits one by
 * one as they are asked for. What is drawn is drawn by the caller, from the backbone's own rows, so limits, tools, penalties
 * and chance work as without drafts; a guess only decides which rows are there already.
 *
 * States can't be shortened. Until a run's guesses are spent or refuted, the states after its first tokens are a promise:
 * those before the run (the snapshot) and the tokens since. The next run replays them at its head, and `settle` makes the
 * promised states real.
 */
import type { DraftCounts } from '../../src/core/chat/drafts';
import { LayerStates } from '../runtime/layer-states';
import type { ModelSession, StepResult } from '../runtime/session';
import type { StepSession } from '../token-cursor';
import type { Guesser } from './draft-module';

/** What drafting needs of the backbone. */
export type Backbone = Pick<ModelSession, 'step' | 'emptyStates'>;

export interface DraftOptions {
  /** Most guesses of a run. */
  readonly most: number;
  /** A guess that the module itself holds for less likely than this is not made. */
  readonly least: number;
  /** More promised tokens than this are read in a run of their own, not at the head of the next. */
  readonly mostReplayed: number;
  /** Tokens that the model can read. */
  readonly maxPositions: number;
  /** Reads where drafting must not, and without guesses. */
  readonly plain: StepSession;
  /** False while every token is wanted by itself: the lab watches, or holds something fast in these states. */
  readonly mayDraft: (from: LayerStates) => boolean;
}

/** Measured with `scripts/measure-drafts.js`: LOG.md, "Multi-token prediction". */
export const DRAFT_DEFAULTS = { most: 3, least: 0.5, mostReplayed: 4 } as const;

/** One run of the backbone, whose rows are given out one by one. */
interface Ahead {
  /** States before the run. */
  readonly base: LayerStates;
  /** All its tokens: replayed ones, the one that was asked for, guesses. */
  readonly ids: readonly number[];
  /** The one that was asked for. */
  readonly first: number;
  readonly vocab: number;
  /** (ids from first on, vocab) */
  readonly rows: Float32Array;
  /** (ids from first on, hidden) */
  readonly hidden: Float32Array;
  /** States after all of them. */
  readonly end: LayerStates;
  /** Tokens of `ids` that were asked for so far, the replayed ones too. */
  taken: number;
}

/** States that have not been computed: those of the token before `base` was left, and what was read since. */
interface Promised {
  readonly base: LayerStates;
  readonly ids: readonly number[];
}

/** A step session that runs ahead. One reader at a time; dispose it in `finally`. */
export class DraftingSession implements StepSession {
  readonly #backbone: Backbone;
  readonly #module: Guesser;
  readonly #options: DraftOptions;
  readonly #promised = new WeakMap<LayerStates, Promised>();
  readonly #counts = { runs: 0, guesses: 0, accepted: 0, tokens: 0 };
  #ahead: Ahead | null = null;
  /** The states that were given last: guesses stand after these only. */
  #last: LayerStates | null = null;
  /** Read positions that the module has not: hidden states and the tokens that followed. */
  #unread: { hidden: Float32Array[]; ids: number[] } = { hidden: [], ids: [] };
  /** (hidden) at the last token read; null where it is not known. */
  #tail: Float32Array | null = null;

  constructor(backbone: Backbone, module: Guesser, options: DraftOptions) {
    this.#backbone = backbone;
    this.#module = module;
    this.#options = options;
    module.reset();
  }

  get counts(): DraftCounts {
    return this.#counts;
  }

  emptyStates(): LayerStates {
    return this.#backbone.emptyStates();
  }

  /** The token that was guessed to come after `states`; null where none was. */
  guessAfter(states: LayerStates): number | null {
    const ahead = this.#ahead;
    if (ahead === null || states !== this.#last) return null;
    return ahead.ids[ahead.taken] ?? null;
  }

  /** As a session's own. RangeError on probes. */
  async step(
    tokens: ArrayLike<number>,
    from: LayerStates,
    probes: readonly string[] = [],
  ): Promise<StepResult> {
    if (probes.length > 0) throw new RangeError(`drafting brings no ${probes.join(', ')}`);
    if (!this.#options.mayDraft(from)) return this.#readPlainly(tokens, from);
    const [token = 0] = Array.from(tokens);
    if (from !== this.#last) this.#forget();
    if (tokens.length !== 1) return this.#readAll(Array.from(tokens), from);
    this.#counts.tokens += 1;
    const isGuessed = this.guessAfter(from) === token;
    if (isGuessed) this.#counts.accepted += 1;
    return isGuessed ? this.#giveNext() : this.#runAhead(token, from);
  }

  /** States that may be kept or shown, in place of promised ones; the caller's, who lets go of `states`. */
  async settle(states: LayerStates): Promise<LayerStates> {
    const promised = this.#promised.get(states);
    if (promised === undefined) return states.retain();
    const settled = await this.#readPromised(promised);
    if (states === this.#last) this.#dropAhead();
    return settled;
  }

  dispose(): void {
    this.#forget();
  }

  async #readPlainly(tokens: ArrayLike<number>, from: LayerStates): Promise<StepResult> {
    const base = await this.settle(from);
    try {
      return await this.#options.plain.step(tokens, base);
    } finally {
      base.release();
      this.#forget();
    }
  }

  /** Several tokens at once, a prompt or what the limit put in: no guesses, which need the states before them. */
  async #readAll(tokens: readonly number[], from: LayerStates): Promise<StepResult> {
    const { base, ids, release } = await this.#startOf(from);
    try {
      const run = [...ids, ...tokens];
      const { logits, states, probes } = await this.#backbone.step(run, base, ['hidden_states']);
      const hidden = this.#hiddenOf(probes, tokens.length);
      this.#note(tokens[0] ?? 0);
      const width = hidden.length / tokens.length;
      for (let i = 0; i < tokens.length; i += 1) {
        if (i > 0) this.#note(tokens[i] ?? 0);
        this.#tail = hidden.subarray(i * width, (i + 1) * width);
      }
      this.#dropAhead();
      this.#last = states;
      return { logits, states, probes: new Map() };
    } finally {
      release();
    }
  }

  async #runAhead(token: number, from: LayerStates): Promise<StepResult> {
    const { base, ids: replayed, release } = await this.#startOf(from);
    try {
      this.#note(token);
      const room = this.#options.maxPositions - from.tokens - 1;
      const guesses = await this.#guesses(Math.min(room, this.#options.most));
      const ids = [...replayed, token, ...guesses];
      const keep = 1 + guesses.length;
      const step = await this.#backbone.step(ids, base, ['hidden_states'], null, keep);
      this.#counts.runs += 1;
      this.#counts.guesses += guesses.length;
      this.#dropAhead();
      const ahead: Ahead = {
        base: base.retain(),
        ids,
        first: replayed.length,
        vocab: step.logits.length,
        rows: step.rows ?? step.logits,
        hidden: this.#hiddenOf(step.probes, keep),
        end: step.states,
        taken: replayed.length,
      };
      this.#ahead = ahead;
      return this.#giveNext();
    } finally {
      release();
    }
  }

  /** The next row of the run, which the caller's token has reached, and the states after it: promised, or the run's end. */
  #giveNext(): StepResult {
    const ahead = this.#ahead;
    if (ahead === null) throw new RangeError('no run is ahead');
    const row = ahead.taken - ahead.first;
    if (row > 0) this.#note(ahead.ids[ahead.taken] ?? 0);
    ahead.taken += 1;
    const rows = ahead.ids.length - ahead.first;
    const width = ahead.hidden.length / rows;
    this.#tail = ahead.hidden.subarray(row * width, (row + 1) * width);
    const logits = ahead.rows.subarray(row * ahead.vocab, (row + 1) * ahead.vocab);
    let states: LayerStates;
    if (ahead.taken === ahead.ids.length) {
      states = ahead.end.retain();
      this.#dropAhead();
    } else {
      states = new LayerStates(new Map(), ahead.base.tokens + ahead.taken, ahead.base.retain());
      this.#promised.set(states, { base: ahead.base, ids: ahead.ids.slice(0, ahead.taken) });
    }
    this.#last = states;
    return { logits, states, probes: new Map() };
  }

  /** Where a run after `from` begins: real states, and the tokens to read before the new ones. */
  async #startOf(
    from: LayerStates,
  ): Promise<{ base: LayerStates; ids: readonly number[]; release: () => void }> {
    const promised = this.#promised.get(from);
    if (promised === undefined) return { base: from, ids: [], release: () => {} };
    if (promised.ids.length <= this.#options.mostReplayed)
      return { ...promised, release: () => {} };
    const base = await this.#readPromised(promised);
    return { base, ids: [], release: () => base.release() };
  }

  async #readPromised({ base, ids }: Promised): Promise<LayerStates> {
    this.#counts.runs += 1;
    return (await this.#backbone.step(ids, base)).states;
  }

  /** Likely tokens after all that was noted, each as sure as asked. */
  async #guesses(most: number): Promise<number[]> {
    const found: number[] = [];
    const { hidden, ids } = this.#unread;
    if (most <= 0 || ids.length === 0) return found;
    const width = hidden[0]?.length ?? 0;
    const rows = new Float32Array(ids.length * width);
    for (const [i, row] of hidden.entries()) rows.set(row, i * width);
    this.#unread = { hidden: [], ids: [] };
    let guess = await this.#module.read(rows, ids);
    while (guess.probability >= this.#options.least) {
      found.push(guess.id);
      if (found.length >= most) break;
      guess = await this.#module.guessOn(guess);
    }
    return found;
  }

  /** `token` follows the last read position. */
  #note(token: number): void {
    if (this.#tail === null) return;
    this.#unread.hidden.push(this.#tail);
    this.#unread.ids.push(token);
    this.#tail = null;
  }

  /** The last `count` rows of hidden states, a copy. */
  #hiddenOf(probes: StepResult['probes'], count: number): Float32Array {
    const tensor = probes.get('hidden_states');
    const data: unknown = tensor?.data;
    try {
      if (tensor === undefined || !(data instanceof Float32Array))
        throw new RangeError('the model gave no hidden_states');
      const width = tensor.dims.at(-1) ?? 0;
      return data.slice(data.length - count * width);
    } finally {
      for (const probe of probes.values()) probe.dispose();
    }
  }

  #dropAhead(): void {
    this.#ahead?.base.release();
    this.#ahead?.end.release();
    this.#ahead = null;
  }

  /** Another text begins, or this one at another place: what the module has read is no longer what stands before. */
  #forget(): void {
    this.#dropAhead();
    this.#last = null;
    this.#tail = null;
    this.#unread = { hidden: [], ids: [] };
    this.#module.reset();
  }
}
