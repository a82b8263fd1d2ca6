import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  decodeE2m1,
  decodeE4m3,
  encodeE2m1,
  encodeE4m3,
} from '../../../../src/core/nvfp4/float-formats';
import { readPackedCheckpoint } from '../../../../src/core/nvfp4/packed-checkpoint';
import {
  dequantise,
  eightBitCodes,
  eightBitScales,
  writeTransposed,
  type PackedMatrix,
} from '../../../../src/core/nvfp4/packed-matrix';
import {
  BLOCK_SIZE,
  quantiseBlock,
  tensorScaleOf,
} from '../../../../src/core/nvfp4/quantise-block';
import expected from '../../../fixtures/nvfp4/checkpoints.json';
import matrices from '../../../fixtures/nvfp4/matrices.json';

const LAYOUTS = ['modelopt', 'compressed-tensors'] as const;
const file = (name: string): Uint8Array =>
  new Uint8Array(
    readFileSync(new URL(`../../../fixtures/nvfp4/${name}.safetensors`, import.meta.url)),
  );
const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });

describe('the two formats', () => {
  const NUMBERS = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

  test('every code of E2M1 comes back, and the nearest number is taken, ties to the even code', () => {
    for (let code = 0; code < 16; code += 1)
      if (code !== 8) expect(encodeE2m1(decodeE2m1(code))).toBe(code);
    const ties = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5].map((tie) => decodeE2m1(encodeE2m1(tie)));
    expect(ties).toEqual([0, 1, 1, 2, 2, 4, 4]);
    fc.assert(
      fc.property(float32, (value) => {
        const found = Math.abs(decodeE2m1(encodeE2m1(value)));
        const size = Math.min(6, Math.abs(value));
        expect(Math.abs(found - size)).toBe(Math.min(...NUMBERS.map((n) => Math.abs(n - size))));
      }),
    );
  });

  test('every scale of E4M3 comes back, and the nearest number is taken', () => {
    const all = Array.from({ length: 126 }, (_, at) => at + 1);
    for (const bits of all) expect(encodeE4m3(decodeE4m3(bits))).toBe(bits);
    const numbers = all.map(decodeE4m3);
    fc.assert(
      fc.property(fc.double({ min: 2 ** -9, max: 448, noNaN: true }), (given) => {
        const scale = Math.fround(given);
        const nearest = Math.min(...numbers.map((n) => Math.abs(n - scale)));
        expect(Math.abs(decodeE4m3(encodeE4m3(scale)) - scale)).toBe(nearest);
      }),
    );
    expect(decodeE4m3(encodeE4m3(1e9))).toBe(448);
    expect(decodeE4m3(encodeE4m3(1e-9))).toBe(2 ** -9);
    expect(decodeE4m3(0xff)).toBeNaN();
    expect(decodeE4m3(0xb8)).toBe(-1);
  });
});

function matrixOf(record: (typeof matrices)[number]): PackedMatrix {
  return {
    rows: record.rows,
    columns: record.columns,
    packed: Uint8Array.from(record.packed),
    scaleBits: Uint8Array.from(record.scaleBits),
    tensorScale: record.tensorScale,
    divides: false,
  };
}

describe.each(matrices)(
  'as the recipe packs (make_nvfp4.py): $name, 4/6 $fourOverSix',
  (record) => {
    const matrix = matrixOf(record);
    const scaling = record.fourOverSix ? 'four-over-six' : 'six';

    it('rounds each block to the same codes, scale and values', () => {
      const largest = Math.max(...record.weight.map(Math.abs));
      expect(tensorScaleOf(largest, scaling)).toBe(record.tensorScale);
      for (let at = 0; at < record.weight.length; at += BLOCK_SIZE) {
        const block = Float32Array.from(record.weight.slice(at, at + BLOCK_SIZE));
        const rounded = quantiseBlock(block, record.tensorScale, scaling);
        expect(rounded.scaleBits).toBe(record.scaleBits[at / BLOCK_SIZE]);
        const packed = Array.from({ length: 8 }, (_, i) => {
          return (rounded.codes[2 * i] ?? 0) + 16 * (rounded.codes[2 * i + 1] ?? 0);
        });
        expect(packed).toEqual(record.packed.slice(at / 2, at / 2 + 8));
        // -0 and 0 are one number here.
        expect(Array.from(rounded.values, (v) => v + 0)).toEqual(
          record.dequantised.slice(at, at + BLOCK_SIZE).map((v) => v + 0),
        );
      }
    });

    it('unpacks to the same numbers, in rows, in columns and as 8-bit blocks', () => {
      const values = dequantise(matrix);
      expect(Array.from(values)).toEqual(record.dequantised);
      const { rows, columns } = record;
      const turned = new Float32Array(columns * (rows + 2));
      writeTransposed(matrix, turned, rows + 2, 1);
      for (let row = 0; row < rows; row += 1)
        for (let column = 0; column < columns; column += 1)
          expect(turned[column * (rows + 2) + 1 + row]).toBe(values[row * columns + column]);
      expect(Array.from(eightBitCodes(matrix))).toEqual(record.eightBitCodes);
      expect(Array.from(eightBitScales(matrix))).toEqual(record.eightBitScales);
    });
  },
);

