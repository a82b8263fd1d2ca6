/**
 * Owns the states of all layers after some number of tokens: conv, SSM and KV tensors by kind, their bytes and their
 * lifetime. Owns no running of the model and no choice of what to keep (snapshots.ts).
 *
 * States are values: a step reads one LayerStates and makes another, ONNX Runtime writes into neither. So a snapshot
 * is another holder of the same tensors, with nothing copied, and tensors are freed when the last holder lets go.
 */
import { mixersOf, type LayerSpec, type MixerSpec } from '../../src/core/model-spec';
import { elementBytes, elementsOf, type ReadableTensor } from './tensor-values';

/** The part of ONNX Runtime's Tensor that states need. */
export interface StateTensor extends ReadableTensor {
  dispose(): void;
}

export type StateKind = 'conv' | 'ssm' | 'kv';

/** Kind of a state input by its name in the transformers.js layout. */
export function stateKindOf(pastName: string): StateKind {
  if (pastName.startsWith('past_conv.')) return 'conv';
  return pastName.startsWith('past_key_values.') ? 'kv' : 'ssm';
}

/** State inputs of one mixer, in the transformers.js layout. */
function mixerStateNames(mixer: MixerSpec): readonly string[] {
  const { index } = mixer;
  switch (mixer.kind) {
    case 'mamba':
      return [`past_conv.${index}`, `past_ssm.${index}`];
    case 'delta':
      return mixer.hasSplitConv
        ? [
            ...['key', 'value', 'query'].map((part) => `past_conv.${index}.${part}`),
            `past_recurrent.${index}`,
          ]
        : [`past_conv.${index}`, `past_recurrent.${index}`];
    case 'conv':
      return [`past_conv.${index}`];
    case 'attention':
      return [`past_key_values.${index}.key`, `past_key_values.${index}.value`];
    default: {
      const unknown: never = mixer;
      throw new RangeError(`unknown mixer ${JSON.stringify(unknown)}`);
    }
  }
}

/** State inputs of one layer, of all its mixers; [] for layers without state. */
export function stateNamesOf(layer: LayerSpec): readonly string[] {
  return mixersOf(layer).flatMap(mixerStateNames);
}

let liveStates = 0;

/** LayerStates that were made and not yet freed: a leak shows as a number that grows from reply to reply. */
export function liveStateCount(): number {
  return liveStates;
}

/** States of all layers after `tokens` tokens. Born with one holder. */
export class LayerStates {
  readonly tokens: number;
  readonly bytes: Readonly<Record<StateKind, number>>;
  /** The tensors that are this one's own to free. */
  readonly #own: ReadonlyMap<string, StateTensor>;
  /** Holds the tensors that are not, and is held for them. */
  readonly #parent: LayerStates | null;
  #holders = 1;

  constructor(
    tensors: ReadonlyMap<string, StateTensor>,
    tokens: number,
    parent: LayerStates | null = null,
  ) {
    this.#own = tensors;
    this.#parent = parent;
    this.tokens = tokens;
    const bytes = { conv: 0, ssm: 0, kv: 0 };
    for (const name of this.names) {
      const tensor = this.tensor(name);
      bytes[stateKindOf(name)] += elementsOf(tensor.dims) * elementBytes(tensor.type);
    }
    this.bytes = bytes;
    liveStates += 1;
  }

  /** State inputs that there are. */
  get names(): readonly string[] {
    return this.#parent === null ? [...this.#own.keys()] : this.#parent.names;
  }

  get totalBytes(): number {
    return this.bytes.conv + this.bytes.ssm + this.bytes.kv;
  }

  /** The tensor fed as `pastName`; RangeError when there is none or it was freed. */
  tensor(pastName: string): StateTensor {
    const tensor =
      this.#own.get(pastName) ?? (this.#holders > 0 ? this.#parent?.tensor(pastName) : undefined);
    if (tensor === undefined || this.#holders <= 0) {
      throw new RangeError(
        `state ${pastName} after ${this.tokens} tokens is ${tensor ? 'freed' : 'absent'}`,
      );
    }
    return tensor;
  }

  /** Keys that an attention layer holds; fewer than `tokens` where some were dropped. */
  kvTokens(layer: number): number {
    return this.tensor(`past_key_values.${layer}.key`).dims[2] ?? 0;
  }

  /** New states with other tensors in place of some; shares the rest and holds this one for them. */
  derive(replaced: ReadonlyMap<string, StateTensor>): LayerStates {
    return new LayerStates(replaced, this.tokens, this.retain());
  }

  /** Adds a holder; each holder releases once. */
  retain(): this {
    if (this.#holders <= 0)
      throw new RangeError(`states after ${this.tokens} tokens were freed already`);
    this.#holders += 1;
    return this;
  }

  /** Lets go; the last holder frees the tensors (at once on the GPU and in the WASM heap, else by garbage collection). */
  release(): void {
    if (this.#holders <= 0)
      throw new RangeError(`states after ${this.tokens} tokens were freed already`);
    this.#holders -= 1;
    if (this.#holders > 0) return;
    liveStates -= 1;
    for (const tensor of this.#own.values()) {
      if (tensor.location !== 'cpu') tensor.dispose();
    }
    this.#parent?.release();
  }
}
