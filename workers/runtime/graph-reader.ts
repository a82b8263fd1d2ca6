/**
 * Owns the reading of an .onnx file's nodes and constants: what computes what from which weights, inside the file or in
 * files of external data. Owns no meaning of operators and changes nothing.
 */
import { BytesOnDemand } from './bytes-on-demand';
import { fieldsOf, readIntegers, readText, type Field } from './protobuf';

/** An .onnx file with the files of its weights, under the names that it knows them by. */
export interface GraphFile {
  readonly bytes: Uint8Array;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/* Field numbers of onnx.proto. */
export const MODEL_GRAPH = 7;
export const GRAPH_NODE = 1;
export const GRAPH_INITIALIZER = 5;
export const GRAPH_INPUT = 11;
export const GRAPH_OUTPUT = 12;
export const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 } as const;
export const ATTRIBUTE = { name: 1, integer: 3, type: 20, graph: 6, graphs: 11 } as const;
export const TENSOR = { dims: 1, type: 2, name: 8, raw: 9, external: 13, location: 14 } as const;
export const EXTERNAL = 1;
export const FLOAT32 = 1;
export const UINT8 = 2;
export const FLOAT16 = 10;

export interface Tensor {
  readonly field: Field;
  readonly type: number;
  readonly dims: readonly number[];
  /** Null where the values are not to be had as plain bytes. */
  readonly data: Uint8Array | null;
  /** File that the values are in; null in the .onnx file itself. */
  readonly path: string | null;
}

export interface Node {
  readonly field: Field;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly integers: ReadonlyMap<string, number>;
  readonly hasSubgraph: boolean;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A constant with its name. */
export function readTensor(file: GraphFile, field: Field): { name: string; tensor: Tensor } {
  const { bytes } = file;
  let name = '';
  let type = 0;
  const dims: number[] = [];
  let data: Uint8Array | null = null;
  let isExternal = false;
  const entries = new Map<string, string>();
  for (const inner of fieldsOf(bytes, field.start, field.end)) {
    if (inner.number === TENSOR.name) name = readText(bytes, inner);
    else if (inner.number === TENSOR.dims) dims.push(...readIntegers(bytes, inner));
    else if (inner.number === TENSOR.type) [type = 0] = readIntegers(bytes, inner);
    else if (inner.number === TENSOR.raw) data = bytes.subarray(inner.start, inner.end);
    else if (inner.number === TENSOR.location)
      isExternal = readIntegers(bytes, inner)[0] === EXTERNAL;
    else if (inner.number === TENSOR.external) {
      const [key, value] = [...fieldsOf(bytes, inner.start, inner.end)].map((part) =>
        readText(bytes, part),
      );
      entries.set(key ?? '', value ?? '');
    }
  }
  if (!isExternal) return { name, tensor: { field, type, dims, data, path: null } };
  const location = entries.get('location') ?? '';
  const source = file.externalData.find(({ path }) => baseName(path) === baseName(location));
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? (source?.data.byteLength ?? 0) - offset);
  const isWhole = source !== undefined && offset + length <= source.data.byteLength;
  return {
    name,
    tensor: {
      field,
      type,
      dims,
      data: isWhole ? kept(source.data, offset, offset + length) : null,
      path: source?.path ?? location,
    },
  };
}

/** A stretch of external data that stays as it is: bytes on demand are good only until the next are asked for. */
function kept(data: Uint8Array, from: number, to: number): Uint8Array {
  const found = data.subarray(from, to);
  return data instanceof BytesOnDemand ? found.slice() : found;
}

export function readNode(bytes: Uint8Array, field: Field): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const integers = new Map<string, number>();
  let op = '';
  let hasSubgraph = false;
  for (const inner of fieldsOf(bytes, field.start, field.end)) {
    if (inner.number === NODE.input) inputs.push(readText(bytes, inner));
    else if (inner.number === NODE.output) outputs.push(readText(bytes, inner));
    else if (inner.number === NODE.op) op = readText(bytes, inner);
    else if (inner.number === NODE.attribute) {
      let name = '';
      let value: number | null = null;
      for (const part of fieldsOf(bytes, inner.start, inner.end)) {
        if (part.number === ATTRIBUTE.name) name = readText(bytes, part);
        else if (part.number === ATTRIBUTE.integer) [value = 0] = readIntegers(bytes, part);
        else if (part.number === ATTRIBUTE.graph || part.number === ATTRIBUTE.graphs)
          hasSubgraph = true;
      }
      if (value !== null) integers.set(name, value);
    }
  }
  return { field, op, inputs, outputs, integers, hasSubgraph };
}
