/** Owns the loading of a model folder in Node: the app's own reading, its tokenizer and its WASM runtime, one thread. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EngineError } from '../../src/core/errors';
import type { ModelSpec } from '../../src/core/model-spec';
import { pathsOfVariant } from '../../src/model-files/file-keys';
import type { ModelManifest } from '../../src/models/spec';
import type { ThinkFormat } from '../../src/models/think-format';
import { DraftModule } from '../../workers/draft/draft-module';
import { describeModel, graphsOf } from '../../workers/load-model';
import type { ChatTokenizer } from '../../workers/runtime/hub';
import { goldenDifference } from '../../workers/runtime/device-ladder';
import { configureRuntime, ModelSession, type ModelGraphs } from '../../workers/runtime/session';
import { ModelFiles } from '../../workers/runtime/weights';

/** The variant that the app runs on WASM. */
export const SHIPPED_VARIANT = 'quantized';

export interface ModelFolder {
  readonly manifest: ModelManifest;
  readonly spec: ModelSpec;
  readonly tokenizer: ChatTokenizer;
  readonly format: ThinkFormat;
  readonly files: ModelFiles;
}

/** Answers file: addresses as a static host would. */
async function fetchFile(url: string): Promise<Response> {
  const path = fileURLToPath(url);
  if (!existsSync(path)) return new Response(null, { status: 404, statusText: 'Not Found' });
  return new Response(new Uint8Array(await readFile(path)));
}

/** Reads what is small in a model folder. EngineError of the app where something is missing or wrong. */
export async function openFolder(folder: string): Promise<ModelFolder> {
  const files = new ModelFiles({
    modelUrl: `${pathToFileURL(resolve(folder)).href}/`,
    fetch: fetchFile,
  });
  const { spec, tokenizer, format } = await describeModel(files, true);
  return { manifest: await files.manifest(), spec, tokenizer, format, files };
}

/** Perplexity by variant, fp32 among them, as packaging measured and gated it; empty where the manifest has none. */
export async function packagedPerplexity(
  folder: string,
): Promise<Readonly<Record<string, number>>> {
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const checks: unknown = isRecord(manifest) ? manifest['checks'] : undefined;
  const measured: unknown = isRecord(checks) ? checks['perplexity'] : undefined;
  if (!isRecord(measured)) return {};
  return Object.fromEntries(
    Object.entries(measured).filter((entry): entry is [string, number] => {
      return typeof entry[1] === 'number';
    }),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Variants of the manifest whose file is there. */
export function presentVariants({ manifest }: ModelFolder, folder: string): readonly string[] {
  return Object.entries(manifest.variants).flatMap(([variant, path]) =>
    existsSync(resolve(folder, path)) ? [variant] : [],
  );
}

/** Loads one variant and holds it against its golden logits. EngineError when it fails them. */
export async function openVariant(folder: ModelFolder, variant: string): Promise<ModelSession> {
  return (await openGraphs(folder, variant)).session;
}

/** As {@link openVariant}, with the module that drafts for it; null where the model has none. */
export async function openWithModule(
  folder: ModelFolder,
  variant: string,
): Promise<{ session: ModelSession; module: DraftModule | null }> {
  const { session, graphs } = await openGraphs(folder, variant);
  const { spec, manifest } = folder;
  if (graphs.mtp === undefined) return { session, module: null };
  const path = manifest.drafts[variant] ?? '';
  return {
    session,
    module: await DraftModule.open(path, graphs.mtp, spec, session.outputNames),
  };
}

async function openGraphs(
  folder: ModelFolder,
  variant: string,
): Promise<{ session: ModelSession; graphs: ModelGraphs }> {
  const { manifest, spec, files } = folder;
  const ort = dirname(
    createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'),
  );
  configureRuntime({
    build: 'plain',
    threads: 1,
    files: {
      mjs: pathToFileURL(`${ort}/ort-wasm-simd-threaded.mjs`).href,
      wasm: pathToFileURL(`${ort}/ort-wasm-simd-threaded.wasm`).href,
    },
  });
  const golden = manifest.golden[variant];
  const listing = await files.listing();
  const listed = listing.variants.find(({ dtype }) => dtype === variant);
  if (listed === undefined || golden === undefined) {
    throw new EngineError(
      'model-missing',
      `${manifest.name} has no variant "${variant}"; it has ${Object.keys(manifest.variants).join(', ')}.`,
      'Package the model anew with `python -m tidepool_model.export.package`.',
    );
  }
  const contents = await files.files(pathsOfVariant(listed), () => {});
  const graphs = await graphsOf(listed, contents);
  const session = await ModelSession.create(graphs, { provider: 'wasm', spec });
  const empty = session.emptyStates();
  const { logits, states } = await session.step(manifest.goldenIds, empty);
  empty.release();
  states.release();
  const difference = goldenDifference(logits, golden);
  if (!(difference <= golden.tolerance)) {
    await session.dispose();
    throw new EngineError(
      'self-test-failed',
      `${listed.graphs['model'] ?? variant} gives logits that differ by ${difference.toPrecision(3)} from its golden ones (allowed ${golden.tolerance.toPrecision(3)}).`,
      'Package the model anew with `python -m tidepool_model.export.package`.',
    );
  }
  return { session, graphs };
}
