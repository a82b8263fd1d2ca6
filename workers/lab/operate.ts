/** Owns surgery on states: each operation makes new states and leaves the old as they are. Owns no order of jobs. */
import { EngineError } from '../../src/core/errors';
import { attentionLayers, recurrentLayers } from '../../src/core/memory/state-memory';
import type { AttentionLayerSpec, ModelSpec, RecurrentLayerSpec } from '../../src/core/model-spec';
import { createRandom } from '../../src/core/sampling/random';
import { addNoise, quantiseState, scaleState } from '../../src/core/state-math/surgery';
import type { SsmTarget, SurgeryOp } from '../../src/protocol/lab-api';
import type { LayerStates, StateTensor } from '../runtime/layer-states';
import type { ModelSession } from '../runtime/session';
import { bytesOf, elementBytes } from '../runtime/tensor-values';
import { conditionOf, isSteady, setCondition, type FrozenPart } from './condition';

/** What surgery needs of a session. */
export type SurgerySession = Pick<ModelSession, 'values' | 'stateTensor' | 'hasLayerwiseKv'> &
  Partial<Pick<ModelSession, 'turnsByPlace'>>;

/** An operation on SSM states; the others act on KV caches. */
type SsmOp = Extract<SurgeryOp, { target: SsmTarget }>;

function unfit(message: string): EngineError {
  return new EngineError('internal', message, 'Choose a layer and a head that the model has.');
}

interface SsmPart {
  readonly name: string;
  readonly layer: RecurrentLayerSpec;
  /** First of the heads and how many. */
  readonly head: number;
  readonly heads: number;
}

/** State input of a layer, in the transformers.js layout. */
function stateName({ kind, index }: RecurrentLayerSpec): string {
  return `${kind === 'mamba' ? 'past_ssm' : 'past_recurrent'}.${index}`;
}

/** Where the target's numbers stand; EngineError when the model has no such layer or head. */
function partsOf(spec: ModelSpec, target: SsmTarget): SsmPart[] {
  const all = recurrentLayers(spec);
  if (target.scope === 'all') {
    return all.map((layer) => ({
      name: stateName(layer),
      layer,
      head: 0,
      heads: layer.heads,
    }));
  }
  const layer = all.find(({ index }) => index === target.layer);
  if (layer === undefined)
    throw unfit(
      `Layer ${target.layer} has no recurrent state; ${all.length === 0 ? 'this model has none at all' : `those that have are ${all.map(({ index }) => index).join(', ')}`}.`,
    );
  const name = stateName(layer);
  if (target.scope === 'layer') return [{ name, layer, head: 0, heads: layer.heads }];
  if (!(Number.isInteger(target.head) && target.head >= 0 && target.head < layer.heads))
    throw unfit(`Layer ${layer.index} has heads 0 to ${layer.heads - 1}, not ${target.head}.`);
  return [{ name, layer, head: target.head, heads: 1 }];
}

function cachesOf(spec: ModelSpec, layer: number | null): AttentionLayerSpec[] {
  const attention = attentionLayers(spec);
  const chosen = layer === null ? attention : attention.filter(({ index }) => index === layer);
  if (layer !== null && chosen.length === 0)
    throw unfit(
      `Layer ${layer} has no KV cache; attention layers are ${attention.map(({ index }) => index).join(', ')}.`,
    );
  return chosen;
}

/** The operation's result for the numbers of one head. */
function operateOn(values: Float32Array, op: SsmOp, seedOffset: number): Float32Array {
  switch (op.kind) {
    case 'zero':
      return new Float32Array(values.length);
    case 'noise':
      return addNoise(values, op.strength, createRandom(op.seed + seedOffset));
    case 'scale':
      return scaleState(values, op.factor);
    case 'quantise':
      return quantiseState(values, op.bits).values;
    case 'freeze':
      return values;
    default: {
      const unknown: never = op;
      throw new RangeError(`unknown operation ${JSON.stringify(unknown)}`);
    }
  }
}

function headElements({ layer }: SsmPart): number {
  return layer.stateSize * layer.headDim;
}

/** A copy of a state tensor's numbers, whole. */
async function copyOf(session: SurgerySession, tensor: StateTensor): Promise<Float32Array> {
  const [values] = await session.values.read([{ tensor }]);
  return Float32Array.from(values ?? []);
}

/** Changes each head of a part in `values`, the layer's whole state, head by head; how a head lies does not matter. */
function operateHeads(values: Float32Array, part: SsmPart, op: SsmOp): void {
  const size = headElements(part);
  for (let head = part.head; head < part.head + part.heads; head += 1) {
    const before = values.subarray(head * size, (head + 1) * size);
    // Each head its own noise, the same whether it is hit alone or with the others.
    values.set(operateOn(before, op, 1000 * part.layer.index + head), head * size);
  }
}

/** The last `keep` keys of a cache (batch 1, kvHeads, keys, headDim). */
async function cutCache(
  session: SurgerySession,
  tensor: StateTensor,
  keep: number,
): Promise<StateTensor> {
  const [batch = 1, kvHeads = 0, keys = 0, headDim = 0] = tensor.dims;
  const left = Math.min(keep, keys);
  const ranges = Array.from({ length: kvHeads }, (_, head) => ({
    tensor,
    offset: (head * keys + keys - left) * headDim,
    count: left * headDim,
  }));
  const parts = await session.values.readBytes(ranges);
  const bytes = new Uint8Array(kvHeads * left * headDim * elementBytes(tensor.type));
  parts.forEach((part, head) => bytes.set(part, (head * bytes.length) / kvHeads));
  return session.stateTensor(tensor.type, bytes, [batch, kvHeads, left, headDim]);
}

