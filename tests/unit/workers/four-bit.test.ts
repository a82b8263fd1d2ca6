import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web/webgpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseManifest, parseSpec } from '../../../src/models/spec';
import { float32Room } from '../../../src/models/four-bit-room';
import { rewriteFourBit } from '../../../workers/runtime/four-bit';
import { block, integer, text } from '../../../workers/runtime/protobuf';
import { configureRuntime, ModelSession } from '../../../workers/runtime/session';
import { MICRO_URL, PLAIN_FILES } from './model-host';

async function fileOf(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(fileURLToPath(new URL(path, MICRO_URL))));
}

async function jsonOf(path: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await fileOf(path))) as unknown;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, x, i) => Math.max(worst, Math.abs(x - (b[i] ?? NaN))), 0);
}

beforeAll(() => configureRuntime({ build: 'plain', threads: 1, files: PLAIN_FILES }));

describe('our own 4-bit file with float32 weights', () => {
  const ids = Array.from({ length: 30 }, (_, i) => (41 * i + 7) % 4096);

  it('answers as MatMulNBits does, within 1e-3, in pieces and token by token', async () => {
    const manifest = parseManifest(await jsonOf('manifest.json'));
    const spec = parseSpec('micro', await jsonOf('config.json'), {});
    const bytes = await fileOf(manifest.variants['q4'] ?? '');
    const make = (rewriteFourBit: 'off' | 'auto'): Promise<ModelSession> =>
      ModelSession.create(bytes, { provider: 'wasm', spec, rewriteFourBit });
    const [plain, rewritten] = [await make('off'), await make('auto')];
    expect(plain.rewrite).toBeNull();
    const { matrices, of, bytesBefore, bytesAfter } = rewritten.rewrite ?? {};
    expect(matrices).toBeGreaterThan(5);
    expect(matrices).toBe(of);
    expect(bytesBefore).toBeLessThan(bytes.length);
    // 8 bits in the tied head, 4 elsewhere, and scales.
    expect((bytesAfter ?? 0) / (bytesBefore ?? 1)).toBeGreaterThan(3.5);
    expect((bytesAfter ?? 0) / (bytesBefore ?? 1)).toBeLessThan(7.2);
    let a = plain.emptyStates();
    let b = rewritten.emptyStates();
    for (const piece of [ids, [5], [6], [7]]) {
      const [one, two] = [await plain.step(piece, a), await rewritten.step(piece, b)];
      a.release();
      b.release();
      [a, b] = [one.states, two.states];
      expect(largestDifference(one.logits, two.logits)).toBeLessThan(1e-3);
    }
    a.release();
    b.release();
    await plain.dispose();
    await rewritten.dispose();
  });
});

interface Case {
  readonly bits: number;
  readonly zeros: boolean;
  readonly bias: boolean;
  readonly isExternal: boolean;
}

const [K, N, BLOCK] = [48, 20, 32];

