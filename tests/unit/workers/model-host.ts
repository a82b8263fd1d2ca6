/** Owns the engine's surroundings in Node: model files from disk, ONNX Runtime's plain build from node_modules. */
import { GREEDY } from '../../../src/core/sampling/greedy';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { DeviceProfile } from '../../../src/models/device-profile';
import type {
  EngineEvent,
  EventBatch,
  GenerateRequest,
  LoadProgress,
} from '../../../src/protocol/engine-api';
import { thinkFormatOf, type ThinkFormat } from '../../../src/models/think-format';
import type { Engine, EngineHost } from '../../../workers/engine';
import { createTokenizer, type ChatTokenizer } from '../../../workers/runtime/hub';
import type { RuntimeFiles } from '../../../workers/runtime/session';

const ortFolder = dirname(
  createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'),
);

export const PLAIN_FILES: RuntimeFiles = {
  mjs: pathToFileURL(`${ortFolder}/ort-wasm-simd-threaded.mjs`).href,
  wasm: pathToFileURL(`${ortFolder}/ort-wasm-simd-threaded.wasm`).href,
};

/** Folder of the micro model; TIDEPOOL_MICRO names another one, e.g. before it is trained. */
export const MICRO_URL = new URL(
  `${(process.env['TIDEPOOL_MICRO'] ?? fileURLToPath(new URL('../../../public/models/micro', import.meta.url))).replace(/\/$/, '')}/`,
  'file://',
).href;

/** Tokenizer and chat form of the micro model, for models that are scripted. */
export async function microChat(): Promise<{ tokenizer: ChatTokenizer; format: ThinkFormat }> {
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(fileURLToPath(new URL(name, MICRO_URL)), 'utf8')) as unknown;
  const tokenizer = createTokenizer(
    await json('tokenizer.json'),
    await json('tokenizer_config.json'),
  );
  return { tokenizer, format: thinkFormatOf((token) => tokenizer.idOf(token), []) };
}

const NO_GPU: DeviceProfile = {
  gpu: { missing: 'this is Node' },
  isIsolated: false,
  cores: 2,
  hasJspi: false,
};

/** Answers file: addresses as a static host would; `change` may give other bytes for a path, or null for 404. */
export function fileFetch(
  change: (path: string, bytes: Buffer) => Uint8Array<ArrayBuffer> | Response | null = (_, bytes) =>
    new Uint8Array(bytes),
): (url: string) => Promise<Response> {
  return async (url) => {
    const path = fileURLToPath(url);
    if (!existsSync(path))
      return new Response('not found', { status: 404, statusText: 'Not Found' });
    const body = change(path, await readFile(path));
    if (body === null) return new Response('not found', { status: 404, statusText: 'Not Found' });
    return body instanceof Response ? body : new Response(body);
  };
}

export function nodeHost(changes: Partial<EngineHost> = {}): EngineHost {
  return {
    fetch: fileFetch(),
    probe: () => Promise.resolve(NO_GPU),
    runtimeFiles: { plain: PLAIN_FILES },
    ...changes,
  };
}

/** A port that remembers what was sent. */
export class MemoryPort<T> extends EventTarget {
  readonly messages: T[] = [];
  onPost: ((message: T) => void) | null = null;

  postMessage(message: T): void {
    this.messages.push(message);
    this.onPost?.(message);
  }
}

export function asPort<T>(port: MemoryPort<T>): MessagePort {
  return port as unknown as MessagePort;
}

export async function loadEngine(
  engine: Engine,
  modelUrl = MICRO_URL,
): Promise<{
  outcome: Awaited<ReturnType<Engine['load']>>;
  progress: LoadProgress[];
}> {
  const port = new MemoryPort<LoadProgress>();
  const outcome = await engine.load({ modelUrl, device: 'auto' }, asPort(port));
  return { outcome, progress: port.messages };
}

export function requestOf(changes: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    id: 'reply',
    messages: [{ role: 'user', content: 'What is 23 + 58?' }],
    thinkingLimit: 32,
    closingSentence: '',
    maxAnswerTokens: 24,
    sampling: GREEDY,
    stopStrings: [],
    tools: [],
    candidates: 0,
    ...changes,
  };
}

export async function generate(
  engine: Engine,
  request: GenerateRequest,
  onEvent: (event: EngineEvent) => void = () => {},
): Promise<{
  outcome: Awaited<ReturnType<Engine['generate']>>;
  events: EngineEvent[];
  batches: EventBatch[];
}> {
  const port = new MemoryPort<EventBatch>();
  port.onPost = (batch) => batch.events.forEach(onEvent);
  const outcome = await engine.generate(request, asPort(port));
  return {
    outcome,
    events: port.messages.flatMap((batch) => [...batch.events]),
    batches: port.messages,
  };
}

/** The value of a successful outcome; throws its error otherwise. */
export function valueOf<T>(outcome: { ok: true; value: T } | { ok: false }): T {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  return outcome.value;
}
