/**
 * Owns the two small float formats of NVFP4 as numbers: E2M1 (4 bits, the weights) and E4M3 (8 bits, the scales). Owns
 * no blocks and no files. Rounding is to nearest with ties to the even code, as in the recipe (export/nvfp4.py).
 */

/** E2M1 by the three low bits of a code; bit 3 is the sign. */
const E2M1 = Float32Array.of(0, 0.5, 1, 1.5, 2, 3, 4, 6);

/** Half way between neighbours of {@link E2M1}. */
const MIDDLES = Float32Array.of(0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5);

/** The largest number of E2M1. */
export const LARGEST_E2M1 = 6;
/** The largest number of E4M3, and the least above 0. */
export const LARGEST_E4M3 = 448;
const SMALLEST_E4M3 = 2 ** -9;
/** All bits of a NaN but its sign. */
export const NAN_E4M3 = 0x7f;

/** Code 0…15 of the nearest number; beyond 6 it is held at 6. */
export function encodeE2m1(value: number): number {
  const size = Math.abs(value);
  let code = 0;
  // A tie goes up where the upper neighbour's code is even.
  for (const middle of MIDDLES) {
    if (size > middle || (size === middle && code % 2 === 1)) code += 1;
    else break;
  }
  return value < 0 ? code + 8 : code;
}

export function decodeE2m1(code: number): number {
  const size = E2M1[code & 7] ?? 0;
  return (code & 8) === 0 ? size : -size;
}

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** floor(log2) of a normal float32 above 0. */
function exponentOf(value: number): number {
  FLOAT[0] = value;
  return ((BITS[0] ?? 0) >>> 23) - 127;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** Bits of the nearest number for a scale, which is held between the least above 0 and the largest. */
export function encodeE4m3(scale: number): number {
  const held = Math.min(LARGEST_E4M3, Math.max(SMALLEST_E4M3, scale));
  const exponent = Math.max(-6, exponentOf(held));
  // 8 to 15 eighths of 2^exponent, 16 being the next exponent; below 2^-6 fewer than 8.
  const eighths = roundHalfEven(held / 2 ** (exponent - 3));
  return (exponent + 7) * 8 + eighths - 8;
}

export function decodeE4m3(bits: number): number {
  if ((bits & NAN_E4M3) === NAN_E4M3) return NaN;
  const exponent = (bits >>> 3) & 15;
  const eighths = (bits & 7) + (exponent === 0 ? 0 : 8);
  const size = eighths * 2 ** (Math.max(1, exponent) - 10);
  return (bits & 0x80) === 0 ? size : -size;
}
