/** Owns the race of the hybrid and its all-attention twin as the page sees it: what was measured, and what is still to be. */
import type { DistanceModel, RacePoint } from '../../protocol/distance-api';
import type { DeviceKind } from '../../protocol/engine-api';
import { DistanceRun } from './distance-run.svelte';

const RACE_CONTEXTS: readonly number[] = [128, 512, 2048, 4096, 8192, 16_384, 32_768];

/** Reading 2,048 tokens takes seconds on every device; 32,768 would take the twin minutes. */
export const READ_UP_TO = 2048;

/** Fifteen steps of each model at each length, in three turns. */
const ROUNDS = 3;
const STEPS = 5;

export interface GivenUp {
  readonly id: string;
  readonly context: number;
  readonly why: string;
}

export class Race {
  readonly run: DistanceRun;
  points = $state.raw<readonly RacePoint[]>([]);
  gaveUp = $state.raw<readonly GivenUp[]>([]);
  readonly hybrid: DistanceModel;
  readonly twin: DistanceModel;

  constructor(hybrid: DistanceModel, twin: DistanceModel, run = new DistanceRun()) {
    this.hybrid = hybrid;
    this.twin = twin;
    this.run = run;
  }

  /** Contexts at which not all was timed yet. */
  get rest(): readonly number[] {
    const isWhole = (id: string, context: number): boolean =>
      this.gaveUp.some((one) => one.id === id && one.context <= context) ||
      this.points.some(
        (one) => one.id === id && one.context === context && one.ms.length >= ROUNDS * STEPS,
      );
    return RACE_CONTEXTS.filter(
      (context) => !isWhole(this.hybrid.id, context) || !isWhole(this.twin.id, context),
    );
  }

  /** Begins anew, or goes on where a race was stopped. */
  start(device: DeviceKind): void {
    const { rest } = this;
    const goesOn = this.run.phase === 'stopped' && rest.length > 0 && this.points.length > 0;
    if (!goesOn) this.points = [];
    this.gaveUp = [];
    this.run.start(
      {
        type: 'race',
        models: [this.hybrid, this.twin],
        device,
        contexts: goesOn ? rest : RACE_CONTEXTS,
        readUpTo: READ_UP_TO,
        rounds: ROUNDS,
        steps: STEPS,
      },
      (event) => {
        if (event.type === 'gave-up') {
          const { id, context, why } = event;
          this.gaveUp = [...this.gaveUp, { id, context, why }];
        }
        if (event.type !== 'point') return;
        const { point } = event;
        const isSame = (one: RacePoint): boolean =>
          one.id === point.id && one.context === point.context && one.states === point.states;
        this.points = [...this.points.filter((one) => !isSame(one)), point];
      },
    );
  }
}
