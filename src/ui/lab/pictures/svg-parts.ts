/** The pieces that saved pictures are written with: text, colours, blocks with a height. Light colours always: for paper. */
import { cutText } from '../../../core/text/letters';

/** A drawn piece, its origin at the top left. */
export interface Drawn {
  readonly svg: string;
  readonly height: number;
}

export const INK = '#15303b';
export const SOFT = '#46626e';
export const GROUND = '#f2f8f9';
export const FOAM = '#fcfefe';
export const RULE = '#cfdbe0';

/** app.css in sRGB, light. */
const TONES: Readonly<Record<string, string>> = {
  '--pool': '#00766f',
  '--pool-water': '#0d8f88',
  '--pool-bed': '#006561',
  '--tide': '#1a5da0',
  '--tide-water': '#2a78b5',
  '--sun': '#8a5d0f',
  '--anemone': '#c0333a',
  '--rock': '#c4bbac',
  '--rock-edge': '#8d7c68',
  '--ink': INK,
  '--ink-soft': SOFT,
};

/** A colour token of app.css as a colour; ink where the picture knows it not. */
export function colourOf(tone: string): string {
  return TONES[tone] ?? INK;
}

export function escapeXml(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // Characters that XML 1.0 forbids; half characters of a cut text are drawn as one.
      .replaceAll(/[\p{Cs}\ufffe\uffff]|(?![\t\n\r])[\p{Cc}]/gu, '�')
  );
}

/** Lines of at most `most` (two or more) UTF-16 units, broken between words; words longer than a line are cut. */
export function wrap(text: string, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    let rest = word;
    if (line !== '' && line.length + rest.length + 1 > most) {
      lines.push(line);
      line = '';
    }
    while (rest.length > most) {
      const piece = cutText(rest, most);
      lines.push(piece);
      rest = rest.slice(piece.length);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  return line === '' ? lines : [...lines, line];
}

export function textAt(
  x: number,
  y: number,
  content: string,
  {
    size = 13,
    anchor = 'start',
    fill = INK,
    weight = 400,
    isMono = false,
  }: {
    readonly size?: number;
    readonly anchor?: 'start' | 'middle' | 'end';
    readonly fill?: string;
    readonly weight?: number;
    readonly isMono?: boolean;
  } = {},
): string {
  return (
    `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${fill}"` +
    (anchor === 'start' ? '' : ` text-anchor="${anchor}"`) +
    (weight === 400 ? '' : ` font-weight="${weight}"`) +
    (isMono ? ` font-family="ui-monospace, monospace" xml:space="preserve"` : '') +
    `>${escapeXml(content)}</text>`
  );
}

/** At most two decimals: pixels need no more. */
export function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
