/** Owns a matrix in NVFP4 and its exact conversions: to float32, and to the 8-bit blocks of 16 of MatMulNBits. */
import { decodeE2m1, decodeE4m3 } from './float-formats';
import { BLOCK_SIZE } from './quantise-block';

export interface PackedMatrix {
  /** N, outputs. */
  readonly rows: number;
  /** K, inputs; a multiple of 16. */
  readonly columns: number;
  /** (N, K / 2): the weight of even index in the low four bits. */
  readonly packed: Uint8Array;
  /** (N, K / 16), E4M3. */
  readonly scaleBits: Uint8Array;
  readonly tensorScale: number;
  /** compressed-tensors keeps the inverse of modelopt's scale. */
  readonly divides: boolean;
}

const VALUES = Float32Array.from({ length: 16 }, (_, code) => decodeE2m1(code));
const SCALES = Float32Array.from({ length: 256 }, (_, bits) => decodeE4m3(bits));

/** What the numbers of each block are multiplied by, (N, K / 16). */
function blockScales({ scaleBits, tensorScale, divides }: PackedMatrix): Float32Array {
  return Float32Array.from(scaleBits, (bits) => {
    const scale = SCALES[bits] ?? NaN;
    return divides ? scale / tensorScale : scale * tensorScale;
  });
}

function codeAt(packed: Uint8Array, at: number): number {
  const byte = packed[at >> 1] ?? 0;
  return at % 2 === 0 ? byte & 15 : byte >> 4;
}

/** Writes the weights (N, K) transposed into columns `firstColumn`… of `target`, (K, `width`) float32, as MatMul reads them. */
export function writeTransposed(
  matrix: PackedMatrix,
  target: Float32Array,
  width: number,
  firstColumn: number,
): void {
  const { rows, columns, packed } = matrix;
  const scales = blockScales(matrix);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) {
      const at = row * columns + column;
      target[column * width + firstColumn + row] =
        (VALUES[codeAt(packed, at)] ?? 0) * (scales[Math.floor(at / BLOCK_SIZE)] ?? 0);
    }
}

/** (N, K) float32. */
export function dequantise(matrix: PackedMatrix): Float32Array {
  const scales = blockScales(matrix);
  return Float32Array.from(
    { length: matrix.rows * matrix.columns },
    (_, at) =>
      (VALUES[codeAt(matrix.packed, at)] ?? 0) * (scales[Math.floor(at / BLOCK_SIZE)] ?? 0),
  );
}

/**
 * Codes of 8 bits around 128, (N, K): twice an E2M1 number is an integer of at most 12, so nothing is rounded; the half
 * goes into {@link eightBitScales}.
 */
export function eightBitCodes({ rows, columns, packed }: PackedMatrix): Uint8Array {
  return Uint8Array.from(
    { length: rows * columns },
    (_, at) => 128 + 2 * (VALUES[codeAt(packed, at)] ?? 0),
  );
}

/** (N, K / 16) float32. */
export function eightBitScales(matrix: PackedMatrix): Float32Array {
  return blockScales(matrix).map((scale) => scale / 2);
}
