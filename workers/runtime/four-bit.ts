/**
 * Owns the change of an .onnx file at load that turns MatMulNBits (2, 4 or 8 bits a weight) into MatMul with float32
 * weights, for the CPU provider: its MatMulNBits decodes several times slower than float32 (docs/speed.md). The weights
 * go into a file of external data that is made as it is read (bytes-on-demand.ts); nothing else is touched.
 * GatherBlockQuantized stays: the plain build has it, and it reads one row a token. Owns no session and no unfolding
 * (unfold.ts).
 */
import type { FourBitRewrite } from '../../src/protocol/engine-api';
import { BytesOnDemand, type Stretch } from './bytes-on-demand';
import {
  ATTRIBUTE,
  EXTERNAL,
  FLOAT16,
  FLOAT32,
  GRAPH_INITIALIZER,
  GRAPH_INPUT,
  GRAPH_NODE,
  MODEL_GRAPH,
  NODE,
  readNode,
  readTensor,
  TENSOR,
  UINT8,
  type GraphFile,
  type Node,
  type Tensor,
} from './graph-reader';
import { block, fieldsOf, integer, readText, text, varintBytes } from './protobuf';
import { unfold, type Numbers } from './unfold';

/** Name of the file of new weights; no exporter uses it. */
const NEW_FILE = 'tidepool-float32-weights';

/* More field numbers of onnx.proto. */
const ATTRIBUTE_INT = 2;

interface Matrix {
  readonly node: Node;
  readonly bits: number;
  readonly blockSize: number;
  /** Weights are (rows K, columns N) in MatMul. */
  readonly rows: number;
  readonly columns: number;
  readonly codes: Tensor;
  readonly scales: Tensor;
  readonly zeros: Tensor | null;
  readonly bias: string | null;
  /** The operator itself computes in float16. */
  readonly isHalf: boolean;
  /** Nodes that only reshape the codes or cast the scales, when nothing else needs them. */
  readonly makers: readonly Node[];
}

/** Bytes of a tensor with what they are numbers of. */
function numbers({ data, type }: Tensor): Numbers {
  const kind = type === UINT8 ? 'uint8' : type === FLOAT16 ? 'float16' : 'float32';
  return { kind, bytes: data ?? new Uint8Array() };
}

/* ---------- writing ---------- */

function nodeBytes(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number>> = {},
): number[] {
  return block(GRAPH_NODE, [
    ...inputs.flatMap((name) => text(NODE.input, name)),
    ...text(NODE.output, output),
    ...text(NODE.name, `/${output}/${op}`),
    ...text(NODE.op, op),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      block(NODE.attribute, [
        ...text(ATTRIBUTE.name, name),
        ...integer(ATTRIBUTE.integer, value),
        ...integer(ATTRIBUTE.type, ATTRIBUTE_INT),
      ]),
    ),
  ]);
}

function weightBytes(
  name: string,
  dims: readonly number[],
  offset: number,
  size: number,
): number[] {
  const entry = (key: string, value: string): number[] =>
    block(TENSOR.external, [...text(1, key), ...text(2, value)]);
  return block(GRAPH_INITIALIZER, [
    ...dims.flatMap((dim) => integer(TENSOR.dims, dim)),
    ...integer(TENSOR.type, FLOAT32),
    ...text(TENSOR.name, name),
    ...entry('location', NEW_FILE),
    ...entry('offset', String(offset)),
    ...entry('length', String(size)),
    ...integer(TENSOR.location, EXTERNAL),
  ]);
}

/** What takes the place of a MatMulNBits node: MatMul, in float32 where the model is float16, and its bias. */
function product(matrix: Matrix, weight: string): number[] {
  const [x = ''] = matrix.node.inputs;
  const [out = ''] = matrix.node.outputs;
  const { bias } = matrix;
  const inHalf = matrix.isHalf;
  const wide = inHalf ? `${out}.wide_in` : x;
  const plain = inHalf ? `${out}.wide` : bias === null ? out : `${out}.product`;
  const narrow = bias === null ? out : `${out}.product`;
  return [
    ...(inHalf ? nodeBytes('Cast', [x], wide, { to: FLOAT32 }) : []),
    ...nodeBytes('MatMul', [wide, weight], plain),
    ...(inHalf ? nodeBytes('Cast', [plain], narrow, { to: FLOAT16 }) : []),
    ...(bias === null ? [] : nodeBytes('Add', [narrow, bias], out)),
  ];
}

