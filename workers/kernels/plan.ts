/**
 * Owns the reading of a decoder graph as a list of steps for the kernels: which nodes are needed, what they are, what can be let
 * go after each, and the attention that a graph writes out in products taken together again. Owns no arithmetic.
 */
import {
  GRAPH_INITIALIZER,
  GRAPH_INPUT,
  GRAPH_NODE,
  GRAPH_OUTPUT,
  MODEL_GRAPH,
  NODE,
  readTensor,
  type GraphFile,
  type Tensor,
} from '../runtime/graph-reader';
import { fieldsOf, readIntegers, readSigned, readText, type Field } from '../runtime/protobuf';
import type { InputMetadata } from '../runtime/session-inputs';

/** A node, or several in one. */
export interface Step {
  /** Name of the operator, or `Attention`. */
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly texts: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, readonly number[]>;
}

export interface KernelPlan {
  /** In the order in which they run. */
  readonly steps: readonly Step[];
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly InputMetadata[];
  readonly outputs: readonly string[];
}

/* More field numbers of onnx.proto. */
const VALUE = { name: 1, type: 2 } as const;
const ATTRIBUTE = { name: 1, float: 2, integer: 3, text: 4, integers: 8 } as const;
/** TypeProto.tensor_type, then elem_type and shape in it; a dimension has a value or a name. */
const TENSOR_TYPE = 1;
const TYPE = { element: 1, shape: 2 } as const;
const DIMENSION = { value: 1, name: 2 } as const;

const TYPE_NAMES = new Map([
  [1, 'float32'],
  [6, 'int32'],
  [7, 'int64'],
  [10, 'float16'],
]);

function readStep(bytes: Uint8Array, field: Field): Step {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const numbers = new Map<string, number>();
  const texts = new Map<string, string>();
  const lists = new Map<string, readonly number[]>();
  let op = '';
  for (const inner of fieldsOf(bytes, field.start, field.end)) {
    if (inner.number === NODE.input) inputs.push(readText(bytes, inner));
    else if (inner.number === NODE.output) outputs.push(readText(bytes, inner));
    else if (inner.number === NODE.op) op = readText(bytes, inner);
    else if (inner.number === NODE.attribute) {
      let name = '';
      const list: number[] = [];
      const found: { number?: number; text?: string } = {};
      for (const part of fieldsOf(bytes, inner.start, inner.end)) {
        if (part.number === ATTRIBUTE.name) name = readText(bytes, part);
        else if (part.number === ATTRIBUTE.float)
          found.number = new DataView(bytes.buffer, bytes.byteOffset + part.start).getFloat32(
            0,
            true,
          );
        else if (part.number === ATTRIBUTE.integer) found.number = readSigned(bytes, part);
        else if (part.number === ATTRIBUTE.text) found.text = readText(bytes, part);
        else if (part.number === ATTRIBUTE.integers) list.push(...readIntegers(bytes, part));
      }
      if (found.number !== undefined) numbers.set(name, found.number);
      if (found.text !== undefined) texts.set(name, found.text);
      if (list.length > 0) lists.set(name, list);
    }
  }
  return { op, inputs, outputs, numbers, texts, lists };
}

/** Name, type and dims of a graph's input or output. */
function readValue(bytes: Uint8Array, field: Field): InputMetadata {
  let name = '';
  let type = '';
  const shape: (number | string)[] = [];
  for (const part of fieldsOf(bytes, field.start, field.end)) {
    if (part.number === VALUE.name) name = readText(bytes, part);
    if (part.number !== VALUE.type) continue;
    for (const kind of fieldsOf(bytes, part.start, part.end)) {
      if (kind.number !== TENSOR_TYPE) continue;
      for (const inner of fieldsOf(bytes, kind.start, kind.end)) {
        if (inner.number === TYPE.element)
          type = TYPE_NAMES.get(readIntegers(bytes, inner)[0] ?? 0) ?? '';
        if (inner.number !== TYPE.shape) continue;
        for (const dimension of fieldsOf(bytes, inner.start, inner.end)) {
          const [of] = [...fieldsOf(bytes, dimension.start, dimension.end)];
          if (of === undefined) shape.push('');
          else if (of.number === DIMENSION.value) shape.push(readIntegers(bytes, of)[0] ?? 0);
          else if (of.number === DIMENSION.name) shape.push(readText(bytes, of));
        }
      }
    }
  }
  return type === '' ? { name, isTensor: false } : { name, isTensor: true, type, shape };
}

/** Steps that lead to `outputs`, in their order. */
function needed(steps: readonly Step[], outputs: readonly string[]): Step[] {
  const wanted = new Set(outputs);
  return steps
    .toReversed()
    .filter(({ inputs, outputs: own }) => {
      if (!own.some((name) => wanted.has(name))) return false;
      for (const name of inputs) wanted.add(name);
      return true;
    })
    .toReversed();
}

/** Thrown while a graph is planned that the kernels cannot run; the message says what they lack. */
export class NoKernel extends Error {}

