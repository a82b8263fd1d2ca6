/** Owns states of a length that nobody read: keys and values that were read, laid one after the other. Owns no running. */
import { LayerStates, stateKindOf, type StateTensor } from '../runtime/layer-states';
import type { ModelSession } from '../runtime/session';
import { elementBytes } from '../runtime/tensor-values';

/** Rows of `width` bytes for each of `heads`, `have` of them repeated until there are `want`. */
export function repeatRows(
  bytes: Uint8Array,
  heads: number,
  have: number,
  want: number,
  width: number,
): Uint8Array {
  const out = new Uint8Array(heads * want * width);
  for (let head = 0; head < heads; head += 1) {
    const rows = bytes.subarray(head * have * width, (head + 1) * have * width);
    for (let at = 0; at < want; at += have) {
      const part = rows.subarray(0, Math.min(have, want - at) * width);
      out.set(part, (head * want + at) * width);
    }
  }
  return out;
}

/**
 * States as they lie after `tokens` tokens: of the same type and size, number for number, as if all had been read. What a
 * decode step costs hangs on that alone, since every number of a cache is multiplied whatever it is; what is in them is no
 * text, so nothing may be asked of them. `from` is left alone; the states are the caller's.
 */
export async function makeStates(
  session: ModelSession,
  from: LayerStates,
  tokens: number,
): Promise<LayerStates> {
  if (from.tokens === 0) throw new RangeError('states are made of what was read: nothing was');
  const tensors = new Map<string, StateTensor>();
  for (const name of from.names) {
    const tensor = from.tensor(name);
    const { type, dims } = tensor;
    const [bytes = new Uint8Array()] = await session.values.readBytes([{ tensor }]);
    if (stateKindOf(name) !== 'kv') {
      tensors.set(name, session.stateTensor(type, bytes.slice(), dims));
      continue;
    }
    const [batch = 1, heads = 0, have = 0, width = 0] = dims;
    const made = repeatRows(bytes, batch * heads, have, tokens, width * elementBytes(type));
    tensors.set(name, session.stateTensor(type, made, [batch, heads, tokens, width]));
  }
  return new LayerStates(tensors, tokens);
}
