/**
 * Owns the change of an .onnx file at load that lets the lab see inside: values that the graph computes anyway become
 * outputs, which a run fetches or leaves out, and each attention layer gets KV lengths of its own. Nothing is computed
 * anew, no weight is touched, and only the wire format of protobuf is read, not the weights.
 *
 * Appending works because protobuf merges: bytes after the end that hold the graph's field once more add their repeated
 * entries to it (https://protobuf.dev/programming-guides/encoding, "Last One Wins").
 */
import type { LabQuantity } from '../../src/protocol/lab-api';
import { GRAPH_INPUT, GRAPH_NODE, GRAPH_OUTPUT, MODEL_GRAPH } from './graph-reader';
import { block, fieldsOf, integer, readSigned, text, type Field } from './protobuf';

/** Graph outputs by layer, for each quantity; a layer that lacks one has no entry. */
export type ProbeNames = Readonly<Record<LabQuantity, ReadonlyMap<number, string>>>;

/** Inputs that tell an attention layer how long its own cache is: two counts, or where attention is written out a mask. */
export type KvLengthInputs =
  | {
      readonly kind: 'counts';
      /** int32 (batch): keys after this step, less one. */
      readonly last: string;
      /** int32 scalar: keys after this step. */
      readonly total: string;
    }
  | {
      readonly kind: 'mask';
      /** float32 (seq, keys after this step), added to the scores: 0 where attended, else -1e30. */
      readonly mask: string;
    };

export interface ProbeGraph {
  readonly bytes: Uint8Array;
  readonly probes: ProbeNames;
  /** By layer; empty where the graph has another attention operator. */
  readonly kvLengths: ReadonlyMap<number, KvLengthInputs>;
  /** An attention operator turns queries and keys by their place in the cache, so that what is cut off shifts the rest. */
  readonly turnsByPlace: boolean;
}

/* More field numbers of onnx.proto. */
const VALUE_NAME = 1;
const NODE_INPUT = 1;
const NODE_OUTPUT = 2;
const NODE_OP = 4;
const NODE_ATTRIBUTE = 5;
const ATTRIBUTE_NAME = 1;
const ATTRIBUTE_FLOAT = 2;
const ATTRIBUTE_INT = 3;
const ELEM_FLOAT = 1;
const ELEM_INT32 = 6;

/** Scores with the mask added, and the mask that all layers share, where this project's exporter writes attention out. */
const MASKED_SCORES = /^layers\.(\d+)\.scores_masked$/;
const SHARED_MASK = 'causal_mask';

/** Names that this project's exporter gives what a layer adds to the residual stream, and the step size. */
const LAYER_VALUE = /^layers\.(\d+)\.(dt|out_proj|o_proj|down_proj|moe)$/;

interface Node {
  readonly op: string;
  readonly inputs: readonly { readonly name: string; readonly start: number }[];
  readonly outputs: readonly string[];
  /** Numbers among its attributes, by name. */
  readonly attributes: ReadonlyMap<string, number>;
}

/** A number of an AttributeProto; null when it holds something else. */
function readAttribute(bytes: Uint8Array, field: Field): readonly [string, number] | null {
  let name = '';
  let found: number | null = null;
  for (const part of fieldsOf(bytes, field.start, field.end)) {
    const { number, start, end } = part;
    if (number === ATTRIBUTE_NAME) name = new TextDecoder().decode(bytes.subarray(start, end));
    else if (number === ATTRIBUTE_FLOAT)
      found = new DataView(bytes.buffer, bytes.byteOffset + start).getFloat32(0, true);
    else if (number === ATTRIBUTE_INT) found = readSigned(bytes, part);
  }
  return found === null ? null : [name, found];
}

/** Usual widths of a head: attention divides its scores by the square root of one of them. */
const HEAD_DIMS: readonly number[] = [8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256];

/**
 * Whether softmax(q·k / √headDim) of the queries that go in is what the operator computes: not where it turns them by
 * their positions inside, caps or scales scores otherwise, or looks at a window only.
 */
