/** Owns one run of the race or of a long read as the page sees it: begun, held, gone on with, ended. Owns no figures. */
import { said } from '../../core/language/translate';
import { DistanceClient } from '../../engine/distance-client';
import type {
  DistanceEvent,
  DistanceRequest,
  OpenedForDistance,
} from '../../protocol/distance-api';

export type DistancePhase = 'idle' | 'running' | 'held' | 'done' | 'stopped' | 'failed';

export class DistanceRun {
  phase = $state<DistancePhase>('idle');
  /** Why it failed, with what can be done; '' when it did not. */
  problem = $state('');
  /** Models that were opened for it. */
  opened = $state.raw<readonly OpenedForDistance[]>([]);
  readonly #client: DistanceClient;

  constructor(client = new DistanceClient()) {
    this.#client = client;
  }

  get isBusy(): boolean {
    return this.phase === 'running' || this.phase === 'held';
  }

  start(request: DistanceRequest, onEvent: (event: DistanceEvent) => void): void {
    this.phase = 'running';
    this.problem = '';
    this.opened = [];
    this.#client.start(request, (event) => {
      if (!this.isBusy) return;
      if (event.type === 'opened') this.opened = [...this.opened, event.model];
      onEvent(event);
      if (event.type === 'failed') {
        this.problem = `${said(event.error.message)} ${said(event.error.remedy)}`;
        this.#close('failed');
      } else if (event.type === 'done') this.#close('done');
    });
  }

  hold(): void {
    if (this.phase !== 'running') return;
    this.phase = 'held';
    this.#client.hold();
  }

  goOn(): void {
    if (this.phase !== 'held') return;
    this.phase = 'running';
    this.#client.goOn();
  }

  /** Ends it; what was measured stays. */
  stop(): void {
    if (this.isBusy) this.#close('stopped');
  }

  #close(phase: DistancePhase): void {
    this.phase = phase;
    this.#client.end();
  }
}
