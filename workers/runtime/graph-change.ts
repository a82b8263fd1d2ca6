/**
 * Owns the taking out of parts of an .onnx file: an expert that its router never chooses any more, a layer that adds
 * nothing. The file is copied; its weights are not touched. Owns no opening of what comes out.
 */
import { EngineError } from '../../src/core/errors';
import type { ModelPart } from '../../src/protocol/lab-api';
import {
  FLOAT32,
  GRAPH_INITIALIZER,
  GRAPH_NODE,
  MODEL_GRAPH,
  NODE,
  readNode,
  readTensor,
  type GraphFile,
} from './graph-reader';
import { block, fieldsOf, readText, text, varintBytes, type Field } from './protobuf';
import { biasNameOf } from './router-graph';

/** Added to a score between 0 and 1: below every other expert, whatever the bias that was learnt. */
const NEVER = -1e4;

const OTHER_PART = 'Choose another part, or another model of the family.';

function absent(what: string): EngineError {
  return new EngineError('model-unsupported', `The model’s .onnx file has no ${what}.`, OTHER_PART);
}

/** The file without the parts, its external data shared. EngineError `model-unsupported` where it names no such part. */
export function withoutParts(file: GraphFile, parts: readonly ModelPart[]): GraphFile {
  let changed: GraphFile = { ...file, bytes: file.bytes.slice() };
  for (const part of parts) {
    switch (part.kind) {
      case 'expert':
        silence(changed, part.layer, part.expert);
        break;
      case 'layer':
        changed = { ...changed, bytes: bypass(changed.bytes, part.layer) };
        break;
      default: {
        const never: never = part;
        return never;
      }
    }
  }
  return changed;
}

function* graphFields(bytes: Uint8Array): Generator<Field> {
  for (const field of fieldsOf(bytes, 0, bytes.length))
    if (field.number === MODEL_GRAPH) yield* fieldsOf(bytes, field.start, field.end);
}

/** Writes into the copy's selection bias, in place. */
function silence(file: GraphFile, layer: number, expert: number): void {
  const wanted = biasNameOf(layer);
  for (const field of graphFields(file.bytes)) {
    if (field.number !== GRAPH_INITIALIZER) continue;
    const { name, tensor } = readTensor(file, field);
    if (name !== wanted) continue;
    const { data, path, type, dims } = tensor;
    const [experts = 0] = dims;
    if (data === null || path !== null || type !== FLOAT32 || data.byteLength !== 4 * experts)
      throw absent(`plain float32 values in ${wanted}`);
    if (!(Number.isInteger(expert) && expert >= 0 && expert < experts))
      throw absent(`expert ${expert} in layer ${layer}: it has ${experts}`);
    new DataView(data.buffer, data.byteOffset).setFloat32(4 * expert, NEVER, true);
    return;
  }
  throw absent(`${wanted}, by which its router chooses`);
}

/** Values that this project's exporter gives what a layer adds to the residual stream. */
const ADDED = ['moe', 'out_proj', 'o_proj', 'down_proj'] as const;

/** Puts zeros in place of what the layer adds: `x - x` of it, which no optimiser folds away. */
function bypass(bytes: Uint8Array, layer: number): Uint8Array {
  const nodes = [...graphFields(bytes)]
    .filter(({ number }) => number === GRAPH_NODE)
    .map((field) => readNode(bytes, field));
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const name = ADDED.map((end) => `layers.${layer}.${end}`).find((one) => made.has(one));
  if (name === undefined) throw absent(`value named for what layer ${layer} adds`);
  const zeros = `${name}.taken_out`;
  const subtract = block(GRAPH_NODE, [
    ...text(NODE.input, name),
    ...text(NODE.input, name),
    ...text(NODE.output, zeros),
    ...text(NODE.op, 'Sub'),
  ]);
  const parts: (Uint8Array | readonly number[])[] = [];
  for (const field of fieldsOf(bytes, 0, bytes.length)) {
    if (field.number !== MODEL_GRAPH) {
      parts.push(bytes.subarray(field.from, field.end));
      continue;
    }
    const inner: (Uint8Array | readonly number[])[] = [];
    for (const one of fieldsOf(bytes, field.start, field.end)) {
      const node = one.number === GRAPH_NODE ? readNode(bytes, one) : null;
      inner.push(
        node?.inputs.includes(name) === true
          ? renamed(bytes, one, name, zeros)
          : bytes.subarray(one.from, one.end),
      );
      if (node?.outputs.includes(name) === true) inner.push(subtract);
    }
    parts.push(varintBytes(MODEL_GRAPH * 8 + 2), varintBytes(sizeOf(inner)), ...inner);
  }
  return joined(parts);
}

/** A node with one input's name changed. */
function renamed(bytes: Uint8Array, node: Field, from: string, to: string): readonly number[] {
  const contents = [...fieldsOf(bytes, node.start, node.end)].flatMap((field) =>
    field.number === NODE.input && readText(bytes, field) === from
      ? text(NODE.input, to)
      : Array.from(bytes.subarray(field.from, field.end)),
  );
  return block(GRAPH_NODE, contents);
}

function sizeOf(parts: readonly { readonly length: number }[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function joined(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const all = new Uint8Array(sizeOf(parts));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
