/** Writes what is neither line nor matrix as SVG: bars, the recall grid, texts side by side, words, the layer strip. */
import { shortenText } from '../../../core/text/letters';
import type { Picture, PictureCell } from './picture';
import {
  colourOf,
  FOAM,
  GROUND,
  INK,
  RULE,
  SOFT,
  round,
  textAt,
  wrap,
  type Drawn,
} from './svg-parts';

type Of<K extends Picture['kind']> = Extract<Picture, { kind: K }>;

const BAR_ROW = 30;
const BAR_NAME = 250;
const BAR_NUMBER = 130;

export function drawBars({ bars, note }: Of<'bars'>, width: number): Drawn {
  const room = width - BAR_NAME - BAR_NUMBER;
  const parts = bars.map(({ name, share, text, tone }, at) => {
    const y = at * BAR_ROW;
    return (
      textAt(0, y + 15, shortenText(name, 36), { size: 14 }) +
      `<rect x="${BAR_NAME}" y="${y}" width="${room}" height="20" rx="4" fill="${RULE}"/>` +
      `<rect x="${BAR_NAME}" y="${y}" width="${round(Math.max(0, Math.min(1, share)) * room)}" height="20" rx="4" fill="${colourOf(tone)}"/>` +
      textAt(width, y + 15, text, { size: 14, anchor: 'end' })
    );
  });
  const end = bars.length * BAR_ROW;
  return note === undefined
    ? { svg: parts.join(''), height: end }
    : {
        svg: parts.join('') + textAt(0, end + 8, note, { size: 12, fill: SOFT }),
        height: end + 16,
      };
}

const CELL_FILL: Readonly<Record<PictureCell['tone'], string>> = {
  right: '#0d8f88',
  some: '#e9c46a',
  wrong: '#fbe3e1',
  waiting: FOAM,
};
const CELL_ROW = 34;
const CELL_NAME = 110;

export function drawGrid({ title, columns, rows }: Of<'grid'>, width: number): Drawn {
  const column = Math.min(150, (width - CELL_NAME) / Math.max(1, columns.length));
  const top = 48;
  const parts = [textAt(0, 14, shortenText(title, 96), { size: 14, weight: 600 })];
  columns.forEach((name, at) =>
    parts.push(
      textAt(CELL_NAME + (at + 0.5) * column, top - 8, name, {
        size: 12,
        anchor: 'middle',
        fill: SOFT,
      }),
    ),
  );
  rows.forEach(({ name, cells }, row) => {
    const y = top + row * CELL_ROW;
    parts.push(textAt(0, y + 20, name, { size: 13, fill: SOFT }));
    cells.forEach(({ text, tone }, at) =>
      parts.push(
        `<rect x="${round(CELL_NAME + at * column + 2)}" y="${y}" width="${round(column - 4)}" height="${CELL_ROW - 4}" rx="5" fill="${CELL_FILL[tone]}" stroke="${tone === 'wrong' ? colourOf('--anemone') : RULE}"/>`,
        textAt(CELL_NAME + (at + 0.5) * column, y + 20, text, {
          size: 14,
          anchor: 'middle',
          fill: tone === 'right' ? '#ffffff' : INK,
        }),
      ),
    );
  });
  return { svg: parts.join(''), height: top + rows.length * CELL_ROW };
}

const TEXT_ROW = 19;

/** A run's text in lines; each line knows from which of its characters on it differs. */
function linesOf(
  text: string,
  differsFrom: number | null,
  most: number,
): { readonly line: string; readonly same: number }[] {
  const lines: { line: string; same: number }[] = [];
  let place = 0;
  for (const paragraph of text.split('\n')) {
    const wrapped = paragraph === '' ? [''] : wrap(paragraph, most);
    for (const line of wrapped) {
      // Blanks at a break are dropped, so the place is looked for.
      const start = line === '' ? place : Math.max(place, text.indexOf(line, place));
      const same = differsFrom === null ? line.length : differsFrom - start;
      lines.push({ line, same: Math.max(0, Math.min(line.length, same)) });
      place = start + line.length;
    }
    place += 1;
  }
  return lines;
}

export function drawTexts({ runs }: Of<'texts'>, width: number): Drawn {
  const gap = 16;
  const each = (width - gap * (runs.length - 1)) / Math.max(1, runs.length);
  // A monospace letter of 13 px is 7.8 px wide.
  const most = Math.max(16, Math.floor((each - 28) / 7.9));
  const columns = runs.map(({ title, text, differsFrom }) => ({
    title: wrap(title, Math.floor(each / 8)),
    lines: linesOf(text === '' ? '(nothing)' : text, differsFrom, most),
  }));
  const heads = Math.max(...columns.map(({ title }) => title.length));
  const rows = Math.max(...columns.map(({ lines }) => lines.length));
  const height = 30 + heads * TEXT_ROW + rows * TEXT_ROW;
  const parts = columns.map(({ title, lines }, at) => {
    const x = at * (each + gap);
    return (
      `<rect x="${round(x)}" y="0" width="${round(each)}" height="${height}" rx="8" fill="${FOAM}" stroke="${RULE}"/>` +
      title
        .map((line, row) =>
          textAt(x + 14, 24 + row * TEXT_ROW, line, { size: 13, weight: 600, fill: SOFT }),
        )
        .join('') +
      lines
        .map(({ line, same }, row) => {
          const y = 26 + (heads + row) * TEXT_ROW;
          const mark =
            same < line.length
              ? `<rect x="${round(x + 14 + same * 7.8)}" y="${y - 13}" width="${round((line.length - same) * 7.8)}" height="17" fill="#fbe3e1"/>`
              : '';
          return mark + textAt(x + 14, y, line, { size: 13, isMono: true });
        })
        .join('')
    );
  });
  return { svg: parts.join(''), height };
}

export function drawWords({ words }: Of<'words'>, width: number): Drawn {
  let x = 0;
  let y = 16;
  const parts: string[] = [];
  for (const { text, share, tone } of words) {
    const wide = Math.max(1, text.length) * 7.8 + 8;
    if (x > 0 && x + wide > width) {
      x = 0;
      y += 30;
    }
    const bar = 1 + 8 * Math.max(0, Math.min(1, share));
    parts.push(
      textAt(x + 4, y, text, { size: 13, isMono: true }),
      `<rect x="${round(x + 2)}" y="${y + 5}" width="${round(wide - 4)}" height="${round(bar)}" fill="${colourOf(tone)}"/>`,
    );
    x += wide;
  }
  return { svg: parts.join(''), height: y + 18 };
}

export function drawStrip({ layers }: Of<'strip'>, width: number): Drawn {
  const each = Math.min(48, width / Math.max(1, layers.length));
  const high = 84;
  const parts = layers.map(({ letter, tone, share }, at) => {
    const x = at * each + 1;
    const water = (share ?? 0) * high;
    return (
      `<rect x="${round(x)}" y="0" width="${round(each - 3)}" height="${high}" rx="5" fill="${FOAM}" stroke="${colourOf(tone)}"/>` +
      `<rect x="${round(x)}" y="${round(high - water)}" width="${round(each - 3)}" height="${round(water)}" rx="${round(Math.min(5, water / 2))}" fill="${colourOf(tone)}"/>` +
      `<circle cx="${round(x + (each - 3) / 2)}" cy="14" r="9" fill="${GROUND}"/>` +
      textAt(x + (each - 3) / 2, 18, letter, { size: 12, anchor: 'middle', weight: 600 })
    );
  });
  return { svg: parts.join(''), height: high + 6 };
}
