/**
 * Owns ONNX Runtime: which build of it runs in this worker, and one model session with its buffers. The only import
 * of onnxruntime-web. Owns no states between steps (layer-states.ts) and no choice of device (device-ladder.ts).
 */
import asyncifyMjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import asyncifyWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspiMjs from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import jspiWasm from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import plainMjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import plainWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import * as ort from 'onnxruntime-web/webgpu';
import { EngineError } from '../../src/core/errors';
import type { ModelSpec } from '../../src/core/model-spec';
import type { TopLogits } from '../../src/core/sampling/top-logits';
import type { FourBitPreference, FourBitRewrite } from '../../src/protocol/engine-api';
import { toldMemoryBytes } from '../../src/models/device-probe';
import { float32Room } from '../../src/models/four-bit-room';
import { rewriteFourBit } from './four-bit';
import type { KernelFeed, KernelOutput } from '../kernels/session';
import type { GraphFile } from './graph-reader';
import { capturingGlue, HeapRunner, type Feed } from './heap-runner';
import { layerStatesOf, type LayerState } from './layer-state';
import { LayerStates, stateNamesOf, type StateTensor } from './layer-states';
import { probeGraph, type KvLengthInputs, type ProbeGraph, type ProbeNames } from './probe-graph';
import { routersOf, type RouterNames } from './router-graph';
import { explainSessionError } from './session-errors';
import {
  presentNameOf,
  readDecoderInputs,
  type PlainInputs,
  type StateInput,
} from './session-inputs';
import { elementsOf, TensorValues, widenFloat16 } from './tensor-values';
import { LARGE_VOCABULARY, readTopLogits, TOP_INPUT, TOP_OUTPUT, withTopLogits } from './top-graph';

/**
 * `plain` has the whole CPU provider and no WebGPU; `asyncify` and `jspi` have WebGPU, but their CPU provider lacks
 * GatherBlockQuantized. A worker can hold one build only, so another device may need another worker.
 */
export type RuntimeBuild = 'plain' | 'asyncify' | 'jspi';

/** Addresses of the two files of a build. */
export interface RuntimeFiles {
  readonly mjs: string;
  readonly wasm: string;
}

function absolute(mjs: string, wasm: string): RuntimeFiles {
  return { mjs: new URL(mjs, import.meta.url).href, wasm: new URL(wasm, import.meta.url).href };
}

/** The files on our own origin, emitted by Vite: nothing is ever asked of a CDN. */
const OWN_FILES: Readonly<Record<RuntimeBuild, () => RuntimeFiles>> = {
  plain: () => absolute(plainMjs, plainWasm),
  asyncify: () => absolute(asyncifyMjs, asyncifyWasm),
  jspi: () => absolute(jspiMjs, jspiWasm),
};

export interface RuntimeConfig {
  readonly build: RuntimeBuild;
  readonly threads: number;
  /** Other addresses of the build's files: tests run in Node. */
  readonly files?: RuntimeFiles;
}

let configured: RuntimeConfig | null = null;

/** Set once the plain build's glue was wrapped, or could not be. */
let glue: Promise<void> | null = null;

/** Lets the heap runner find the plain build's module; before the first session of this worker. */
function wrapGlue(): Promise<void> {
  glue ??= (async () => {
    const files = ort.env.wasm.wasmPaths;
    if (typeof files !== 'object' || files.mjs === undefined || configured?.build !== 'plain')
      return;
    const mjs = await capturingGlue(String(files.mjs));
    if (mjs !== null) ort.env.wasm.wasmPaths = { ...files, mjs };
  })();
  return glue;
}

/** The build this worker is bound to; null while it is still free. */
export function runtimeConfig(): RuntimeConfig | null {
  return configured;
}

