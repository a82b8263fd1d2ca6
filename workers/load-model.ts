/**
 * Owns the way from a model's files to a tested session: description, variant for a device, opening, self-test. Owns no
 * fetching (runtime/weights.ts), no order of devices (runtime/device-ladder.ts) and no job (engine.ts).
 */
import { dataNameOf } from '../src/core/data-names';
import { EngineError } from '../src/core/errors';
import type { ListedVariant, ModelListing } from '../src/core/model-listing';
import type { ModelSpec } from '../src/core/model-spec';
import { formatBytes } from '../src/core/units';
import { listingOfManifest, pathsOfVariant } from '../src/model-files/file-keys';
import { isPackedCheckpoint } from '../src/models/packed-weights';
import {
  parseManifest,
  parseSpec,
  type GoldenLogits,
  type ModelManifest,
} from '../src/models/spec';
import { chatTemplateOf } from '../src/models/chat-template';
import { thinkFormatOf, type ThinkFormat } from '../src/models/think-format';
import type { FourBitPreference, LoadProgress } from '../src/protocol/engine-api';
import {
  goldenDifference,
  largestTensorBytes,
  type LadderModel,
  type Rung,
} from './runtime/device-ladder';
import type { DraftModule } from './draft/draft-module';
import { createTokenizer, type ChatTokenizer } from './runtime/hub';
import type { GraphFile } from './runtime/graph-reader';
import { ModelSession, type ModelGraphs } from './runtime/session';
import { countParameters } from './runtime/weight-count';
import type { ModelFiles } from './runtime/weights';
import { TokenCursor } from './token-cursor';

