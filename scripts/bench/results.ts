/** Owns the shape of results.json and the ratios in it. Owns no measuring. */
import { byKind, type LayerTimes } from '../../src/core/bench/layer-times';
import { spreadOf, type Spread } from '../../src/core/bench/spread';
import { bytesCrossing, raceRows, speedCrossing, type RaceReading } from '../../src/core/lab/race';

export interface Figure extends Spread {
  readonly values: readonly number[];
  /** Of decode figures: bytes a token over the memory bandwidth, as a share of the time it took. */
  readonly ofBandwidthLimit?: number;
}

export interface ContenderResult {
  readonly title: string;
  readonly file: string;
  readonly fileBytes: number;
  readonly threads: number;
  /** Of all weights as the engine keeps them. */
  readonly weightBytes: number;
  readonly figures: Readonly<Record<string, Figure>>;
}

export function figureOf(values: readonly number[]): Figure {
  return { ...spreadOf(values), values };
}

/** Rounds to 4 digits: more is noise, and a diff of it hides what changed. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

type Contenders = Readonly<Record<string, ContenderResult>>;

/**
 * Median of the ratios of each round, `a` over `b`: the two of a round ran within seconds of each other, so what
 * disturbs the machine for longer falls out. Null when one has no such figure.
 */
export function pairedRatio(
  a: readonly number[] | undefined,
  b: readonly number[] | undefined,
): number | null {
  if (a === undefined || b === undefined) return null;
  const ratios = a.flatMap((value, i) => {
    const other = b[i];
    return other === undefined || !(other > 0) ? [] : [value / other];
  });
  return ratios.length === 0 ? null : rounded(spreadOf(ratios).median);
}

/**
 * Ours over that of `others` which does best, paired by round: the least of the ratios (`Math.min`) where more is better,
 * the largest (`Math.max`) where less is.
 */
function overBest(
  contenders: Contenders,
  figure: string,
  others: readonly string[],
  hardest: (...ratios: number[]) => number = Math.min,
): number | null {
  const own = contenders['tidepool']?.figures[figure]?.values;
  const ratios = others.flatMap((name) => {
    const ratio = pairedRatio(own, contenders[name]?.figures[figure]?.values);
    return ratio === null ? [] : [ratio];
  });
  return ratios.length === 0 ? null : hardest(...ratios);
}

const BASE_MODEL = ['smollm2-q8', 'smollm2-q4'];
const WLLAMA = ['wllama-q8_0', 'wllama-q4_0', 'wllama-q4_1'];

/** Those of transformers.js, at any number of threads. */
function stock(contenders: Contenders, name: string): string[] {
  return Object.keys(contenders).filter(
    (other) => other === name || new RegExp(`^${name}-\\d+t$`).test(other),
  );
}

/** A token's time by kind of layer, as our own session's profile tells; milliseconds of nodes. */
export interface ContextLayers {
  readonly context: number;
  readonly figures: Readonly<Record<keyof LayerTimes, Figure>>;
  /** The attention layers' part of all nodes' time. */
  readonly attentionShare: Figure;
}

export function contextLayersOf(context: number, rounds: readonly LayerTimes[]): ContextLayers {
  return {
    context,
    figures: byKind((kind) => figureOf(rounds.map((times) => rounded(times[kind])))),
    attentionShare: figureOf(
      rounds.map(({ mamba, attention, feedForward, ends }) =>
        rounded(attention / (mamba + attention + feedForward + ends)),
      ),
    ),
  };
}

/** What the profile answers of the targets; null where it was left out. */
export function layerRatiosOf(layers: readonly ContextLayers[]): Record<string, number | null> {
  const at = (context: number): ContextLayers | undefined =>
    layers.find((one) => one.context === context);
  return {
    // Speed at 8192 over speed at 128: times the other way round.
    mambaDecode8kVs128: pairedRatio(at(128)?.figures.mamba.values, at(8192)?.figures.mamba.values),
    attentionShareAt128: at(128)?.attentionShare.median ?? null,
    attentionShareAt8k: at(8192)?.attentionShare.median ?? null,
  };
}