/** Binds this worker to a build. EngineError `internal` when it is bound to another one already. */
export function configureRuntime(config: RuntimeConfig): void {
  if (configured !== null) {
    if (configured.build === config.build && configured.threads === config.threads) return;
    throw new EngineError(
      'internal',
      `This worker runs the ${configured.build} build with ${configured.threads} thread(s), not ${config.build} with ${config.threads}.`,
      'Load the model again.',
    );
  }
  configured = config;
  ort.env.wasm.wasmPaths = { ...(config.files ?? OWN_FILES[config.build]()) };
  ort.env.wasm.numThreads = config.threads;
  ort.env.wasm.proxy = false;
  // Warnings would tell which nodes run on the CPU beside a GPU: true, harmless, and printed at each load.
  ort.env.logLevel = 'error';
}

/**
 * Keeps the states on the GPU, and what the lab reads, which comes over in one piece; the logits, not named here, come
 * to the CPU.
 */
function presentLocations(spec: ModelSpec, probes: ProbeNames): Record<string, 'gpu-buffer'> {
  const names = [
    ...spec.layers.flatMap(stateNamesOf).map(presentNameOf),
    ...Object.values(probes).flatMap((byLayer) => [...byLayer.values()]),
  ];
  return Object.fromEntries(names.map((name) => [name, 'gpu-buffer' as const]));
}

export interface SessionOptions {
  readonly provider: 'wasm' | 'webgpu';
  /** Vocabulary to hold the logits against, context that sizes the attention mask, layers that name the states. */
  readonly spec: ModelSpec;
  /** False: states are copied out of the WASM heap at each step, by ONNX Runtime's public API. For comparisons. */
  readonly keepsHeap?: boolean;
  /** On WASM, weights of 2, 4 or 8 bits as float32: `auto` where memory allows it, which is the default. */
  readonly rewriteFourBit?: FourBitPreference;
  /** Whether steps can give the largest logits in place of all; absent: on a GPU for a large vocabulary. */
  readonly givesTop?: boolean;
  /** Notes each node's time until {@link ModelSession.endProfile}; on WASM, for measurements. */
  readonly isProfiled?: boolean;
  /** False: on WASM ONNX Runtime computes also what this project's own kernels could. For comparisons. */
  readonly usesKernels?: boolean;
}

/** What one run gave: the logits of the last token, valid until the next run, and the states after it. */
export interface StepResult {
  /** (vocab); not filled where `top` is given. */
  readonly logits: Float32Array;
  /** (kept, vocab) of the last tokens, a copy, where more than one was to be kept. */
  readonly rows?: Float32Array;
  /** The largest logits, where they were asked for and the session can; the row stays on the device. */
  readonly top?: DeviceRow;
  readonly states: LayerStates;
  /** What was asked for by name, (batch 1, tokens, …) each; the caller disposes of them. */
  readonly probes: ReadonlyMap<string, StateTensor>;
}

/** A row of logits on the device, known by its largest. The holder disposes of it. */
export interface DeviceRow {
  readonly top: TopLogits;
  /** All of the row, (vocab), a copy; once, before it is disposed of. */
  whole(): Promise<Float32Array>;
  dispose(): void;
}

/** The graphs of a model; `embed` turns tokens into embeddings where that is a session of its own. */
export interface ModelGraphs {
  readonly decoder: GraphFile;
  readonly embed?: GraphFile;
  /** A module of multi-token prediction, which has a session of its own. */
  readonly mtp?: GraphFile;
}

type ElementArray = Float32Array | Uint16Array;

function zeros(type: string, size: number): ElementArray {
  // float16 is carried as its bits; zero has none set.
  return type === 'float16' ? new Uint16Array(size) : new Float32Array(size);
}

/** Positions of `count` tokens after `start`; each row the same, as text has them in all of mrope's axes. */
function positionsOf(start: number, count: number, rows: number): ort.Tensor {
  const data = new BigInt64Array(rows * count);
  for (let i = 0; i < data.length; i += 1) data[i] = BigInt(start + (i % count));
  return new ort.Tensor('int64', data, rows === 1 ? [1, count] : [rows, 1, count]);
}

/**
 * Float32 weights above this are used as they lie: ONNX Runtime's own order of them makes decoding a fifth faster, but
 * takes a second copy of each while it is made, and a WASM heap never shrinks again. In bytes.
 */
