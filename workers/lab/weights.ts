/**
 * Owns the lab's look at the weights of a layer: which matrices the file has, one row of one of them, and what NVFP4
 * would lose of it. Reads the forms in which this project's files and most of the hub's keep weights. Owns no fetching.
 */
import { quantiseBlock, BLOCK_SIZE, tensorScaleOf } from '../../src/core/nvfp4/quantise-block';
import { EngineError } from '../../src/core/errors';
import type { WeightsRequest, WeightsResult } from '../../src/protocol/lab-api';
import {
  FLOAT16,
  FLOAT32,
  GRAPH_INITIALIZER,
  GRAPH_NODE,
  MODEL_GRAPH,
  readNode,
  readTensor,
  UINT8,
  type GraphFile,
  type Node,
  type Tensor,
} from '../runtime/graph-reader';
import { fieldsOf } from '../runtime/protobuf';
import { widenFloat16 } from '../runtime/tensor-values';

/** A linear layer's matrix; `row` gives the weights of one output. */
export interface WeightMatrix {
  readonly layer: number;
  readonly name: string;
  /** Outputs and inputs. */
  readonly rows: number;
  readonly columns: number;
  readonly row: (at: number) => Float32Array;
}

const INT8 = 3;

type Shape = Pick<WeightMatrix, 'rows' | 'columns' | 'row'>;
type Constants = (name: string | undefined) => Tensor | null;

/** Reads `count` numbers of a constant, from element `first` on, each `step` after the other; null for other types. */
function strided({
  data,
  type,
}: Tensor): ((first: number, step: number, count: number) => Float32Array) | null {
  if (data === null) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (type === FLOAT16)
    return (first, step, count) =>
      widenFloat16(
        Uint16Array.from({ length: count }, (_, i) => view.getUint16(2 * (first + i * step), true)),
      );
  const read =
    type === FLOAT32
      ? (at: number) => view.getFloat32(4 * at, true)
      : type === INT8
        ? (at: number) => view.getInt8(at)
        : null;
  if (read === null) return null;
  return (first, step, count) =>
    Float32Array.from({ length: count }, (_, i) => read(first + i * step));
}

/** All numbers of a constant; null for types that are not read. */
function floats(tensor: Tensor): Float32Array | null {
  const read = strided(tensor);
  const elements = (tensor.data?.length ?? 0) / (tensor.type === FLOAT16 ? 2 : 4);
  return tensor.type === INT8 ? null : (read?.(0, 1, elements) ?? null);
}

/** Codes of few bits around a zero point, a scale a block. */
function blockMatrix({ inputs, integers }: Node, constant: Constants): Shape | null {
  const codes = constant(inputs[1])?.data ?? null;
  const scaleTensor = constant(inputs[2]);
  const zeros = inputs[3] === undefined || inputs[3] === '' ? null : constant(inputs[3]);
  const scales = scaleTensor === null ? null : floats(scaleTensor);
  const bits = integers.get('bits') ?? 4;
  const columns = integers.get('K') ?? 0;
  const rows = integers.get('N') ?? 0;
  const size = integers.get('block_size') ?? 32;
  const blocks = Math.ceil(columns / size);
  if (codes?.length !== (rows * blocks * size * bits) / 8 || scales === null) return null;
  if (zeros !== null && zeros.type !== UINT8) return null;
  const mask = (1 << bits) - 1;
  const bitsAt = (bytes: Uint8Array, from: number, bit: number): number =>
    ((bytes[from + (bit >> 3)] ?? 0) >> (bit & 7)) & mask;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const zeroBits = zeros?.data ?? null;
  const row = (at: number): Float32Array =>
    Float32Array.from({ length: columns }, (_, k) => {
      const block = Math.floor(k / size);
      const zero =
        zeroBits === null ? 1 << (bits - 1) : bitsAt(zeroBits, at * zeroBytes, block * bits);
      const from = ((at * blocks + block) * size * bits) / 8;
      return (bitsAt(codes, from, (k % size) * bits) - zero) * (scales[at * blocks + block] ?? 0);
    });
  return { rows, columns, row };
}

/** Weights as they are, (inputs, outputs), or the other way round under Gemm's transB. */
function plainMatrix({ integers }: Node, weight: Tensor): Shape | null {
  const read = strided(weight);
  const [first = 0, second = 0] = weight.dims;
  if (read === null || weight.dims.length !== 2) return null;
  return integers.get('transB') === 1
    ? { rows: first, columns: second, row: (at) => read(at * second, 1, second) }
    : { rows: second, columns: first, row: (at) => read(at, second, first) };
}

