/**
 * Owns what the graph of a mixture of experts tells of its routers: outputs `router.{layer}.experts` int64 and
 * `router.{layer}.weights` float32, (1, tokens, chosen) each, and the selection bias float32 [experts], a constant of its
 * own. Changes nothing (graph-change.ts).
 */
import { EngineError } from '../../src/core/errors';
import type { ModelSpec } from '../../src/core/model-spec';
import type { RouterChoice } from '../../src/protocol/lab-api';
import { GRAPH_INITIALIZER, GRAPH_OUTPUT, MODEL_GRAPH, TENSOR } from './graph-reader';
import type { StateTensor } from './layer-states';
import { fieldsOf, readIntegers, readText } from './protobuf';

const VALUE_NAME = 1;

const OUTPUT = /^router\.(\d+)\.(experts|weights)$/;
const BIAS = /^layers\.(\d+)\.gate\.e_score_correction_bias$/;

/** Name of the constant that a router adds to its scores before it chooses. */
export function biasNameOf(layer: number): string {
  return `layers.${layer}.gate.e_score_correction_bias`;
}

/** Experts that the router of each layer chooses from. */
export type RouterNames = ReadonlyMap<number, { readonly experts: number }>;

/** The layers whose choices the graph gives. EngineError `model-corrupt` where it has other experts than the config says. */
export function routersOf(model: Uint8Array, spec: ModelSpec): RouterNames {
  const told = new Map<number, Set<string>>();
  const biases = new Map<number, number>();
  for (const field of fieldsOf(model, 0, model.length)) {
    if (field.number !== MODEL_GRAPH) continue;
    for (const inner of fieldsOf(model, field.start, field.end)) {
      if (inner.number === GRAPH_OUTPUT) {
        for (const part of fieldsOf(model, inner.start, inner.end)) {
          if (part.number !== VALUE_NAME) continue;
          const match = OUTPUT.exec(readText(model, part));
          if (match === null) continue;
          const layer = Number(match[1]);
          told.set(layer, (told.get(layer) ?? new Set()).add(match[2] ?? ''));
        }
      } else if (inner.number === GRAPH_INITIALIZER) {
        let layer: number | null = null;
        const dims: number[] = [];
        for (const part of fieldsOf(model, inner.start, inner.end)) {
          if (part.number === TENSOR.name) {
            const digits = BIAS.exec(readText(model, part))?.[1];
            if (digits !== undefined) layer = Number(digits);
          } else if (part.number === TENSOR.dims) dims.push(...readIntegers(model, part));
        }
        if (layer !== null) biases.set(layer, dims[0] ?? 0);
      }
    }
  }
  const routers = new Map<number, { experts: number }>();
  for (const [layer, names] of told) {
    const experts = biases.get(layer);
    if (experts === undefined || names.size < 2) continue;
    const described = spec.layers[layer];
    const count = described?.kind === 'moe' ? described.experts?.count : undefined;
    if (count !== undefined && count !== experts)
      throw new EngineError(
        'model-corrupt',
        `n_routed_experts in config.json is ${count}, but ${biasNameOf(layer)} in the model’s .onnx file has ${experts}.`,
        'Use the config.json that belongs to this model file.',
      );
    routers.set(layer, { experts });
  }
  return routers;
}

/** Outputs to fetch. */
export function routerOutputs(routers: RouterNames): string[] {
  return [...routers.keys()].flatMap((layer) => [
    `router.${layer}.experts`,
    `router.${layer}.weights`,
  ]);
}

/** Copies what was fetched; layers whose outputs were not are left out. */
export function routerChoices(
  routers: RouterNames,
  outputs: ReadonlyMap<string, StateTensor>,
): RouterChoice[] {
  return [...routers.keys()].flatMap((layer) => {
    const experts = outputs.get(`router.${layer}.experts`);
    const weights = outputs.get(`router.${layer}.weights`);
    if (experts === undefined || weights === undefined) return [];
    return [
      {
        layer,
        chosen: experts.dims.at(-1) ?? 0,
        experts: Int32Array.from(experts.data as BigInt64Array, Number),
        weights: Float32Array.from(weights.data as Float32Array),
      },
    ];
  });
}
