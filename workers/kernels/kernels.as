/**
 * Owns the arithmetic of one forward pass over 4- and 8-bit weights: AssemblyScript, compiled to kernels.wasm by
 * `npm run kernels`. Every pointer is a byte address of float32 numbers unless said otherwise, 16-byte aligned. Owns no
 * memory beyond what it is handed, no graph and no order of steps.
 *
 * A product rounds its input to int16, one scale for each 32 numbers of a row (largest / 32767, an error of at most 1.5e-5 of
 * the block's largest), and sums code times number in int32, which is exact. A row's result depends on that row alone, and
 * each sum runs in the same order whether tokens come singly or together: a prompt read in pieces gives the same bits.
 */

/** Numbers that share one scale, in weights (as MatMulNBits has them) and in inputs. */
const BLOCK: i32 = 32;

/** First byte that nobody uses. */
export function heapStart(): usize {
  return __heap_base;
}

// @ts-ignore: decorator
@inline
function sum4(a: v128): f32 {
  return (
    f32x4.extract_lane(a, 0) +
    f32x4.extract_lane(a, 1) +
    (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3))
  );
}

// @ts-ignore: decorator
@inline
function max4(a: v128): f32 {
  return max(
    max(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)),
    max(f32x4.extract_lane(a, 2), f32x4.extract_lane(a, 3)),
  );
}