/** The race of the hybrid and its all-attention twin: at each context speed and bytes, and where they cross. */
export function raceResultsOf(points: readonly RaceReading[], hybrid: string, twin: string) {
  const rows = raceRows(points, hybrid, twin);
  const side = (one: (typeof rows)[number]['hybrid']) =>
    one === null
      ? null
      : {
          msPerToken: rounded(one.ms.min),
          medianMs: rounded(one.ms.median),
          tokensPerSecond: rounded(one.tokensPerSecond),
          stateBytes: one.constantBytes,
          kvBytes: one.kvBytes,
        };
  return {
    rows: rows.map((row) => ({
      context: row.context,
      hybrid: side(row.hybrid),
      twin: side(row.twin),
    })),
    fasterFrom: speedCrossing(rows),
    smallerFrom: bytesCrossing(rows),
    ratios: Object.fromEntries(
      rows.flatMap(({ context, speedRatio, bytesRatio }) => [
        [`raceDecodeVsTwinAt${context}`, speedRatio === null ? null : rounded(speedRatio)],
        [`raceBytesVsTwinAt${context}`, bytesRatio === null ? null : rounded(bytesRatio)],
      ]),
    ) as Record<string, number | null>,
  };
}

/** The targets' names; null where a contender was left out. */
export function ratiosOf(contenders: Contenders): Record<string, number | null> {
  const own = (figure: string): readonly number[] | undefined =>
    contenders['tidepool']?.figures[figure]?.values;
  const same = stock(contenders, 'transformers');
  const q4 = stock(contenders, 'transformers-q4');
  return {
    decodeVsTransformersJsSameFile: overBest(contenders, 'decode128', same),
    decodeVsTransformersJsSameFileAt1024: overBest(contenders, 'decode1024', same),
    decodeVsTransformersJsSameFileAt8192: overBest(contenders, 'decode8192', same),
    decodeVsTransformersJsQ4: overBest(contenders, 'decode128', q4),
    decodeVsSmolLm2InTransformersJs: overBest(contenders, 'decode128', BASE_MODEL),
    prefillVsSmolLm2InTransformersJs: overBest(contenders, 'prefill512', BASE_MODEL),
    decodeVsWllama: overBest(contenders, 'decode128', WLLAMA),
    decodeVsWllamaByTheirOwnClocks: overBest(contenders, 'decodeInside128', WLLAMA),
    decodeVsWllamaAt8192: overBest(contenders, 'decode8192', WLLAMA),
    decodeVsWllamaAt4096: overBest(contenders, 'decode4096', WLLAMA),
    memoryVsWllama: overBest(contenders, 'memoryBytes', WLLAMA, Math.max),
    prefillVsWllama: overBest(contenders, 'prefill512', WLLAMA),
    prefillVsTransformersJs: overBest(contenders, 'prefill512', same),
    ttft1024VsTransformersJsSameFile: overBest(contenders, 'firstTokenMs1024', same, Math.max),
    ttft1024VsTransformersJsQ4: overBest(contenders, 'firstTokenMs1024', q4, Math.max),
    decode8kVs128: pairedRatio(own('decode8192'), own('decode128')),
  };
}

type Targets = Readonly<Record<string, { readonly least?: number; readonly most?: number }>>;

/** What the issues ask of each ratio. */
const TIDEPOOL_TARGETS: Targets = {
  decodeVsTransformersJsSameFile: { least: 1.1 },
  decodeVsTransformersJsQ4: { least: 2 },
  decodeVsWllama: { least: 1.3 },
  prefillVsWllama: { least: 2 },
  ttft1024VsTransformersJsSameFile: { most: 0.6 },
  ttft1024VsTransformersJsQ4: { most: 0.6 },
  mambaDecode8kVs128: { least: 0.85 },
};

const LAGOON_TARGETS: Targets = {
  decodeVsWllama: { least: 2.5 },
  decodeVsWllamaAt4096: { least: 4 },
  prefillVsWllama: { least: 5 },
  memoryVsWllama: { most: 2 },
};

export function targetsOf(model: string): Targets {
  return model === 'lagoon' ? LAGOON_TARGETS : TIDEPOOL_TARGETS;
}
