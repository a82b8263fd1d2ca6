/**
 * Owns the live state and the jobs of the state lab on it. Owns no experiments (experiments.ts) and no single steps
 * (lab-session.ts); the engine sees to it that one job runs at a time.
 */
import { EngineError } from '../../src/core/errors';
import { textOf } from '../../src/core/text/detokeniser';
import { mixersOf } from '../../src/core/model-spec';
import {
  MAX_HISTORY_TOKENS,
  type InspectRequest,
  type InspectResult,
  type LabCapabilities,
  type LabJobName,
  type LabJobs,
  type LabLive,
  type LabMemory,
  type LabProgress,
  type LabRequest,
  type LabResult,
  type LabSource,
  type LabStep,
  type LabWatch,
  type LoadedState,
  type RouterStep,
  type SavedState,
  type SurgeryOp,
} from '../../src/protocol/lab-api';
import type { DraftModule } from '../draft/draft-module';
import type { GraphFile } from '../runtime/graph-reader';
import { stateNamesOf, type LayerStates, stateKindOf } from '../runtime/layer-states';
import type { ModelSession } from '../runtime/session';
import { isPrefix, type SnapshotCache } from '../runtime/snapshots';
import { elementBytes, elementsOf } from '../runtime/tensor-values';
import { conditionOf } from './condition';
import { compare, cost, fork, recall, sourceTokens, type ExperimentHost } from './experiments';
import { inspectable, inspectLayers, probesFor } from './inspect';
import { LabSession, WATCH_INTERVAL_MS } from './lab-session';
import { capabilitiesOf } from './layer-view';
import { operate } from './operate';
import { LabReader, LabStopped, type ReaderModel, type Standpoint } from './reader';
import { openState, saveState, sizesOf, type ModelIdentity } from './teleport';

/** What the lab needs of the loaded model. */
export interface LabModel extends Omit<ReaderModel, 'session'> {
  readonly session: ModelSession;
  readonly identity: ModelIdentity;
  readonly module: DraftModule | null;
  readonly weightBytes: number;
  /** The file that the model was made of, read again. */
  readonly readGraph: () => Promise<GraphFile>;
}

/** What the model remembers now. */
interface Live {
  readonly states: LayerStates;
  readonly tokens: Int32Array;
  readonly logits: Float32Array | null;
}

const NOTHING_READ = new EngineError(
  'internal',
  'The model has read nothing yet, so there is no state to look at.',
  'Send a message first, or start an experiment with a text of its own.',
);

export class Lab {
  readonly #model: LabModel;
  /** Steps of experiments: conditions are kept, nothing is watched. */
  readonly #session: LabSession;
  #watching: LabWatch | null = null;
  #live: Live | null = null;
  /** The live state as it was before the first operation. */
  #untouched: Live | null = null;

  constructor(model: LabModel) {
    this.#model = model;
    this.#session = new LabSession(model.session, model.spec, null);
  }

  get liveStates(): LayerStates | null {
    return this.#live?.states ?? null;
  }

  watch(watch: LabWatch | null): LabCapabilities {
    this.#watching = watch;
    const { session, spec, identity } = this.#model;
    return capabilitiesOf(spec, session, identity.modelId);
  }

  get isWatching(): boolean {
    return this.#watching !== null;
  }

  /**
   * A session for one reply, whose steps are watched while the page wishes it: no nearer than a few milliseconds, unless
   * each token is looked at. Routers are told of every token while they are followed.
   */
  replySession(
    emit: {
      readonly step: (step: LabStep) => void;
      readonly router: (step: RouterStep) => void;
    },
    isEachWatched: () => boolean = () => false,
  ): LabSession {
    const { session, spec, tokenizer } = this.#model;
    const textOfToken = (id: number): string => textOf(tokenizer, [id]);
    return new LabSession(
      session,
      spec,
      {
        watching: () => this.#watching,
        emit: emit.step,
        textOf: textOfToken,
        intervalMs: WATCH_INTERVAL_MS,
        isEachWatched,
      },
      {
        isWanted: () => this.#watching?.routers === true,
        emit: emit.router,
        textOf: textOfToken,
      },
    );
  }

