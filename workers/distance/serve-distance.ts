/** Answers the page as the distance worker: one run, which can be held. The page ends the worker. */
import { StepGate } from '../../src/core/step-gate';
import type { DistanceEvent, DistanceRequest } from '../../src/protocol/distance-api';
import { browserHost } from '../engine';
import { EventLoopPause } from '../event-loop';
import { runDistance } from './run-distance';

/** Takes over the worker's messages, those first that came before this code was there. */
export function serveDistance(waiting: readonly MessageEvent<DistanceRequest>[]): void {
  const gate = new StepGate();
  const pause = new EventLoopPause();
  const take = ({ data }: MessageEvent<DistanceRequest>): void => {
    switch (data.type) {
      case 'hold':
        gate.allow(0);
        return;
      case 'go-on':
        gate.allow(Infinity);
        return;
      case 'race':
      case 'read':
        void runDistance(data, browserHost(), {
          post: (event: DistanceEvent) => self.postMessage(event),
          turn: async () => {
            await pause.wait();
            await gate.pass();
          },
        });
        return;
      default:
        throw new RangeError(`unknown request ${JSON.stringify(data satisfies never)}`);
    }
  };
  self.onmessage = take;
  for (const message of waiting) take(message);
}
