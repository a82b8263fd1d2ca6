/**
 * Owns reading and writing for the lab's experiments: from a source to states, from states to a continuation. Owns no
 * operations and no answers to the page.
 */
import { createRandom } from '../../src/core/sampling/random';
import { sampleToken, type SamplingSettings } from '../../src/core/sampling/sampler';
import { createDetokeniser, textOf } from '../../src/core/text/detokeniser';
import type { ModelSpec } from '../../src/core/model-spec';
import { EngineError } from '../../src/core/errors';
import type { ThinkFormat } from '../../src/models/think-format';
import type { LabProgress, LabRunResult } from '../../src/protocol/lab-api';
import { EventLoopPause } from '../event-loop';
import type { ChatTokenizer, TemplateMessage } from '../runtime/hub';
import type { LayerStates } from '../runtime/layer-states';
import { isPrefix, type SnapshotCache } from '../runtime/snapshots';
import type { StepSession } from '../token-cursor';
import { conditionOf } from './condition';

/** Tokens a reading step takes, as in generation. */
const CHUNK = 256;

/** Sampled tokens that the repetition penalty looks back on, as in generation. */
const PENALTY_WINDOW = 256;

/** Thrown inside a job that was stopped; never leaves the lab. */
export class LabStopped extends Error {}

export interface ReaderModel {
  readonly session: StepSession;
  readonly tokenizer: ChatTokenizer;
  readonly spec: ModelSpec;
  readonly format: ThinkFormat;
  readonly snapshots: SnapshotCache;
}

/** States with the logits after their last token. */
export interface Standpoint {
  /** The holder's to release. */
  readonly states: LayerStates;
  /** (vocab), a copy of its own; null when nothing was read yet. */
  readonly logits: Float32Array | null;
}

export interface RunOptions {
  /** Most tokens. */
  readonly tokens: number;
  readonly sampling: SamplingSettings;
  /** Index of the run among those of the job, for progress. */
  readonly run: number;
  /** Token to begin with in place of a drawn one. */
  readonly firstToken?: number | null;
  /**
   * Called with each token before it is read, with the logits it was drawn from, valid until it returns; what it returns
   * is waited for.
   */
  readonly onToken?: (id: number, logits: Float32Array) => Promise<void> | void;
}

export class LabReader {
  readonly #model: ReaderModel;
  readonly #isStopped: () => boolean;
  readonly #post: (progress: LabProgress) => void;
  readonly #pause = new EventLoopPause();
  #done = 0;
  #total = 0;

  constructor(model: ReaderModel, isStopped: () => boolean, post: (progress: LabProgress) => void) {
    this.#model = model;
    this.#isStopped = isStopped;
    this.#post = post;
  }

  dispose(): void {
    this.#pause.close();
  }

  /** Adds to the work that progress is counted against. */
  expect(tokens: number): void {
    this.#total += tokens;
  }

  #advance(tokens: number): void {
    this.#done += tokens;
    this.#post({ type: 'progress', done: this.#done, total: Math.max(this.#done, this.#total) });
  }

  /** Lets messages in; throws LabStopped when the job was stopped. */
  async breathe(): Promise<void> {
    await this.#pause.wait();
    if (this.#isStopped()) throw new LabStopped();
  }

  textOf(id: number): string {
    return textOf(this.#model.tokenizer, [id]);
  }

  /** Reads `ids` after `from`, which is left alone. */
  async read(from: LayerStates, ids: ArrayLike<number>): Promise<Standpoint> {
    this.#checkRoom(from.tokens, ids.length);
    let states = from.retain();
    let logits: Float32Array | null = null;
    try {
      for (let at = 0; at < ids.length; at += CHUNK) {
        await this.breathe();
        const chunk = Array.from(
          { length: Math.min(CHUNK, ids.length - at) },
          (_, i) => ids[at + i] ?? 0,
        );
        const step = await this.#model.session.step(chunk, states);
        states.release();
        states = step.states;
        logits = step.logits;
        this.#advance(chunk.length);
      }
    } catch (error) {
      states.release();
      throw error;
    }
    return { states, logits: logits?.slice() ?? null };
  }

  /** States after all of `ids`, untouched by operations: from a kept beginning where there is one. */
  async readFresh(ids: ArrayLike<number>): Promise<Standpoint> {
    const { session, snapshots } = this.#model;
    // The last token is read in any case, for its logits.
    const kept = snapshots.entries
      .filter(
        ({ tokens, states }) =>
          tokens.length < ids.length && isPrefix(tokens, ids) && conditionOf(states) === null,
      )
      .at(-1);
    const start = kept?.states.retain() ?? session.emptyStates();
    try {
      const rest = Array.from(ids).slice(start.tokens);
      this.expect(rest.length);
      return await this.read(start, rest);
    } finally {
      start.release();
    }
  }

  #checkRoom(read: number, more: number): void {
    const { spec } = this.#model;
    if (read + more <= spec.maxPositions) return;
    throw new EngineError(
      'prompt-too-long',
      `The experiment needs ${read + more} tokens; ${spec.name} reads ${spec.maxPositions}.`,
      'Choose a shorter text or fewer tokens.',
    );
  }

  /** Tokens of a user's next turn after an assistant's, up to where the reply begins. */
  turnTokens(message: string): number[] {
    const { tokenizer, format } = this.#model;
    const before: TemplateMessage[] = [
      { role: 'user', content: '.' },
      { role: 'assistant', content: '.' },
    ];
    const options = { tools: [], enableThinking: false };
    const head = tokenizer.encode(
      tokenizer.render(before, { ...options, addGenerationPrompt: false }),
    );
    const whole = tokenizer.encode(
      tokenizer.render([...before, { role: 'user', content: message }], {
        ...options,
        addGenerationPrompt: true,
      }),
    );
    const cut = head.findLastIndex((id) => format.endIds.includes(id));
    if (cut < 0 || head.slice(0, cut).some((id, at) => id !== whole[at]))
      throw new RangeError('the chat template does not end turns as the tokenizer says');
    return whole.slice(cut);
  }

  /** Writes on from `start`, which is left alone. Ends with the model's end of turn, after `tokens`, or at the context's end. */
  async write(start: Standpoint, options: RunOptions): Promise<LabRunResult> {
    const { session, tokenizer, spec, format } = this.#model;
    if (start.logits === null) throw new RangeError('there are no logits to go on from');
    const random = createRandom(options.sampling.seed);
    const detokeniser = createDetokeniser(tokenizer, { isInside: true });
    const tokenIds: number[] = [];
    const texts: string[] = [];
    let text = '';
    let ended = false;
    let states = start.states.retain();
    let logits = start.logits;
    try {
      while (tokenIds.length < options.tokens) {
        await this.breathe();
        const forced = tokenIds.length === 0 ? (options.firstToken ?? null) : null;
        const id =
          forced ??
          sampleToken(logits, options.sampling, tokenIds.slice(-PENALTY_WINDOW), random).id;
        await options.onToken?.(id, logits);
        if (format.endIds.includes(id)) {
          ended = true;
          break;
        }
        const piece = detokeniser.push(id);
        tokenIds.push(id);
        texts.push(this.textOf(id));
        text += piece;
        this.#post({ type: 'token', run: options.run, id, text: piece });
        this.#advance(1);
        if (states.tokens >= spec.maxPositions) break;
        const step = await session.step([id], states);
        states.release();
        states = step.states;
        logits = step.logits;
      }
    } finally {
      states.release();
    }
    return { tokenIds, texts, text: text + detokeniser.flush(), ended };
  }
}
