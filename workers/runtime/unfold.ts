/** Owns the arithmetic that unfolds a matrix of MatMulNBits to float32. Knows no file and no graph. */
import { widenFloat16 } from './tensor-values';

/** Numbers as they lie in a file, at any address. */
export interface Numbers {
  readonly kind: 'uint8' | 'float16' | 'float32';
  readonly bytes: Uint8Array;
}

/** A matrix as the operator has it: weights (rows K, columns N), codes in blocks along K. */
interface Folded {
  readonly bits: number;
  readonly blockSize: number;
  readonly rows: number;
  readonly columns: number;
  /** (columns, blocks, blockSize · bits / 8), the lower bits first. */
  readonly codes: Uint8Array;
  /** (columns, blocks). */
  readonly scales: Numbers;
  /** (columns, blocks), packed like the codes where they are uint8; null: the code in the middle. */
  readonly zeros: Numbers | null;
}

/** Every float16 as a float32: 256 kB that save a power of two a scale. */
let widened: Float32Array | null = null;

function floats({ kind, bytes }: Numbers): Float32Array {
  const own = bytes.slice();
  if (kind === 'float32') return new Float32Array(own.buffer);
  widened ??= widenFloat16(Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits));
  const halves = new Uint16Array(own.buffer);
  const values = new Float32Array(halves.length);
  for (let i = 0; i < values.length; i += 1) values[i] = widened[halves[i] ?? 0] ?? 0;
  return values;
}

/** Columns at a time: what is written lies side by side, and as many rows of codes as a cache holds are read. */
const TILE = 32;

/** Weights (K, N) as float32 into `out`: (code - zero point) · scale, as the operator defines. */
export function unfold(folded: Folded, out: Float32Array): void {
  const { bits, blockSize, rows, columns, codes, zeros } = folded;
  const scales = floats(folded.scales);
  if (zeros === null && rows % blockSize === 0 && (bits === 4 || bits === 8)) {
    const unfoldWhole = bits === 4 ? unfoldHalves : unfoldBytes;
    unfoldWhole(out, codes, scales, rows, columns, blockSize);
    return;
  }
  const blocks = Math.ceil(rows / blockSize);
  const blockBytes = (blockSize * bits) / 8;
  const mask = (1 << bits) - 1;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const packedZeros = zeros?.kind === 'uint8' ? zeros.bytes : null;
  const floatZeros = zeros === null || packedZeros !== null ? null : floats(zeros);
  const values = new Float32Array(TILE * rows);
  for (let first = 0; first < columns; first += TILE) {
    const wide = Math.min(TILE, columns - first);
    for (let t = 0; t < wide; t += 1) {
      const column = first + t;
      for (let b = 0; b < blocks; b += 1) {
        const scale = scales[column * blocks + b] ?? 0;
        const bit = b * bits;
        const zero =
          packedZeros !== null
            ? ((packedZeros[column * zeroBytes + (bit >> 3)] ?? 0) >> (bit & 7)) & mask
            : floatZeros !== null
              ? (floatZeros[column * blocks + b] ?? 0)
              : 1 << (bits - 1);
        const start = (column * blocks + b) * blockBytes;
        const k = b * blockSize;
        const count = Math.min(blockSize, rows - k);
        for (let i = 0; i < count; i += 1) {
          const at = i * bits;
          const code = ((codes[start + (at >> 3)] ?? 0) >> (at & 7)) & mask;
          values[t * rows + k + i] = (code - zero) * scale;
        }
      }
    }
    for (let k = 0; k < rows; k += 1)
      for (let t = 0; t < wide; t += 1) out[k * columns + first + t] = values[t * rows + k] ?? 0;
  }
}

/** The common case, two codes a byte around 8 and whole blocks, without the choices of the others. */
function unfoldHalves(
  out: Float32Array,
  codes: Uint8Array,
  scales: Float32Array,
  rows: number,
  columns: number,
  blockSize: number,
): void {
  const blocks = rows / blockSize;
  const half = blockSize / 2;
  for (let first = 0; first < columns; first += TILE) {
    const wide = Math.min(TILE, columns - first);
    for (let b = 0; b < blocks; b += 1) {
      for (let i = 0; i < half; i += 1) {
        const even = (b * blockSize + 2 * i) * columns + first;
        const odd = even + columns;
        for (let t = 0; t < wide; t += 1) {
          const block = (first + t) * blocks + b;
          const byte = codes[block * half + i] ?? 0;
          const scale = scales[block] ?? 0;
          out[even + t] = ((byte & 15) - 8) * scale;
          out[odd + t] = ((byte >> 4) - 8) * scale;
        }
      }
    }
  }
}

/** The same for one code a byte, around 128. */
function unfoldBytes(
  out: Float32Array,
  codes: Uint8Array,
  scales: Float32Array,
  rows: number,
  columns: number,
  blockSize: number,
): void {
  const blocks = rows / blockSize;
  for (let first = 0; first < columns; first += TILE) {
    const wide = Math.min(TILE, columns - first);
    for (let b = 0; b < blocks; b += 1) {
      for (let i = 0; i < blockSize; i += 1) {
        const to = (b * blockSize + i) * columns + first;
        for (let t = 0; t < wide; t += 1) {
          const block = (first + t) * blocks + b;
          out[to + t] = ((codes[block * blockSize + i] ?? 0) - 128) * (scales[block] ?? 0);
        }
      }
    }
  }
}