  /** Makes the states that a reply has reached the live ones; another holder, copies of the rest. */
  keepLive(states: LayerStates, tokens: ArrayLike<number>, logits: Float32Array | null): void {
    this.#setLive({
      states: states.retain(),
      tokens: Int32Array.from(tokens),
      logits: logits?.slice() ?? null,
    });
  }

  dispose(): void {
    this.#setLive(null);
  }

  /** Runs one job; `isStopped` is asked between tokens. */
  async run(
    request: LabRequest,
    isStopped: () => boolean,
    post: (progress: LabProgress) => void,
  ): Promise<LabResult> {
    const { session, spec, tokenizer, format, snapshots } = this.#model;
    const model: ReaderModel = { session: this.#session, spec, tokenizer, format, snapshots };
    const reader = new LabReader(model, isStopped, post);
    try {
      const begin = (source: LabSource): Promise<Standpoint> => this.#begin(source, reader);
      const readerOf = (other: ReaderModel): LabReader => new LabReader(other, isStopped, post);
      const value = await this.#job(request, { model, session, reader, readerOf, post, begin });
      return { stopped: false, value };
    } catch (error) {
      if (error instanceof LabStopped) return { stopped: true };
      throw error;
    } finally {
      reader.dispose();
    }
  }

  async #job(
    { job, request }: LabRequest,
    host: ExperimentHost,
  ): Promise<LabJobs[LabJobName]['result']> {
    switch (job) {
      case 'read':
        return this.#read(request.source, host.reader);
      case 'live':
        return this.#describe();
      case 'inspect':
        return this.#inspect(request, host.reader);
      case 'surgery':
        return this.#operate(request.operations);
      case 'restore':
        return this.#restore(host.reader);
      case 'compare':
        return compare(host, request);
      case 'fork':
        return fork(host, request);
      case 'recall':
        return recall(host, request);
      case 'cost':
        return cost(host, request);
      case 'save':
        return this.#save();
      case 'load':
        return this.#load(request.bytes);
      case 'memory':
        return this.#memory();
      case 'drafts': {
        const { draftTrial } = await import('../draft/draft-trial');
        const { reader, post } = host;
        return draftTrial(this.#model, request, {
          wait: () => reader.breathe(),
          progress: (done, total) => post({ type: 'progress', done, total }),
        });
      }
      case 'without': {
        const { without } = await import('./without');
        return without(host, request, await this.#model.readGraph());
      }
      case 'weights': {
        const { readWeights } = await import('./weights');
        return readWeights(await this.#model.readGraph(), request);
      }
      default: {
        const unknown: never = job;
        throw new RangeError(`unknown job ${JSON.stringify(unknown)}`);
      }
    }
  }

  #required(): Live {
    if (this.#live === null || this.#live.tokens.length === 0) throw NOTHING_READ;
    return this.#live;
  }

  /** Takes over `live`; what was untouched of another one is let go. */
  #setLive(live: Live | null, untouched: Live | null = null): void {
    const old = [this.#live, this.#untouched];
    this.#live = live;
    this.#untouched = untouched;
    for (const one of old) if (one !== null && one !== untouched) one.states.release();
  }

  async #begin(source: LabSource, reader: LabReader): Promise<Standpoint> {
    if (source.kind !== 'live') return reader.readFresh(sourceTokens(this.#model, source));
    const live = this.#required();
    const tokens = source.tokens ?? live.tokens.length;
    if (tokens >= live.tokens.length && live.logits !== null)
      return { states: live.states.retain(), logits: live.logits };
    if (!(Number.isInteger(tokens) && tokens >= 1))
      throw new RangeError(`${tokens} tokens of the live sequence`);
    return reader.readFresh(live.tokens.subarray(0, tokens));
  }

  async #read(source: LabSource, reader: LabReader): Promise<LabLive> {
    const tokens =
      source.kind === 'live'
        ? this.#required().tokens.slice(0, source.tokens)
        : Int32Array.from(sourceTokens(this.#model, source));
    if (tokens.length === 0) throw NOTHING_READ;
    const { states, logits } = await reader.readFresh(tokens);
    this.#setLive({ states, tokens, logits });
    return this.#describe();
  }

  #describe(): LabLive {
    const { states, tokens } = this.#required();
    const { tokenizer } = this.#model;
    return {
      tokens: tokens.length,
      tokenIds: tokens.slice(),
      texts: Array.from(tokens, (id) => textOf(tokenizer, [id])),
      operations: conditionOf(states)?.operations ?? [],
    };
  }

  async #inspect(request: InspectRequest, reader: LabReader): Promise<InspectResult> {
    const startedAt = performance.now();
    const live = this.#required();
    const { session, spec, tokenizer } = this.#model;
    const mixers = request.targets.flatMap((target) => inspectable(spec, target));
    const { lastTokens } = request;
    if (!(Number.isInteger(lastTokens) && lastTokens >= 1 && lastTokens <= MAX_HISTORY_TOKENS)) {
      throw new RangeError(
        `${lastTokens} tokens to look back on: not a whole number in 1…${MAX_HISTORY_TOKENS}`,
      );
    }
    const firstPosition = Math.max(0, live.tokens.length - lastTokens);
    const before = live.tokens.subarray(0, firstPosition);
    const window = live.tokens.subarray(firstPosition);
    const start =
      before.length === 0 ? session.emptyStates() : (await reader.readFresh(before)).states;
    try {
      await reader.breathe();
      const { states, probes } = await session.step(
        window,
        start,
        // A file that is read token by token gives no histories; the live steps still do.
        session.readsSingly && window.length > 1 ? [] : probesFor(session, mixers),
      );
      try {
        const looks = await inspectLayers(session, spec, request.targets, live.states, {
          probes,
          states,
        });
        return {
          firstPosition,
          tokenIds: window.slice(),
          texts: Array.from(window, (id) => textOf(tokenizer, [id])),
          layers: looks,
          rereadTokens: live.tokens.length,
          ms: performance.now() - startedAt,
        };
      } finally {
        states.release();
        for (const tensor of probes.values()) tensor.dispose();
      }
    } finally {
      start.release();
    }
  }

  /** Operates on the live state, and on what is kept of this conversation, so that its next turn goes on from there. */
  async #operate(operations: readonly SurgeryOp[]): Promise<LabLive> {
    const { session, spec, snapshots } = this.#model;
    const live = this.#required();
    const states = await operate(session, spec, live.states, operations);
    for (const { tokens, states: kept } of this.#ownSnapshots(live.tokens)) {
      // What grew from here without the operation is no continuation of it.
      const changed = isPrefix(tokens, live.tokens)
        ? await operate(session, spec, kept, operations)
        : null;
      snapshots.drop(tokens);
      if (changed === null) continue;
      snapshots.keep(tokens, changed);
      changed.release();
    }
    snapshots.drop(live.tokens);
    snapshots.keep(live.tokens, states);
    const untouched = this.#untouched ?? (conditionOf(live.states) === null ? live : null);
    if (untouched !== live && untouched !== null) live.states.release();
    this.#live = { ...live, states };
    this.#untouched = untouched;
    return this.#describe();
  }

  /**
   * What is kept of this conversation alone: beginnings with a turn of the assistant in them, and what grew from those.
   * What stands before it (the system's words) other conversations share.
   */
  #ownSnapshots(live: Int32Array): SnapshotCache['entries'] {
    const { format, snapshots } = this.#model;
    const turns = (ids: Int32Array): number => ids.filter((id) => id === format.turnStartId).length;
    const all = snapshots.entries;
    const own = all.find(({ tokens }) => isPrefix(tokens, live) && turns(tokens) >= 2);
    const root = own?.tokens ?? live;
    return all.filter(({ tokens }) => isPrefix(root, tokens));
  }

  async #restore(reader: LabReader): Promise<LabLive> {
    const live = this.#required();
    if (conditionOf(live.states) === null) return this.#describe();
    const { snapshots } = this.#model;
    for (const { tokens, states } of snapshots.entries)
      if (conditionOf(states) !== null) snapshots.drop(tokens);
    if (this.#untouched !== null) {
      const { states, tokens, logits } = this.#untouched;
      this.#setLive({ states: states.retain(), tokens, logits });
    } else {
      const { states, logits } = await reader.readFresh(live.tokens);
      this.#setLive({ states, tokens: live.tokens, logits });
    }
    const back = this.#required();
    snapshots.keep(back.tokens, back.states);
    return this.#describe();
  }

  async #save(): Promise<SavedState> {
    const { session, identity, tokenizer } = this.#model;
    const live = this.#required();
    const bytes = await saveState(session, identity, live);
    const text = textOf(tokenizer, live.tokens);
    return { bytes, sizes: sizesOf(live.states, text, bytes.length) };
  }

  async #load(file: Uint8Array): Promise<LoadedState> {
    const { session, spec, identity, tokenizer } = this.#model;
    const { isExact, ...live } = await openState(session, spec, identity, file);
    this.#setLive(live);
    const text = textOf(tokenizer, live.tokens);
    return {
      live: this.#describe(),
      isExact,
      sizes: sizesOf(live.states, text, file.length),
    };
  }

  #memory(): LabMemory {
    const { spec, weightBytes } = this.#model;
    const states = this.#live?.states ?? null;
    return {
      tokens: states?.tokens ?? 0,
      weightBytes,
      layers: spec.layers.map((layer) => {
        const bytes = { conv: 0, ssm: 0, kv: 0 };
        for (const name of stateNamesOf(layer)) {
          const tensor = states?.tensor(name);
          if (tensor === undefined) continue;
          const { dims, type } = tensor;
          bytes[stateKindOf(name)] += elementsOf(dims) * elementBytes(type);
        }
        return {
          layer: layer.index,
          kind: layer.kind,
          ssmBytes: bytes.ssm,
          convBytes: bytes.conv,
          kvBytes: bytes.kv,
          kvTokens: mixersOf(layer).some(({ kind }) => kind === 'attention')
            ? (states?.kvTokens(layer.index) ?? 0)
            : 0,
        };
      }),
    };
  }
}
