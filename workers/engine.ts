/**
 * Owns the loaded model and the one job that runs: load, generate, stop, count, dispose. Owns no decoding
 * (generate-loop.ts) and no rungs (device-ladder.ts).
 */
import { EngineError } from '../src/core/errors';
import type { ModelSpec } from '../src/core/model-spec';
import { StepGate } from '../src/core/step-gate';
import { formatBytes } from '../src/core/units';
import type { DeviceProfile } from '../src/models/device-profile';
import type { ThinkFormat } from '../src/models/think-format';
import type {
  DeviceAttempt,
  EngineApi,
  GenerateRequest,
  TabResult,
  LoadedModel,
  LoadOutcome,
  LoadProgress,
  LoadRequest,
  MemoryReport,
  Outcome,
  PromptMessage,
  WireError,
} from '../src/protocol/engine-api';
import type {
  LabCapabilities,
  LabProgress,
  LabRequest,
  LabResult,
  LabWatch,
} from '../src/protocol/lab-api';
import { asEngineError, outcomeOf, toWireError } from '../src/protocol/wire-error';
import type { DraftModule } from './draft/draft-module';
import type { DraftingSession } from './draft/drafting-session';
import { EventOutbox } from './event-outbox';
import type { RewardGraph } from './reward/reward-graph';
import { runGeneration, type GenerationControl } from './generate-loop';
import { conditionOf } from './lab/condition';
import { Lab } from './lab/lab';
import { buildPrompt } from './prompt';
import { describeModel, identityOf, ladderModelOf, openModel, readDecoder } from './load-model';
import { needsFreshWorker, planLadder, probeDevice, type Rung } from './runtime/device-ladder';
import type { ChatTokenizer } from './runtime/hub';
import type { LayerStates } from './runtime/layer-states';
import {
  configureRuntime,
  runtimeConfig,
  type ModelSession,
  type RuntimeBuild,
  type RuntimeFiles,
} from './runtime/session';
import { SnapshotCache } from './runtime/snapshots';
import { ModelFiles } from './runtime/weights';
import type { StepSession } from './token-cursor';

/** What the engine takes from its surroundings; tests in Node give their own. */
export interface EngineHost {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly caches?: CacheStorage;
  readonly probe: () => Promise<DeviceProfile>;
  readonly runtimeFiles?: Readonly<Partial<Record<RuntimeBuild, RuntimeFiles>>>;
  readonly snapshotBytes?: number;
}

/** The worker's own surroundings. */
export function browserHost(): EngineHost {
  return {
    fetch: (url, init) => fetch(url, init),
    ...(typeof caches === 'undefined' ? {} : { caches }),
    probe: probeDevice,
  };
}

interface Loaded {
  readonly session: ModelSession;
  readonly tokenizer: ChatTokenizer;
  readonly spec: ModelSpec;
  readonly format: ThinkFormat;
  readonly snapshots: SnapshotCache;
  readonly info: LoadedModel;
  /** Keeps the states after the last reply. */
  readonly lab: Lab;
  /** Opens what scores replies, once; null where the model has no such graph. */
  readonly openReward: (() => Promise<RewardGraph>) | null;
  readonly closeReward: () => Promise<void>;
  /** Drafts replies; null where the model has none that does. */
  readonly module: DraftModule | null;
}

type JobControl = GenerationControl & { readonly gate: StepGate };

function freshControl(): JobControl {
  return { stopped: false, answerNow: false, gate: new StepGate() };
}

/** A reply that waits for a step must wake up to hear of it. */
function endJob(control: JobControl): void {
  control.stopped = true;
  control.gate.allow(Infinity);
}

const NOT_LOADED = new EngineError(
  'not-loaded',
  'No model is loaded.',
  'Choose a model and load it.',
);

/** Longest wait, after a failed run, for the word that the device is lost. */
const LOSS_WAIT_MS = 500;

