/** Owns the reading of the results that were measured before shipping, as the page shows them. */
import type { LayerTimes } from '../../core/bench/layer-times';

export interface ShippedFigure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly ofBandwidthLimit?: number;
}

export interface ShippedContender {
  readonly title: string;
  readonly figures: Readonly<Record<string, ShippedFigure | undefined>>;
}

/** A token's time by kind of layer, milliseconds of ONNX Runtime's nodes. */
export interface ShippedLayers {
  /** Tokens before it. */
  readonly context: number;
  readonly figures: Readonly<Record<keyof LayerTimes, ShippedFigure>>;
  readonly attentionShare: ShippedFigure;
}

export interface ShippedResults {
  readonly command: string;
  readonly commit: string;
  readonly rounds: number;
  readonly device: { readonly processor: string; readonly cores: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly contenders: Readonly<Record<string, ShippedContender>>;
  readonly ratios: Readonly<Record<string, number | null>>;
  readonly model: { readonly name: string; readonly parameters: number };
  readonly layers?: readonly ShippedLayers[];
  /** The same of a larger shape with random weights. */
  readonly base?: ShippedResults;
}

/** Fetches results.json; Error with a sentence when it is missing or of another form. */
export async function fetchShipped(url: string): Promise<ShippedResults> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The shipped results are missing (HTTP ${response.status}).`);
  const json = (await response.json()) as Partial<ShippedResults>;
  if (json.contenders === undefined || json.ratios === undefined || json.versions === undefined)
    throw new Error('The shipped results are of an older form.');
  return json as ShippedResults;
}
