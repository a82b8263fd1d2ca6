/** Owns the race and the long read together, while the lab is open. One of them runs at a time. */
import type { DistanceModel } from '../../protocol/distance-api';
import { LongRead } from './long-read.svelte';
import { Race } from './race.svelte';
import { siteFolder } from './site-folder';

/** Folders of the two models: the shipped one, and one of its size that has attention alone. */
const HYBRID = 'tidepool';
export const TWIN = 'tidepool-twin';

export class Distance {
  readonly race: Race;
  readonly long = new LongRead();
  readonly hybrid: DistanceModel;
  readonly twin: DistanceModel;

  constructor(baseUrl: string) {
    const modelOf = (id: string): DistanceModel => ({
      id,
      modelUrl: siteFolder(id, baseUrl),
    });
    this.hybrid = modelOf(HYBRID);
    this.twin = modelOf(TWIN);
    this.race = new Race(this.hybrid, this.twin);
  }

  get isBusy(): boolean {
    return this.race.run.isBusy || this.long.run.isBusy;
  }

  /** Ends what runs and lets go of its worker. */
  end(): void {
    this.race.run.stop();
    this.long.run.stop();
  }
}
