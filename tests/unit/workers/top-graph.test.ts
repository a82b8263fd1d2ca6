import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web/webgpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GREEDY } from '../../../src/core/sampling/greedy';
import type { ModelSpec } from '../../../src/core/model-spec';
import { createRandom } from '../../../src/core/sampling/random';
import { sampleToken, type SamplingSettings } from '../../../src/core/sampling/sampler';
import { sampleFromTopLogits } from '../../../src/core/sampling/top-logits';
import { parseManifest, parseSpec } from '../../../src/models/spec';
import { thinkFormatOf } from '../../../src/models/think-format';
import { runGeneration, type GenerationModel } from '../../../workers/generate-loop';
import { liveHeapTensorCount } from '../../../workers/runtime/heap-runner';
import { createTokenizer, type ChatTokenizer } from '../../../workers/runtime/hub';
import { block, integer, text } from '../../../workers/runtime/protobuf';
import { configureRuntime, ModelSession } from '../../../workers/runtime/session';
import { SnapshotCache } from '../../../workers/runtime/snapshots';
import {
  readTopLogits,
  TOP_INPUT,
  TOP_OUTPUT,
  withTopLogits,
} from '../../../workers/runtime/top-graph';
import { TokenCursor } from '../../../workers/token-cursor';
import { MICRO_URL, PLAIN_FILES, requestOf } from './model-host';

async function fileOf(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(fileURLToPath(new URL(path, MICRO_URL))));
}

async function jsonOf(path: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await fileOf(path))) as unknown;
}

beforeAll(() => configureRuntime({ build: 'plain', threads: 1, files: PLAIN_FILES }));

/** A model whose logits (1, 2, vocab) are its input x. */
function mirror(vocab: number): Uint8Array {
  const value = (field: number, name: string): number[] =>
    block(field, [
      ...text(1, name),
      ...block(
        2,
        block(1, [
          ...integer(1, 1),
          ...block(
            2,
            [1, 2, vocab].flatMap((dim) => block(1, integer(1, dim))),
          ),
        ]),
      ),
    ]);
  return Uint8Array.from([
    ...integer(1, 9),
    ...block(7, [
      ...block(1, [...text(1, 'x'), ...text(2, 'logits'), ...text(4, 'Identity')]),
      ...text(2, 'mirror'),
      ...value(11, 'x'),
      ...value(12, 'logits'),
    ]),
    ...block(8, [...text(1, ''), ...integer(2, 17)]),
  ]);
}

describe('the largest logits of a vocabulary of 131k', () => {
  const VOCAB = 131_072;

  it('give the tokens that the CPU sampler gives on the whole row', async () => {
    const session = await ort.InferenceSession.create(
      withTopLogits(mirror(VOCAB), VOCAB) ?? new Uint8Array(),
      { executionProviders: ['wasm'] },
    );
    const random = createRandom(11);
    const kinds: Partial<SamplingSettings>[] = [
      {},
      { temperature: 0.6, topK: 20, topP: 0.95 },
      { temperature: 0.6, topP: 0.95 },
      { temperature: 1, minP: 0.05 },
      { temperature: 0.8, topK: 50, repetitionPenalty: 1.1 },
    ];
    let told = 0;
    for (let round = 0; round < 3; round += 1) {
      const rows = Float32Array.from({ length: 2 * VOCAB }, () => 2 * random.nextNormal());
      // As a trained model's: a few tokens hold nearly all the mass, some of them exactly as likely.
      for (let i = 0; i < 20; i += 1)
        rows[VOCAB + (random.nextUint32() % VOCAB)] = 16 + Math.round(2 * random.nextNormal());
      const row = rows.subarray(VOCAB);
      for (const kind of kinds) {
        const settings: SamplingSettings = { ...GREEDY, ...kind };
        const { [TOP_OUTPUT]: output } = await session.run(
          {
            x: new ort.Tensor('float32', rows, [1, 2, VOCAB]),
            [TOP_INPUT]: new ort.Tensor(
              'float32',
              Float32Array.of(1 / (settings.temperature || 1)),
              [],
            ),
          },
          [TOP_OUTPUT],
        );
        // 259 numbers in place of 131,072.
        expect(output?.data.length).toBe(2 * 128 + 3);
        const top = readTopLogits(output?.data as Float32Array, VOCAB);
        for (let seed = 0; seed < 20; seed += 1) {
          const recent = [top.ids[0] ?? 0, 17];
          const listed = sampleFromTopLogits(top, settings, recent, createRandom(seed), {
            candidates: 5,
          });
          if (listed === null) continue;
          told += 1;
          const wanted = sampleToken(row, settings, recent, createRandom(seed), { candidates: 5 });
          expect(listed.id).toBe(wanted.id);
          expect(listed.candidates.map(({ id }) => id)).toEqual(
            wanted.candidates.map(({ id }) => id),
          );
          expect(listed.probability).toBeCloseTo(wanted.probability, 5);
          expect(listed.entropy).toBeCloseTo(wanted.entropy, 4);
        }
      }
    }
    expect(told).toBe(3 * kinds.length * 20);
    await session.release();
  });

  it('are not added where operators are too old, or sums would be too coarse', () => {
    const old = mirror(256);
    old[old.length - 1] = 12;
    expect(withTopLogits(old, 256)).toBeNull();
    expect(withTopLogits(mirror(256), 256)).not.toBeNull();
    expect(withTopLogits(mirror(257), 257)).toBeNull();
  });
});

