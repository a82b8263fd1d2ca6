/** Owns what a saved measurement says of the browser it was made in. */

/** `measured` with the time, the browser and its processor. */
export function measurementJson(measured: object): object {
  return {
    measuredAt: new Date().toISOString(),
    browser: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    crossOriginIsolated: globalThis.crossOriginIsolated,
    ...measured,
  };
}
