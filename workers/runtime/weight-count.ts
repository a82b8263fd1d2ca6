/**
 * Owns the counting of a model's parameters in its .onnx file: numbers of weights as the operators see them, whatever
 * bits they are packed in. Reads shapes and names only, no weights.
 */
import { readNode } from './probe-graph';
import { fieldsOf, type Field } from './protobuf';

/* Field numbers of onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_INITIALIZER = 5;
const TENSOR_DIMS = 1;
const TENSOR_TYPE = 2;
const TENSOR_NAME = 8;

/** float32, uint8, int8, float16, bfloat16, uint4, int4: what weights are kept in. */
const WEIGHT_TYPES = new Set([1, 2, 3, 10, 16, 21, 22]);

/** How many weights an element of the operator's input 1 (0 for lookups) is, where bytes hold two 4-bit numbers. */
const PACKED: Readonly<Record<string, number>> = {
  MatMulNBits: 1,
  GatherBlockQuantized: 0,
  QMoE: 2,
};

/** Inputs from here on are scales and zero points, not weights. */
const FIRST_SCALE: Readonly<Record<string, number>> = {
  MatMulNBits: 2,
  GatherBlockQuantized: 2,
  DynamicQuantizeMatMul: 2,
  MatMulIntegerToFloat: 2,
  DequantizeLinear: 1,
};

function varintAt(bytes: Uint8Array, start: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; ; at += 1, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}

interface Weight {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
}

function readWeight(bytes: Uint8Array, field: Field): Weight {
  const dims: number[] = [];
  let type = 0;
  let name = '';
  for (const { number, start, end } of fieldsOf(bytes, field.start, field.end)) {
    if (number === TENSOR_TYPE) type = varintAt(bytes, start);
    else if (number === TENSOR_NAME) name = new TextDecoder().decode(bytes.subarray(start, end));
    else if (number === TENSOR_DIMS) {
      // Written one by one or packed in one field: in both cases varints one after the other.
      for (let at = start; at < end;) {
        dims.push(varintAt(bytes, at));
        while ((bytes[at] ?? 0) > 127) at += 1;
        at += 1;
      }
    }
  }
  return { name, type, dims };
}

/** Parameters of a model file; those of several graphs add up. RangeError when `model` is no ONNX file. */
export function countParameters(model: Uint8Array): number {
  const weights: Weight[] = [];
  const scales = new Set<string>();
  /** 4-bit numbers two a byte: by name of the bytes. */
  const halves = new Set<string>();
  for (const field of fieldsOf(model, 0, model.length)) {
    if (field.number !== MODEL_GRAPH) continue;
    for (const inner of fieldsOf(model, field.start, field.end)) {
      if (inner.number === GRAPH_INITIALIZER) weights.push(readWeight(model, inner));
      if (inner.number !== GRAPH_NODE) continue;
      const { op, inputs } = readNode(model, inner);
      const first = FIRST_SCALE[op];
      if (first !== undefined) for (const { name } of inputs.slice(first)) scales.add(name);
      const packed = inputs[PACKED[op] ?? -1];
      if (packed !== undefined) halves.add(packed.name);
    }
  }
  let total = 0;
  for (const { name, type, dims } of weights) {
    const elements = dims.reduce((product, dim) => product * dim, 1);
    if (!WEIGHT_TYPES.has(type) || scales.has(name) || elements <= 1) continue;
    // MatMulNBits keeps (outputs, blocks, bytes of a block): 16 bytes are 32 weights of 4 bits.
    total += elements * (type === 2 && halves.has(name) ? 2 : 1);
  }
  return total;
}