describe('a reply drawn from the largest logits', () => {
  let whole: ModelSession;
  let listed: ModelSession;
  let spec: ModelSpec;
  let tokenizer: ChatTokenizer;

  beforeAll(async () => {
    const manifest = parseManifest(await jsonOf('manifest.json'));
    spec = parseSpec('micro', await jsonOf('config.json'), await jsonOf('generation_config.json'));
    tokenizer = createTokenizer(
      await jsonOf('tokenizer.json'),
      await jsonOf('tokenizer_config.json'),
    );
    const bytes = await fileOf(manifest.variants['quantized'] ?? '');
    whole = await ModelSession.create(bytes, { provider: 'wasm', spec });
    listed = await ModelSession.create(bytes, { provider: 'wasm', spec, givesTop: true });
  });

  afterAll(async () => {
    await whole.dispose();
    await listed.dispose();
  });

  async function reply(
    session: ModelSession,
    sampling: SamplingSettings,
  ): Promise<{ events: unknown[]; numbers: number[]; live: Float32Array | null }> {
    const snapshots = new SnapshotCache();
    const format = thinkFormatOf((token) => tokenizer.idOf(token), spec.eosTokenIds);
    const model: GenerationModel = { session, tokenizer, spec, format, snapshots };
    const events: unknown[] = [];
    const numbers: number[] = [];
    let live: Float32Array | null = null;
    await runGeneration(
      model,
      requestOf({ sampling, candidates: 3, thinkingLimit: 16 }),
      { stopped: false, answerNow: false },
      {
        emit: (event) => {
          if (event.type !== 'token') return;
          const { id, channel, injected, candidates, entropy } = event;
          events.push({ id, channel, injected, likeliest: candidates?.map((one) => one.id) });
          numbers.push(entropy ?? 0, ...(candidates?.map((one) => one.probability) ?? []));
        },
        memory: (cursor: TokenCursor) => ({
          weightBytes: 0,
          ssmBytes: 0,
          convBytes: 0,
          kvBytes: 0,
          kvAllocatedBytes: 0,
          snapshotBytes: 0,
          snapshotCount: 0,
          tokens: cursor.length,
        }),
        keepLive: (_, __, logits) => {
          live = logits?.slice() ?? null;
        },
        now: () => new Date(0),
      },
    );
    snapshots.clear();
    return { events, numbers, live };
  }

  it('is the same reply, with candidates and entropy, injected close and last logits', async () => {
    for (const sampling of [
      GREEDY,
      { ...GREEDY, temperature: 0.7, topK: 20, topP: 0.9, seed: 3 },
      { ...GREEDY, temperature: 0.9, topP: 0.8, repetitionPenalty: 1.1, seed: 4 },
      // No cut at all: all of the row comes over, at every token.
      { ...GREEDY, temperature: 1, seed: 5 },
    ]) {
      const [wanted, got] = [await reply(whole, sampling), await reply(listed, sampling)];
      expect(got.events).toEqual(wanted.events);
      expect(got.numbers).toHaveLength(wanted.numbers.length);
      got.numbers.forEach((x, i) => expect(x).toBeCloseTo(wanted.numbers[i] ?? NaN, 3));
      // The CPU's row keeps the marks of what must not be drawn.
      wanted.live?.forEach((logit, id) => {
        if (logit > -Infinity) expect(got.live?.[id]).toBe(logit);
      });
      expect(got.live).toHaveLength(spec.vocabSize);
      expect(wanted.events.length).toBeGreaterThan(5);
    }
    expect(liveHeapTensorCount()).toBe(0);
  });

  it('still gives all logits to who asks for them', async () => {
    const cursor = new TokenCursor(listed, listed.emptyStates(), []);
    const other = new TokenCursor(whole, whole.emptyStates(), []);
    expect(await cursor.read([5, 6, 7])).toEqual(await other.read([5, 6, 7]));
    const row = await cursor.readForDraw([8], 0);
    expect(row).not.toBeInstanceOf(Float32Array);
    await other.read([8]);
    expect(await cursor.wholeLogits()).toEqual(await other.wholeLogits());
    cursor.dispose();
    other.dispose();
    expect(liveHeapTensorCount()).toBe(0);
  });
});