/** A graph of one MatMulNBits node, K not a multiple of its block: x (1, 3, K) to y (1, 3, N). */
function oneProduct({ bits, zeros, bias, isExternal }: Case): {
  bytes: Uint8Array;
  externalData: { path: string; data: Uint8Array }[];
} {
  const blocks = Math.ceil(K / BLOCK);
  const noise = (count: number, seed: number): Uint8Array =>
    Uint8Array.from({ length: count }, (_, i) => (i * i * 31 + i * 17 + seed) % 256);
  const floats = (count: number): Uint8Array =>
    new Uint8Array(Float32Array.from({ length: count }, (_, i) => 0.01 + (i % 7) / 50).buffer);
  const codes = noise(N * blocks * ((BLOCK * bits) / 8), 3);
  const tensor = (name: string, type: number, dims: number[], data: Uint8Array): number[] =>
    block(5, [
      ...dims.flatMap((dim) => integer(1, dim)),
      ...integer(2, type),
      ...text(8, name),
      ...(isExternal && name === 'codes'
        ? [
            ...block(13, [...text(1, 'location'), ...text(2, 'weights.bin')]),
            ...block(13, [...text(1, 'offset'), ...text(2, '64')]),
            ...block(13, [...text(1, 'length'), ...text(2, String(data.length))]),
            ...integer(14, 1),
          ]
        : block(9, Array.from(data))),
    ]);
  const value = (field: number, name: string, width: number): number[] =>
    block(field, [
      ...text(1, name),
      ...block(2, [
        ...block(1, [
          ...integer(1, 1),
          ...block(
            2,
            [1, 3, width].flatMap((dim) => block(1, integer(1, dim))),
          ),
        ]),
      ]),
    ]);
  const attribute = (name: string, i: number): number[] =>
    block(5, [...text(1, name), ...integer(3, i), ...integer(20, 2)]);
  const inputs = ['x', 'codes', 'scales', zeros ? 'zeros' : '', '', bias ? 'bias' : ''];
  const graph = [
    ...block(1, [
      ...inputs.flatMap((name) => text(1, name)),
      ...text(2, 'y'),
      ...text(4, 'MatMulNBits'),
      ...attribute('K', K),
      ...attribute('N', N),
      ...attribute('bits', bits),
      ...attribute('block_size', BLOCK),
      ...text(7, 'com.microsoft'),
    ]),
    ...text(2, 'one'),
    ...tensor('codes', 2, [N, blocks, (BLOCK * bits) / 8], codes),
    ...tensor('scales', 1, [N, blocks], floats(N * blocks)),
    ...(zeros
      ? tensor(
          'zeros',
          2,
          [N, Math.ceil((blocks * bits) / 8)],
          noise(N * Math.ceil((blocks * bits) / 8), 5),
        )
      : []),
    ...(bias ? tensor('bias', 1, [N], floats(N)) : []),
    ...value(11, 'x', K),
    ...value(12, 'y', N),
  ];
  const bytes = Uint8Array.from([
    ...integer(1, 10),
    ...block(7, graph),
    ...block(8, [...text(1, ''), ...integer(2, 21)]),
    ...block(8, [...text(1, 'com.microsoft'), ...integer(2, 1)]),
  ]);
  const data = new Uint8Array(64 + codes.length);
  data.set(codes, 64);
  return { bytes, externalData: isExternal ? [{ path: 'weights.bin', data }] : [] };
}

describe('a product of few bits', () => {
  const x = Float32Array.from({ length: 3 * K }, (_, i) => Math.sin(i));
  const run = async (file: ReturnType<typeof oneProduct>): Promise<Float32Array> => {
    const session = await ort.InferenceSession.create(file.bytes, {
      executionProviders: ['wasm'],
      ...(file.externalData.length > 0 ? { externalData: file.externalData } : {}),
    });
    const { y } = await session.run({ x: new ort.Tensor('float32', x, [1, 3, K]) });
    await session.release();
    return y?.data as Float32Array;
  };
  const cases: Case[] = [4, 8].flatMap((bits) =>
    [false, true].flatMap((zeros) =>
      [false, true].map((bias) => ({ bits, zeros, bias, isExternal: zeros !== bias })),
    ),
  );

  it.each([...cases, { bits: 2, zeros: false, bias: false, isExternal: false }])(
    'is the same as float32: %o',
    async (one) => {
      const file = oneProduct(one);
      const rewritten = rewriteFourBit(file, 2 ** 20);
      expect(rewritten?.rewrite).toMatchObject({ matrices: 1, of: 1, bytesAfter: 4 * K * N });
      if (rewritten === null) return;
      expect(rewritten.file.externalData.map(({ path }) => path)).not.toContain('weights.bin');
      const mine = { ...rewritten.file, externalData: [...rewritten.file.externalData] };
      expect(largestDifference(await run(mine), await run(file))).toBeLessThan(1e-4);
    },
  );

  it('stays where float32 has no room, or its file is missing', () => {
    const one = { bits: 4, zeros: false, bias: false, isExternal: true };
    expect(rewriteFourBit(oneProduct(one), 4 * K * N - 1)).toBeNull();
    expect(rewriteFourBit({ ...oneProduct(one), externalData: [] }, 2 ** 20)).toBeNull();
  });
});

describe('room for float32', () => {
  it('is an eighth of what the device tells, 1 GiB at most, unless it is asked for', () => {
    expect(float32Room('auto', null)).toBe(2 ** 30);
    expect(float32Room('on', null)).toBe(3 * 2 ** 30);
  });
});
