/** Owns the distance worker from the page's side: starts it for one run, holds it, ends it. Owns no figures. */
import { EngineError } from '../core/errors';
import type { DistanceEvent, DistanceRequest } from '../protocol/distance-api';
import { toWireError } from '../protocol/wire-error';
import { spawnWorker } from './engine-client';

/** The part of a Worker that is needed; a fake in tests. */
export type DistanceWorker = Pick<Worker, 'postMessage' | 'terminate'> & {
  onmessage: ((event: MessageEvent<DistanceEvent>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
};

export class DistanceClient {
  readonly #spawn: () => DistanceWorker;
  #worker: DistanceWorker | null = null;

  constructor(spawn: () => DistanceWorker = () => spawnWorker('distance')) {
    this.#spawn = spawn;
  }

  /** Begins a run in a worker of its own; one that was there is ended. */
  start(request: DistanceRequest, onEvent: (event: DistanceEvent) => void): void {
    this.end();
    const worker = this.#spawn();
    this.#worker = worker;
    worker.onmessage = ({ data }) => onEvent(data);
    worker.onerror = ({ message }) => {
      const lost = new EngineError(
        'worker-died',
        `The run has stopped working: ${message === '' ? 'it broke down without a word' : message}.`,
        'Begin it again; the chat is as it was.',
      );
      onEvent({ type: 'failed', error: toWireError(lost) });
    };
    worker.postMessage(request);
  }

  hold(): void {
    this.#say({ type: 'hold' });
  }

  goOn(): void {
    this.#say({ type: 'go-on' });
  }

  /** Ends the worker and lets go of all that it holds. */
  end(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  #say(request: DistanceRequest): void {
    this.#worker?.postMessage(request);
  }
}