/** exp of four numbers up to 88: Cody and Waite's reduction and the polynomial of Cephes' expf, within 2 units of the last place. */
// @ts-ignore: decorator
@inline
function exp4(x: v128): v128 {
  const bound = f32x4.max(f32x4.min(x, f32x4.splat(88)), f32x4.splat(-87.3));
  const n = f32x4.nearest(f32x4.mul(bound, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(bound, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  // Far below the smallest number it is nothing, not the smallest number.
  return v128.and(f32x4.mul(p, power), f32x4.gt(x, f32x4.splat(-87.3)));
}

// @ts-ignore: decorator
@inline
function silu4(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
}

/**
 * Rounds x (rows, size) to int16: q (rows, size) and scales (rows / 4, size / 32, 4), those of four rows side by side, with
 * room for whole fours. For 4-bit weights (`bits`) the even numbers of a block come first and then the odd ones, as the
 * low and the high halves of the codes' bytes do.
 */
export function quantise(
  x: usize,
  rows: i32,
  size: i32,
  bits: i32,
  q: usize,
  scales: usize,
): void {
  const across = size / BLOCK;
  const blocks = rows * across;
  for (let i = 0; i < blocks; i++) {
    const from = x + (<usize>i << 7);
    const to = q + (<usize>i << 6);
    let top = f32x4.abs(v128.load(from));
    for (let j: usize = 16; j < 128; j += 16) top = f32x4.max(top, f32x4.abs(v128.load(from + j)));
    const largest = max4(top);
    const row = i / across;
    const place = ((row >> 2) * across + (i - row * across)) * 4 + (row & 3);
    store<f32>(scales + (<usize>place << 2), largest / 32767);
    const inverse = f32x4.splat(largest > 0 ? 32767 / largest : 0);
    for (let j: usize = 0; j < 4; j++) {
      const low = f32x4.nearest(f32x4.mul(v128.load(from + j * 32), inverse));
      const high = f32x4.nearest(f32x4.mul(v128.load(from + j * 32, 16), inverse));
      const eight = i16x8.narrow_i32x4_s(
        i32x4.trunc_sat_f32x4_s(low),
        i32x4.trunc_sat_f32x4_s(high),
      );
      if (bits == 4) {
        const even = v128.shuffle<i16>(eight, eight, 0, 2, 4, 6, 1, 3, 5, 7);
        store<i64>(to + j * 8, i64x2.extract_lane(even, 0));
        store<i64>(to + 32 + j * 8, i64x2.extract_lane(even, 1));
      } else v128.store(to + j * 16, eight);
    }
  }
}

/** Sum over a block of weights (four vectors of eight int16) times the int16 at x. */
// @ts-ignore: decorator
@inline
function dot32(w0: v128, w1: v128, w2: v128, w3: v128, x: usize): v128 {
  return f32x4.convert_i32x4_s(
    i32x4.add(
      i32x4.add(
        i32x4.dot_i16x8_s(w0, v128.load(x)),
        i32x4.dot_i16x8_s(w1, v128.load(x, 16)),
      ),
      i32x4.add(
        i32x4.dot_i16x8_s(w2, v128.load(x, 32)),
        i32x4.dot_i16x8_s(w3, v128.load(x, 48)),
      ),
    ),
  );
}

// @ts-ignore: decorator
@inline
function scaled(sum: v128, dot: v128, scale: v128): v128 {
  return f32x4.add(sum, f32x4.mul(dot, scale));
}

/** Scale of block 0 of a row; those of its other blocks lie 16 bytes apart. */
// @ts-ignore: decorator
@inline
function scaleOf(scales: usize, row: i32, across: usize): usize {
  return scales + (((<usize>(row >> 2) * across) << 2) + (<usize>(row & 3) << 2));
}

/**
 * out (rows, columns) = x (rows, size) times weights (columns, size) of 4 bits, 8 in the middle: `codes` (columns, size / 2)
 * bytes, the lower half first, `weightScales` (columns, size / 32); q and scales as {@link quantise} gives them.
 *
 * Eight rows at a time share what it takes to unpack a block of weights; a row alone gets the very same sums. Computes columns `from`
 * to `to`, so that threads can share one product.
 */
export function product4(
  codes: usize,
  weightScales: usize,
  q: usize,
  scales: usize,
  rows: i32,
  columns: i32,
  size: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const blocks = <usize>(size / BLOCK);
  const mask = i8x16.splat(15);
  const middle = i8x16.splat(8);
  const width = blocks << 6;
  const across = blocks << 2;
  const line = <usize>columns << 2;
  // As many rows at a time as the first cache holds.
  const most = size > 768 ? 8 : 16;
  for (let first = 0; first < rows; first += most) {
    const last = min(rows, first + most);
    for (let column = from; column < to; column++) {
      const code = codes + <usize>column * (blocks << 4);
      const codeEnd = code + (blocks << 4);
      const weightScale = weightScales + <usize>column * across;
      let row = first;
      for (; row + 8 <= last; row += 8) {
        let a = f32x4.splat(0);
        let b = a;
        let c = a;
        let d = a;
        let e = a;
        let f = a;
        let g = a;
        let h = a;
        let x = q + <usize>row * width;
        let s = scales + (<usize>(row >> 2) * across << 2);
        let ws = weightScale;
        for (let w = code; w < codeEnd; w += 16) {
          const packed = v128.load(w);
          const low = i8x16.sub(v128.and(packed, mask), middle);
          const high = i8x16.sub(v128.and(i16x8.shr_u(packed, 4), mask), middle);
          const w0 = i16x8.extend_low_i8x16_s(low);
          const w1 = i16x8.extend_high_i8x16_s(low);
          const w2 = i16x8.extend_low_i8x16_s(high);
          const w3 = i16x8.extend_high_i8x16_s(high);
          const scale = v128.load32_splat(ws);
          let both = f32x4.mul(scale, v128.load(s));
          let at = x;
          a = scaled(a, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 0, 0, 0, 0));
          at += width;
          b = scaled(b, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 1, 1, 1, 1));
          at += width;
          c = scaled(c, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 2, 2, 2, 2));
          at += width;
          d = scaled(d, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 3, 3, 3, 3));
          at += width;
          both = f32x4.mul(scale, v128.load(s + (across << 2)));
          e = scaled(e, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 0, 0, 0, 0));
          at += width;
          f = scaled(f, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 1, 1, 1, 1));
          at += width;
          g = scaled(g, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 2, 2, 2, 2));
          at += width;
          h = scaled(h, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 3, 3, 3, 3));
          x += 64;
          s += 16;
          ws += 4;
        }
        let target = out + <usize>row * line + (<usize>column << 2);
        store<f32>(target, sum4(a));
        target += line;
        store<f32>(target, sum4(b));
        target += line;
        store<f32>(target, sum4(c));
        target += line;
        store<f32>(target, sum4(d));
        target += line;
        store<f32>(target, sum4(e));
        target += line;
        store<f32>(target, sum4(f));
        target += line;
        store<f32>(target, sum4(g));
        target += line;
        store<f32>(target, sum4(h));
      }
      for (; row + 4 <= last; row += 4) {
        let a = f32x4.splat(0);
        let b = a;
        let c = a;
        let d = a;
        let x = q + <usize>row * width;
        let s = scales + (<usize>(row >> 2) * across << 2);
        let ws = weightScale;
        for (let w = code; w < codeEnd; w += 16) {
          const packed = v128.load(w);
          const low = i8x16.sub(v128.and(packed, mask), middle);
          const high = i8x16.sub(v128.and(i16x8.shr_u(packed, 4), mask), middle);
          const w0 = i16x8.extend_low_i8x16_s(low);
          const w1 = i16x8.extend_high_i8x16_s(low);
          const w2 = i16x8.extend_low_i8x16_s(high);
          const w3 = i16x8.extend_high_i8x16_s(high);
          const scale = v128.load32_splat(ws);
          let both = f32x4.mul(scale, v128.load(s));
          let at = x;
          a = scaled(a, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 0, 0, 0, 0));
          at += width;
          b = scaled(b, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 1, 1, 1, 1));
          at += width;
          c = scaled(c, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 2, 2, 2, 2));
          at += width;
          d = scaled(d, dot32(w0, w1, w2, w3, at), v128.shuffle<f32>(both, both, 3, 3, 3, 3));
          x += 64;
          s += 16;
          ws += 4;
        }
        let target = out + <usize>row * line + (<usize>column << 2);
        store<f32>(target, sum4(a));
        target += line;
        store<f32>(target, sum4(b));
        target += line;
        store<f32>(target, sum4(c));
        target += line;
        store<f32>(target, sum4(d));
      }
      for (; row < last; row++) {
        let a = f32x4.splat(0);
        let x = q + <usize>row * width;
        let s = scaleOf(scales, row, across);
        let ws = weightScale;
        for (let w = code; w < codeEnd; w += 16) {
          const packed = v128.load(w);
          const low = i8x16.sub(v128.and(packed, mask), middle);
          const high = i8x16.sub(v128.and(i16x8.shr_u(packed, 4), mask), middle);
          a = scaled(
            a,
            dot32(
              i16x8.extend_low_i8x16_s(low),
              i16x8.extend_high_i8x16_s(low),
              i16x8.extend_low_i8x16_s(high),
              i16x8.extend_high_i8x16_s(high),
              x,
            ),
            f32x4.splat(load<f32>(ws) * load<f32>(s)),
          );
          x += 64;
          s += 16;
          ws += 4;
        }
        store<f32>(out + <usize>row * line + (<usize>column << 2), sum4(a));
      }
    }
  }
}