/**
 * `file` with its MatMulNBits nodes as float32 MatMul, as many as fit in `limitBytes` of float32, in the graph's order;
 * null where it has none that can be rewritten (weights that are not constants of the file, or reordered by a
 * `g_idx`). Results differ from the operator's own by rounding only. RangeError when `file` is no ONNX file, or when
 * there is no memory.
 */
export function rewriteFourBit(
  file: GraphFile,
  limitBytes: number,
): { readonly file: GraphFile; readonly rewrite: FourBitRewrite } | null {
  const startedAt = performance.now();
  const { bytes } = file;
  const graphs = [...fieldsOf(bytes, 0, bytes.length)].filter(
    ({ number }) => number === MODEL_GRAPH,
  );
  const [graph] = graphs;
  if (graph === undefined || graphs.length !== 1) return null;
  const tensors = new Map<string, Tensor>();
  const nodes: Node[] = [];
  const fed = new Set<string>();
  for (const field of fieldsOf(bytes, graph.start, graph.end)) {
    if (field.number === GRAPH_NODE) nodes.push(readNode(bytes, field));
    else if (field.number === GRAPH_INITIALIZER) {
      const { name, tensor } = readTensor(file, field);
      tensors.set(name, tensor);
    } else if (field.number === GRAPH_INPUT) {
      const first = [...fieldsOf(bytes, field.start, field.end)].find((one) => one.number === 1);
      if (first !== undefined) fed.add(readText(bytes, first));
    }
  }
  const users = new Map<string, number>();
  for (const { inputs } of nodes)
    for (const name of inputs) users.set(name, (users.get(name) ?? 0) + 1);
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const constant = (name: string | undefined): Tensor | null =>
    name === undefined || fed.has(name) ? null : (tensors.get(name) ?? null);

  const madeBy = (op: string, name: string): Node | null => {
    const maker = makers.get(name);
    return maker?.op === op ? maker : null;
  };

  const found = nodes.filter(({ op }) => op === 'MatMulNBits');
  const matrices: Matrix[] = [];
  let bytesAfter = 0;
  for (const node of found) {
    const [, codesName = '', scalesName = '', zerosName = '', order = '', bias = ''] = node.inputs;
    const reshapes = madeBy('Reshape', codesName);
    // Scales that are kept in 16 bits for a model of 32.
    const casts = madeBy('Cast', scalesName);
    const codes = constant(reshapes === null ? codesName : reshapes.inputs[0]);
    const scales = constant(casts === null ? scalesName : casts.inputs[0]);
    const zeros = zerosName === '' ? null : constant(zerosName);
    const bits = node.integers.get('bits') ?? 4;
    const rows = node.integers.get('K') ?? 0;
    const columns = node.integers.get('N') ?? 0;
    const blockSize = node.integers.get('block_size') ?? 0;
    const blocks = Math.ceil(rows / blockSize);
    const size = 4 * rows * columns;
    if (
      codes?.data?.length !== (columns * blocks * blockSize * bits) / 8 ||
      scales?.data?.length !== columns * blocks * (scales?.type === FLOAT16 ? 2 : 4) ||
      (scales.type !== FLOAT16 && scales.type !== FLOAT32) ||
      (casts !== null && casts.integers.get('to') !== FLOAT32) ||
      (zerosName !== '' && (zeros?.data ?? null) === null) ||
      (zeros !== null && ![UINT8, FLOAT32, FLOAT16].includes(zeros.type)) ||
      order !== '' ||
      bytesAfter + size > limitBytes
    )
      continue;
    bytesAfter += size;
    matrices.push({
      node,
      bits,
      blockSize,
      rows,
      columns,
      codes,
      scales,
      zeros,
      bias: bias === '' ? null : bias,
      isHalf: casts === null && scales.type === FLOAT16,
      makers: [reshapes, casts].flatMap((maker) =>
        maker?.outputs.every((name) => users.get(name) === 1) === true ? [maker] : [],
      ),
    });
  }
  if (matrices.length === 0) return null;

  // Values that only rewritten nodes used go; a subgraph may use any.
  const replaced = new Map(matrices.map((matrix) => [matrix.node, matrix]));
  const dropped = new Set(matrices.flatMap((matrix) => matrix.makers));
  const kept = nodes.filter((node) => !replaced.has(node) && !dropped.has(node));
  const needed = nodes.some((node) => node.hasSubgraph)
    ? new Set(tensors.keys())
    : new Set([
        ...kept.flatMap(({ inputs }) => inputs),
        ...matrices.flatMap(({ bias }) => bias ?? []),
      ]);
  const gone = new Set<number>();
  for (const [name, { field }] of tensors)
    if (!needed.has(name) && users.has(name)) gone.add(field.from);
  for (const { field } of dropped) gone.add(field.from);

  const stretches: Stretch[] = [];
  let room = new ArrayBuffer(0);
  const added: number[] = [];
  const products = new Map<number, number[]>();
  const rewrite = {
    matrices: matrices.length,
    of: found.length,
    bytesBefore: 0,
    bytesAfter,
    ms: 0,
  };
  let offset = 0;
  for (const matrix of matrices) {
    const { rows, columns, node } = matrix;
    const size = 4 * rows * columns;
    const make = (): Uint8Array<ArrayBuffer> => {
      const began = performance.now();
      // One room for all: made anew for each, they stay in the process until the next garbage collection, and longer.
      if (room.byteLength < size) room = new ArrayBuffer(size);
      const folded = {
        ...matrix,
        codes: matrix.codes.data ?? new Uint8Array(),
        scales: numbers(matrix.scales),
        zeros: matrix.zeros === null ? null : numbers(matrix.zeros),
      };
      unfold(folded, new Float32Array(room, 0, rows * columns));
      rewrite.ms += performance.now() - began;
      return new Uint8Array(room, 0, size);
    };
    stretches.push({ offset, length: size, make });
    const name = `${node.outputs[0] ?? ''}.float32_weight`;
    for (const byte of weightBytes(name, [rows, columns], offset, size)) added.push(byte);
    products.set(node.field.from, product(matrix, name));
    offset += size;
    for (const part of [matrix.codes, matrix.scales, matrix.zeros])
      rewrite.bytesBefore += part?.data?.length ?? 0;
  }

  const parts: (Uint8Array | number[])[] = [];
  for (const field of fieldsOf(bytes, graph.start, graph.end)) {
    const made = products.get(field.from);
    if (made !== undefined) parts.push(made);
    else if (!gone.has(field.from)) parts.push(bytes.subarray(field.from, field.end));
  }
  parts.push(added);
  const length = parts.reduce((sum, part) => sum + part.length, 0);

  const whole = [
    bytes.subarray(0, graph.from),
    varintBytes(MODEL_GRAPH * 8 + 2),
    varintBytes(length),
    ...parts,
    bytes.subarray(graph.end),
  ];
  const result = new Uint8Array(whole.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of whole) {
    result.set(part, at);
    at += part.length;
  }
  const files = new Set(
    [...tensors.values()].flatMap(({ field, path }) =>
      path === null || gone.has(field.from) ? [] : [path],
    ),
  );
  rewrite.ms += performance.now() - startedAt;
  return {
    file: {
      bytes: result,
      externalData: [
        ...file.externalData.filter(({ path }) => files.has(path)),
        { path: NEW_FILE, data: new BytesOnDemand(stretches) },
      ],
    },
    rewrite,
  };
}