const MOST_PREPACKED_BYTES = 256e6;

export type OrtSession = ort.InferenceSession;

/** What runs the decoder graph: ONNX Runtime, or this project's own kernels (workers/kernels/). */
interface DecoderRuntime {
  readonly inputMetadata: ort.InferenceSession['inputMetadata'];
  readonly outputNames: readonly string[];
  /** The named outputs, the caller's to dispose of. */
  run(
    feeds: Readonly<Record<string, DecoderFeed>>,
    names: readonly string[],
  ): Promise<Readonly<Record<string, DecoderFeed>>>;
  endProfiling(): void;
  release(): Promise<void>;
}

type DecoderFeed = Feed | KernelOutput;

/** An ONNX Runtime session; its states stay in the WASM heap where the runtime lets us. */
function ortRuntime(session: ort.InferenceSession, keepsHeap: boolean): DecoderRuntime {
  const runner = keepsHeap ? HeapRunner.of(session) : null;
  return {
    inputMetadata: session.inputMetadata,
    outputNames: session.outputNames,
    run: async (feeds, names) => {
      if (runner === null) return session.run(feeds as Record<string, ort.Tensor>, names);
      const outputs = await runner.run(feeds as Record<string, Feed>, names);
      const byName: Record<string, Feed> = {};
      outputs.forEach((tensor, i) => (byName[names[i] ?? ''] = tensor));
      return byName;
    },
    endProfiling: () => session.endProfiling(),
    release: async () => {
      runner?.dispose();
      await session.release();
    },
  };
}

interface KernelRuntime extends DecoderRuntime {
  readonly threads: number;
}

/** This project's own kernels, where they know all of the graph; else null. */
async function kernelRuntime(file: GraphFile): Promise<KernelRuntime | null> {
  const [{ KernelSession }, { NoKernel }] = await Promise.all([
    import('../kernels/session'),
    import('../kernels/plan'),
  ]);
  try {
    const session = await KernelSession.open(file, configured?.threads);
    return {
      threads: session.threads,
      inputMetadata: session.inputMetadata as ort.InferenceSession['inputMetadata'],
      outputNames: session.outputNames,
      run: (feeds, names) =>
        Promise.resolve(session.run(feeds as Record<string, KernelFeed>, names)),
      endProfiling: () => {},
      release: () => {
        session.release();
        return Promise.resolve();
      },
    };
  } catch (error) {
    if (error instanceof NoKernel) return null;
    throw explainSessionError(error, 'wasm');
  }
}

export function makeTensor(
  values: Float32Array | BigInt64Array,
  dims: readonly number[],
): ort.Tensor {
  return values instanceof Float32Array
    ? new ort.Tensor('float32', values, dims)
    : new ort.Tensor('int64', values, dims);
}

/** An ONNX Runtime session; on the GPU the outputs in `kept` stay there. */
export async function createSession(
  { bytes, externalData }: GraphFile,
  provider: 'wasm' | 'webgpu',
  kept: Record<string, 'gpu-buffer'>,
  isProfiled: boolean,
): Promise<ort.InferenceSession> {
  const dataBytes = externalData.reduce((sum, { data }) => sum + data.byteLength, 0);
  // Where the states stay between steps: on the GPU they never come back to JavaScript; the CPU has no choice.
  const onGpu = provider === 'webgpu';
  if (!onGpu) await wrapGlue();
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [provider],
      ...(externalData.length > 0 ? { externalData } : {}),
      ...(onGpu ? { preferredOutputLocation: kept } : {}),
      // Lets constant folding turn integer weights into float32 at load: 4- or 8-bit download, float32 speed
      // (52-69 ms a token with MatMulNBits on WASM against 9-10 so).
      ...(onGpu
        ? {}
        : {
            extra: {
              session: {
                disable_quant_qdq: '1',
                ...(dataBytes > MOST_PREPACKED_BYTES ? { disable_prepacking: '1' } : {}),
              },
            },
          }),
      graphOptimizationLevel: 'all',
      enableProfiling: isProfiled,
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw explainSessionError(error, provider);
  }
}