/** The same with 8 bits a weight, 128 in the middle: `codes` (columns, size) bytes. */
export function product8(
  codes: usize,
  weightScales: usize,
  q: usize,
  scales: usize,
  rows: i32,
  columns: i32,
  size: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const blocks = <usize>(size / BLOCK);
  const flip = i8x16.splat(-128);
  const width = blocks << 6;
  const across = blocks << 2;
  const line = <usize>columns << 2;
  for (let column = from; column < to; column++) {
    const code = codes + <usize>column * (blocks << 5);
    const codeEnd = code + (blocks << 5);
    const weightScale = weightScales + <usize>column * across;
    for (let row = 0; row < rows; row++) {
      let a = f32x4.splat(0);
      let x = q + <usize>row * width;
      let s = scaleOf(scales, row, across);
      let ws = weightScale;
      for (let w = code; w < codeEnd; w += 32) {
        const low = v128.xor(v128.load(w), flip);
        const high = v128.xor(v128.load(w, 16), flip);
        a = scaled(
          a,
          dot32(
            i16x8.extend_low_i8x16_s(low),
            i16x8.extend_high_i8x16_s(low),
            i16x8.extend_low_i8x16_s(high),
            i16x8.extend_high_i8x16_s(high),
            x,
          ),
          f32x4.splat(load<f32>(ws) * load<f32>(s)),
        );
        x += 64;
        s += 16;
        ws += 4;
      }
      store<f32>(out + <usize>row * line + (<usize>column << 2), sum4(a));
    }
  }
}

