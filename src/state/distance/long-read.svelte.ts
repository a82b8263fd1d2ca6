/** Owns the long read as the page sees it: of each model what was read, what it took, and what it still knew. */
import type {
  DistanceModel,
  LongReadRequest,
  Needle,
  OpenedForDistance,
  ReadingPoint,
} from '../../protocol/distance-api';
import type { DeviceKind } from '../../protocol/engine-api';
import { DistanceRun } from './distance-run.svelte';
import type { Asked } from './long-read-words';

export interface ReadOf {
  readonly points: readonly ReadingPoint[];
  readonly asked: readonly Asked[];
  readonly needles: readonly Needle[];
  readonly opened: OpenedForDistance | null;
}

const NOTHING: ReadOf = { points: [], asked: [], needles: [], opened: null };

/** Points kept of a read: every other one is dropped when there are more. */
const MOST_POINTS = 400;

export class LongRead {
  readonly run: DistanceRun;
  /** By the model's id. */
  reads = $state.raw<Readonly<Record<string, ReadOf>>>({});
  /** The model that was read with last. */
  current = $state<string | null>(null);

  constructor(run = new DistanceRun()) {
    this.run = run;
  }

  of(id: string): ReadOf {
    return this.reads[id] ?? NOTHING;
  }

  start(
    model: DistanceModel,
    device: DeviceKind,
    plan: Omit<LongReadRequest, 'type' | 'model' | 'device'>,
  ): void {
    const { id } = model;
    this.current = id;
    this.#set(id, { ...NOTHING, needles: plan.needles });
    this.run.start({ type: 'read', model, device, ...plan }, (event) => {
      const read = this.of(id);
      if (event.type === 'opened') this.#set(id, { ...read, opened: event.model });
      else if (event.type === 'reading')
        this.#set(id, { ...read, points: thinned([...read.points, event.point]) });
      else if (event.type === 'answers') {
        const { tokens, answers } = event;
        this.#set(id, { ...read, asked: [...read.asked, { tokens, answers }] });
      }
    });
  }

  #set(id: string, read: ReadOf): void {
    this.reads = { ...this.reads, [id]: read };
  }
}

/** The first and the last stay. */
function thinned(points: readonly ReadingPoint[]): readonly ReadingPoint[] {
  if (points.length <= MOST_POINTS) return points;
  return points.filter((_, at) => at % 2 === 0 || at === points.length - 1);
}
