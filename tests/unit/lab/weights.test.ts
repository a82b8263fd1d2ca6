import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { dequantise } from '../../../src/core/nvfp4/packed-matrix';
import { readPackedCheckpoint } from '../../../src/core/nvfp4/packed-checkpoint';
import { fakeWeights } from '../../../src/engine/fake-weights';
import {
  blockSentence,
  blocksOf,
  blockTable,
  levelsOf,
  showBlock,
} from '../../../src/state/lab/weight-words';
import { matricesOf, readWeights } from '../../../workers/lab/weights';
import { rewriteFourBit } from '../../../workers/runtime/four-bit';
import type { GraphFile } from '../../../workers/runtime/graph-reader';
import { fillFromNvfp4 } from '../../../workers/runtime/nvfp4-graph';

const MODELS = new URL('../../../public/models/', import.meta.url);
const bytesOf = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(path, MODELS)));
const plain = async (path: string): Promise<GraphFile> => ({
  bytes: await bytesOf(path),
  externalData: [],
});

describe('the weights of a layer', () => {
  it.each(['model_q4', 'model_q4f16', 'model_quantized'])(
    'are found in the forms of the shipped files: %s',
    async (file) => {
      const found = matricesOf(await plain(`micro/onnx/${file}.onnx`));
      expect(found.map(({ layer, name }) => `${layer} ${name}`)).toEqual([
        '0 in_proj',
        '0 out_proj',
        '1 up_proj',
        '1 down_proj',
        '2 in_proj',
        '2 out_proj',
        '3 qkv_proj',
        '3 o_proj',
        '4 up_proj',
        '4 down_proj',
      ]);
      for (const { rows, columns, row } of found) {
        expect(row(rows - 1)).toHaveLength(columns);
        expect(row(0).some((weight) => weight !== 0 && Math.abs(weight) < 10)).toBe(true);
      }
    },
  );

  it('of 4 bits are those that the runtime is given as float32', async () => {
    const file = await plain('micro/onnx/model_q4.onnx');
    const rewritten = rewriteFourBit(file, Infinity);
    if (rewritten === null) throw new Error('nothing to rewrite');
    const own = matricesOf(file);
    const wide = matricesOf(rewritten.file);
    expect(wide.map(({ name }) => name)).toEqual(own.map(({ name }) => name));
    own.forEach(({ rows, row }, at) => {
      for (const place of [0, Math.floor(rows / 2), rows - 1])
        expect(wide[at]?.row(place)).toEqual(row(place));
    });
  });

  it('of the NVFP4 model are the packed ones in both forms, and rounding them again changes nothing', async () => {
    const weights = await bytesOf('tidepool-nvfp4/model.safetensors');
    const packed = readPackedCheckpoint('w', weights).matrices.get(
      'backbone.layers.1.mixer.up_proj',
    );
    if (packed === undefined) throw new Error('no matrix');
    const values = dequantise(packed);
    for (const name of ['model_q4', 'model_quantized']) {
      const graph = await bytesOf(`tidepool-nvfp4/onnx/${name}.onnx`);
      const file = fillFromNvfp4(graph, 'w', weights);
      const result = readWeights(file, { layer: 1, matrix: 0, row: 5 });
      expect(Array.from(result.values, (v) => v + 0)).toEqual(
        Array.from(values.subarray(5 * packed.columns, 6 * packed.columns), (v) => v + 0),
      );
      expect(result.errors?.fourOverSix).toBeLessThan(0.02);
      expect(result.errors?.six).toBeGreaterThan(0.02);
    }
  });

  it('say what is not there', async () => {
    const file = await plain('micro/onnx/model_quantized.onnx');
    expect(() => readWeights(file, { layer: 0, matrix: 7, row: 0 })).toThrow(
      'Layer 0 has 2 matrices; there is no number 7.',
    );
    expect(readWeights(file, { layer: 40, matrix: 0, row: 0 }).matrices).toEqual([]);
    expect(readWeights(file, { layer: 0, matrix: 0, row: 1e9 }).row).toBeGreaterThan(1);
  });
});

describe('the picture of a block', () => {
  const text = (value: number): string => value.toFixed(3);
  const share = (value: number): string => `${(100 * value).toFixed(1)} %`;

  it('says scale, zeros and error, and has a row for each weight', () => {
    const found = fakeWeights({ layer: 2, matrix: 1, row: 3 });
    expect(blocksOf(found)).toBe(4);
    const shown = showBlock(found, 1, 'six');
    expect(levelsOf(shown.rounded)).toHaveLength(15);
    for (const value of shown.rounded.values)
      expect(levelsOf(shown.rounded).some((level) => Math.abs(level - value) < 1e-9)).toBe(true);
    const sentence = blockSentence(shown, found.errors?.six ?? null, text, share);
    expect(sentence).toContain(`the whole matrix by ${share(found.errors?.six ?? 0)}`);
    expect(sentence).toContain('is laid on 6');
    const { head, rows } = blockTable(shown, text);
    expect(rows).toHaveLength(16);
    for (const cells of rows) {
      expect(cells).toHaveLength(head.length);
      expect(cells[3]).toMatch(/^[01]{4}$/);
    }
  });

  it('of zeros says so, and a row that 16 does not divide has no blocks', () => {
    const zero = showBlock({ values: new Float32Array(16), largest: 1 }, 0, 'four-over-six');
    expect(zero.error).toBe(0);
    expect(blockSentence(zero, null, text, share)).toBe('All 16 weights are 0, and so they stay.');
    expect(blocksOf({ values: new Float32Array(20) })).toBe(0);
  });
});