/** out = a * b, each (count), a multiple of 4 or not. */
export function multiply(a: usize, b: usize, count: i32, out: usize): void {
  let i: usize = 0;
  const bytes = <usize>count << 2;
  for (; i + 16 <= bytes; i += 16)
    v128.store(out + i, f32x4.mul(v128.load(a + i), v128.load(b + i)));
  for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(a + i) * load<f32>(b + i));
}

/** out = a + b, each (count). */
export function add(a: usize, b: usize, count: i32, out: usize): void {
  let i: usize = 0;
  const bytes = <usize>count << 2;
  for (; i + 16 <= bytes; i += 16)
    v128.store(out + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(a + i) + load<f32>(b + i));
}

/** out (rows, size) = a (rows, size) times b (size), a row for all; size is a multiple of 4. */
export function multiplyRows(a: usize, b: usize, rows: i32, size: i32, out: usize): void {
  const bytes = <usize>size << 2;
  const end = <usize>rows * bytes;
  for (let at: usize = 0; at < end; at += bytes)
    for (let i: usize = 0; i < bytes; i += 16)
      v128.store(out + at + i, f32x4.mul(v128.load(a + at + i), v128.load(b + i)));
}

/** out (rows, size) = a (rows, size) plus b (size), a row for all; size is a multiple of 4. */
export function addRows(a: usize, b: usize, rows: i32, size: i32, out: usize): void {
  const bytes = <usize>size << 2;
  const end = <usize>rows * bytes;
  for (let at: usize = 0; at < end; at += bytes)
    for (let i: usize = 0; i < bytes; i += 16)
      v128.store(out + at + i, f32x4.add(v128.load(a + at + i), v128.load(b + i)));
}

/** out (rows, size) = a (rows, size) times b (rows), a number for each row; size is a multiple of 4. */
export function scaleRows(a: usize, b: usize, rows: i32, size: i32, out: usize): void {
  const bytes = <usize>size << 2;
  for (let row = 0; row < rows; row++) {
    const at = <usize>row * bytes;
    const scale = v128.load32_splat(b + (<usize>row << 2));
    for (let i: usize = 0; i < bytes; i += 16)
      v128.store(out + at + i, f32x4.mul(v128.load(a + at + i), scale));
  }
}

/** SiLU of x (count); sizes that are no multiple of 4 read and write up to 12 bytes further. */
export function silu(x: usize, count: i32, out: usize): void {
  const bytes = <usize>count << 2;
  for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, silu4(v128.load(x + i)));
}

/**
 * RMS norm: out (rows, size) = sum / rms(sum) * weight, where sum (rows, size) = x + added is kept; `added` 0: there is none, and
 * nothing is kept.
 */
export function norm(
  x: usize,
  added: usize,
  weight: usize,
  epsilon: f32,
  rows: i32,
  size: i32,
  out: usize,
  kept: usize,
): void {
  const bytes = <usize>size << 2;
  for (let row = 0; row < rows; row++) {
    const at = <usize>row * bytes;
    let from = x + at;
    let squares = f32x4.splat(0);
    if (added != 0) {
      for (let i: usize = 0; i < bytes; i += 16) {
        const sum = f32x4.add(v128.load(from + i), v128.load(added + at + i));
        v128.store(kept + at + i, sum);
        squares = f32x4.add(squares, f32x4.mul(sum, sum));
      }
      from = kept + at;
    } else {
      for (let i: usize = 0; i < bytes; i += 16) {
        const value = v128.load(from + i);
        squares = f32x4.add(squares, f32x4.mul(value, value));
      }
    }
    const scale = f32x4.splat(1 / sqrt<f32>(sum4(squares) / <f32>size + epsilon));
    for (let i: usize = 0; i < bytes; i += 16)
      v128.store(out + at + i, f32x4.mul(f32x4.mul(v128.load(from + i), scale), v128.load(weight + i)));
  }
}

