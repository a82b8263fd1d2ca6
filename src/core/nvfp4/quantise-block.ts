/**
 * Owns how NVFP4 rounds one block of 16 weights: the scale of the whole matrix, the block's own, the codes, the error.
 * Owns no packing. All arithmetic is float32 in the recipe's order, so both give the same bits (export/nvfp4.py).
 */
import {
  decodeE2m1,
  decodeE4m3,
  encodeE2m1,
  encodeE4m3,
  LARGEST_E2M1,
  LARGEST_E4M3,
} from './float-formats';

/** Weights that share a scale, along the inputs. */
export const BLOCK_SIZE = 16;

/** `six`: the block's largest becomes 6. `four-over-six`: 6 or 4, whichever errs less (arXiv 2512.02010). */
export type Nvfp4Scaling = 'six' | 'four-over-six';

/** Largest block scale under four over six: half as much again, 384, is still a number of E4M3. */
const SCALE_ROOM = 256;

export interface QuantisedBlock {
  /** 0…15 each. */
  readonly codes: Uint8Array;
  /** E4M3. */
  readonly scaleBits: number;
  /** What the codes' numbers are multiplied by: the block's scale times the matrix's. */
  readonly scale: number;
  /** The weights as the format holds them. */
  readonly values: Float32Array;
  /** Sum of squared differences. */
  readonly squaredError: number;
  /** What the block's largest weight was laid on. */
  readonly largestOn: 6 | 4;
}

/** The matrix's own scale, from the size of its largest weight. */
export function tensorScaleOf(largest: number, scaling: Nvfp4Scaling): number {
  const room = LARGEST_E2M1 * (scaling === 'six' ? LARGEST_E4M3 : SCALE_ROOM);
  return Math.fround(largest / room) || 1;
}

function withLargestOn(block: Float32Array, tensorScale: number, largestOn: 6 | 4): QuantisedBlock {
  let largest = 0;
  for (const weight of block) largest = Math.max(largest, Math.abs(weight));
  const wanted = Math.fround(largest / Math.fround(largestOn * tensorScale));
  const scaleBits = encodeE4m3(wanted === 0 ? 1 : wanted);
  const scale = Math.fround(decodeE4m3(scaleBits) * tensorScale);
  const codes = Uint8Array.from(block, (weight) => encodeE2m1(Math.fround(weight / scale)));
  const values = Float32Array.from(codes, (code) => decodeE2m1(code) * scale);
  let squaredError = 0;
  for (const [at, weight] of block.entries()) squaredError += ((values[at] ?? 0) - weight) ** 2;
  return { codes, scaleBits, scale, values, squaredError, largestOn };
}

/** Rounds one block under the matrix's scale. */
export function quantiseBlock(
  block: Float32Array,
  tensorScale: number,
  scaling: Nvfp4Scaling,
): QuantisedBlock {
  const six = withLargestOn(block, tensorScale, 6);
  if (scaling === 'six') return six;
  const four = withLargestOn(block, tensorScale, 4);
  return four.squaredError < six.squaredError ? four : six;
}