/** What is known of a model before its weights are. */
export interface ModelDescription {
  readonly spec: ModelSpec;
  readonly tokenizer: ChatTokenizer;
  readonly format: ThinkFormat;
  readonly listing: ModelListing;
  /** Of a model that was packaged for this app; null for any other. */
  readonly manifest: ModelManifest | null;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * tokenizer_config.json with the chat template in it, which newer exports keep in a file of its own. What this app packages
 * has the same in both, so that a first visit fetches one file less.
 */
async function tokenizerConfig(files: ModelFiles, isSite: boolean): Promise<unknown> {
  const config = (await files.json('tokenizer_config.json')) as Json | null;
  if (isSite && typeof config?.['chat_template'] === 'string') return config;
  const file = await files.text('chat_template.jinja');
  const template = chatTemplateOf(file, config);
  if (template === null) {
    throw new EngineError(
      'model-unsupported',
      'The model has no chat template: it was made to continue texts, not to answer.',
      'Choose the “Instruct” or “chat” sibling of the model.',
    );
  }
  // A list in the config is left as it is: it may have one for tools.
  return file === null ? config : { ...config, chat_template: template };
}

/** manifest.json, where it is this app's own; other projects have files of that name too. */
async function ownManifest(files: ModelFiles, isSite: boolean): Promise<ModelManifest | null> {
  if (isSite) return files.manifest();
  const json = await files.json('manifest.json', {});
  try {
    return parseManifest(json);
  } catch (error) {
    if (error instanceof EngineError) return null;
    throw error;
  }
}

/** The listing of a folder from disk or a hub, whose file names don't tell that its graphs share their weights. */
function withParts(listing: ModelListing, manifest: ModelManifest | null): ModelListing {
  if (listing.source === 'site' || manifest === null) return listing;
  if (manifest.parts.length === 0 && Object.keys(manifest.drafts).length === 0) return listing;
  return { ...listing, variants: listingOfManifest(manifest, listing.baseUrl).variants };
}

/** Reads the small files. EngineError as parsing and fetching give it. */
export async function describeModel(files: ModelFiles, isSite: boolean): Promise<ModelDescription> {
  const manifest = await ownManifest(files, isSite);
  const listing = withParts(await files.listing(), manifest);
  const [config, generation, tokenizerJson, tokenizerSettings] = await Promise.all([
    files.json('config.json'),
    files.json('generation_config.json', {}),
    files.json('tokenizer.json'),
    tokenizerConfig(files, isSite),
  ]);
  const spec = parseSpec(manifest?.name ?? listing.id, config, generation);
  const tokenizer = createTokenizer(tokenizerJson, tokenizerSettings, spec.vocabSize);
  const format = thinkFormatOf(
    (token) => tokenizer.idOf(token),
    spec.eosTokenIds,
    tokenizer.adapter,
  );
  return { spec, tokenizer, format, listing, manifest };
}

function bytesOf(listing: ModelListing, variant: ListedVariant): number {
  const paths = new Set(pathsOfVariant(variant));
  return listing.files.reduce((sum, { path, bytes }) => sum + (paths.has(path) ? bytes : 0), 0);
}

/** What the ladder must know; `wanted` leaves only that dtype. EngineError `model-missing` when there is none such. */
export function ladderModelOf(
  { spec, listing }: Pick<ModelDescription, 'spec' | 'listing'>,
  wanted?: string,
): LadderModel {
  const has = listing.variants.map(({ dtype }) => dtype);
  if (wanted !== undefined && !has.includes(wanted)) {
    throw new EngineError(
      'model-missing',
      `${listing.id} has no variant "${wanted}"; it has ${has.join(', ')}.`,
      'Choose one of them.',
    );
  }
  const variants = listing.variants
    .filter(({ dtype }) => wanted === undefined || dtype === wanted)
    .map((variant) => {
      const bytes = bytesOf(listing, variant);
      const { dtype } = variant;
      return [dtype, { bytes, tensorBytes: largestTensorBytes(spec, dtype, bytes) }] as const;
    });
  return { name: spec.name, variants: new Map(variants), isChosen: wanted !== undefined };
}

/** The graphs of a variant with their data, out of the contents of its files. */
export async function graphsOf(
  variant: ListedVariant,
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<ModelGraphs> {
  const file = async (session: string): Promise<GraphFile | null> => {
    const path = variant.graphs[session];
    const bytes = path === undefined ? undefined : contents.get(path);
    if (bytes === undefined) return null;
    const paths = variant.externalData[session] ?? [];
    const packed = paths.find(isPackedCheckpoint);
    if (packed !== undefined) {
      const { fillFromNvfp4 } = await import('./runtime/nvfp4-graph');
      return fillFromNvfp4(bytes, packed, contents.get(packed) ?? new Uint8Array());
    }
    const externalData = paths.map((data, index) => ({
      // A graph names its data by file name, whatever folder both are in.
      path: dataNameOf(path ?? '', data, index),
      data: contents.get(data) ?? new Uint8Array(),
    }));
    return { bytes, externalData };
  };
  const decoder = (await file('model')) ?? (await file('decoder_model_merged'));
  if (decoder === null) {
    throw new EngineError(
      'model-missing',
      `The variant ${variant.dtype} has neither "model" nor "decoder_model_merged": it has ${Object.keys(variant.graphs).join(', ')}.`,
      'Choose another variant of the model.',
    );
  }
  const embed = await file('embed_tokens');
  const mtp = await file('mtp');
  return {
    decoder,
    ...(embed === null ? {} : { embed }),
    // The module reads the embedding out of its parent's file, whatever folder that is in.
    ...(mtp === null
      ? {}
      : {
          mtp: {
            ...mtp,
            externalData: [{ path: baseName(variant.graphs['model'] ?? ''), data: decoder.bytes }],
          },
        }),
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** More than this is not read a second time beside the running model. Bytes. */
const MOST_READ_AGAIN = 256 * 1024 ** 2;

/** The graph of a running model's variant, read again from where it is kept. EngineError `out-of-memory`. */
export async function readDecoder(
  { listing }: Pick<ModelDescription, 'listing'>,
  dtype: string,
  files: ModelFiles,
): Promise<GraphFile> {
  const variant = listing.variants.find((one) => one.dtype === dtype);
  if (variant === undefined) throw new RangeError(`${listing.id} has no variant ${dtype}`);
  const bytes = bytesOf(listing, variant);
  if (bytes > MOST_READ_AGAIN)
    throw new EngineError(
      'out-of-memory',
      `The weights have ${formatBytes(bytes)}; up to ${formatBytes(MOST_READ_AGAIN)} are read again beside the running model.`,
      'Choose a smaller model to look at its weights.',
    );
  const contents = await files.files(pathsOfVariant(variant), () => {});
  return (await graphsOf(variant, contents)).decoder;
}

/** What a self-test found. */
export interface SelfTest {
  readonly maxDifference: number;
  readonly tolerance: number;
  /** A clause that says what was compared. */
  readonly agreement: string;
  /** What the person should know; '' when nothing. */
  readonly notice: string;
}

export interface OpenedModel {
  readonly session: ModelSession;
  readonly selfTest: SelfTest;
  /** Path of the graph in use. */
  readonly path: string;
  readonly weightBytes: number;
  readonly parameters: number;
  /** Drafts for the session; null where the model has no module, or this device cannot check drafts exactly. */
  readonly module: DraftModule | null;
}

export interface OpenOptions {
  readonly onProgress: (progress: LoadProgress) => void;
  readonly rewriteFourBit: FourBitPreference | undefined;
}

/**
 * The variant's module beside its parent. On WASM only: there several tokens are read by the same sums as one, so that a
 * draft is checked exactly; the 4-bit kernels of a GPU round otherwise.
 */
async function openDrafts(
  variant: ListedVariant,
  { mtp }: ModelGraphs,
  session: ModelSession,
  spec: ModelSpec,
): Promise<DraftModule | null> {
  if (mtp === undefined || session.provider !== 'wasm' || session.readsSingly) return null;
  const { DraftModule } = await import('./draft/draft-module');
  return DraftModule.open(variant.graphs['mtp'] ?? '', mtp, spec, session.outputNames);
}

/** Fetches the rung's variant, opens it and tests it. The session is the caller's. */
export async function openModel(
  { spec, listing, manifest, tokenizer }: ModelDescription,
  rung: Rung,
  files: ModelFiles,
  { onProgress, rewriteFourBit }: OpenOptions,
): Promise<OpenedModel> {
  const variant = listing.variants.find(({ dtype }) => dtype === rung.variant);
  if (variant === undefined) throw new RangeError(`${listing.id} has no variant ${rung.variant}`);
  const weightBytes = bytesOf(listing, variant);
  const state = { loadedBytes: 0, totalBytes: weightBytes, fromCache: false };
  const contents = await files.files(
    pathsOfVariant(variant),
    ({ file, loadedBytes, totalBytes, cachedBytes }) => {
      state.loadedBytes = loadedBytes;
      state.fromCache = cachedBytes === loadedBytes;
      onProgress({ stage: 'weights', ...state, totalBytes, file });
    },
  );
  const stage = (name: LoadProgress['stage']): void =>
    onProgress({ stage: name, ...state, loadedBytes: weightBytes });
  stage('session');
  const graphs = await graphsOf(variant, contents);
  const session = await ModelSession.create(graphs, {
    provider: rung.provider,
    spec,
    ...(rewriteFourBit === undefined ? {} : { rewriteFourBit }),
  });
  try {
    stage('self-test');
    const golden = manifest?.golden[rung.variant];
    const selfTest =
      golden === undefined || manifest === null
        ? await testAgainstItself(session, probeIds(tokenizer, spec))
        : await testAgainstGolden(session, manifest.goldenIds, golden);
    const [path = ''] = Object.values(variant.graphs).slice(-1);
    const parameters =
      manifest?.parameters ??
      countParameters(graphs.decoder.bytes) +
        (graphs.embed === undefined ? 0 : countParameters(graphs.embed.bytes));
    const module = await openDrafts(variant, graphs, session, spec);
    return { session, selfTest, path, weightBytes, parameters, module };
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

/**
 * Reads the golden prompt but its last token, then that token: prefill, decoding and carried states are all tested, and
 * on a GPU their shaders are compiled by it. EngineError `self-test-failed`.
 */
async function testAgainstGolden(
  session: ModelSession,
  ids: readonly number[],
  golden: GoldenLogits,
): Promise<SelfTest> {
  const cursor = new TokenCursor(session, session.emptyStates(), []);
  try {
    if (ids.length > 1) await cursor.read(ids.slice(0, -1));
    const maxDifference = goldenDifference(await cursor.read(ids.slice(-1)), golden);
    const { tolerance } = golden;
    if (!(maxDifference <= tolerance)) {
      throw new EngineError(
        'self-test-failed',
        `its logits differ from the reference by ${inWords(maxDifference)}, more than the allowed ${inWords(tolerance)}`,
        'Another device is tried.',
      );
    }
    const agreement = `its logits agree with the reference to ${inWords(maxDifference)} (allowed ${inWords(tolerance)})`;
    return { maxDifference, tolerance, agreement, notice: '' };
  } finally {
    cursor.dispose();
  }
}

/** Read by the self-test: ordinary words, of which any tokenizer makes some ten tokens. */
const PROBE_TEXT = 'The pool keeps its size; the tide rises with every word that is read.';
const PROBE_TOKENS = 10;

function probeIds(tokenizer: ChatTokenizer, spec: ModelSpec): number[] {
  return tokenizer
    .encode(PROBE_TEXT)
    .filter((id) => id < spec.vocabSize)
    .slice(0, PROBE_TOKENS);
}

/**
 * Largest difference, as a share of the logits' spread, that is rounding: prefill and decoding run through other kernels
 * (MatMulNBits with accuracy level 4 on WebGPU was seen to differ by 0.67 on logits up to 57). An export that drops its
 * states between calls differs by a good part of the spread.
 */
const ROUNDING_SHARE = 0.05;

/** Reading a prompt at once must not take longer than reading its tokens one by one; some exports unroll it. */
export function readsSinglyFaster(chunkMs: number, singlyMs: number): boolean {
  return chunkMs > 1.5 * singlyMs;
}

/**
 * Reads a few tokens one by one, at once, and in two pieces: public exports are known that forget their states between
 * calls of several tokens, or unroll the recurrence so that a prompt takes minutes. Such a file is read token by token.
 * EngineError `self-test-failed` when the logits are no numbers.
 */
async function testAgainstItself(session: ModelSession, ids: readonly number[]): Promise<SelfTest> {
  const read = async (
    pieces: readonly (readonly number[])[],
  ): Promise<{ logits: Float32Array; ms: number }> => {
    const cursor = new TokenCursor(session, session.emptyStates(), []);
    const startedAt = performance.now();
    try {
      let logits = new Float32Array();
      for (const piece of pieces) logits = (await cursor.read(piece)).slice();
      return { logits, ms: performance.now() - startedAt };
    } finally {
      cursor.dispose();
    }
  };
  const half = Math.ceil(ids.length / 2);
  const chunks = [ids.slice(0, half), ids.slice(half)];
  // The first run compiles shaders and makes room; its time says nothing.
  const whole = await read([ids]);
  const singly = await read(ids.map((id) => [id]));
  const chunked = await read(chunks);
  let low = Infinity;
  let high = -Infinity;
  let maxDifference = 0;
  singly.logits.forEach((value, i) => {
    low = Math.min(low, value);
    high = Math.max(high, value);
    for (const { logits } of [whole, chunked])
      maxDifference = Math.max(maxDifference, Math.abs(value - (logits[i] ?? NaN)));
  });
  const isFinite = singly.logits.every(Number.isFinite);
  if (!isFinite || singly.logits.length === 0) {
    throw new EngineError(
      'self-test-failed',
      'its logits are not numbers',
      'Choose another variant of the model.',
    );
  }
  const tolerance = ROUNDING_SHARE * (high - low);
  const difference = `its logits after ${ids.length} tokens read at once and one by one differ by ${inWords(maxDifference)} (allowed ${inWords(tolerance)})`;
  if (!(maxDifference <= tolerance)) {
    session.readsSingly = true;
    return {
      maxDifference,
      tolerance,
      agreement: `${difference}, so it reads token by token`,
      notice:
        'This model file forgets what it has read when it reads several tokens at once, so it reads prompts token by token, which takes longer.',
    };
  }
  if (readsSinglyFaster(chunked.ms, singly.ms)) {
    session.readsSingly = true;
    return {
      maxDifference,
      tolerance,
      agreement: `${difference}; reading at once is slower, so it reads token by token`,
      notice: '',
    };
  }
  return { maxDifference, tolerance, agreement: difference, notice: '' };
}

/** Hex SHA-256 over the model's list of files with their hashes: two models with one identity are the same. */
export async function identityOf({ files }: ModelListing): Promise<string> {
  const listed = files
    .map(({ path, bytes, sha256, gitSha1 }) => `${path} ${sha256 ?? gitSha1 ?? bytes}\n`)
    .sort();
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(listed.join('')));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A difference as a person reads it: 0.0083, 1.6, 1230. */
function inWords(difference: number): string {
  return difference < 100 ? String(Number(difference.toPrecision(2))) : difference.toFixed(0);
}
