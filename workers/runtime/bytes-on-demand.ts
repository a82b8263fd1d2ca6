/**
 * Owns bytes that are made when they are read: a file of external data for ONNX Runtime, which asks for one tensor after
 * the other and copies it into its heap at once. So float32 weights that are unfolded from codes never stand in
 * JavaScript's memory together (546 MB for Lagoon; the largest tensor of it has 75). Owns no unfolding.
 *
 * ONNX Runtime takes a Uint8Array and, in both builds, reads it by `byteLength` and `subarray(start, end)` alone
 * (`mountExternalData` and LoadWebAssemblyExternalData in 1.31); bytes-on-demand.test.ts holds a new version to that.
 */

/** A stretch of the file. */
export interface Stretch {
  readonly offset: number;
  readonly length: number;
  /** Its bytes; asked for anew at each reading, and good until the next. */
  make(): Uint8Array<ArrayBuffer>;
}

export class BytesOnDemand extends Uint8Array<ArrayBuffer> {
  readonly #stretches: readonly Stretch[];

  /** `stretches` in the order of their offsets. */
  constructor(stretches: readonly Stretch[]) {
    super(new ArrayBuffer(0));
    this.#stretches = stretches;
    const last = stretches.at(-1);
    // An accessor of the prototype cannot be overridden by the class itself.
    Object.defineProperty(this, 'byteLength', {
      value: last === undefined ? 0 : last.offset + last.length,
    });
  }

  /** Bytes of one stretch or of a part of it; RangeError for any others. */
  override subarray(begin = 0, end = this.byteLength): Uint8Array<ArrayBuffer> {
    let low = 0;
    let high = this.#stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#stretches[middle]?.offset ?? 0) <= begin) low = middle + 1;
      else high = middle;
    }
    const found = this.#stretches[low - 1];
    if (found === undefined || end > found.offset + found.length)
      throw new RangeError(`bytes ${begin} to ${end} lie in no one tensor`);
    return found.make().subarray(begin - found.offset, end - found.offset);
  }
}