/** out (rows, size) = norm(y) * weight (size) * SiLU(gate), each row normed for itself. */
export function gatedNorm(
  y: usize,
  weight: usize,
  gate: usize,
  epsilon: f32,
  rows: i32,
  size: i32,
  out: usize,
): void {
  const bytes = <usize>size << 2;
  for (let row = 0; row < rows; row++) {
    const at = <usize>row * bytes;
    let squares = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const value = v128.load(y + at + i);
      squares = f32x4.add(squares, f32x4.mul(value, value));
    }
    const scale = f32x4.splat(1 / sqrt<f32>(sum4(squares) / <f32>size + epsilon));
    for (let i: usize = 0; i < bytes; i += 16) {
      const normed = f32x4.mul(f32x4.mul(v128.load(y + at + i), scale), v128.load(weight + i));
      v128.store(out + at + i, f32x4.mul(normed, silu4(v128.load(gate + at + i))));
    }
  }
}

/** out (columns, rows) = x (rows, columns) with its axes changed over. */
export function transpose(x: usize, rows: i32, columns: i32, out: usize): void {
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < rows; row++)
      store<f32>(
        out + ((<usize>column * rows + row) << 2),
        load<f32>(x + ((<usize>row * columns + column) << 2)),
      );
}

/** out (rows, count) = columns `start` to `start + count` of x (rows, columns). */
export function cut(
  x: usize,
  rows: i32,
  columns: i32,
  start: i32,
  count: i32,
  out: usize,
): void {
  for (let row = 0; row < rows; row++)
    memory.copy(
      out + ((<usize>row * count) << 2),
      x + ((<usize>row * columns + start) << 2),
      <usize>count << 2,
    );
}

/**
 * Rotary positions, halves of a head turned against each other (Su et al. 2021, arXiv 2104.09864): x and out (rows, heads * 2
 * half), positions (rows) int32, cos and sin (positions, half).
 */
