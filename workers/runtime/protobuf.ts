/**
 * Owns the wire format of protobuf as .onnx files need it: walking the fields of a message, writing fields. Owns no
 * meaning of the fields.
 */

export interface Field {
  readonly number: number;
  /** 0 varint, 1 and 5 fixed, 2 contents with a length. */
  readonly wire: number;
  /** Where the field begins, with its key. */
  readonly from: number;
  /** Range of the contents; for a varint the range of its bytes. */
  readonly start: number;
  readonly end: number;
}

/** Fields of the message in `bytes` from `start` to `end`; RangeError on broken lengths. */
export function* fieldsOf(bytes: Uint8Array, start: number, end: number): Generator<Field> {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at];
      if (byte === undefined || at >= end) throw new RangeError(`the file is cut at byte ${at}`);
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < end) {
    const begin = at;
    const key = varint();
    const wire = key % 8;
    let from = at;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      from = at;
      at += length;
    } else throw new RangeError(`no ONNX file has a field of wire type ${wire} at byte ${at}`);
    if (at > end) throw new RangeError(`a field at byte ${from} ends ${at - end} bytes too late`);
    yield { number: Math.floor(key / 8), wire, from: begin, start: from, end: at };
  }
}

/** Value of a varint that begins at `at`, and where the next one would; exact up to 2^53. */
function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let next = at;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[next] ?? 0;
    next += 1;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, next };
  }
}

/** Numbers of a repeated integer field's entry, packed or single. */
export function readIntegers(bytes: Uint8Array, field: Field): number[] {
  const values: number[] = [];
  for (let at = field.start; at < field.end;) {
    const { value, next } = readVarint(bytes, at);
    values.push(value);
    at = next;
  }
  return values;
}

/** A varint of 64 bits, two's complement, as a signed integer; exact within ±2^53. */
export function readSigned(bytes: Uint8Array, { start, end }: Field): number {
  let value = 0n;
  for (let at = start; at < end; at += 1)
    value |= BigInt((bytes[at] ?? 0) & 127) << BigInt(7 * (at - start));
  return Number(BigInt.asIntN(64, value));
}

export function readText(bytes: Uint8Array, field: Field): string {
  return new TextDecoder().decode(bytes.subarray(field.start, field.end));
}

export function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

/** A field with contents: a message, or text. */
export function block(number: number, contents: readonly number[]): number[] {
  return [...varintBytes(number * 8 + 2), ...varintBytes(contents.length), ...contents];
}

export function text(number: number, value: string): number[] {
  return block(number, Array.from(new TextEncoder().encode(value)));
}

export function integer(number: number, value: number): number[] {
  return [...varintBytes(number * 8), ...varintBytes(value)];
}
