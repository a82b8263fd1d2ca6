/** Owns the measurement of how fast WebAssembly can read memory: a loop of SIMD loads, written out as bytes. */

/** Vectors of 16 bytes that a turn of the loop reads; each has a sum of its own, so that no add waits for another. */
const LANES = 8;

const PAGE_BYTES = 65_536;

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

/** A module with one function `r(from, to)`, which adds up all float32 from `from` to `to` of the memory `m.m`. */
function readerModule(): Uint8Array<ArrayBuffer> {
  const add = [0xfd, 0xe4, 0x01];
  const lanes = Array.from({ length: LANES }, (_, i) => i);
  // sum[i] += load(from + 16 i)
  const loads = lanes.flatMap((i) => [
    ...[0x20, 2 + i, 0x20, 0x00, 0xfd, 0x00, 0x04, ...leb(16 * i)],
    ...[...add, 0x21, 2 + i],
  ]);
  const step = 16 * LANES; // as signed LEB128 in two bytes
  const advance = [0x20, 0x00, 0x41, (step & 0x7f) | 0x80, step >>> 7, 0x6a, 0x22, 0x00];
  const loop = [0x03, 0x40, ...loads, ...advance, 0x20, 0x01, 0x49, 0x0d, 0x00, 0x0b];
  const sum = lanes.flatMap((i) => [0x20, 2 + i, ...(i === 0 ? [] : add)]);
  const body = [0x01, LANES, 0x7b, ...loop, ...sum, 0xfd, 0x1f, 0x00, 0x0b];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7d]),
    ...section(2, [0x01, 0x01, 0x6d, 0x01, 0x6d, 0x02, 0x00, 0x01]),
    ...section(3, [0x01, 0x00]),
    ...section(7, [0x01, 0x01, 0x72, 0x00, 0x00]),
    ...section(10, [0x01, ...leb(body.length), ...body]),
  ]);
}

export interface BandwidthRequest {
  /** Size of the area that is read again and again: what fits a cache is read faster. */
  readonly bytes: number;
  readonly forMs: number;
}

/** Bytes per second of the best pass; a slower one was disturbed. */
async function measure({ bytes, forMs }: BandwidthRequest): Promise<number> {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages });
  new Float32Array(memory.buffer).fill(1);
  const { instance } = await WebAssembly.instantiate(readerModule(), { m: { m: memory } });
  const read = instance.exports['r'] as (from: number, to: number) => number;
  const size = pages * PAGE_BYTES;
  // A small area is read many times a pass, or the clock (5 µs to 0.1 ms) would be what is measured.
  const turns = Math.max(1, Math.ceil((64 * 1024 * 1024) / size));
  let best = 0;
  const end = performance.now() + forMs;
  do {
    const startedAt = performance.now();
    for (let turn = 0; turn < turns; turn += 1) read(0, size);
    best = Math.max(best, (size * turns * 1000) / (performance.now() - startedAt));
  } while (performance.now() < end);
  return best;
}

self.onmessage = ({ data }: MessageEvent<BandwidthRequest>) => {
  void measure(data).then((bytesPerSecond) => self.postMessage(bytesPerSecond));
};
