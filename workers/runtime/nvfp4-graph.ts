/**
 * Owns the filling of a graph without weights from an NVFP4 checkpoint: no runtime of the browser reads the format, so
 * each matrix becomes, without rounding, what the graph asks for (float32, or MatMulNBits of 8 bits in blocks of 16).
 * Fetched only for a model that is packed so. Owns no session. The graphs are the recipe's (export/nvfp4_package.py).
 */
import {
  readPackedCheckpoint,
  type PackedCheckpoint,
} from '../../src/core/nvfp4/packed-checkpoint';
import {
  eightBitCodes,
  eightBitScales,
  writeTransposed,
  type PackedMatrix,
} from '../../src/core/nvfp4/packed-matrix';
import { brokenFile } from '../../src/core/nvfp4/safetensors';
import { EXTERNAL, GRAPH_INITIALIZER, MODEL_GRAPH, TENSOR, type GraphFile } from './graph-reader';
import { fieldsOf, readIntegers, readText, type Field } from './protobuf';

/** A tensor whose values the graph expects in a file of that name. */
interface Wanted {
  readonly name: string;
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

function readWanted(bytes: Uint8Array, field: Field): Wanted | null {
  let name = '';
  let isExternal = false;
  const entries = new Map<string, string>();
  for (const inner of fieldsOf(bytes, field.start, field.end)) {
    if (inner.number === TENSOR.name) name = readText(bytes, inner);
    else if (inner.number === TENSOR.location)
      isExternal = readIntegers(bytes, inner)[0] === EXTERNAL;
    else if (inner.number === TENSOR.external) {
      const [key = '', value = ''] = [...fieldsOf(bytes, inner.start, inner.end)].map((part) =>
        readText(bytes, part),
      );
      entries.set(key, value);
    }
  }
  const [offset, length] = [Number(entries.get('offset')), Number(entries.get('length'))];
  const location = entries.get('location') ?? '';
  return isExternal ? { name, location, offset, length } : null;
}

function wantedOf(graph: Uint8Array): Wanted[] {
  const wanted: Wanted[] = [];
  for (const field of fieldsOf(graph, 0, graph.length)) {
    if (field.number !== MODEL_GRAPH) continue;
    for (const inner of fieldsOf(graph, field.start, field.end)) {
      const one = inner.number === GRAPH_INITIALIZER ? readWanted(graph, inner) : null;
      if (one !== null) wanted.push(one);
    }
  }
  return wanted;
}

/** Matrices of the checkpoint that one of the graph's is made of, rows under each other. */
function partsOf(layer: string, part: string): readonly string[] {
  const parts = part === 'qkv_proj' ? ['q_proj', 'k_proj', 'v_proj'] : [part];
  return parts.map((one) => `backbone.layers.${layer}.mixer.${one}`);
}

function asBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function transposed(parts: readonly PackedMatrix[]): Uint8Array {
  const width = parts.reduce((sum, { rows }) => sum + rows, 0);
  const target = new Float32Array(width * (parts[0]?.columns ?? 0));
  let column = 0;
  for (const matrix of parts) {
    writeTransposed(matrix, target, width, column);
    column += matrix.rows;
  }
  return asBytes(target);
}

/** The bytes of one tensor of the graph. */
function valuesOf(file: string, name: string, { matrices, tensors }: PackedCheckpoint): Uint8Array {
  const [, layer, part, form] =
    /^layers\.(\d+)\.(\w+)\.(weight_t|weight_codes|weight_scales)$/.exec(name) ?? [];
  if (layer === undefined || part === undefined) {
    const own = tensors.get(name === 'embeddings.weight' ? `backbone.${name}` : name);
    if (own === undefined)
      throw brokenFile(file, `the graph asks for '${name}', which is not in it`);
    return asBytes(own);
  }
  const parts = partsOf(layer, part).map((one) => {
    const matrix = matrices.get(one);
    if (matrix !== undefined) return matrix;
    throw brokenFile(file, `the graph asks for '${one}', which is not in it in 4 bits`);
  });
  if (form === 'weight_t') return transposed(parts);
  return joined(
    parts.map((matrix) =>
      form === 'weight_codes' ? eightBitCodes(matrix) : asBytes(eightBitScales(matrix)),
    ),
  );
}

/** The graph with its weights, made from the checkpoint `file`. EngineError `model-corrupt`; nothing is half filled. */
export function fillFromNvfp4(graph: Uint8Array, file: string, checkpoint: Uint8Array): GraphFile {
  const packed = readPackedCheckpoint(file, checkpoint);
  const places = new Map<string, Wanted[]>();
  for (const one of wantedOf(graph))
    places.set(one.location, [...(places.get(one.location) ?? []), one]);
  const externalData = [...places].map(([path, wanted]) => {
    const data = new Uint8Array(Math.max(...wanted.map(({ offset, length }) => offset + length)));
    for (const { name, offset, length } of wanted) {
      const values = valuesOf(file, name, packed);
      if (values.length !== length)
        throw brokenFile(
          file,
          `the graph has ${length} bytes for '${name}', the checkpoint makes ${values.length} of it`,
        );
      data.set(values, offset);
    }
    return { path, data };
  });
  return { bytes: graph, externalData };
}
