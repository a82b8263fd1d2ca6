/**
 * Owns the reading of models/index.json, which the build writes: which models this site has, so that none is asked for
 * that is not there. Owns no fetching.
 */
import { asObject } from './config-fields';

/** What the site has of one model. */
export interface SiteModel {
  /** Measured results lie beside its manifest. */
  readonly hasEval: boolean;
}

export type SiteIndex = ReadonlyMap<string, SiteModel>;

/** Models by the name of their folder. EngineError `model-corrupt` when it is no index. */
export function parseSiteIndex(json: unknown): SiteIndex {
  const models = asObject(asObject(json, 'models/index.json')['models'], 'models/index.json');
  return new Map(
    Object.entries(models).map(([name, value]) => [
      name,
      { hasEval: asObject(value, `${name} in models/index.json`)['hasEval'] === true },
    ]),
  );
}
