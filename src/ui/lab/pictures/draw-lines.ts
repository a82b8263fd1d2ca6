/** Writes a line chart as SVG, from the layout that the page draws from. */
import { layLines, type LinePlot } from '../charts/line-layout';
import { colourOf, GROUND, RULE, SOFT, textAt, round, type Drawn } from './svg-parts';

const EM = 14;
const HEIGHT = 300;
const LEGEND_ROW = 22;

export function drawLines(plot: LinePlot, width: number): Drawn {
  const { left, right, top, bottom, ticksX, ticksY, series, marks } = layLines(
    plot,
    width,
    HEIGHT,
    EM,
  );
  const parts: string[] = [];
  for (const { at, label } of ticksY) {
    parts.push(
      `<path d="M${left} ${round(at)}H${round(right)}" stroke="${RULE}" stroke-width="0.75" stroke-dasharray="1.5 3"/>`,
      textAt(left - 7, at + 4, label, { size: 12, anchor: 'end', fill: SOFT }),
    );
  }
  ticksX.forEach(({ at, label }) =>
    parts.push(
      `<path d="M${round(at)} ${bottom}v4" stroke="${SOFT}"/>`,
      textAt(at, HEIGHT - 6, label, {
        size: 12,
        anchor: at > right - EM ? 'end' : 'middle',
        fill: SOFT,
      }),
    ),
  );
  for (const one of series) {
    const colour = colourOf(one.series.tone);
    const line = (d: string, dash: string | undefined, strength: number): string =>
      `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${strength}" stroke-linejoin="round" stroke-linecap="round"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}/>`;
    if (one.area !== '') parts.push(`<path d="${one.area}" fill="${colour}" opacity="0.16"/>`);
    if (one.solid !== '') parts.push(line(one.solid, one.series.dash, 2.25));
    if (one.faint !== '') parts.push(line(one.faint, '1 4', 1.5));
    const radius = one.series.hasDots === true ? 3.5 : 2;
    for (const dot of one.dots)
      parts.push(
        `<circle cx="${round(dot.x)}" cy="${round(dot.y)}" r="${radius}" fill="${colour}"/>`,
      );
  }
  for (const { mark, x, y, side } of marks) {
    const colour = colourOf(mark.tone);
    if (y !== null)
      parts.push(
        `<circle cx="${round(x)}" cy="${round(y)}" r="5" fill="${GROUND}" stroke="${colour}" stroke-width="2"/>`,
      );
    if (mark.isRingOnly === true) continue;
    parts.push(
      `<path d="M${round(x)} ${top}V${bottom}" stroke="${colour}" stroke-width="1.25" stroke-dasharray="4 3"/>`,
      textAt(x + (side === 'end' ? -6 : 6), top + 10, mark.label, {
        size: 12,
        anchor: side,
        fill: colour,
        weight: 600,
      }),
    );
  }
  parts.push(
    textAt(right, HEIGHT + 14, `${plot.xTitle} →`, { size: 12, anchor: 'end', fill: SOFT }),
  );
  // A legend in words, in rows as wide as there is room for.
  let x = 0;
  let row = HEIGHT + 36;
  if (plot.series.length > 1) {
    for (const { name, tone, dash, isScatter } of plot.series) {
      const needed = 52 + name.length * 8;
      if (x > 0 && x + needed > width) {
        x = 0;
        row += LEGEND_ROW;
      }
      parts.push(
        isScatter === true
          ? `<circle cx="${x + 13}" cy="${row - 4}" r="3" fill="${colourOf(tone)}"/>`
          : `<path d="M${x + 1} ${row - 4}h24" stroke="${colourOf(tone)}" stroke-width="2.25"${dash === undefined ? '' : ` stroke-dasharray="${dash}"`}/>`,
        textAt(x + 32, row, name),
      );
      x += needed;
    }
    row += 8;
  } else row -= 14;
  return { svg: parts.join(''), height: row };
}
