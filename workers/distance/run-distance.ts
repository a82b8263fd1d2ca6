/** Owns one run of the distance worker: opens the models, races or reads, says how it ended. Owns no wire. */
import type {
  DistanceRequest,
  LongReadRequest,
  RaceRequest,
} from '../../src/protocol/distance-api';
import { asEngineError, toWireError } from '../../src/protocol/wire-error';
import type { EngineHost } from '../engine';
import { readLong } from './long-read';
import { openRunner, type Runner } from './open-runner';
import { race, type DistanceHost } from './race';

export async function runDistance(
  request: Exclude<DistanceRequest, { type: 'hold' | 'go-on' }>,
  host: EngineHost,
  distance: DistanceHost,
): Promise<void> {
  const runners: Runner[] = [];
  try {
    for (const model of request.type === 'race' ? request.models : [request.model]) {
      const runner = await openRunner(model, request.device, host);
      runners.push(runner);
      distance.post({ type: 'opened', model: runner.opened });
    }
    await go(request, runners, distance);
    distance.post({ type: 'done' });
  } catch (error) {
    distance.post({ type: 'failed', error: toWireError(asEngineError(error, 'The run')) });
  } finally {
    for (const { session } of runners) await session.dispose();
  }
}

async function go(
  request: RaceRequest | LongReadRequest,
  runners: readonly Runner[],
  distance: DistanceHost,
): Promise<void> {
  if (request.type === 'race') {
    await race(runners, request, distance);
    return;
  }
  for (const runner of runners) await readLong(runner, request, distance);
}