async function operateOnce(
  session: SurgerySession,
  spec: ModelSpec,
  states: LayerStates,
  op: SurgeryOp,
): Promise<{ replaced: Map<string, StateTensor>; frozen: FrozenPart[] }> {
  const replaced = new Map<string, StateTensor>();
  const frozen: FrozenPart[] = [];
  if (op.kind === 'kv-drop' || op.kind === 'kv-window') {
    const keep = op.kind === 'kv-drop' ? 0 : op.tokens;
    if (!(Number.isInteger(keep) && keep >= 0))
      throw unfit(`A window of ${keep} tokens is not a whole number.`);
    const caches = cachesOf(spec, op.layer);
    if (op.layer !== null && !session.hasLayerwiseKv) {
      throw new EngineError(
        'model-unsupported',
        'This model keeps the caches of all attention layers at one length, so one alone cannot be shortened.',
        'Operate on all attention layers at once.',
      );
    }
    // What is dropped whole leaves nothing at a wrong place.
    if (keep > 0 && session.turnsByPlace === true) {
      throw new EngineError(
        'model-unsupported',
        'This model file turns its keys by their place in the cache, so a shortened cache would stand at wrong places and mean something else.',
        'Drop the cache whole, or choose a model whose file is told positions.',
      );
    }
    for (const { index } of caches) {
      for (const part of ['key', 'value']) {
        const name = `past_key_values.${index}.${part}`;
        replaced.set(name, await cutCache(session, states.tensor(name), keep));
      }
    }
    return { replaced, frozen };
  }
  const parts = partsOf(spec, op.target);
  if (parts.length === 0)
    throw unfit(
      'This model has no recurrent state to operate on: its layers keep windows and caches only.',
    );
  for (const part of parts) {
    const tensor = states.tensor(part.name);
    const values = await copyOf(session, tensor);
    if (op.kind === 'freeze') {
      const size = headElements(part);
      const offset = part.head * size;
      frozen.push({
        name: part.name,
        offset,
        values: values.slice(offset, offset + part.heads * size),
      });
      continue;
    }
    operateHeads(values, part, op);
    replaced.set(
      part.name,
      session.stateTensor(tensor.type, bytesOf(tensor.type, values), tensor.dims),
    );
  }
  return { replaced, frozen };
}

/**
 * New states after the operations, in order; the caller's to release. `states` stay as they are. EngineError when the
 * model has no such layer, or cannot do it.
 */
export async function operate(
  session: SurgerySession,
  spec: ModelSpec,
  states: LayerStates,
  operations: readonly SurgeryOp[],
): Promise<LayerStates> {
  let current = states.retain();
  const before = conditionOf(states);
  let frozen = before?.frozen ?? [];
  try {
    for (const op of operations) {
      const result = await operateOnce(session, spec, current, op);
      const next = current.derive(result.replaced);
      current.release();
      current = next;
      if (op.kind === 'freeze') {
        frozen = [...frozen, ...result.frozen];
      } else if (frozen.length > 0) {
        // What is operated on after it was frozen stays as the operation left it.
        frozen = await Promise.all(
          frozen.map(async (part) => {
            if (!result.replaced.has(part.name)) return part;
            const values = await copyOf(session, current.tensor(part.name));
            return { ...part, values: values.slice(part.offset, part.offset + part.values.length) };
          }),
        );
      }
    }
  } catch (error) {
    current.release();
    throw error;
  }
  if (operations.length > 0) {
    setCondition(current, {
      operations: [...(before?.operations ?? []), ...operations],
      frozen,
      everyToken: [
        ...(before?.everyToken ?? []),
        ...operations.filter((op) => op.kind === 'quantise' && op.everyToken),
      ],
    });
  }
  return current;
}

/**
 * Sets the condition that saved states stood under, which have their numbers already: what was frozen stays at what it
 * is. EngineError when the model has no such layer.
 */
export async function resumeCondition(
  session: SurgerySession,
  spec: ModelSpec,
  states: LayerStates,
  operations: readonly SurgeryOp[],
): Promise<void> {
  if (operations.length === 0) return;
  const frozen: FrozenPart[] = [];
  for (const op of operations) {
    if (op.kind === 'freeze') frozen.push(...(await operateOnce(session, spec, states, op)).frozen);
  }
  const everyToken = operations.filter((op) => op.kind === 'quantise' && op.everyToken);
  setCondition(states, { operations, frozen, everyToken });
}

/**
 * Hands the condition of `from` on to `states`, one token later and held by nobody else: puts back what is frozen and
 * quantises anew.
 */
export async function carryCondition(
  session: SurgerySession,
  spec: ModelSpec,
  from: LayerStates,
  states: LayerStates,
): Promise<void> {
  const condition = conditionOf(from);
  setCondition(states, condition);
  if (!isSteady(condition)) return;
  for (const op of condition.everyToken) {
    if (op.kind === 'kv-drop' || op.kind === 'kv-window') continue;
    for (const part of partsOf(spec, op.target)) {
      const tensor = states.tensor(part.name);
      const values = await copyOf(session, tensor);
      operateHeads(values, part, op);
      await session.values.write(tensor, 0, values);
    }
  }
  for (const { name, offset, values } of condition.frozen)
    await session.values.write(states.tensor(name), offset, values);
}
