/** Owns the opening of a model for more tokens than its config names, beside the engine that answers. */
import { EngineError } from '../../src/core/errors';
import type { ModelSpec } from '../../src/core/model-spec';
import type { ThinkFormat } from '../../src/models/think-format';
import type { DistanceModel, OpenedForDistance } from '../../src/protocol/distance-api';
import type { DeviceKind } from '../../src/protocol/engine-api';
import type { EngineHost } from '../engine';
import { describeModel, ladderModelOf, openModel } from '../load-model';
import { planLadder } from '../runtime/device-ladder';
import type { ChatTokenizer } from '../runtime/hub';
import { configureRuntime, type ModelSession } from '../runtime/session';
import { ModelFiles } from '../runtime/weights';

/**
 * Tokens that a session is made for. Attention here knows no positions, so the number bounds the mask alone (8 bytes a
 * token) and changes no output; what the model was trained for is its config's.
 */
const MOST_TOKENS = 135_168;

export interface Runner {
  readonly session: ModelSession;
  /** With the longer context. */
  readonly spec: ModelSpec;
  readonly tokenizer: ChatTokenizer;
  readonly format: ThinkFormat;
  readonly opened: OpenedForDistance;
}

/** Opens a model of this site on `device`. The session is the caller's. EngineError where it doesn't go there. */
export async function openRunner(
  { id, modelUrl }: DistanceModel,
  device: DeviceKind,
  host: EngineHost,
): Promise<Runner> {
  const files = new ModelFiles({
    modelUrl,
    fetch: host.fetch,
    ...(host.caches === undefined ? {} : { caches: host.caches }),
  });
  const described = await describeModel(files, true);
  const model = { ...described, spec: { ...described.spec, maxPositions: MOST_TOKENS } };
  const preference = device.startsWith('webgpu') ? 'webgpu' : 'wasm';
  const { rungs, skipped } = planLadder(await host.probe(), ladderModelOf(model), preference);
  const rung = rungs.find((one) => one.device === device);
  if (rung === undefined) {
    throw new EngineError(
      'model-unsupported',
      `${id} does not run on ${device} here. ${skipped.find((one) => one.device === device)?.reason ?? ''}`,
      'Choose the other way of computing in the settings, and begin again.',
    );
  }
  const runtime = host.runtimeFiles?.[rung.build];
  configureRuntime({
    build: rung.build,
    threads: rung.threads,
    ...(runtime === undefined ? {} : { files: runtime }),
  });
  const { session, path, weightBytes, parameters } = await openModel(model, rung, files, {
    onProgress: () => {},
    rewriteFourBit: undefined,
  });
  return {
    session,
    spec: model.spec,
    tokenizer: model.tokenizer,
    format: model.format,
    opened: {
      id,
      parameters,
      weightBytes,
      device: rung.device,
      threads: rung.threads,
      variant: path,
      trainedContext: described.spec.maxPositions,
    },
  };
}
