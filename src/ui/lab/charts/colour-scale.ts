/**
 * The colours of heat maps as tables of 256 steps. Diverging: blue below zero, orange above, the page's own ground at
 * zero, so that it reads in light and dark and for every kind of colour vision; sequential: from ground to pool.
 * Owns no canvas.
 */

import type { NumberRow } from '../../../core/number-row';

export type ScaleKind = 'diverging' | 'sequential';

type Rgb = readonly [number, number, number];

/** Ends and middle of each scale; sRGB, 0…255. Lightness runs evenly from the ground outward on either side. */
const STOPS: Readonly<Record<'light' | 'dark', Readonly<Record<ScaleKind, readonly Rgb[]>>>> = {
  light: {
    diverging: [
      [8, 48, 107],
      [53, 118, 178],
      [160, 200, 228],
      [250, 251, 250],
      [247, 189, 128],
      [210, 102, 30],
      [110, 44, 0],
    ],
    sequential: [
      [250, 251, 250],
      [150, 208, 205],
      [31, 133, 135],
      [2, 62, 72],
    ],
  },
  dark: {
    diverging: [
      [196, 226, 255],
      [92, 164, 228],
      [32, 82, 130],
      [18, 34, 46],
      [122, 64, 18],
      [226, 132, 50],
      [255, 222, 180],
    ],
    sequential: [
      [18, 34, 46],
      [18, 84, 92],
      [52, 158, 152],
      [206, 255, 240],
    ],
  },
};

const STEPS = 256;

function build(stops: readonly Rgb[]): Uint8ClampedArray {
  const table = new Uint8ClampedArray(STEPS * 4);
  for (let step = 0; step < STEPS; step += 1) {
    const place = (step / (STEPS - 1)) * (stops.length - 1);
    const below = Math.min(Math.floor(place), stops.length - 2);
    const share = place - below;
    const [from, to] = [stops[below], stops[below + 1]];
    if (from === undefined || to === undefined)
      throw new RangeError('a scale has two stops at least');
    for (const channel of [0, 1, 2] as const) {
      table[step * 4 + channel] = from[channel] + share * (to[channel] - from[channel]);
    }
    table[step * 4 + 3] = 255;
  }
  return table;
}

const tables = new Map<string, Uint8ClampedArray>();

/** RGBA of 256 steps, lowest value first. */
export function colourTable(kind: ScaleKind, isDark: boolean): Uint8ClampedArray {
  const key = `${kind} ${isDark ? 'dark' : 'light'}`;
  const found = tables.get(key) ?? build(STOPS[isDark ? 'dark' : 'light'][kind]);
  tables.set(key, found);
  return found;
}

/** Values at both ends of a matrix's scale: by its own settings, or by the largest size in it. */
export function scaleEnds({
  values,
  kind,
  bound,
  floor,
}: {
  readonly values: NumberRow;
  readonly kind: ScaleKind;
  readonly bound?: number;
  readonly floor?: number;
}): readonly [number, number] {
  let end = bound ?? 0;
  if (bound === undefined) for (const value of values) end = Math.max(end, Math.abs(value));
  return [kind === 'diverging' ? -end : (floor ?? 0), end];
}

/** The step of a value: diverging −end…end, sequential floor…end; values beyond are held at the ends. */
export function stepOf(value: number, end: number, kind: ScaleKind, floor = 0): number {
  const from = kind === 'diverging' ? -end : floor;
  if (end <= from || Number.isNaN(value)) return kind === 'diverging' ? STEPS / 2 : 0;
  const share = (value - from) / (end - from);
  return Math.max(0, Math.min(STEPS - 1, Math.round(share * (STEPS - 1))));
}

/** The scale as a CSS gradient, for its legend. */
export function cssGradient(kind: ScaleKind, isDark: boolean): string {
  const stops = STOPS[isDark ? 'dark' : 'light'][kind].map((rgb) => `rgb(${rgb.join(' ')})`);
  return `linear-gradient(to right, ${stops.join(', ')})`;
}

/** The light scale's stops, evenly spaced, for a saved picture's legend. */
export function hexGradient(kind: ScaleKind): string[] {
  return STOPS.light[kind].map(
    (rgb) => `#${rgb.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`,
  );
}
