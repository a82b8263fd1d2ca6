/** Writes a heat map as SVG: one path for each colour, so that a large matrix stays a small file and sharp in print. */
import { colourTable, hexGradient, scaleEnds, stepOf } from '../charts/colour-scale';
import { formatValue } from '../charts/format-value';
import type { MatrixPlot } from './picture';
import { RULE, round, SOFT, textAt, type Drawn } from './svg-parts';

/** Highest a matrix is drawn; a square one is as wide. */
const MOST_HEIGHT = 560;

/** `id` must be its own among the pictures of one file. */
export function drawMatrix(
  plot: MatrixPlot,
  width: number,
  id: string,
  title: string | undefined,
): Drawn {
  const { values, rows, columns, kind, isTriangle = false } = plot;
  if (rows === 0 || columns === 0) return { svg: '', height: 0 };
  const [floor, end] = scaleEnds(plot);
  const aspect = plot.aspect ?? columns / rows;
  const inner = Math.min(width, MOST_HEIGHT * aspect);
  const height = inner / aspect;
  const top = title === undefined ? 0 : 24;
  const table = colourTable(kind, false);
  const byStep = new Map<number, string[]>();
  for (let row = 0; row < rows; row += 1) {
    const last = isTriangle ? Math.min(row, columns - 1) : columns - 1;
    for (let column = 0; column <= last;) {
      const step = stepOf(values[row * columns + column] ?? 0, end, kind, floor);
      let run = 1;
      while (
        column + run <= last &&
        stepOf(values[row * columns + column + run] ?? 0, end, kind, floor) === step
      )
        run += 1;
      const cells = byStep.get(step) ?? [];
      cells.push(`M${column} ${row}h${run}v1h-${run}z`);
      byStep.set(step, cells);
      column += run;
    }
  }
  const hex = (step: number): string =>
    `#${[0, 1, 2].map((channel) => (table[step * 4 + channel] ?? 0).toString(16).padStart(2, '0')).join('')}`;
  const cells = [...byStep].map(
    ([step, paths]) => `<path fill="${hex(step)}" d="${paths.join('')}"/>`,
  );
  const legend = top + height + 40;
  const stops = hexGradient(kind).map(
    (colour, at, all) => `<stop offset="${round(at / (all.length - 1))}" stop-color="${colour}"/>`,
  );
  return {
    svg:
      (title === undefined ? '' : textAt(0, 14, title, { size: 14, weight: 600 })) +
      `<svg x="0" y="${top}" width="${round(inner)}" height="${round(height)}" viewBox="0 0 ${columns} ${rows}" preserveAspectRatio="none" shape-rendering="crispEdges">${cells.join('')}</svg>` +
      `<rect x="0" y="${top}" width="${round(inner)}" height="${round(height)}" fill="none" stroke="${RULE}"/>` +
      textAt(0, top + height + 18, `↓ ${plot.rowTitle}`, { size: 12, fill: SOFT }) +
      textAt(inner, top + height + 18, `→ ${plot.columnTitle}`, {
        size: 12,
        anchor: 'end',
        fill: SOFT,
      }) +
      `<defs><linearGradient id="${id}">${stops.join('')}</linearGradient></defs>` +
      `<rect x="70" y="${legend - 9}" width="${round(Math.max(40, inner - 140))}" height="9" rx="4.5" fill="url(#${id})" stroke="${RULE}"/>` +
      textAt(0, legend, formatValue(floor), { size: 12, fill: SOFT }) +
      textAt(inner, legend, formatValue(end), { size: 12, anchor: 'end', fill: SOFT }),
    height: legend + 6,
  };
}