/** The attention of one layer, as this project's exporter writes it out (model/tidepool_model/export/hybrid_graph.py). */
function attentionOf(
  at: string,
  byOutput: ReadonlyMap<string, Step>,
): { step: Step; inner: Set<Step> } {
  const inner = new Set<Step>();
  const walk = (name: string, op: string): Step => {
    const step = byOutput.get(name);
    if (step?.op !== op) throw new NoKernel(`${at} has no ${op} that makes ${name}`);
    inner.add(step);
    return step;
  };
  const into = (step: Step, index: number): string => step.inputs[index] ?? '';
  const flat = walk(`${at}.attention`, 'Reshape');
  const mixedLast = walk(into(flat, 0), 'Transpose');
  const mixed = walk(into(mixedLast, 0), 'MatMul');
  const weights = walk(into(mixed, 0), 'Softmax');
  const masked = walk(into(weights, 0), 'Add');
  const scaled = walk(into(masked, 0), 'Mul');
  const scores = walk(into(scaled, 0), 'MatMul');
  const queries = walk(into(walk(into(scores, 0), 'Transpose'), 0), 'Reshape');
  const cache = (name: string): { past: string; made: string; present: string; shape: string } => {
    const joined = walk(into(walk(name, 'Unsqueeze'), 0), 'Concat');
    const heads = walk(into(walk(into(joined, 1), 'Transpose'), 0), 'Reshape');
    return {
      past: into(joined, 0),
      made: into(heads, 0),
      present: joined.outputs[0] ?? '',
      shape: into(heads, 1),
    };
  };
  const keys = cache(into(walk(into(scores, 1), 'Transpose'), 0));
  const values = cache(into(mixed, 1));
  return {
    inner,
    step: {
      op: 'Attention',
      inputs: [
        into(queries, 0),
        keys.made,
        values.made,
        keys.past,
        values.past,
        into(masked, 1),
        into(scaled, 1),
        keys.shape,
      ],
      outputs: [`${at}.attention`, keys.present, values.present],
      numbers: new Map(),
      texts: new Map(),
      lists: new Map(),
    },
  };
}

/** `steps` with each written-out attention as one; it stands where its last node stood. */
function withAttention(steps: readonly Step[]): Step[] {
  const byOutput = new Map(steps.flatMap((step) => step.outputs.map((name) => [name, step])));
  const replaced = new Map<Step, Step>();
  const gone = new Set<Step>();
  for (const { op, outputs } of steps) {
    const at =
      op === 'Softmax' ? /^(layers\.\d+)\.weights$/.exec(outputs[0] ?? '')?.[1] : undefined;
    if (at === undefined) continue;
    const { step, inner } = attentionOf(at, byOutput);
    const last = byOutput.get(`${at}.attention`);
    if (last !== undefined) replaced.set(last, step);
    for (const one of inner) gone.add(one);
  }
  return steps.flatMap((step) => replaced.get(step) ?? (gone.has(step) ? [] : step));
}

/** Reads a graph. {@link NoKernel} where it is none that the kernels know; RangeError when `file` is no ONNX file. */
export function planKernels(file: GraphFile): KernelPlan {
  const { bytes } = file;
  const steps: Step[] = [];
  const constants = new Map<string, Tensor>();
  const values: InputMetadata[] = [];
  const outputs: string[] = [];
  for (const graph of fieldsOf(bytes, 0, bytes.length)) {
    if (graph.number !== MODEL_GRAPH) continue;
    for (const field of fieldsOf(bytes, graph.start, graph.end)) {
      if (field.number === GRAPH_NODE) steps.push(readStep(bytes, field));
      else if (field.number === GRAPH_INITIALIZER) {
        const { name, tensor } = readTensor(file, field);
        constants.set(name, tensor);
      } else if (field.number === GRAPH_INPUT) values.push(readValue(bytes, field));
      else if (field.number === GRAPH_OUTPUT) outputs.push(readValue(bytes, field).name);
    }
  }
  const inputs = values.filter(({ name }) => !constants.has(name));
  const planned = withAttention(needed(steps, outputs));
  const known = new Set([...constants.keys(), ...inputs.map(({ name }) => name), '']);
  for (const step of planned) {
    const missing = step.inputs.find((name) => !known.has(name));
    if (missing !== undefined)
      throw new NoKernel(`${step.op} needs ${missing}, which nothing makes`);
    for (const name of step.outputs) known.add(name);
  }
  const lost = outputs.find((name) => !known.has(name));
  if (lost !== undefined) throw new NoKernel(`the output ${lost} lies inside an attention`);
  const half = inputs.find(
    (one) => one.isTensor && one.name.startsWith('past') && one.type !== 'float32',
  );
  if (half !== undefined) throw new NoKernel(`the state ${half.name} is no float32`);
  // Kernels take four numbers at a time of keys and of rotary halves, and sixteen of a recurrent state's row.
  for (const one of inputs) {
    const last = one.isTensor ? one.shape.at(-1) : undefined;
    const unit = one.name.startsWith('past_key_values.')
      ? 8
      : one.name.startsWith('past_ssm.')
        ? 16
        : 1;
    if (typeof last === 'number' && last % unit !== 0)
      throw new NoKernel(`${one.name} has rows of ${last} numbers, no multiple of ${unit}`);
  }
  for (const [name, { data, type }] of constants)
    if (data === null) throw new NoKernel(`the values of ${name} (type ${type}) are not there`);
  return { steps: planned, constants, inputs, outputs };
}