function isPlainAttention(attributes: ReadonlyMap<string, number>): boolean {
  const scale = attributes.get('scale') ?? 0;
  return (
    (attributes.get('do_rotary') ?? 0) === 0 &&
    (attributes.get('softcap') ?? 0) === 0 &&
    (attributes.get('smooth_softmax') ?? 0) <= 0 &&
    (attributes.get('local_window_size') ?? -1) < 0 &&
    (scale === 0 || HEAD_DIMS.some((dim) => Math.abs(scale * Math.sqrt(dim) - 1) < 1e-3))
  );
}

export function readNode(bytes: Uint8Array, field: Field): Node {
  const decoder = new TextDecoder();
  const inputs: { name: string; start: number }[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, number>();
  let op = '';
  for (const inner of fieldsOf(bytes, field.start, field.end)) {
    const { number, start, end } = inner;
    if (number === NODE_ATTRIBUTE) {
      const attribute = readAttribute(bytes, inner);
      if (attribute !== null) attributes.set(...attribute);
    }
    if (number !== NODE_INPUT && number !== NODE_OUTPUT && number !== NODE_OP) continue;
    const text = decoder.decode(bytes.subarray(start, end));
    if (number === NODE_INPUT) inputs.push({ name: text, start });
    else if (number === NODE_OUTPUT) outputs.push(text);
    else op = text;
  }
  return { op, inputs, outputs, attributes };
}

/** Name of a ValueInfoProto. */
function valueName(bytes: Uint8Array, field: Field): string {
  for (const { number, start, end } of fieldsOf(bytes, field.start, field.end))
    if (number === VALUE_NAME) return new TextDecoder().decode(bytes.subarray(start, end));
  return '';
}

/** ValueInfoProto of an int32 tensor: a scalar, or (batch) of any size. */
function int32Info(name: string, isScalar: boolean): number[] {
  const shape = block(2, isScalar ? [] : block(1, text(2, 'batch_size')));
  const tensor = [...integer(1, ELEM_INT32), ...shape];
  return [...text(1, name), ...block(2, block(1, tensor))];
}

/** ValueInfoProto of a float32 matrix (seq, keys of this layer). */
function maskInfo(name: string, layer: number): number[] {
  const dims = ['sequence_length', `keys_${layer}`].flatMap((dim) => block(1, text(2, dim)));
  const tensor = [...integer(1, ELEM_FLOAT), ...block(2, dims)];
  return [...text(1, name), ...block(2, block(1, tensor))];
}

/** A name for a layer that is exactly as long as the one it takes the place of; null where it doesn't fit. */
function nameOfLength(prefix: string, layer: number, length: number): string | null {
  const digits = String(layer);
  return prefix.length + digits.length > length
    ? null
    : prefix + digits.padStart(length - prefix.length, '0');
}

function layerOf(name: string | undefined, pattern: RegExp): number | null {
  const digits = name === undefined ? undefined : pattern.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Reads where the lab's quantities are in the graph and makes them outputs. RangeError when `model` is no ONNX file. */
export function probeGraph(model: Uint8Array): ProbeGraph {
  const nodes: Node[] = [];
  const present = new Set<string>();
  for (const field of fieldsOf(model, 0, model.length)) {
    if (field.number !== MODEL_GRAPH) continue;
    for (const inner of fieldsOf(model, field.start, field.end)) {
      if (inner.number === GRAPH_NODE) nodes.push(readNode(model, inner));
      else if (inner.number === GRAPH_OUTPUT) present.add(valueName(model, inner));
    }
  }
  const probes = {
    delta: new Map<number, string>(),
    decay: new Map<number, string>(),
    b: new Map<number, string>(),
    c: new Map<number, string>(),
    query: new Map<number, string>(),
    output: new Map<number, string>(),
  };
  const kvLengths = new Map<number, KvLengthInputs>();
  const renamed: { readonly at: number; readonly name: string }[] = [];
  const inputs: number[] = [];
  let turnsByPlace = false;
  for (const node of nodes) {
    for (const output of node.outputs) {
      const match = LAYER_VALUE.exec(output);
      if (match === null) continue;
      (match[2] === 'dt' ? probes.delta : probes.output).set(Number(match[1]), output);
    }
    const at = (index: number): string | undefined => node.inputs[index]?.name;
    if (node.op === 'LinearAttention') {
      // query = C, key = B, value = Δ·x, state, decay = A·Δ.
      const layer = layerOf(at(3), /^past_ssm\.(\d+)$/);
      if (layer === null) continue;
      const [c, b, decay] = [at(0), at(1), at(4)];
      if (c !== undefined) probes.c.set(layer, c);
      if (b !== undefined) probes.b.set(layer, b);
      if (decay !== undefined) probes.decay.set(layer, decay);
    } else if (node.op === 'GroupQueryAttention') {
      const layer = layerOf(at(3), /^past_key_values\.(\d+)\.key$/);
      const query = at(0);
      if (layer === null || query === undefined) continue;
      if (isPlainAttention(node.attributes)) probes.query.set(layer, query);
      // An operator that turns keys by their place takes the place from these counts: a cut cache would shift it.
      if ((node.attributes.get('do_rotary') ?? 0) !== 0) {
        turnsByPlace = true;
        continue;
      }
      const [lastInput, totalInput] = [node.inputs[5], node.inputs[6]];
      if (lastInput === undefined || totalInput === undefined) continue;
      const last = nameOfLength('last_', layer, lastInput.name.length);
      const total = nameOfLength('total_', layer, totalInput.name.length);
      if (last === null || total === null) continue;
      renamed.push({ at: lastInput.start, name: last }, { at: totalInput.start, name: total });
      inputs.push(...block(GRAPH_INPUT, int32Info(last, false)));
      inputs.push(...block(GRAPH_INPUT, int32Info(total, true)));
      kvLengths.set(layer, { kind: 'counts', last, total });
    } else if (node.op === 'RotaryEmbedding') {
      // Attention written out after queries were turned by their positions, as the cached keys were.
      const layer = layerOf(node.outputs[0], /^layers\.(\d+)\.q_turned$/);
      if (layer !== null) probes.query.set(layer, node.outputs[0] ?? '');
    } else if (node.op === 'Split') {
      // Attention written out: the packed projection is split into q, k and v; q comes first.
      const layer = layerOf(node.outputs[0], /^layers\.(\d+)\.q$/);
      const packed = at(0);
      if (layer !== null && packed !== undefined) probes.query.set(layer, packed);
    } else if (node.op === 'Add') {
      const layer = layerOf(node.outputs[0], MASKED_SCORES);
      const shared = node.inputs[1];
      if (layer === null || shared?.name !== SHARED_MASK) continue;
      const mask = nameOfLength('kvmask_', layer, SHARED_MASK.length);
      if (mask === null) continue;
      renamed.push({ at: shared.start, name: mask });
      inputs.push(...block(GRAPH_INPUT, maskInfo(mask, layer)));
      kvLengths.set(layer, { kind: 'mask', mask });
    }
  }
  // ONNX Runtime infers the type of an output that is only named.
  const names = new Set(Object.values(probes).flatMap((byLayer) => [...byLayer.values()]));
  const outputs = [...names]
    .filter((name) => !present.has(name))
    .flatMap((name) => block(GRAPH_OUTPUT, text(1, name)));
  const added = block(MODEL_GRAPH, [...inputs, ...outputs]);
  const bytes = new Uint8Array(model.length + added.length);
  bytes.set(model);
  bytes.set(added, model.length);
  const encoder = new TextEncoder();
  for (const { at, name } of renamed) bytes.set(encoder.encode(name), at);
  return { bytes, probes, kvLengths, turnsByPlace };
}