/** int8 codes times a scale for each output, which ONNX Runtime folds at load. */
function foldedMatrix(codes: Tensor, scaleTensor: Tensor): Shape | null {
  const read = codes.type === INT8 ? strided(codes) : null;
  const scales = floats(scaleTensor);
  const [columns = 0, rows = 0] = codes.dims;
  if (read === null || scales?.length !== rows || codes.dims.length !== 2) return null;
  return {
    rows,
    columns,
    row: (at) => read(at, rows, columns).map((code) => code * (scales[at] ?? 0)),
  };
}

/** Place and name that a node's output or constant tells: `layers.3.qkv_proj`, `/model/layers.3/mlp/up_proj/MatMul`. */
function placeOf(node: Node): { layer: number; name: string } | null {
  for (const text of [node.outputs[0] ?? '', node.inputs[1] ?? '']) {
    const [, layer, rest] = /(?:^|[./])layers?[./](\d+)[./](.+)$/.exec(text) ?? [];
    if (layer === undefined || rest === undefined) continue;
    const parts = rest.split(/[./]/).filter((part) => !/^(MatMul|Gemm|weight|mixer)/.test(part));
    return { layer: Number(layer), name: parts.join('.') };
  }
  return null;
}

/** The matrices of a graph's layers that are kept in a form that is read here, in the graph's order. */
export function matricesOf(file: GraphFile): readonly WeightMatrix[] {
  const { bytes } = file;
  const nodes: Node[] = [];
  const tensors = new Map<string, Tensor>();
  for (const graph of fieldsOf(bytes, 0, bytes.length)) {
    if (graph.number !== MODEL_GRAPH) continue;
    for (const field of fieldsOf(bytes, graph.start, graph.end)) {
      if (field.number === GRAPH_NODE) nodes.push(readNode(bytes, field));
      else if (field.number === GRAPH_INITIALIZER) {
        const { name, tensor } = readTensor(file, field);
        tensors.set(name, tensor);
      }
    }
  }
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const constant: Constants = (name) => tensors.get(name ?? '') ?? null;

  const shapeOf = (node: Node): Shape | null => {
    if (node.op === 'MatMulNBits') return blockMatrix(node, constant);
    if (node.op !== 'MatMul' && node.op !== 'Gemm') return null;
    const weight = constant(node.inputs[1]);
    if (weight !== null) return plainMatrix(node, weight);
    const scaled = makers.get(node.inputs[1] ?? '');
    const cast = scaled?.op === 'Mul' ? makers.get(scaled.inputs[0] ?? '') : undefined;
    const codes = cast?.op === 'Cast' ? constant(cast.inputs[0]) : null;
    const scales = constant(scaled?.inputs[1]);
    return codes === null || scales === null ? null : foldedMatrix(codes, scales);
  };
  return nodes.flatMap((node) => {
    const place = placeOf(node);
    const shape = place === null ? null : shapeOf(node);
    return place === null || shape === null ? [] : [{ ...place, ...shape }];
  });
}

/** What NVFP4 changes of a matrix, over its norm, by scaling; and its largest weight. */
function judge({ rows, columns, row }: WeightMatrix): Pick<WeightsResult, 'largest' | 'errors'> {
  let largest = 0;
  let norm = 0;
  for (let at = 0; at < rows; at += 1)
    for (const weight of row(at)) {
      largest = Math.max(largest, Math.abs(weight));
      norm += weight * weight;
    }
  if (columns % BLOCK_SIZE !== 0) return { largest, errors: null };
  const changed = { six: 0, 'four-over-six': 0 };
  for (const scaling of ['six', 'four-over-six'] as const) {
    const scale = tensorScaleOf(largest, scaling);
    for (let at = 0; at < rows; at += 1) {
      const weights = row(at);
      for (let from = 0; from < columns; from += BLOCK_SIZE)
        changed[scaling] += quantiseBlock(
          weights.subarray(from, from + BLOCK_SIZE),
          scale,
          scaling,
        ).squaredError;
    }
  }
  const share = (sum: number): number => Math.sqrt(sum / (norm || 1));
  return {
    largest,
    errors: { six: share(changed.six), fourOverSix: share(changed['four-over-six']) },
  };
}

/** One row of one of a layer's matrices. EngineError when the layer has no matrix of that number. */
export function readWeights(
  file: GraphFile,
  { layer, matrix, row }: WeightsRequest,
): WeightsResult {
  const found = matricesOf(file).filter((one) => one.layer === layer);
  const matrices = found.map(({ name, rows, columns }) => ({ name, rows, columns }));
  if (found.length === 0)
    return { matrices, matrix: 0, row: 0, values: new Float32Array(), largest: 0, errors: null };
  const chosen = found[matrix];
  if (chosen === undefined)
    throw new EngineError(
      'internal',
      `Layer ${layer} has ${found.length} matrices; there is no number ${matrix}.`,
      'Choose one of them.',
    );
  const at = Math.min(Math.max(0, row), chosen.rows - 1);
  return { matrices, matrix, row: at, values: chosen.row(at), ...judge(chosen) };
}
