/** Owns what the picture of a weight block says, and its table twin. Pure. */
import { plural, t } from '../../core/language/translate';
import { decodeE2m1, decodeE4m3 } from '../../core/nvfp4/float-formats';
import {
  BLOCK_SIZE,
  quantiseBlock,
  tensorScaleOf,
  type Nvfp4Scaling,
  type QuantisedBlock,
} from '../../core/nvfp4/quantise-block';
import type { WeightsResult } from '../../protocol/lab-api';

export interface ShownBlock {
  readonly weights: Float32Array;
  readonly rounded: QuantisedBlock;
  /** Norm of what was changed over the block's norm. */
  readonly error: number;
}

/** How many whole blocks a row has; 0 where 16 does not divide its weights. */
export function blocksOf({ values }: Pick<WeightsResult, 'values'>): number {
  return values.length % BLOCK_SIZE === 0 ? values.length / BLOCK_SIZE : 0;
}

export function showBlock(
  { values, largest }: Pick<WeightsResult, 'values' | 'largest'>,
  block: number,
  scaling: Nvfp4Scaling,
): ShownBlock {
  const weights = values.slice(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE);
  const rounded = quantiseBlock(weights, tensorScaleOf(largest, scaling), scaling);
  const norm = weights.reduce((sum, weight) => sum + weight * weight, 0);
  return { weights, rounded, error: norm === 0 ? 0 : Math.sqrt(rounded.squaredError / norm) };
}

/** The fifteen numbers that a block can hold, ascending. */
export function levelsOf({ scale }: QuantisedBlock): readonly number[] {
  const sizes = Array.from({ length: 8 }, (_, code) => decodeE2m1(code) * scale);
  return [...sizes.slice(1).map((size) => -size), ...sizes].sort((a, b) => a - b);
}

type Format = (value: number) => string;

/** The picture in words. */
export function blockSentence(
  { weights, rounded, error }: ShownBlock,
  matrixError: number | null,
  formatValue: Format,
  formatShare: Format,
): string {
  const largest = weights.reduce((most, one) => (Math.abs(one) > Math.abs(most) ? one : most), 0);
  if (largest === 0) return t('All 16 weights are 0, and so they stay.');
  const zeros = rounded.codes.filter((code) => (code & 7) === 0).length;
  const lost = weights.filter((weight, at) => weight !== 0 && rounded.values[at] === 0).length;
  return [
    t(
      'The block’s largest weight, {largest}, is laid on {largestOn}, which makes its scale {scale}; that scale is kept in 8 bits and each weight in 4.',
      {
        largest: formatValue(largest),
        largestOn: rounded.largestOn,
        scale: formatValue(rounded.scale),
      },
    ),
    zeros === 0
      ? t('None of the 16 are 0 afterwards.')
      : `${plural(zeros, '{count} of the 16 is 0 afterwards', '{count} of the 16 are 0 afterwards')}${lost > 0 ? `, ${plural(lost, '{count} of them a small weight that is lost', '{count} of them small weights that are lost')}` : ''}.`,
    t('The block changes by {error} of its size{theWholeMatrix}.', {
      error: formatShare(error),
      theWholeMatrix:
        matrixError === null
          ? ''
          : t(', the whole matrix by {matrixError}', { matrixError: formatShare(matrixError) }),
    }),
  ].join(' ');
}

/** A row for each weight: from the weight to its 4 bits and back. */
export function blockTable(
  { weights, rounded }: ShownBlock,
  formatValue: Format,
): {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  note: string;
} {
  const { codes, scale, values, scaleBits } = rounded;
  return {
    head: [
      t('Place'),
      t('Weight'),
      t('Over the scale'),
      t('Bits'),
      t('Is'),
      t('Times the scale'),
      t('Error'),
    ],
    rows: Array.from(weights, (weight, at) => {
      const code = codes[at] ?? 0;
      const value = values[at] ?? 0;
      return [
        String(at),
        formatValue(weight),
        formatValue(weight / scale),
        code.toString(2).padStart(4, '0'),
        formatValue(decodeE2m1(code)),
        formatValue(value),
        formatValue(value - weight),
      ];
    }),
    note: t(
      'The block’s scale in E4M3: {padStart} = {decodeE4m3}, times the matrix’s own {scale}.',
      {
        padStart: scaleBits.toString(2).padStart(8, '0'),
        decodeE4m3: formatValue(decodeE4m3(scaleBits)),
        scale: formatValue(scale / decodeE4m3(scaleBits)),
      },
    ),
  };
}