/** One loaded model. Runs one step at a time; the caller holds and releases the states. */
export class ModelSession {
  readonly provider: 'wasm' | 'webgpu';
  /** Inner values that a step can give besides. */
  readonly probes: ProbeNames;
  /** Outputs that tell what each router chose, by layer. */
  readonly routers: RouterNames;
  /** Reads and writes states and probes. */
  readonly values: TensorValues;
  /** What each layer remembers, by layer. */
  readonly layers: ReadonlyMap<number, LayerState>;
  /** Read prompts token by token: the file answers otherwise, or slower, when it reads several at once. */
  readsSingly = false;
  /** What was done to weights of few bits at load; null when nothing was. */
  readonly rewrite: FourBitRewrite | null;
  /** Threads of this project's own kernels, which use the weights as they are packed; 0: ONNX Runtime computes. */
  readonly kernelThreads: number;
  readonly #session: DecoderRuntime;
  readonly #embed: ort.InferenceSession | null;
  readonly #kvLengths: ReadonlyMap<number, KvLengthInputs>;
  /** Attention turns queries and keys by their place in the cache: a cache that was cut would stand at other places. */
  readonly turnsByPlace: boolean;
  /** What every step fetches. */
  readonly #outputs: readonly string[];
  readonly #attentionLayers: readonly number[];
  readonly #states: readonly StateInput[];
  readonly #plain: PlainInputs;
  readonly #givesTop: boolean;
  readonly #vocabSize: number;
  /** (vocab), reused by every step. */
  readonly #logits: Float32Array;
  /** Ones; a step feeds a view of its first `total` entries. */
  readonly #mask: BigInt64Array;
  /** Zeros; a decode step may attend to every key. */
  readonly #noMask: Float32Array;
  #ids = new BigInt64Array(1);
  readonly #keepOne: ort.Tensor;