export function rotate(
  x: usize,
  rows: i32,
  heads: i32,
  half: i32,
  positions: usize,
  cos: usize,
  sin: usize,
  out: usize,
): void {
  const bytes = <usize>half << 2;
  for (let row = 0; row < rows; row++) {
    const angle = <usize>load<i32>(positions + (<usize>row << 2)) * bytes;
    for (let head = 0; head < heads; head++) {
      const at = (<usize>row * heads + head) * (bytes << 1);
      for (let i: usize = 0; i < bytes; i += 16) {
        const a = v128.load(x + at + i);
        const b = v128.load(x + at + bytes + i);
        const c = v128.load(cos + angle + i);
        const s = v128.load(sin + angle + i);
        v128.store(out + at + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
        v128.store(out + at + bytes + i, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
      }
    }
  }
}

/** Sums of four vectors, side by side. */
// @ts-ignore: decorator
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(
    v128.shuffle<f32>(a, b, 0, 4, 1, 5),
    v128.shuffle<f32>(a, b, 2, 6, 3, 7),
  );
  const cd = f32x4.add(
    v128.shuffle<f32>(c, d, 0, 4, 1, 5),
    v128.shuffle<f32>(c, d, 2, 6, 3, 7),
  );
  return f32x4.add(
    v128.shuffle<f32>(ab, cd, 0, 1, 4, 5),
    v128.shuffle<f32>(ab, cd, 2, 3, 6, 7),
  );
}

/**
 * Attention with grouped heads: q and out (rows, heads, size); keys and values (groups, capacity, size), of which the
 * first `total` of each group count; mask (rows, total) is added to the scores, and keys at the end that it forbids (-1e30) are not read. `scores` has
 * room for heads / groups times `total` + 3 numbers; size is a multiple of 4.
 *
 * Computes rows `from` to `to`, four keys at a time: where fewer are left, the last one stands in for them with no weight.
 */
export function attend(
  q: usize,
  keys: usize,
  values: usize,
  mask: usize,
  rows: i32,
  total: i32,
  capacity: i32,
  heads: i32,
  groups: i32,
  size: i32,
  scale: f32,
  scores: usize,
  out: usize,
  from: i32,
  to: i32,
): void {
  const bytes = <usize>size << 2;
  const step = <usize>capacity * bytes;
  const each = heads / groups;
  const by = f32x4.splat(scale);
  const row4 = (<usize>((total + 3) & ~3)) << 2;
  for (let row = from; row < to; row++) {
    const rowMask = mask + ((<usize>row * total) << 2);
    let seen = total;
    while (seen > 0 && load<f32>(rowMask + (<usize>(seen - 1) << 2)) <= -1e29) seen--;
    for (let group = 0; group < groups; group++) {
      const first = (<usize>row * heads + <usize>group * each) * bytes;
      const key = keys + <usize>group * step;
      for (let j = 0; j < seen; j += 4) {
        const k0 = key + <usize>j * bytes;
        const k1 = key + <usize>min(j + 1, seen - 1) * bytes;
        const k2 = key + <usize>min(j + 2, seen - 1) * bytes;
        const k3 = key + <usize>min(j + 3, seen - 1) * bytes;
        let score = scores + (<usize>j << 2);
        let query = q + first;
        for (let head = 0; head < each; head++) {
          let a = f32x4.splat(0);
          let b = a;
          let c = a;
          let d = a;
          for (let i: usize = 0; i < bytes; i += 16) {
            const part = v128.load(query + i);
            a = f32x4.add(a, f32x4.mul(part, v128.load(k0 + i)));
            b = f32x4.add(b, f32x4.mul(part, v128.load(k1 + i)));
            c = f32x4.add(c, f32x4.mul(part, v128.load(k2 + i)));
            d = f32x4.add(d, f32x4.mul(part, v128.load(k3 + i)));
          }
          v128.store(score, f32x4.mul(sums(a, b, c, d), by));
          score += row4;
          query += bytes;
        }
      }
      for (let head = 0; head < each; head++) {
        const own = scores + <usize>head * row4;
        let largest = f32x4.splat(-1e30);
        for (let j = 0; j < seen; j += 4) {
          const at = own + (<usize>j << 2);
          let score = f32x4.add(v128.load(at), v128.load(rowMask + (<usize>j << 2)));
          if (j + 1 >= seen) score = f32x4.replace_lane(score, 1, -1e30);
          if (j + 2 >= seen) score = f32x4.replace_lane(score, 2, -1e30);
          if (j + 3 >= seen) score = f32x4.replace_lane(score, 3, -1e30);
          v128.store(at, score);
          largest = f32x4.max(largest, score);
        }
        const top = f32x4.splat(max4(largest));
        let sum = f32x4.splat(0);
        for (let j = 0; j < seen; j += 4) {
          const at = own + (<usize>j << 2);
          const weight = exp4(f32x4.sub(v128.load(at), top));
          v128.store(at, weight);
          sum = f32x4.add(sum, weight);
        }
        const inverse = f32x4.splat(1 / sum4(sum));
        for (let j = 0; j < seen; j += 4) {
          const at = own + (<usize>j << 2);
          v128.store(at, f32x4.mul(v128.load(at), inverse));
        }
      }
      const target = out + first;
      memory.fill(target, 0, <usize>each * bytes);
      const value = values + <usize>group * step;
      for (let j = 0; j < seen; j += 4) {
        const v0 = value + <usize>j * bytes;
        const v1 = value + <usize>min(j + 1, seen - 1) * bytes;
        const v2 = value + <usize>min(j + 2, seen - 1) * bytes;
        const v3 = value + <usize>min(j + 3, seen - 1) * bytes;
        let weight = scores + (<usize>j << 2);
        let place = target;
        for (let head = 0; head < each; head++) {
          const a = v128.load32_splat(weight);
          const b = v128.load32_splat(weight, 4);
          const c = v128.load32_splat(weight, 8);
          const d = v128.load32_splat(weight, 12);
          for (let i: usize = 0; i < bytes; i += 16) {
            let sum = f32x4.add(v128.load(place + i), f32x4.mul(a, v128.load(v0 + i)));
            sum = f32x4.add(sum, f32x4.mul(b, v128.load(v1 + i)));
            sum = f32x4.add(sum, f32x4.mul(c, v128.load(v2 + i)));
            v128.store(place + i, f32x4.add(sum, f32x4.mul(d, v128.load(v3 + i))));
          }
          weight += row4;
          place += bytes;
        }
      }
    }
  }
}

/**
 * Causal convolution along tokens, a channel for itself: x and out (channels, rows), weight (channels, taps), bias (channels), past
 * and present (channels, taps - 1).
 */
export function convolve(
  x: usize,
  weight: usize,
  bias: usize,
  past: usize,
  channels: i32,
  rows: i32,
  taps: i32,
  out: usize,
  present: usize,
): void {
  const before = taps - 1;
  for (let channel = 0; channel < channels; channel++) {
    const line = x + ((<usize>channel * rows) << 2);
    const window = past + ((<usize>channel * before) << 2);
    const own = weight + ((<usize>channel * taps) << 2);
    const start = load<f32>(bias + (<usize>channel << 2));
    for (let row = 0; row < rows; row++) {
      let sum = start;
      for (let tap = 0; tap < taps; tap++) {
        const at = row + tap - before;
        const value =
          at < 0 ? load<f32>(window + (<usize>(before + at) << 2)) : load<f32>(line + (<usize>at << 2));
        sum += load<f32>(own + (<usize>tap << 2)) * value;
      }
      store<f32>(out + ((<usize>channel * rows + row) << 2), sum);
    }
    for (let i = 0; i < before; i++) {
      const at = rows + i - before;
      const value =
        at < 0 ? load<f32>(window + (<usize>(before + at) << 2)) : load<f32>(line + (<usize>at << 2));
      store<f32>(present + ((<usize>channel * before + i) << 2), value);
    }
  }
}

/**
 * Gated linear attention, Mamba-2's recurrence (Dao and Gu 2024, arXiv 2405.21060): for each head and token S = exp(decay) S + key
 * valueᵀ, out = query S. query and key (rows, heads, keySize), value and out (rows, heads, valueSize), decay (rows, heads), past
 * and present (heads, keySize, valueSize); valueSize is a multiple of 16.
 */
export function scan(
  query: usize,
  key: usize,
  value: usize,
  decay: usize,
  past: usize,
  rows: i32,
  heads: i32,
  keySize: i32,
  valueSize: i32,
  out: usize,
  present: usize,
): void {
  const line = <usize>valueSize << 2;
  const stateBytes = <usize>heads * keySize * line;
  memory.copy(present, past, stateBytes);
  for (let head = 0; head < heads; head++) {
    for (let chunk: usize = 0; chunk < line; chunk += 64) {
      const state = present + <usize>head * keySize * line + chunk;
      for (let row = 0; row < rows; row++) {
        const at = <usize>row * heads + head;
        const gate = exp4(v128.load32_splat(decay + (at << 2)));
        const from = value + at * line + chunk;
        const v0 = v128.load(from);
        const v1 = v128.load(from, 16);
        const v2 = v128.load(from, 32);
        const v3 = v128.load(from, 48);
        let o0 = f32x4.splat(0);
        let o1 = o0;
        let o2 = o0;
        let o3 = o0;
        let s = state;
        const keyAt = key + ((at * keySize) << 2);
        const queryAt = query + ((at * keySize) << 2);
        for (let i: usize = 0; i < <usize>keySize << 2; i += 4) {
          const k = v128.load32_splat(keyAt + i);
          const c = v128.load32_splat(queryAt + i);
          const s0 = f32x4.add(f32x4.mul(v128.load(s), gate), f32x4.mul(k, v0));
          const s1 = f32x4.add(f32x4.mul(v128.load(s, 16), gate), f32x4.mul(k, v1));
          const s2 = f32x4.add(f32x4.mul(v128.load(s, 32), gate), f32x4.mul(k, v2));
          const s3 = f32x4.add(f32x4.mul(v128.load(s, 48), gate), f32x4.mul(k, v3));
          v128.store(s, s0);
          v128.store(s, s1, 16);
          v128.store(s, s2, 32);
          v128.store(s, s3, 48);
          o0 = f32x4.add(o0, f32x4.mul(c, s0));
          o1 = f32x4.add(o1, f32x4.mul(c, s1));
          o2 = f32x4.add(o2, f32x4.mul(c, s2));
          o3 = f32x4.add(o3, f32x4.mul(c, s3));
          s += line;
        }
        const to = out + at * line + chunk;
        v128.store(to, o0);
        v128.store(to, o1, 16);
        v128.store(to, o2, 32);
        v128.store(to, o3, 48);
      }
    }
  }
}
