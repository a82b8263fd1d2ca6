/**
 * Owns the steps of the model as the lab wants them: states keep their condition (freeze, quantise), and each token that
 * is read is watched. With nothing watched and nothing frozen a step is the session's own.
 */
import { recurrentLayers } from '../../src/core/memory/state-memory';
import { mixersOf, type ModelSpec } from '../../src/core/model-spec';
import type {
  LabMambaStep,
  LabOpened,
  LabQuantity,
  LabStep,
  LabWatch,
  RouterStep,
} from '../../src/protocol/lab-api';
import { frobeniusNorm } from '../../src/core/state-math/singular-values';
import type { LayerStates, StateTensor } from '../runtime/layer-states';
import { routerChoices, routerOutputs } from '../runtime/router-graph';
import type { ModelSession, StepResult } from '../runtime/session';
import type { StepSession } from '../token-cursor';
import { conditionOf, isSteady } from './condition';
import {
  headNorms,
  lastRow,
  Reading,
  recurrentOf,
  stateOf,
  wantAttention,
  wantConv,
  wantRecurrent,
} from './layer-view';
import { carryCondition } from './operate';

/**
 * Least time between two tokens that are watched. Fetching some 25 values costs 0.7 ms on WASM, which a model of 1 ms a
 * token would feel; the page draws a frame each 16 ms. Models slower than this are watched at every token.
 */
export const WATCH_INTERVAL_MS = 4;

/** Share of the model's own time that reading states and attention may take; the small rows come on top. */
const HEAVY_SHARE = 0.12;

export interface WatchHost {
  /** What to watch now; may change while a reply runs. */
  readonly watching: () => LabWatch | null;
  readonly emit: (step: LabStep) => void;
  readonly textOf: (id: number) => string;
  /** Milliseconds between tokens that are watched; 0: every token. */
  readonly intervalMs: number;
  /** Somebody looks at each token, so that none is skipped and reading may cost what it costs. */
  readonly isEachWatched: () => boolean;
}

/** Who is told which experts each token went to; asked at every step, since these are a few numbers. */
export interface RouterHost {
  readonly isWanted: () => boolean;
  readonly emit: (step: RouterStep) => void;
  readonly textOf: (id: number) => string;
}

export class LabSession implements StepSession {
  readonly #session: ModelSession;
  readonly #spec: ModelSpec;
  readonly #host: WatchHost | null;
  readonly #routers: RouterHost | null;
  /** Milliseconds the model ran since states were last read, and what that reading cost. */
  #ranMs = Infinity;
  #heavyMs = 0;
  #watchedAt = -Infinity;

  /** Without `host` nothing is watched, without `routers` no choice of experts is told. */
  constructor(
    session: ModelSession,
    spec: ModelSpec,
    host: WatchHost | null,
    routers: RouterHost | null = null,
  ) {
    this.#session = session;
    this.#spec = spec;
    this.#host = host;
    this.#routers = routers;
  }

  emptyStates(): LayerStates {
    return this.#session.emptyStates();
  }