  private constructor(
    session: DecoderRuntime,
    embed: ort.InferenceSession | null,
    options: SessionOptions,
    graph: Pick<ProbeGraph, 'probes' | 'kvLengths' | 'turnsByPlace'> & {
      readonly routers: RouterNames;
    },
    rewrite: FourBitRewrite | null,
    kernelThreads: number,
  ) {
    this.rewrite = rewrite;
    this.kernelThreads = kernelThreads;
    this.#session = session;
    this.probes = graph.probes;
    this.routers = graph.routers;
    this.#kvLengths = graph.kvLengths;
    this.turnsByPlace = graph.turnsByPlace;
    this.values = new TensorValues(() => this.gpuDevice());
    this.provider = options.provider;
    const { vocabSize, maxPositions } = options.spec;
    this.#vocabSize = vocabSize;
    this.#logits = new Float32Array(vocabSize);
    this.#mask = new BigInt64Array(maxPositions).fill(1n);
    this.#noMask = new Float32Array(maxPositions);
    const lengths = new Set(
      [...graph.kvLengths.values()].flatMap((told) =>
        told.kind === 'mask' ? [told.mask] : [told.last, told.total],
      ),
    );
    this.#givesTop = session.outputNames.includes(TOP_OUTPUT);
    lengths.add(TOP_INPUT);
    const { plain, states } = readDecoderInputs(
      session.inputMetadata,
      session.outputNames,
      lengths,
    );
    if ((plain.tokens === 'inputs_embeds') !== (embed !== null)) {
      throw new EngineError(
        'model-unsupported',
        embed === null
          ? 'The model file takes embeddings, and there is no embed_tokens file that makes them.'
          : 'The model file takes tokens, so its embed_tokens file has no use.',
        'Use the files of one and the same export.',
      );
    }
    this.#embed = embed;
    this.#plain = plain;
    this.#keepOne = new ort.Tensor('int64', BigInt64Array.of(1n), plain.keepDims ?? []);
    this.#states = states;
    this.#outputs = ['logits', ...states.map((state) => state.present)];
    const dims = new Map(states.map(({ past, emptyDims }) => [past, emptyDims]));
    this.layers = layerStatesOf(
      options.spec,
      (name) => dims.get(name),
      // Only LinearAttention, whose decay is a probe, is known to keep the state's rows first.
      (layer) => graph.probes.decay.has(layer),
    );
    this.#attentionLayers = states.flatMap(({ past }) => {
      const layer = /^past_key_values\.(\d+)\.key$/.exec(past)?.[1];
      return layer === undefined ? [] : [Number(layer)];
    });
  }

  /** All that the graph gives. */
  get outputNames(): readonly string[] {
    return this.#session.outputNames;
  }

  /** Whether attention layers may hold caches of unlike lengths. */
  get hasLayerwiseKv(): boolean {
    return this.#attentionLayers.every((layer) => this.#kvLengths.has(layer));
  }

  /**
   * Makes a session from the bytes of an .onnx file, or from several with their external data. Call {@link
   * configureRuntime} before. EngineError `model-unsupported` for what the runtime lacks, `out-of-memory`, else ORT's
   * own.
   */
  static async create(
    model: Uint8Array | ModelGraphs,
    options: SessionOptions,
  ): Promise<ModelSession> {
    const graphs =
      model instanceof Uint8Array ? { decoder: { bytes: model, externalData: [] } } : model;
    const own = await ModelSession.#withKernels(graphs, options);
    if (own !== null) return own;
    const preference = options.provider === 'wasm' ? (options.rewriteFourBit ?? 'auto') : 'off';
    const rewritten =
      preference === 'off'
        ? null
        : rewriteFourBit(graphs.decoder, float32Room(preference, toldMemoryBytes()));
    if (rewritten !== null) {
      try {
        return await ModelSession.#open({ ...graphs, decoder: rewritten.file }, options, rewritten);
      } catch (error) {
        // float32 takes up to eight times the memory: what there is may do for the weights as they are.
        if (!(error instanceof EngineError && error.code === 'out-of-memory')) throw error;
      }
    }
    return ModelSession.#open(graphs, options, null);
  }

  /** A session of the kernels, for a graph with its weights beside it; null where they don't know all of it. */
  static async #withKernels(
    { decoder, embed }: ModelGraphs,
    options: SessionOptions,
  ): Promise<ModelSession | null> {
    if (
      options.provider !== 'wasm' ||
      options.usesKernels === false ||
      options.isProfiled === true ||
      options.givesTop === true ||
      embed !== undefined ||
      decoder.externalData.length === 0
    )
      return null;
    const graph = {
      ...probeGraph(decoder.bytes),
      routers: routersOf(decoder.bytes, options.spec),
    };
    const runtime = await kernelRuntime({ ...decoder, bytes: graph.bytes });
    return runtime === null
      ? null
      : new ModelSession(runtime, null, options, graph, null, runtime.threads);
  }

  static async #open(
    graphs: ModelGraphs,
    options: SessionOptions,
    rewritten: { readonly rewrite: FourBitRewrite } | null,
  ): Promise<ModelSession> {
    const { vocabSize } = options.spec;
    const wantsTop =
      options.givesTop ?? (options.provider === 'webgpu' && vocabSize >= LARGE_VOCABULARY);
    const withTop = wantsTop ? withTopLogits(graphs.decoder.bytes, vocabSize) : null;
    const routers = routersOf(graphs.decoder.bytes, options.spec);
    const graph = { ...probeGraph(withTop ?? graphs.decoder.bytes), routers };
    const sessions: ort.InferenceSession[] = [];
    const open = async (
      file: GraphFile,
      kept: Record<string, 'gpu-buffer'>,
    ): Promise<ort.InferenceSession> => {
      const session = await createSession(
        file,
        options.provider,
        kept,
        options.isProfiled === true,
      );
      sessions.push(session);
      return session;
    };
    try {
      const embed =
        graphs.embed === undefined
          ? null
          : await open(graphs.embed, { inputs_embeds: 'gpu-buffer' });
      const session = await open(
        { ...graphs.decoder, bytes: graph.bytes },
        {
          ...presentLocations(options.spec, graph.probes),
          ...(withTop === null ? {} : { logits: 'gpu-buffer' as const }),
        },
      );
      const runtime = ortRuntime(
        session,
        options.provider === 'wasm' && options.keepsHeap !== false,
      );
      return new ModelSession(runtime, embed, options, graph, rewritten?.rewrite ?? null, 0);
    } catch (error) {
      for (const session of sessions) await session.release();
      throw error;
    }
  }

  /** States before the first token: zeros and an empty KV cache. */
  emptyStates(): LayerStates {
    const tensors = new Map<string, StateTensor>();
    for (const { past, type, emptyDims } of this.#states) {
      const size = elementsOf(emptyDims);
      tensors.set(
        past,
        new ort.Tensor(type as 'float32', zeros(type, size) as Float32Array, emptyDims),
      );
    }
    return new LayerStates(tensors, 0);
  }

  /** Type and fixed dims of each state input; a 0 stands for the KV length. */
  get stateShapes(): ReadonlyMap<
    string,
    { readonly type: string; readonly dims: readonly number[] }
  > {
    return new Map(
      this.#states.map(({ past, type, emptyDims }) => [past, { type, dims: emptyDims }]),
    );
  }

  /** A state tensor with the bytes of `type` (float32 or float16), which it takes over. */
  stateTensor(type: string, bytes: Uint8Array, dims: readonly number[]): StateTensor {
    const { buffer, byteOffset, byteLength } = bytes;
    const data =
      type === 'float16'
        ? new Uint16Array(buffer, byteOffset, byteLength / 2)
        : new Float32Array(buffer, byteOffset, byteLength / 4);
    return new ort.Tensor(type as 'float32', data as Float32Array, dims);
  }

  /**
   * Reads `tokens` (1 or more) after `from`; `probes` names further outputs to bring. Neither changes nor releases
   * `from`; the new states belong to the caller. RangeError when the context would be overrun, or when layers hold
   * unlike numbers of keys and the model cannot be told. With a `temperature` a session that can gives the largest
   * logits in place of all, with the sums for drawing at that temperature (0: greedy). `keep` asks for the rows of that
   * many of the last tokens, not on a session that reads singly.
   */
  async step(
    tokens: ArrayLike<number>,
    from: LayerStates,
    probes: readonly string[] = [],
    temperature: number | null = null,
    keep = 1,
  ): Promise<StepResult> {
    const count = tokens.length;
    const total = from.tokens + count;
    if (this.readsSingly && count > 1) return this.#stepSingly(tokens, from, probes, temperature);
    if (count === 0 || total > this.#mask.length) {
      throw new RangeError(
        `step of ${count} tokens after ${from.tokens} in a context of ${this.#mask.length}`,
      );
    }
    if (this.#ids.length < count) this.#ids = new BigInt64Array(count);
    const ids = this.#ids.subarray(0, count);
    for (let i = 0; i < count; i += 1) ids[i] = BigInt(tokens[i] ?? 0);

    const idTensor = new ort.Tensor('int64', ids, [1, count]);
    const embedded =
      this.#embed === null
        ? null
        : (await this.#embed.run({ input_ids: idTensor }, ['inputs_embeds']))['inputs_embeds'];
    const isTop = this.#givesTop && temperature !== null;
    const fetched = isTop ? [...this.#outputs, TOP_OUTPUT] : this.#outputs;
    let outputs: Readonly<Record<string, DecoderFeed>>;
    try {
      outputs = await this.#session.run(
        this.#feeds(embedded ?? idTensor, from, count, temperature, keep),
        probes.length === 0 ? fetched : [...fetched, ...probes],
      );
    } finally {
      embedded?.dispose();
    }
    const next = new Map<string, StateTensor>();
    for (const { past, present } of this.#states) {
      const tensor = outputs[present];
      if (tensor !== undefined) next.set(past, tensor);
    }
    const states = new LayerStates(next, total);
    let top: DeviceRow | undefined;
    let rows: Float32Array | undefined;
    try {
      if (isTop) top = this.#deviceRow(outputs['logits'], outputs[TOP_OUTPUT]);
      else {
        if (keep > 1) rows = await this.#readRows(outputs['logits'], keep);
        await this.#readLogits(outputs['logits']);
      }
    } catch (error) {
      states.release();
      for (const tensor of Object.values(outputs)) tensor.dispose();
      throw error;
    }
    const brought = new Map<string, StateTensor>();
    for (const name of probes) {
      const tensor = outputs[name];
      if (tensor !== undefined) brought.set(name, tensor);
    }
    return {
      logits: this.#logits,
      states,
      probes: brought,
      ...(top === undefined ? {} : { top }),
      ...(rows === undefined ? {} : { rows }),
    };
  }

  /** What the decoder takes for reading `tokens`, ids or embeddings of `count` tokens, after `from`. */
  #feeds(
    tokens: DecoderFeed,
    from: LayerStates,
    count: number,
    temperature: number | null,
    keep: number,
  ): Record<string, DecoderFeed> {
    const plain = this.#plain;
    const feeds: Record<string, DecoderFeed> = { [plain.tokens]: tokens };
    const keys = this.#feedKvLengths(feeds, from, count);
    if (plain.hasMask) {
      feeds['attention_mask'] = new ort.Tensor('int64', this.#mask.subarray(0, keys), [1, keys]);
    }
    if (plain.positionRows > 0)
      feeds['position_ids'] = positionsOf(from.tokens, count, plain.positionRows);
    if (plain.hasCacheSwitch)
      feeds['use_cache_branch'] = new ort.Tensor(
        'bool',
        Uint8Array.of(from.tokens > 0 ? 1 : 0),
        [1],
      );
    if (plain.keepDims !== null)
      feeds['num_logits_to_keep'] =
        keep === 1
          ? this.#keepOne
          : new ort.Tensor('int64', BigInt64Array.of(BigInt(keep)), plain.keepDims);
    for (const { past } of this.#states) feeds[past] = from.tensor(past) as DecoderFeed;
    // The list is an input's user even where it is not fetched.
    if (this.#givesTop)
      feeds[TOP_INPUT] = new ort.Tensor(
        'float32',
        Float32Array.of(temperature === null || temperature === 0 ? 1 : 1 / temperature),
        [],
      );
    return feeds;
  }

  /** Reads tokens one after the other. */
  async #stepSingly(
    tokens: ArrayLike<number>,
    from: LayerStates,
    probes: readonly string[],
    temperature: number | null,
  ): Promise<StepResult> {
    if (probes.length > 0) {
      throw new EngineError(
        'model-unsupported',
        'This model file can only be read token by token, so several tokens cannot be looked into at once.',
        'Watch a reply while it is written, or choose another variant of the model.',
      );
    }
    let result = await this.step([tokens[0] ?? 0], from);
    for (let i = 1; i < tokens.length; i += 1) {
      const before = result.states;
      try {
        result = await this.step(
          [tokens[i] ?? 0],
          before,
          [],
          i === tokens.length - 1 ? temperature : null,
        );
      } finally {
        before.release();
      }
    }
    return result;
  }

  /** Tells each attention layer how many keys it has after `count` tokens more; returns the longest. */
  #feedKvLengths(feeds: Record<string, DecoderFeed>, from: LayerStates, count: number): number {
    const totals = this.#attentionLayers.map((layer) => from.kvTokens(layer) + count);
    const longest = totals.length === 0 ? from.tokens + count : Math.max(...totals);
    if (!this.hasLayerwiseKv && totals.some((total) => total !== longest)) {
      throw new RangeError(`attention layers hold ${totals.join(', ')} keys, but must hold alike`);
    }
    const masks = new Map<number, ort.Tensor>();
    for (const [i, layer] of this.#attentionLayers.entries()) {
      const names = this.#kvLengths.get(layer);
      const total = totals[i] ?? 0;
      if (names === undefined) continue;
      if (names.kind === 'mask') {
        const mask = masks.get(total) ?? this.#causalMask(count, total);
        masks.set(total, mask);
        feeds[names.mask] = mask;
        continue;
      }
      feeds[names.last] = new ort.Tensor('int32', Int32Array.of(total - 1), [1]);
      feeds[names.total] = new ort.Tensor('int32', Int32Array.of(total), []);
    }
    return longest;
  }

  /** What a layer with `total` keys adds to the scores of the last `count` of them; (count, total). */
  #causalMask(count: number, total: number): ort.Tensor {
    if (count === 1) {
      return new ort.Tensor('float32', this.#noMask.subarray(0, total), [1, total]);
    }
    const mask = new Float32Array(count * total);
    for (let row = 0; row < count; row += 1)
      mask.fill(-1e30, row * total + (total - count + row + 1), (row + 1) * total);
    return new ort.Tensor('float32', mask, [count, total]);
  }

  /** Elements before the last row of logits (1, kept tokens, vocab). */
  #lastRowOf(tensor: DecoderFeed | undefined): { tensor: DecoderFeed; start: number } {
    const vocab = tensor?.dims.at(-1);
    if (tensor === undefined || vocab !== this.#vocabSize) {
      throw new EngineError(
        'model-unsupported',
        `The model gives ${vocab ?? 'no'} logits a token, but config.json says ${this.#vocabSize}.`,
        'Use the config.json that belongs to this model file.',
      );
    }
    return { tensor, start: elementsOf(tensor.dims) - vocab };
  }

  /** The last token's row by its largest; the tensor stays where it is until the row is disposed of. */
  #deviceRow(logits: DecoderFeed | undefined, list: DecoderFeed | undefined): DeviceRow {
    const { tensor, start } = this.#lastRowOf(logits);
    const top = readTopLogits((list?.data ?? []) as ArrayLike<number>, this.#vocabSize);
    list?.dispose();
    return {
      top,
      whole: async () => {
        const [row] = await this.values.read([{ tensor, offset: start, count: this.#vocabSize }]);
        return Float32Array.from(row ?? []);
      },
      dispose: () => tensor.dispose(),
    };
  }

  /** The last `keep` rows of logits (1, kept tokens, vocab), a copy; the tensor stays the caller's. */
  async #readRows(logits: DecoderFeed | undefined, keep: number): Promise<Float32Array> {
    const { tensor, start } = this.#lastRowOf(logits);
    const offset = start - (keep - 1) * this.#vocabSize;
    if (offset < 0) throw new RangeError(`${keep} rows of logits kept, but the model gave fewer`);
    const [rows] = await this.values.read([{ tensor, offset, count: keep * this.#vocabSize }]);
    return Float32Array.from(rows ?? []);
  }

  /** Copies the last token's row out of logits (1, kept tokens, vocab). */
  async #readLogits(logits: DecoderFeed | undefined): Promise<void> {
    const { tensor, start } = this.#lastRowOf(logits);
    try {
      if (tensor.location === 'gpu-buffer') {
        const [row] = await this.values.read([{ tensor, offset: start, count: this.#vocabSize }]);
        this.#logits.set(row ?? []);
        return;
      }
      const data = tensor.data;
      if (data instanceof Float32Array) this.#logits.set(data.subarray(start));
      else if (data instanceof Uint16Array) widenFloat16(data.subarray(start), this.#logits);
      else for (let i = 0; i < this.#vocabSize; i += 1) this.#logits[i] = Number(data[start + i]);
    } finally {
      tensor.dispose();
    }
  }

  /** The GPU device that ONNX Runtime made; null on WASM. */
  async gpuDevice(): Promise<GPUDevice | null> {
    return this.provider === 'webgpu' ? await ort.env.webgpu.device : null;
  }

  /** Ends the profile: ONNX Runtime writes it to where its glue prints, one event a line. */
  endProfile(): void {
    this.#session.endProfiling();
  }

  /** Frees the session; the states are the caller's to release. */
  async dispose(): Promise<void> {
    await this.#session.release();
    await this.#embed?.release();
  }
}
