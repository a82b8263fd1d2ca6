// Surgery on a cache whose keys are turned by their position: what is kept of it must still stand where it stood. With one
// layer a key depends on its token alone, so a cache cut to its last keys answers as one that has read only those.
import { afterAll, describe, expect, it } from 'vitest';
import { parseSpec } from '../../../src/models/spec';
import { operate } from '../../../workers/lab/operate';
import { liveStateCount, type LayerStates } from '../../../workers/runtime/layer-states';
import { configureRuntime, ModelSession } from '../../../workers/runtime/session';
import { rotaryModel } from '../../conformance/micro-models';
import { PLAIN_FILES } from '../workers/model-host';

const IDS = Array.from({ length: 24 }, (_, i) => (37 * i + 11) % 250);
const KEPT = 6;

async function open(rotary: 'inside' | 'position-ids') {
  const { files } = rotaryModel(rotary);
  const json = (path: string): unknown =>
    JSON.parse(new TextDecoder().decode(files.get(path))) as unknown;
  const spec = parseSpec('rotary', json('config.json'), json('generation_config.json'));
  configureRuntime({ build: 'plain', threads: 1, files: PLAIN_FILES });
  const graph = files.get('onnx/model.onnx') ?? new Uint8Array();
  return { spec, session: await ModelSession.create(graph, { provider: 'wasm', spec }) };
}

afterAll(() => {
  expect(liveStateCount()).toBe(0);
});

describe('a KV cache with rotary positions', () => {
  async function logitsAfter(
    { spec, session }: Awaited<ReturnType<typeof open>>,
    ids: readonly number[],
    keep: number | null,
  ): Promise<Float32Array> {
    const held: LayerStates[] = [session.emptyStates()];
    const last = (): LayerStates => held.at(-1) ?? session.emptyStates();
    try {
      if (ids.length > 0) held.push((await session.step(ids, last())).states);
      if (keep !== null)
        held.push(
          await operate(session, spec, last(), [{ kind: 'kv-window', layer: null, tokens: keep }]),
        );
      const { logits, states } = await session.step([5], last());
      held.push(states);
      return logits.slice();
    } finally {
      for (const states of held) states.release();
    }
  }

  it('keeps its meaning when it is shortened, where the file is told positions', async () => {
    const model = await open('position-ids');
    try {
      const cut = await logitsAfter(model, IDS, KEPT);
      const fresh = await logitsAfter(model, IDS.slice(-KEPT), null);
      const whole = await logitsAfter(model, IDS, null);
      // What was dropped mattered, or the comparison would say nothing.
      expect(distance(whole, fresh)).toBeGreaterThan(0.05);
      expect(distance(cut, fresh)).toBeLessThan(1e-3);
    } finally {
      await model.session.dispose();
    }
  });

  it('is not shortened where the operator turns keys by their place, and may be dropped', async () => {
    const model = await open('inside');
    try {
      await expect(logitsAfter(model, IDS, KEPT)).rejects.toThrow('by their place in the cache');
      const dropped = await logitsAfter(model, IDS, 0);
      const fresh = await logitsAfter(model, [], null);
      expect(distance(dropped, fresh)).toBeLessThan(1e-3);
    } finally {
      await model.session.dispose();
    }
  });
});

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? NaN))), 0);
}