  /** As a session's own; RangeError on probes, which the lab chooses itself. */
  async step(
    tokens: ArrayLike<number>,
    from: LayerStates,
    probes: readonly string[] = [],
    temperature: number | null = null,
  ): Promise<StepResult> {
    if (probes.length > 0) throw new RangeError(`the lab brings no ${probes.join(', ')}`);
    if (tokens.length <= 1 || !isSteady(conditionOf(from)))
      return this.#stepOnce(tokens, from, temperature);
    // What is put back after every token needs the tokens one by one.
    let result = await this.#stepOnce([tokens[0] ?? 0], from, null);
    for (let i = 1; i < tokens.length; i += 1) {
      const before = result.states;
      try {
        result = await this.#stepOnce(
          [tokens[i] ?? 0],
          before,
          i === tokens.length - 1 ? temperature : null,
        );
      } finally {
        before.release();
      }
    }
    return result;
  }

  async #stepOnce(
    tokens: ArrayLike<number>,
    from: LayerStates,
    temperature: number | null,
  ): Promise<StepResult> {
    const startedAt = performance.now();
    const isDue =
      startedAt - this.#watchedAt >= (this.#host?.intervalMs ?? Infinity) ||
      this.#host?.isEachWatched() === true;
    const watch = isDue ? (this.#host?.watching() ?? null) : null;
    if (watch !== null) this.#watchedAt = startedAt;
    // A file that is read token by token tells nothing of several at once.
    const isRouted =
      this.#routers?.isWanted() === true && !(this.#session.readsSingly && tokens.length > 1);
    const result = await this.#session.step(
      tokens,
      from,
      [
        ...(watch === null ? [] : this.#probeNames(watch)),
        ...(isRouted ? routerOutputs(this.#session.routers) : []),
      ],
      temperature,
    );
    this.#ranMs += performance.now() - startedAt;
    try {
      await carryCondition(this.#session, this.#spec, from, result.states);
      if (isRouted) this.#tellRouters(tokens, result);
      if (watch !== null && this.#host !== null) await this.#watch(watch, tokens, result);
    } catch (error) {
      result.states.release();
      result.top?.dispose();
      throw error;
    } finally {
      for (const tensor of result.probes.values()) tensor.dispose();
    }
    return result;
  }

  #tellRouters(tokens: ArrayLike<number>, { states, probes }: StepResult): void {
    const layers = routerChoices(this.#session.routers, probes);
    if (layers.length === 0 || this.#routers === null) return;
    const { emit, textOf } = this.#routers;
    emit({ position: states.tokens - 1, texts: Array.from(tokens, textOf), layers });
  }

  /** Steps and activity of all layers; vectors of the open one. */
  #probeNames({ opened }: LabWatch): string[] {
    const { probes } = this.#session;
    const names = [probes.delta, probes.decay, probes.output].flatMap((byLayer) => [
      ...byLayer.values(),
    ]);
    for (const quantity of ['b', 'c', 'query'] as const) {
      const name = opened === null ? undefined : probes[quantity].get(opened.layer);
      if (name !== undefined && !names.includes(name)) names.push(name);
    }
    return names;
  }

  async #watch(
    { opened }: LabWatch,
    tokens: ArrayLike<number>,
    { states, probes }: StepResult,
  ): Promise<void> {
    const host = this.#host;
    if (host === null) return;
    const startedAt = performance.now();
    const isHeavy = host.isEachWatched() || this.#ranMs * HEAVY_SHARE >= this.#heavyMs;
    const probe = (quantity: LabQuantity, layer: number): StateTensor | undefined => {
      const name = this.#session.probes[quantity].get(layer);
      return name === undefined ? undefined : probes.get(name);
    };
    const reading = new Reading();
    const row = (quantity: LabQuantity, layer: number): (() => Float32Array) | null => {
      const tensor = probe(quantity, layer);
      return tensor === undefined ? null : reading.want(lastRow(tensor));
    };
    const mamba = recurrentLayers(this.#spec).map((layer) => {
      const delta = row('delta', layer.index);
      const decay = row('decay', layer.index);
      const state = isHeavy
        ? reading.want({ tensor: states.tensor(recurrentOf(this.#session.layers, layer).name) })
        : null;
      return (): LabMambaStep => ({
        layer: layer.index,
        delta: delta?.().slice() ?? null,
        // The graph holds its logarithm, A·Δ.
        decay: decay?.().map(Math.exp) ?? null,
        stateNorm: state === null ? null : headNorms(state(), layer),
      });
    });
    const outputs = this.#spec.layers.map(({ index }) => row('output', index));
    const open = isHeavy && opened !== null ? this.#open(opened, reading, states, probe) : [];
    await reading.run(this.#session.values);
    const tokenId = tokens[tokens.length - 1] ?? 0;
    const step: LabStep = {
      position: states.tokens - 1,
      tokenId,
      text: host.textOf(tokenId),
      readTexts: tokens.length > 1 ? Array.from(tokens, (id) => host.textOf(id)) : [],
      phase: tokens.length > 1 ? 'prefill' : 'decode',
      mamba: mamba.map((read) => read()),
      activity: Float32Array.from(outputs, (read) => (read === null ? NaN : frobeniusNorm(read()))),
      opened: open.map((read) => read()),
      watchMs: performance.now() - startedAt,
    };
    if (isHeavy) {
      this.#heavyMs = step.watchMs;
      this.#ranMs = 0;
    }
    host.emit(step);
  }

  #open(
    { layer: index, head }: NonNullable<LabWatch['opened']>,
    reading: Reading,
    states: LayerStates,
    probe: (quantity: LabQuantity, layer: number) => StateTensor | undefined,
  ): (() => LabOpened)[] {
    const layer = this.#spec.layers[index];
    if (layer === undefined) return [];
    const { layers } = this.#session;
    return mixersOf(layer).map((mixer): (() => LabOpened) => {
      if (mixer.kind === 'conv') {
        const window = wantConv(reading, stateOf(layers, mixer).conv, states);
        return () => ({ kind: 'conv', layer: index, convWindow: window() });
      }
      // Of two mixers side by side one may have fewer heads.
      const own = Math.min(head, mixer.heads - 1);
      return mixer.kind === 'attention'
        ? wantAttention(reading, mixer, own, states, probe('query', index))
        : wantRecurrent(reading, mixer, layers, own, states, (quantity) => probe(quantity, index));
    });
  }
}
