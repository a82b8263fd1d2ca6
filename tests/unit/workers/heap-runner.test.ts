import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestFile, parseManifest, parseSpec } from '../../../src/models/spec';
import {
  capturingGlue,
  HeapTensor,
  liveHeapTensorCount,
} from '../../../workers/runtime/heap-runner';
import { configureRuntime, ModelSession } from '../../../workers/runtime/session';
import { TokenCursor } from '../../../workers/token-cursor';
import { MICRO_URL, PLAIN_FILES } from './model-host';

async function fileOf(path: string): Promise<Buffer> {
  return readFile(fileURLToPath(new URL(path, MICRO_URL)));
}

async function jsonOf(path: string): Promise<unknown> {
  return JSON.parse((await fileOf(path)).toString()) as unknown;
}

describe('states in the WASM heap', () => {
  let copied: ModelSession;
  let inHeap: ModelSession;
  const ids = Array.from({ length: 60 }, (_, i) => (41 * i + 7) % 4096);

  beforeAll(async () => {
    const manifest = parseManifest(await jsonOf('manifest.json'));
    const spec = parseSpec('micro', await jsonOf('config.json'), {});
    configureRuntime({ build: 'plain', threads: 1, files: PLAIN_FILES });
    const entry = manifestFile(manifest, manifest.variants['quantized'] ?? '');
    const bytes = new Uint8Array(await fileOf(entry.path));
    copied = await ModelSession.create(bytes, { provider: 'wasm', spec, keepsHeap: false });
    inHeap = await ModelSession.create(bytes, { provider: 'wasm', spec });
  }, 60_000);

  afterAll(async () => {
    await copied.dispose();
    await inHeap.dispose();
  });

  it('give the very logits and states that copied ones give, in pieces and token by token', async () => {
    const [a, b] = [copied, inHeap].map(
      (session) => new TokenCursor(session, session.emptyStates(), []),
    );
    if (a === undefined || b === undefined) throw new Error('two cursors');
    for (const [start, end] of [
      [0, 25],
      [25, 26],
      [26, 27],
      [27, 59],
      [59, 60],
    ] as const) {
      const want = (await a.read(ids.slice(start, end))).slice();
      expect(await b.read(ids.slice(start, end))).toEqual(want);
    }
    for (const name of a.states.names) {
      const [mine, theirs] = [b.states.tensor(name), a.states.tensor(name)];
      expect(mine).toBeInstanceOf(HeapTensor);
      expect(theirs).not.toBeInstanceOf(HeapTensor);
      expect(mine.dims).toEqual(theirs.dims);
      const [read] = await inHeap.values.read([{ tensor: mine }]);
      const [wanted] = await copied.values.read([{ tensor: theirs }]);
      expect(read).toEqual(wanted);
    }
    a.dispose();
    b.dispose();
    expect(liveHeapTensorCount()).toBe(0);
  });

  it('stay as they are when others go on from them, and are freed with their last holder', async () => {
    const first = await inHeap.step(ids.slice(0, 20), inHeap.emptyStates());
    const held = first.states.names.length;
    expect(liveHeapTensorCount()).toBe(held);
    const name = first.states.names.find((one) => one.startsWith('past_ssm')) ?? '';
    const [before] = await inHeap.values.read([{ tensor: first.states.tensor(name) }]);
    const one = await inHeap.step(ids.slice(20, 30), first.states);
    const wanted = one.logits.slice();
    one.states.release();
    const two = await inHeap.step(ids.slice(20, 30), first.states);
    expect(two.logits).toEqual(wanted);
    const [after] = await inHeap.values.read([{ tensor: first.states.tensor(name) }]);
    expect(after).toEqual(before);
    expect(liveHeapTensorCount()).toBe(2 * held);
    const tensor = two.states.tensor(name);
    two.states.release();
    first.states.release();
    expect(liveHeapTensorCount()).toBe(0);
    expect(() => tensor.data).toThrow('freed already');
  });

  it('take tensors of JavaScript among their own', async () => {
    const start = await inHeap.step(ids.slice(0, 20), inHeap.emptyStates());
    const name = start.states.names[0] ?? '';
    const tensor = start.states.tensor(name);
    const [bytes] = await inHeap.values.readBytes([{ tensor }]);
    const swapped = start.states.derive(
      new Map([[name, inHeap.stateTensor('float32', bytes ?? new Uint8Array(), tensor.dims)]]),
    );
    const wanted = await inHeap.step([5], start.states);
    const logits = wanted.logits.slice();
    const got = await inHeap.step([5], swapped);
    expect(got.logits).toEqual(logits);
    for (const states of [wanted.states, got.states, swapped, start.states]) states.release();
    expect(liveHeapTensorCount()).toBe(0);
  });

  it('are freed, and the logits with them, when the logits are not as long as the config says', async () => {
    const manifest = parseManifest(await jsonOf('manifest.json'));
    const spec = parseSpec('micro', await jsonOf('config.json'), {});
    const { path } = manifestFile(manifest, manifest.variants['quantized'] ?? '');
    const other = await ModelSession.create(new Uint8Array(await fileOf(path)), {
      provider: 'wasm',
      spec: { ...spec, vocabSize: spec.vocabSize + 1 },
    });
    const start = other.emptyStates();
    await expect(other.step([5], start)).rejects.toThrow('4096 logits a token');
    expect(liveHeapTensorCount()).toBe(0);
    start.release();
    await other.dispose();
  });

  it('say what ONNX Runtime says when a run fails, and go on', async () => {
    const start = await inHeap.step(ids.slice(0, 4), inHeap.emptyStates());
    const name = start.states.names.find((one) => one.startsWith('past_conv')) ?? '';
    const wrong = start.states.derive(
      new Map([[name, inHeap.stateTensor('float32', new Uint8Array(4), [1, 1, 1])]]),
    );
    await expect(inHeap.step([5], wrong)).rejects.toThrow(/ONNX Runtime failed .*past_conv/s);
    (await inHeap.step([5], start.states)).states.release();
    wrong.release();
    start.states.release();
    expect(liveHeapTensorCount()).toBe(0);
  });

  it('are left where the glue cannot be wrapped', async () => {
    expect(await capturingGlue('file:///nowhere/glue.mjs')).toBeNull();
  });
});
