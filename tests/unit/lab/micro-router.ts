/**
 * The micro model with a router beside its first MLP: it chooses 2 of 4 experts of which nothing is computed, so that
 * what is told of routers can be tested without a trained mixture. Writes the contract's names.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../../src/core/sampling/random';
import type { EngineHost } from '../../../workers/engine';
import { block, integer, text } from '../../../workers/runtime/protobuf';
import { fileFetch, MICRO_URL, nodeHost } from '../workers/model-host';

export const EXPERTS = 4;
export const CHOSEN = 2;
/** Index of the MLP layer beside which the router stands. */
export const ROUTED_LAYER = 1;

const HIDDEN = 64;
const GRAPH_FILE = 'onnx/model_quantized.onnx';

function constant(
  name: string,
  dims: readonly number[],
  type: number,
  bytes: Uint8Array,
): number[] {
  return block(5, [
    ...dims.flatMap((dim) => integer(1, dim)),
    ...integer(2, type),
    ...text(8, name),
    ...block(9, Array.from(bytes)),
  ]);
}

function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly number[] = [],
): number[] {
  return block(1, [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, op),
    ...attributes,
  ]);
}

/** The .onnx file with the router's nodes, constants and outputs after its own. */
function withRouter(model: Uint8Array): Uint8Array {
  const random = createRandom(7);
  const weights = Float32Array.from({ length: HIDDEN * EXPERTS }, () => random.nextNormal());
  const at = `layers.${ROUTED_LAYER}`;
  const bytes = (data: Float32Array | BigInt64Array): Uint8Array => new Uint8Array(data.buffer);
  const axis = block(5, [...text(1, 'axis'), ...integer(3, 2), ...integer(20, 2)]);
  const graph = [
    ...constant(`${at}.gate.weight`, [HIDDEN, EXPERTS], 1, bytes(weights)),
    ...constant(
      `${at}.gate.e_score_correction_bias`,
      [EXPERTS],
      1,
      bytes(new Float32Array(EXPERTS)),
    ),
    ...constant(`${at}.gate.k`, [1], 7, bytes(BigInt64Array.of(BigInt(CHOSEN)))),
    ...node('MatMul', [`${at}.normed`, `${at}.gate.weight`], [`${at}.gate`]),
    ...node('Sigmoid', [`${at}.gate`], [`${at}.scores`]),
    ...node('Add', [`${at}.scores`, `${at}.gate.e_score_correction_bias`], [`${at}.choice`]),
    ...node(
      'TopK',
      [`${at}.choice`, `${at}.gate.k`],
      [`${at}.top`, `router.${ROUTED_LAYER}.experts`],
    ),
    ...node(
      'GatherElements',
      [`${at}.scores`, `router.${ROUTED_LAYER}.experts`],
      [`router.${ROUTED_LAYER}.weights`],
      axis,
    ),
    ...block(12, text(1, `router.${ROUTED_LAYER}.experts`)),
    ...block(12, text(1, `router.${ROUTED_LAYER}.weights`)),
  ];
  const added = block(7, graph);
  const all = new Uint8Array(model.length + added.length);
  all.set(model);
  all.set(added, model.length);
  return all;
}

/** A host that serves the micro model so; `config` changes fields of its config.json. */
export function routerHost(config: Readonly<Record<string, unknown>> = {}): EngineHost {
  const read = (path: string): Uint8Array =>
    new Uint8Array(readFileSync(fileURLToPath(new URL(path, MICRO_URL))));
  const encode = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));
  const parse = (path: string): Record<string, unknown> =>
    JSON.parse(new TextDecoder().decode(read(path))) as Record<string, unknown>;
  const original = parse('config.json');
  const changed = new Map<string, Uint8Array>([
    [GRAPH_FILE, withRouter(read(GRAPH_FILE))],
    [
      'config.json',
      encode({
        ...original,
        layers_block_type: (original['layers_block_type'] as string[]).map((kind, at) =>
          at === ROUTED_LAYER ? 'moe' : kind,
        ),
        n_routed_experts: EXPERTS,
        num_experts_per_tok: CHOSEN,
        ...config,
      }),
    ],
  ]);
  const manifest = parse('manifest.json');
  changed.set(
    'manifest.json',
    encode({
      ...manifest,
      files: (manifest['files'] as { path: string }[]).map((file) => {
        const bytes = changed.get(file.path);
        return bytes === undefined
          ? file
          : {
              ...file,
              bytes: bytes.length,
              sha256: createHash('sha256').update(bytes).digest('hex'),
            };
      }),
    }),
  );
  const folder = fileURLToPath(MICRO_URL);
  return nodeHost({
    fetch: fileFetch(
      (path, bytes) => new Uint8Array(changed.get(path.slice(folder.length)) ?? bytes),
    ),
  });
}
