/**
 * Owns the writing of small ONNX files: a graph of nodes and weights as protobuf, weights inside or in files beside it.
 * Owns no models (micro-models.ts). Field numbers are those of onnx.proto.
 */

export type FloatType = 'float32' | 'float16';
export type ElementType = FloatType | 'int64' | 'int32' | 'uint8' | 'int8' | 'bool';

const ELEMENT: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};

export interface TensorData {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

/** A file of weights beside the graph: as many tensors as fit below `maxBytes`, then the next file. */
export interface ExternalData {
  /** `model_q4.onnx_data`; further files end in `_1`, `_2`… */
  readonly name: string;
  readonly maxBytes: number;
}

export interface WrittenModel {
  readonly graph: Uint8Array;
  /** By name. */
  readonly data: ReadonlyMap<string, Uint8Array>;
}

/* ---------- protobuf ---------- */

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

function concat(parts: readonly ArrayLike<number>[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function block(field: number, contents: ArrayLike<number>): Uint8Array {
  return concat([varint(field * 8 + 2), varint(contents.length), contents]);
}

function text(field: number, value: string): Uint8Array {
  return block(field, new TextEncoder().encode(value));
}

function integer(field: number, value: number | bigint): Uint8Array {
  return concat([varint(field * 8), varint(value)]);
}

function real(field: number, value: number): Uint8Array {
  return concat([varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)]);
}

function attribute(name: string, value: Attribute): Uint8Array {
  const named = text(1, name);
  if (typeof value === 'number')
    return block(5, concat([named, integer(3, value), integer(20, 2)]));
  if (typeof value === 'string') return block(5, concat([named, text(4, value), integer(20, 3)]));
  if ('float' in value) return block(5, concat([named, real(2, value.float), integer(20, 1)]));
  return block(5, concat([named, ...value.map((one) => integer(8, one)), integer(20, 7)]));
}

function valueInfo(
  name: string,
  type: ElementType,
  dims: readonly (number | string)[],
): Uint8Array {
  const shape = dims.map((dim) =>
    block(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim)),
  );
  const tensor = concat([integer(1, ELEMENT[type]), block(2, concat(shape))]);
  return concat([text(1, name), block(2, block(1, tensor))]);
}

/* ---------- values ---------- */

export function int64s(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TensorData {
  const data = BigInt64Array.from(values, BigInt);
  return { type: 'int64', dims, bytes: new Uint8Array(data.buffer) };
}

/** float16 bits of a number, rounded to nearest even. */
function halfBits(value: number): number {
  const [single = 0] = new Uint32Array(Float32Array.of(value).buffer);
  const sign = (single >>> 16) & 0x8000;
  const exponent = ((single >>> 23) & 255) - 112;
  const fraction = single & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    const full = (fraction | 0x800000) >>> (1 - exponent);
    return sign | ((full + 0xfff + ((full >>> 13) & 1)) >>> 13);
  }
  return (sign | (exponent << 10)) + ((fraction + 0xfff + ((fraction >>> 13) & 1)) >>> 13);
}

export function floats(
  type: FloatType,
  values: Float32Array,
  dims: readonly number[] = [values.length],
): TensorData {
  if (type === 'float32')
    return {
      type,
      dims,
      bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    };
  const bits = Uint16Array.from(values, halfBits);
  return { type, dims, bytes: new Uint8Array(bits.buffer) };
}

/* ---------- graphs ---------- */

/** Collects a graph and writes it. */
export class GraphWriter {
  readonly #nodes: Uint8Array[] = [];
  readonly #inputs: Uint8Array[] = [];
  readonly #outputs: Uint8Array[] = [];
  readonly #weights: { name: string; data: TensorData }[] = [];
  readonly #constants = new Map<string, string>();
  #count = 0;

  input(name: string, type: ElementType, dims: readonly (number | string)[]): string {
    this.#inputs.push(block(11, valueInfo(name, type, dims)));
    return name;
  }

