/**
 * The geometry of a line chart: scales, ticks and paths in pixels, for the page and for saved pictures alike. Owns no
 * colours and no DOM.
 */
import { scaleLinear, scaleLog } from 'd3-scale';
import { area, line } from 'd3-shape';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** A colour token of app.css, e.g. `--tide`. */
  readonly tone: string;
  /** Dashes, so that lines differ without colour. */
  readonly dash?: string;
  /** From here on the line is thin: beyond what the model's config allows. */
  readonly faintFrom?: number;
  readonly isArea?: boolean;
  readonly hasDots?: boolean;
  /** Dots alone, small ones unless hasDots: single readings. */
  readonly isScatter?: boolean;
}

export interface Mark {
  readonly x: number;
  readonly label: string;
  readonly tone: string;
  /** Draws a ring at this height. */
  readonly y?: number;
  /** A ring without a line and a name: one of several of a kind. */
  readonly isRingOnly?: boolean;
}

export interface LinePlot {
  readonly series: readonly Series[];
  readonly xKind?: 'linear' | 'log';
  readonly yKind?: 'linear' | 'log';
  readonly xDomain: readonly [number, number];
  readonly yDomain: readonly [number, number];
  readonly xTicks?: readonly number[];
  readonly yTicks?: readonly number[];
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  readonly xTitle: string;
  readonly marks?: readonly Mark[];
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface PlacedSeries {
  readonly series: Series;
  /** SVG path data; '' where there is none. */
  readonly solid: string;
  readonly faint: string;
  readonly area: string;
  readonly dots: readonly Point[];
}

export interface PlacedMark {
  readonly mark: Mark;
  readonly x: number;
  /** Null: no ring. */
  readonly y: number | null;
  /** On which side of the line its name stands, so that it stays inside. */
  readonly side: 'start' | 'end';
}

export interface LineLayout {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly ticksX: readonly Tick[];
  readonly ticksY: readonly Tick[];
  readonly series: readonly PlacedSeries[];
  readonly marks: readonly PlacedMark[];
}

const TOP = 12;
const RIGHT = 14;

/** Places a plot in `width` × `height` pixels with type of `em` pixels. */
export function layLines(plot: LinePlot, width: number, height: number, em: number): LineLayout {
  // Room for "512 KiB" and for one line of numbers below.
  const left = Math.round(4.1 * em);
  const bottom = height - Math.round(1.75 * em);
  const right = Math.max(width - RIGHT, left + 40);
  const x = (plot.xKind === 'log' ? scaleLog() : scaleLinear())
    .domain([...plot.xDomain])
    .range([left, right])
    .clamp(true);
  const y = (plot.yKind === 'log' ? scaleLog() : scaleLinear())
    .domain([...plot.yDomain])
    .range([bottom, TOP])
    .clamp(true);
  const lineOf = line<Point>()
    .x((point) => x(point.x))
    .y((point) => y(point.y));
  const areaOf = area<Point>()
    .x((point) => x(point.x))
    .y1((point) => y(point.y))
    .y0(bottom);
  return {
    left,
    right,
    top: TOP,
    bottom,
    ticksX: (plot.xTicks ?? x.ticks(Math.max(2, Math.floor(width / (6.4 * em))))).map((tick) => ({
      at: x(tick),
      label: plot.formatX(tick),
    })),
    ticksY: (plot.yTicks ?? y.ticks(Math.max(2, Math.min(5, Math.floor(height / (2.4 * em)))))).map(
      (tick) => ({ at: y(tick), label: plot.formatY(tick) }),
    ),
    series: plot.series.map((series): PlacedSeries => {
      const { points, faintFrom } = series;
      const inside =
        faintFrom === undefined ? points : points.filter((point) => point.x <= faintFrom);
      const edge = inside.at(-1)?.x ?? faintFrom ?? 0;
      const beyond = faintFrom === undefined ? [] : points.filter((point) => point.x >= edge);
      const hasLine = series.isScatter !== true;
      return {
        series,
        solid: hasLine ? (lineOf([...inside]) ?? '') : '',
        faint: hasLine && beyond.length > 1 ? (lineOf(beyond) ?? '') : '',
        area: series.isArea === true ? (areaOf([...points]) ?? '') : '',
        dots:
          series.hasDots === true || series.isScatter === true
            ? points.map((point) => ({ x: x(point.x), y: y(point.y) }))
            : [],
      };
    }),
    marks: (plot.marks ?? []).map((mark) => ({
      mark,
      x: x(mark.x),
      y: mark.y === undefined ? null : y(mark.y),
      side: x(mark.x) > width * 0.6 ? 'end' : 'start',
    })),
  };
}
