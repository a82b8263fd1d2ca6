/** Puts a figure together as one SVG file that stands alone: title, pictures, sentence, provenance, model and device. */
import { t } from '../../../core/language/translate';
import { drawLines } from './draw-lines';
import { drawMatrix } from './draw-matrix';
import { drawBars, drawGrid, drawStrip, drawTexts, drawWords } from './draw-rows';
import type { Figure, Picture } from './picture';
import { escapeXml, GROUND, INK, round, SOFT, textAt, wrap, type Drawn } from './svg-parts';

const FIGURE_WIDTH = 860;
const PAD = 30;
const GAP = 22;

const PROVENANCE_WORDS = {
  get measured() {
    return t('Measured in this tab');
  },
  get derived() {
    return t('Derived from the config');
  },
  get published() {
    return t('Published');
  },
} as const;

function draw(picture: Picture, width: number, id: string): Drawn {
  switch (picture.kind) {
    case 'lines':
      return drawLines(picture.plot, width);
    case 'matrix':
      return drawMatrix(picture.plot, width, id, picture.title);
    case 'bars':
      return drawBars(picture, width);
    case 'grid':
      return drawGrid(picture, width);
    case 'texts':
      return drawTexts(picture, width);
    case 'words':
      return drawWords(picture, width);
    case 'strip':
      return drawStrip(picture, width);
    default: {
      const never: never = picture;
      throw new RangeError(`no picture of ${JSON.stringify(never)}`);
    }
  }
}

/** The figure as SVG text, {@link FIGURE_WIDTH} pixels wide. */
export function figureSvg(figure: Figure): string {
  const width = FIGURE_WIDTH - 2 * PAD;
  const parts: string[] = [];
  const titles = wrap(figure.title, 62);
  titles.forEach((line, at) =>
    parts.push(textAt(PAD, 48 + at * 28, line, { size: 24, weight: 650 })),
  );
  let y = 48 + (titles.length - 1) * 28 + 26;
  figure.pictures.forEach((picture, at) => {
    const { svg, height } = draw(picture, width, `scale-${at}`);
    if (height === 0) return;
    parts.push(`<g transform="translate(${PAD} ${round(y)})">${svg}</g>`);
    y += height + GAP;
  });
  y += 8;
  for (const line of wrap(figure.sentence, 88)) {
    parts.push(textAt(PAD, y, line, { size: 16 }));
    y += 22;
  }
  const foot = [
    ...(figure.provenance === null ? [] : [PROVENANCE_WORDS[figure.provenance]]),
    figure.source,
    t('made with Tidepool'),
  ].join(' · ');
  y += 14;
  for (const line of wrap(foot, 118)) {
    parts.push(textAt(PAD, y, line, { size: 12, fill: SOFT }));
    y += 17;
  }
  const height = Math.ceil(y + 12);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${FIGURE_WIDTH}" height="${height}" viewBox="0 0 ${FIGURE_WIDTH} ${height}" font-family="system-ui, sans-serif" fill="${INK}">` +
    `<title>${escapeXml(figure.title)}</title><desc>${escapeXml(figure.sentence)}</desc>` +
    `<rect width="${FIGURE_WIDTH}" height="${height}" fill="${GROUND}"/>${parts.join('')}</svg>`
  );
}