  /** Makes `value` an output called `name`. */
  output(name: string, value: string, type: ElementType, dims: readonly (number | string)[]): void {
    this.#node('Identity', [value], {}, '', [name]);
    this.#outputs.push(block(12, valueInfo(name, type, dims)));
  }

  weight(name: string, data: TensorData): string {
    this.#weights.push({ name, data });
    return name;
  }

  /** A small constant, the same name for the same values. */
  constant(data: TensorData): string {
    const key = `${data.type} ${data.dims.join()} ${data.bytes.join()}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `constant_${this.#constants.size}`;
    this.#constants.set(key, name);
    return this.weight(name, data);
  }

  /** An operator with one output. '' stands for an input that is left out. */
  op(type: string, inputs: readonly string[], attributes: Attributes = {}, domain = ''): string {
    const [output = ''] = this.ops(type, inputs, 1, attributes, domain);
    return output;
  }

  ops(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Attributes = {},
    domain = '',
  ): string[] {
    this.#count += 1;
    const names = Array.from({ length: outputs }, (_, i) => `${type}_${this.#count}_${i}`);
    this.#node(type, inputs, attributes, domain, names);
    return names;
  }

  #node(
    type: string,
    inputs: readonly string[],
    attributes: Attributes,
    domain: string,
    outputs: readonly string[],
  ): void {
    this.#nodes.push(
      block(
        1,
        concat([
          ...inputs.map((name) => text(1, name)),
          ...outputs.map((name) => text(2, name)),
          text(3, `node_${this.#nodes.length}`),
          text(4, type),
          ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
          ...(domain === '' ? [] : [text(7, domain)]),
        ]),
      ),
    );
  }

  /** The file, with weights above 256 bytes in files beside it where `external` is given. */
  write(external: ExternalData | null = null): WrittenModel {
    const files: { name: string; parts: Uint8Array[]; bytes: number }[] = [];
    const place = (bytes: Uint8Array, { name, maxBytes }: ExternalData): [string, number] => {
      let file = files.at(-1);
      if (file === undefined || (file.bytes > 0 && file.bytes + bytes.length > maxBytes)) {
        file = { name: files.length === 0 ? name : `${name}_${files.length}`, parts: [], bytes: 0 };
        files.push(file);
      }
      const offset = file.bytes;
      // Tensors begin at multiples of 16, so that any type may be read where it lies.
      const pad = (16 - (bytes.length % 16)) % 16;
      file.parts.push(bytes, new Uint8Array(pad));
      file.bytes += bytes.length + pad;
      return [file.name, offset];
    };
    const weights = this.#weights.map(({ name, data: { type, dims, bytes } }) => {
      const head = [
        ...dims.map((dim) => integer(1, dim)),
        integer(2, ELEMENT[type]),
        text(8, name),
      ];
      if (external === null || bytes.length <= 256)
        return block(5, concat([...head, block(9, bytes)]));
      const [location, offset] = place(bytes, external);
      const entries = { location, offset: String(offset), length: String(bytes.length) };
      return block(
        5,
        concat([
          ...head,
          ...Object.entries(entries).map(([key, value]) =>
            block(13, concat([text(1, key), text(2, value)])),
          ),
          integer(14, 1),
        ]),
      );
    });
    const graph = concat([
      ...this.#nodes,
      text(2, 'main_graph'),
      ...weights,
      ...this.#inputs,
      ...this.#outputs,
    ]);
    const opset = (domain: string, version: number): Uint8Array =>
      block(8, concat([...(domain === '' ? [] : [text(1, domain)]), integer(2, version)]));
    return {
      graph: concat([
        integer(1, 10),
        text(2, 'tidepool-conformance'),
        block(7, graph),
        opset('', 21),
        opset('com.microsoft', 1),
      ]),
      data: new Map(files.map(({ name, parts }) => [name, concat(parts)])),
    };
  }
}
