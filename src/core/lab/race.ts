/** Owns what the race's readings say: rows of a table, where two models cross, ratios. Pure. */
import { spreadOf, type Spread } from '../bench/spread';

/** One model's decode steps at one context; as protocol/distance-api.ts has it. */
export interface RaceReading {
  readonly id: string;
  readonly context: number;
  readonly states: 'read' | 'made';
  readonly ms: readonly number[];
  readonly constantBytes: number;
  readonly kvBytes: number;
}

export interface RaceSide {
  /** Milliseconds a token over all steps timed. The fastest counts: whatever else the machine does only adds. */
  readonly ms: Spread;
  readonly tokensPerSecond: number;
  readonly constantBytes: number;
  readonly kvBytes: number;
  readonly bytes: number;
}

export interface RaceRow {
  readonly context: number;
  readonly hybrid: RaceSide | null;
  readonly twin: RaceSide | null;
  /** Speed of the hybrid over the twin's; above 1 the hybrid is faster. */
  readonly speedRatio: number | null;
  /** Bytes of the hybrid's states and cache over the twin's. */
  readonly bytesRatio: number | null;
}

function sideOf(reading: RaceReading | undefined): RaceSide | null {
  if (reading === undefined || reading.ms.length === 0) return null;
  const ms = spreadOf(reading.ms);
  const { constantBytes, kvBytes } = reading;
  return {
    ms,
    tokensPerSecond: 1000 / ms.min,
    constantBytes,
    kvBytes,
    bytes: constantBytes + kvBytes,
  };
}

/** One row a context; where states were read and made, what was read counts. */
export function raceRows(
  readings: readonly RaceReading[],
  hybrid: string,
  twin: string,
): RaceRow[] {
  const contexts = [...new Set(readings.map(({ context }) => context))].sort((a, b) => a - b);
  const of = (id: string, context: number): RaceSide | null => {
    const found = readings.filter((one) => one.id === id && one.context === context);
    return sideOf(found.find(({ states }) => states === 'read') ?? found[0]);
  };
  return contexts.map((context) => {
    const [h, t] = [of(hybrid, context), of(twin, context)];
    return {
      context,
      hybrid: h,
      twin: t,
      speedRatio: h === null || t === null ? null : t.ms.min / h.ms.min,
      bytesRatio: h === null || t === null ? null : h.bytes / t.bytes,
    };
  });
}

/** Where a value that is known at some contexts passes 1, on a line through the logarithms; null when it does not. */
function crossing(
  points: readonly { readonly context: number; readonly value: number }[],
): number | null {
  for (const [at, after] of points.entries()) {
    const before = points[at - 1];
    if (before === undefined || before.value >= 1 || after.value < 1) continue;
    const [low, high] = [Math.log(before.value), Math.log(after.value)];
    const share = high === low ? 1 : -low / (high - low);
    return Math.round(before.context * (after.context / before.context) ** share);
  }
  return null;
}

/**
 * From where on the hybrid is faster. `never`: at no context measured; a number: between the two contexts around it;
 * `always`: at each of them.
 */
export function speedCrossing(rows: readonly RaceRow[]): number | 'always' | 'never' | null {
  const points = rows.flatMap(({ context, speedRatio }) =>
    speedRatio === null ? [] : [{ context, value: speedRatio }],
  );
  if (points.length === 0) return null;
  if (points.every(({ value }) => value >= 1)) return 'always';
  // Noise may pass 1 and come back: it is faster from where it stays so.
  const lastBelow = points.findLastIndex(({ value }) => value < 1);
  return lastBelow === points.length - 1 ? 'never' : crossing(points.slice(lastBelow));
}

/** Tokens from which on the hybrid's states and cache are the smaller; exact, by bytes a token. Null without both. */
export function bytesCrossing(rows: readonly RaceRow[]): number | null {
  const row = rows.findLast(({ hybrid, twin }) => hybrid !== null && twin !== null);
  const { hybrid = null, twin = null } = row ?? {};
  if (row === undefined || hybrid === null || twin === null) return null;
  const growth = (twin.kvBytes - hybrid.kvBytes) / row.context;
  return growth <= 0
    ? null
    : Math.max(0, Math.ceil((hybrid.constantBytes - twin.constantBytes) / growth));
}

/**
 * How far states that were made differ in time from those that were read, at the one context where both were timed: the
 * larger over the smaller, of the model that differs more. Null before both are there.
 */
export function madeAgreement(readings: readonly RaceReading[]): number | null {
  const ratios = readings.flatMap((made) => {
    if (made.states !== 'made' || made.ms.length === 0) return [];
    const read = readings.find(
      (one) => one.states === 'read' && one.id === made.id && one.context === made.context,
    );
    if (read === undefined || read.ms.length === 0) return [];
    const ratio = spreadOf(made.ms).min / spreadOf(read.ms).min;
    return [Math.max(ratio, 1 / ratio)];
  });
  return ratios.length === 0 ? null : Math.max(...ratios);
}