/** The engine behind the worker's face. */
export class Engine implements EngineApi {
  readonly #host: EngineHost;
  #loaded: Loaded | null = null;
  #job: { readonly id: string; readonly control: JobControl } | null = null;
  #deviceLost: string | null = null;
  #sayLost: (error: WireError) => void = () => {};
  readonly #lost = new Promise<WireError>((resolve) => {
    this.#sayLost = resolve;
  });

  constructor(host: EngineHost) {
    this.#host = host;
  }

  async load(request: LoadRequest, port: MessagePort): Promise<LoadOutcome> {
    const refused = this.#begin('load');
    if (refused !== null) return refused;
    const attempts: DeviceAttempt[] = [...(request.attempted ?? [])];
    try {
      await this.#unload();
      return await this.#load(request, attempts, (progress) => port.postMessage(progress));
    } catch (error) {
      return { ok: false, error: toWireError(this.#explain(error, 'Loading the model')) };
    } finally {
      this.#job = null;
    }
  }

  async generate(request: GenerateRequest, port: MessagePort): Promise<Outcome<TabResult>> {
    const outbox = new EventOutbox(port);
    const refused = this.#begin(request.id);
    if (refused !== null) {
      outbox.close();
      return refused;
    }
    let drafting: DraftingSession | null = null;
    try {
      const loaded = this.#required();
      const control = this.#job?.control ?? freshControl();
      if (request.isStepped === true) control.gate.allow(0);
      const plain = loaded.lab.replySession(
        {
          step: (step) => outbox.push({ type: 'lab', step }),
          router: (step) => outbox.push({ type: 'router', step }),
        },
        () => control.gate.isCounting,
      );
      // Drafts are read several at once, so a reply that goes token by token has none.
      if (request.drafts === true && request.isStepped !== true)
        drafting = await draftingOf(loaded, plain);
      const session = drafting ?? plain;
      const model = { ...loaded, session };
      const run = await runGeneration(model, request, control, {
        emit: (event) => outbox.push(event),
        memory: (cursor) => this.#report(loaded, cursor.states),
        keepLive: (states, tokens, logits) => loaded.lab.keepLive(states, tokens, logits),
        now: () => new Date(),
        ...(request.isScored !== true || loaded.openReward === null
          ? {}
          : {
              score: (states, endId) =>
                scoreOf(loaded, states, endId, (text) => outbox.push({ type: 'notice', text })),
            }),
      });
      const { finish, thoughtEnd, tally, memory, reward } = run;
      const { decodedTokens, ...counts } = tally;
      const perSecond = (tokens: number, ms: number): number => (ms > 0 ? (tokens * 1000) / ms : 0);
      const value: TabResult = {
        finish,
        thoughtEnd,
        memory,
        ...(drafting === null ? {} : { drafts: { ...drafting.counts } }),
        ...(reward === null ? {} : { reward }),
        stats: {
          ...counts,
          decodeTokensPerSecond: perSecond(decodedTokens, tally.decodeMs),
          prefillTokensPerSecond: perSecond(
            tally.promptTokens - tally.reusedTokens,
            tally.prefillMs,
          ),
          device: loaded.info.device,
        },
      };
      return { ok: true, value };
    } catch (error) {
      await this.#hearOfLoss();
      return { ok: false, error: toWireError(this.#explain(error, 'Writing the reply')) };
    } finally {
      drafting?.dispose();
      outbox.close();
      this.#job = null;
    }
  }

  watch(watch: LabWatch | null): Promise<Outcome<LabCapabilities>> {
    return outcomeOf('Watching', async () => this.#required().lab.watch(watch));
  }

  async lab(request: LabRequest, port: MessagePort): Promise<Outcome<LabResult>> {
    const refused = this.#begin(request.id);
    if (refused !== null) return refused;
    const control = this.#job?.control ?? freshControl();
    try {
      const value = await this.#required().lab.run(
        request,
        () => control.stopped,
        (progress: LabProgress) => port.postMessage(progress),
      );
      return { ok: true, value };
    } catch (error) {
      await this.#hearOfLoss();
      return { ok: false, error: toWireError(this.#explain(error, 'The experiment')) };
    } finally {
      this.#job = null;
    }
  }

  async stop(id: string): Promise<void> {
    if (this.#job?.id === id) endJob(this.#job.control);
  }

  async answerNow(id: string): Promise<void> {
    if (this.#job?.id === id) this.#job.control.answerNow = true;
  }

  async step(id: string, tokens: number): Promise<void> {
    if (this.#job?.id === id) this.#job.control.gate.allow(tokens);
  }

  countTokens(messages: readonly PromptMessage[]): Promise<Outcome<number>> {
    return outcomeOf('Counting tokens', async () => {
      const { tokenizer, format } = this.#required();
      return buildPrompt(tokenizer, format, {
        messages,
        tools: [],
        enableThinking: format.think !== null,
      }).ids.length;
    });
  }

  memory(): Promise<Outcome<MemoryReport>> {
    return outcomeOf('Reading the memory', async () => {
      const loaded = this.#required();
      return this.#report(loaded, loaded.lab.liveStates);
    });
  }

  async ping(): Promise<'pong'> {
    return 'pong';
  }

  hold(name: string): Promise<void> {
    const scope: { navigator?: { locks?: LockManager } } = globalThis;
    const locks = scope.navigator?.locks;
    // Absent on insecure pages: the heartbeat remains.
    if (locks === undefined) return Promise.resolve();
    return new Promise((held) => {
      const request = locks.request(name, () => {
        held();
        return new Promise<never>(() => {
          // Until the worker ends.
        });
      });
      // Refused, as to a frame of another site: nothing is held, so nothing is told.
      request.catch(() => undefined);
    });
  }

  lost(): Promise<WireError> {
    return this.#lost;
  }

  async dispose(): Promise<void> {
    if (this.#job !== null) endJob(this.#job.control);
    await this.#unload();
  }

  #required(): Loaded {
    if (this.#loaded === null) throw NOT_LOADED;
    return this.#loaded;
  }

  /** Takes the one job's place, or says why not. */
  #begin(id: string): { ok: false; error: ReturnType<typeof toWireError> } | null {
    if (this.#job === null) {
      this.#job = { id, control: freshControl() };
      return null;
    }
    const { id: running } = this.#job;
    const doing =
      running === 'load'
        ? 'loading a model'
        : running.startsWith('lab ')
          ? 'an experiment'
          : 'another reply';
    const message = `The engine is busy with ${doing}.`;
    return {
      ok: false,
      error: toWireError(new EngineError('busy', message, 'Stop it, or wait until it has ended.')),
    };
  }

  /** A run on a lost device fails a moment before the browser says that it is lost. */
  async #hearOfLoss(): Promise<void> {
    if (this.#loaded?.session.provider !== 'webgpu') return;
    await Promise.race([this.#lost, new Promise((resolve) => setTimeout(resolve, LOSS_WAIT_MS))]);
  }

  #explain(error: unknown, doing: string): EngineError {
    if (this.#deviceLost === null) return asEngineError(error, doing);
    const reason = this.#deviceLost === '' ? '' : ` (${this.#deviceLost})`;
    return new EngineError(
      'device-lost',
      `The browser took the graphics device away${reason}.`,
      'The engine starts again; ask once more. If it happens again, choose WASM in the settings.',
      { cause: error },
    );
  }

  async #load(
    request: LoadRequest,
    attempts: DeviceAttempt[],
    onProgress: (progress: LoadProgress) => void,
  ): Promise<LoadOutcome> {
    const startedAt = performance.now();
    const progress = { loadedBytes: 0, totalBytes: 0, fromCache: false };
    onProgress({ stage: 'manifest', ...progress });
    const files = new ModelFiles({
      modelUrl: request.modelUrl,
      fetch: this.#host.fetch,
      ...(this.#host.caches === undefined ? {} : { caches: this.#host.caches }),
      ...(request.listing === undefined ? {} : { listing: request.listing }),
      ...(request.blobs === undefined ? {} : { blobs: request.blobs }),
      ...(request.isToBeKept === undefined ? {} : { isToBeKept: request.isToBeKept }),
    });
    const model = await describeModel(files, request.listing === undefined);
    const { spec, tokenizer, format, listing } = model;
    const roles = model.manifest?.roles ?? null;
    const profile = await this.#host.probe();
    const ladder = ladderModelOf(model, request.variant);
    const { rungs, skipped, isTooLarge } = planLadder(profile, ladder, request.device, attempts);
    attempts.push(...skipped);
    let lastError: EngineError | null = null;
    for (const rung of rungs) {
      if (needsFreshWorker(runtimeConfig(), rung))
        return { ok: false, respawn: { attempted: attempts } };
      this.#configure(rung);
      const opened = await openModel(model, rung, files, {
        onProgress: (progress) => onProgress({ ...progress, device: rung.device }),
        rewriteFourBit: request.rewriteFourBit,
      }).catch((error: unknown) => {
        if (isForAllDevices(error)) throw error;
        if (isFetchFailure(error)) {
          throw new EngineError(
            'network',
            'The files of ONNX Runtime, which runs the model, could not be fetched.',
            'Check the connection and load the model again.',
            { cause: error },
          );
        }
        lastError = asEngineError(error, 'Starting');
        attempts.push({ device: rung.device, outcome: 'failed', reason: failureReason(error) });
        return null;
      });
      if (opened === null) {
        this.#deviceLost = null;
        continue;
      }
      const { session, selfTest, path, weightBytes, parameters, module } = opened;
      attempts.push({
        device: rung.device,
        outcome: 'chosen',
        reason: `Loaded and tested: ${selfTest.agreement}.`,
      });
      await files.settled();
      // A few hundred bytes, fetched when the first reply is to be scored.
      const rewardPath =
        model.manifest?.reward !== undefined &&
        session.outputNames.includes('hidden_states') &&
        !session.readsSingly
          ? model.manifest.reward
          : null;
      let opening: Promise<RewardGraph> | null = null;
      const openReward = async (graph: string): Promise<RewardGraph> => {
        const { RewardGraph, checkParent } = await import('./reward/reward-graph');
        const bytes = (await files.files([graph], () => {})).get(graph) ?? new Uint8Array();
        checkParent(graph, bytes, path, listing);
        return RewardGraph.open(graph, bytes, session);
      };
      const info: LoadedModel = {
        spec,
        device: rung.device,
        attempts: inLadderOrder(attempts),
        variant: path,
        weightBytes,
        parameters,
        threads: session.kernelThreads || rung.threads,
        loadMs: performance.now() - startedAt,
        ...(session.rewrite === null ? {} : { rewrite: session.rewrite }),
        ...(session.kernelThreads > 0 ? { usesKernels: true } : {}),
        selfTest: { maxDifference: selfTest.maxDifference, tolerance: selfTest.tolerance },
        ...(files.isLeftOut ? { isLeftOut: true } : {}),
        ...(module === null ? {} : { canDraft: true }),
        ...(roles === null ? {} : { roles }),
        ...(rewardPath === null ? {} : { canScore: true }),
        notice: [
          noticeOf(rung, attempts),
          selfTest.notice,
          files.isLeftOut ? leftOutNotice(weightBytes) : '',
        ]
          .filter(Boolean)
          .join(' '),
      };
      const snapshots = new SnapshotCache(this.#host.snapshotBytes);
      const loaded = { session, tokenizer, spec, format, snapshots };
      const lab = new Lab({
        ...loaded,
        module,
        weightBytes,
        readGraph: () => readDecoder(model, rung.variant, files),
        identity: { name: spec.name, modelId: await identityOf(listing), variant: info.variant },
      });
      this.#loaded = {
        ...loaded,
        info,
        lab,
        module,
        openReward:
          rewardPath === null
            ? null
            : () =>
                (opening ??= openReward(rewardPath).catch((error: unknown) => {
                  // Asked again with the next reply.
                  opening = null;
                  throw error;
                })),
        closeReward: async () => {
          await (await opening?.catch(() => null))?.dispose();
        },
      };
      this.#watchDevice(session);
      onProgress({
        stage: 'ready',
        loadedBytes: weightBytes,
        totalBytes: weightBytes,
        fromCache: false,
      });
      return { ok: true, value: info };
    }
    throw noDevice(spec.name, attempts, lastError, isTooLarge);
  }

  #configure(rung: Rung): void {
    const own = this.#host.runtimeFiles?.[rung.build];
    configureRuntime({
      build: rung.build,
      threads: rung.threads,
      ...(own === undefined ? {} : { files: own }),
    });
  }

  #watchDevice(session: ModelSession): void {
    void session.gpuDevice().then(async (device) => {
      if (device === null) return;
      const { message } = await device.lost;
      // Disposing a session of our own is no loss.
      if (this.#loaded?.session !== session) return;
      this.#deviceLost = message;
      this.#sayLost(toWireError(this.#explain(null, 'Keeping the model')));
    });
  }

  #report(loaded: Loaded, live: LayerStates | null): MemoryReport {
    const bytes = live?.bytes ?? { ssm: 0, conv: 0, kv: 0 };
    return {
      weightBytes: loaded.info.weightBytes,
      ssmBytes: bytes.ssm,
      convBytes: bytes.conv,
      kvBytes: bytes.kv,
      kvAllocatedBytes: bytes.kv,
      snapshotBytes: loaded.snapshots.bytes,
      snapshotCount: loaded.snapshots.count,
      tokens: live?.tokens ?? 0,
    };
  }

  async #unload(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = null;
    this.#deviceLost = null;
    if (loaded === null) return;
    loaded.lab.dispose();
    loaded.snapshots.clear();
    await loaded.module?.dispose();
    await loaded.closeReward();
    await loaded.session.dispose();
  }
}

/** A session that drafts for `loaded`, reading with `plain` where it must not; null where there is no module. */
async function draftingOf(
  { session, module, spec, lab }: Loaded,
  plain: StepSession,
): Promise<DraftingSession | null> {
  if (module === null) return null;
  const { DraftingSession, DRAFT_DEFAULTS } = await import('./draft/drafting-session');
  return new DraftingSession(session, module, {
    ...DRAFT_DEFAULTS,
    maxPositions: spec.maxPositions,
    plain,
    mayDraft: (from) => !lab.isWatching && conditionOf(from) === null,
  });
}

/** A reply's score; null, and a sentence for the person, where the reward graph cannot be used. The reply stands. */
async function scoreOf(
  { openReward }: Loaded,
  states: LayerStates,
  endId: number,
  say: (text: string) => void,
): Promise<number | null> {
  try {
    return (await (await openReward?.())?.score(states, endId)) ?? null;
  } catch (error) {
    const { message, remedy } = asEngineError(error, 'Scoring the reply');
    say(`${message} ${remedy}`);
    return null;
  }
}

/** A file that is missing, damaged or not to be had is so for every device. */
function isForAllDevices(error: unknown): boolean {
  return (
    error instanceof EngineError &&
    [
      'model-missing',
      'model-truncated',
      'model-corrupt',
      'model-gated',
      'rate-limited',
      'network',
    ].includes(error.code)
  );
}

/** Why the model runs nowhere, in the words of the last device that was tried. */
function noDevice(
  name: string,
  attempts: readonly DeviceAttempt[],
  lastError: EngineError | null,
  isTooLarge: boolean,
): EngineError {
  const tried = attempts.map(({ device, reason }) => `${device}: ${reason}`).join(' ');
  const message = `No device of this browser can run ${name}. ${tried}`;
  const smaller = 'Choose a smaller variant, or a smaller model.';
  if (lastError === null) {
    return isTooLarge
      ? new EngineError('out-of-memory', message, smaller)
      : new EngineError(
          'runtime-unavailable',
          message,
          'Choose another variant of the model, or use a current Chrome, Edge, Firefox or Safari.',
        );
  }
  const { code, remedy } = lastError;
  const told = ['model-unsupported', 'out-of-memory', 'self-test-failed'].includes(code);
  return new EngineError(
    told ? code : 'runtime-unavailable',
    message,
    told && code !== 'self-test-failed'
      ? remedy
      : 'Use a current Chrome, Edge, Firefox or Safari, or another computer.',
    { cause: lastError },
  );
}

/** As the browsers and ONNX Runtime word a file that did not arrive. */
function isFetchFailure(error: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error);
  return /failed to fetch|fetching of the wasm failed|error loading dynamically imported|importing a module script failed|networkerror/i.test(
    message,
  );
}

function failureReason(error: unknown): string {
  const { message } = asEngineError(error, 'Starting');
  return message.charAt(0).toUpperCase() + message.slice(1) + (message.endsWith('.') ? '' : '.');
}

const ORDER = ['webgpu-f16', 'webgpu-f32', 'wasm-threads', 'wasm'];

function inLadderOrder(attempts: readonly DeviceAttempt[]): DeviceAttempt[] {
  return [...attempts].sort((a, b) => ORDER.indexOf(a.device) - ORDER.indexOf(b.device));
}

/** What the person should know: a device that failed is news, one that is absent is not. */
function noticeOf(rung: Rung, attempts: readonly DeviceAttempt[]): string {
  const failed = attempts.find((attempt) => attempt.outcome === 'failed');
  if (failed !== undefined)
    return `${failed.device} was tried and left: ${failed.reason} Running on ${rung.device}.`;
  return '';
}

function leftOutNotice(weightBytes: number): string {
  return `There is no room to keep the model (${formatBytes(weightBytes)}), so it runs from memory: it is fetched again next time, and does not start offline. “Storage” shows what is kept and can be deleted.`;
}
