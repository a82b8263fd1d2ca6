/** The shipped reward graph beside its parent on WASM: scores, one reading of the prompt, and the refusal of another's. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors';
import { Engine } from '../../../workers/engine';
import { liveStateCount } from '../../../workers/runtime/layer-states';
import { checkParent, parentsOf } from '../../../workers/reward/reward-graph';
import { generate, loadEngine, nodeHost, requestOf, valueOf } from './model-host';
import manifest from '../../../public/models/tidepool-mtp/manifest.json';

const MODEL = new URL('../../../public/models/tidepool-mtp/', import.meta.url).href;
const VARIANT = 'onnx/model_quantized.onnx';

let engine: Engine;

beforeAll(async () => {
  engine = new Engine(nodeHost());
  expect((await loadEngine(engine, MODEL)).outcome).toMatchObject({ value: { canScore: true } });
}, 60_000);

afterAll(() => engine.dispose());

it('scores drafts of one answer from one reading of the prompt, and only when asked', async () => {
  const request = requestOf({ maxAnswerTokens: 96, thinkingLimit: 60, isScored: true });
  const drawn = { ...request.sampling, temperature: 0.8 };
  const first = valueOf(
    (await generate(engine, { ...request, sampling: { ...drawn, seed: 1 } })).outcome,
  );
  const states = liveStateCount();
  const second = valueOf(
    (await generate(engine, { ...request, sampling: { ...drawn, seed: 2 } })).outcome,
  );
  expect(Number.isFinite(first.reward)).toBe(true);
  expect(Number.isFinite(second.reward)).toBe(true);
  expect(second.stats.reusedTokens).toBe(second.stats.promptTokens - 1);
  const again = valueOf(
    (await generate(engine, { ...request, sampling: { ...drawn, seed: 2 } })).outcome,
  );
  expect(again.reward).toBe(second.reward);
  expect(liveStateCount()).toBeLessThanOrEqual(states + 2);
  const plain = valueOf((await generate(engine, { ...request, isScored: false })).outcome);
  expect(plain.reward).toBeUndefined();
}, 60_000);

it('is bound to its parent by hash: beside another model it is refused with a sentence', async () => {
  const bytes = new Uint8Array(
    await readFile(fileURLToPath(new URL(`${MODEL}${manifest.reward}`))),
  );
  const files = manifest.files.map((file) => ({ ...file, gitSha1: null }));
  expect(parentsOf(bytes)).toContain(files.find(({ path }) => path === VARIANT)?.sha256);
  expect(() => checkParent(manifest.reward, bytes, VARIANT, { files })).not.toThrow();
  const others = files.map((file) => ({ ...file, sha256: 'f'.repeat(64) }));
  const refusal = (given: Uint8Array, listed: typeof files): string => {
    try {
      checkParent(manifest.reward, given, VARIANT, { files: listed });
    } catch (error) {
      expect(error).toBeInstanceOf(EngineError);
      return (error as EngineError).message;
    }
    return 'nothing was refused';
  };
  expect(refusal(bytes, others)).toContain('was fitted on another model than');
  expect(refusal(new Uint8Array(), files)).toContain('does not name the model');
  expect(refusal(bytes.subarray(0, bytes.length - 40), files)).toContain(manifest.reward);
});