describe.each(LAYOUTS)('the layout of %s', (layout) => {
  it('is read as the recipe reads it', () => {
    const { matrices: packed, tensors } = readPackedCheckpoint('m.safetensors', file(layout));
    const matrix = packed.get('backbone.layers.0.mixer.in_proj');
    expect(matrix).toMatchObject({ rows: 6, columns: 48 });
    if (matrix === undefined) throw new Error('no matrix');
    expect(Array.from(dequantise(matrix))).toEqual(expected.drawn[layout]);
    expect(Array.from(tensors.get('backbone.layers.1.mixer.up_proj.weight') ?? [])).toEqual(
      expected.fp8,
    );
    expect(Array.from(tensors.get('backbone.embeddings.weight') ?? [])).toEqual(expected.table);
    expect([...tensors.keys()].filter((name) => name.includes('scale'))).toEqual([]);
  });

  it('cut anywhere is refused with the name of the file', () => {
    const whole = file(layout);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(() => readPackedCheckpoint('weights.bin', whole.subarray(0, length))).toThrow(
          /^weights\.bin: /,
        );
      }),
    );
  });
});

/** The file with its header changed: entries renamed, left out or of another shape. */
function changed(
  layout: (typeof LAYOUTS)[number],
  change: (header: Record<string, Record<string, unknown>>) => void,
): Uint8Array {
  const whole = file(layout);
  const length = Number(new DataView(whole.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length))) as Record<
    string,
    Record<string, unknown>
  >;
  change(header);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const made = new Uint8Array(8 + text.length + whole.length - 8 - length);
  new DataView(made.buffer).setBigUint64(0, BigInt(text.length), true);
  made.set(text, 8);
  made.set(whole.subarray(8 + length), 8 + text.length);
  return made;
}

describe('a broken file is named with its field', () => {
  const X = 'backbone.layers.0.mixer.in_proj';
  const set =
    (name: string, fields: Record<string, unknown>) =>
    (header: Record<string, Record<string, unknown>>): void => {
      header[`${X}.${name}`] = { ...header[`${X}.${name}`], ...fields };
    };
  const drop =
    (name: string) =>
    (header: Record<string, Record<string, unknown>>): void => {
      Reflect.deleteProperty(header, `${X}.${name}`);
    };
  it.each([
    [`'${X}.weight_scale' is missing`, 'modelopt', drop('weight_scale')],
    [`'${X}.weight_scale_2' is missing`, 'modelopt', drop('weight_scale_2')],
    [`'${X}.weight_global_scale' is missing`, 'compressed-tensors', drop('weight_global_scale')],
    [
      `'${X}.weight_scale' has shape [3, 6], expected [6, 3]`,
      'modelopt',
      set('weight_scale', { shape: [3, 6] }),
    ],
    [
      `'${X}.weight_scale' has dtype U8, expected F8_E4M3`,
      'modelopt',
      set('weight_scale', { dtype: 'U8' }),
    ],
    ['so K = 24, which 16 does not divide', 'modelopt', set('weight', { shape: [12, 12] })],
    ['has shape [144], expected (rows, K / 2)', 'modelopt', set('weight', { shape: [144] })],
    ['has 144 bytes, not the 138 of U8 [6, 23]', 'modelopt', set('weight', { shape: [6, 23] })],
    ['has dtype I32, expected F32', 'modelopt', set('weight_scale_2', { dtype: 'I32' })],
    ['has no dtype, shape and data_offsets', 'modelopt', set('weight', { data_offsets: null })],
    [`stands without '${X}.weight_packed' in 4 bits`, 'compressed-tensors', drop('weight_packed')],
  ] as const)('%s', (said, layout, change) => {
    const broken = changed(layout, change);
    expect(() => readPackedCheckpoint('model.safetensors', broken)).toThrow(said);
    expect(() => readPackedCheckpoint('model.safetensors', broken)).toThrow(
      /^model\.safetensors: /,
    );
  });

  it('a scale that is no number', () => {
    const bytes = file('modelopt');
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    const [start] = header[`${X}.weight_scale`]?.data_offsets ?? [0];
    bytes[8 + length + start] = 0x7f;
    expect(() => readPackedCheckpoint('m', bytes)).toThrow(`'${X}.weight_scale' holds NaN`);
  });
});
