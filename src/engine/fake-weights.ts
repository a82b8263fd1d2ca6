/** The fake lab's weights: two small matrices a layer of drawn numbers, judged by the real rounding. */
import { BLOCK_SIZE, quantiseBlock, tensorScaleOf } from '../core/nvfp4/quantise-block';
import { createRandom } from '../core/sampling/random';
import type { WeightsRequest, WeightsResult } from '../protocol/lab-api';

const COLUMNS = 64;
const MATRICES = [
  { name: 'in_proj', rows: 96, columns: COLUMNS },
  { name: 'out_proj', rows: 48, columns: COLUMNS },
];

export function fakeWeights({ layer, matrix, row }: WeightsRequest): WeightsResult {
  const random = createRandom(1 + 97 * layer + 13 * matrix + row);
  const values = Float32Array.from({ length: COLUMNS }, () => 0.1 * random.nextNormal());
  const largest = Math.max(...values.map(Math.abs));
  const error = (scaling: 'six' | 'four-over-six'): number => {
    const scale = tensorScaleOf(largest, scaling);
    let changed = 0;
    for (let at = 0; at < COLUMNS; at += BLOCK_SIZE)
      changed += quantiseBlock(values.subarray(at, at + BLOCK_SIZE), scale, scaling).squaredError;
    return Math.sqrt(changed / values.reduce((sum, value) => sum + value * value, 0));
  };
  const last = (MATRICES[matrix] ?? { rows: 1 }).rows - 1;
  return {
    matrices: MATRICES,
    matrix,
    row: Math.min(row, last),
    values,
    largest,
    errors: { six: error('six'), fourOverSix: error('four-over-six') },
  };
}
