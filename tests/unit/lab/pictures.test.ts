// Saved pictures: well-formed SVG that stands alone, with the figures in it, whatever texts and numbers come.
// @vitest-environment jsdom
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figureSvg } from '../../../src/ui/lab/pictures/figure-svg';
import type { Figure, Picture } from '../../../src/ui/lab/pictures/picture';
import { experimentJson, fileNameOf } from '../../../src/state/lab/experiment';

const FIGURE: Omit<Figure, 'pictures'> = {
  title: 'A <b> & c',
  sentence: 'It “did” so.',
  provenance: 'measured',
  source: 'tidepool, onnx/model_q4.onnx, wasm',
};

function parse(pictures: readonly Picture[], figure = FIGURE): Document {
  const svg = figureSvg({ ...figure, pictures });
  const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
  expect(document.querySelector('parsererror')?.textContent ?? '').toBe('');
  // Nothing is fetched and nothing runs.
  expect(svg).not.toMatch(/href|url\((?!#scale-)|<script|\son\w+=/);
  expect(svg).not.toContain('NaN');
  return document;
}

/** Cells that the paths of a heat map cover. */
function cellsOf(document: Document): number {
  return [...document.querySelectorAll('svg svg path')].reduce(
    (sum, path) =>
      sum +
      [...(path.getAttribute('d') ?? '').matchAll(/h(\d+)v1/g)].reduce(
        (inner, run) => inner + Number(run[1]),
        0,
      ),
    0,
  );
}

describe('saved pictures', () => {
  it('say title, sentence, provenance, model and device', () => {
    const document = parse([]);
    const text = document.documentElement.textContent;
    for (const said of ['A <b> & c', 'It “did” so.', 'Measured in this tab', 'model_q4.onnx, wasm'])
      expect(text).toContain(said);
  });

  it('draw every cell of a matrix, and of a triangle its lower half only', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 1, max: 24 }),
        (rows, columns) => {
          const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
          const plot = {
            values,
            rows,
            columns,
            kind: 'diverging' as const,
            rowTitle: 'r',
            columnTitle: 'c',
          };
          expect(cellsOf(parse([{ kind: 'matrix', plot }]))).toBe(rows * columns);
          if (rows !== columns) return;
          const triangle = parse([{ kind: 'matrix', plot: { ...plot, isTriangle: true } }]);
          expect(cellsOf(triangle)).toBe((rows * (rows + 1)) / 2);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('name each line, its ticks and its marks', () => {
    const document = parse([
      {
        kind: 'lines',
        plot: {
          series: [
            {
              name: 'Constant',
              tone: '--pool',
              points: [
                { x: 0, y: 5 },
                { x: 10, y: 5 },
              ],
            },
            {
              name: 'Growing',
              tone: '--tide',
              isArea: true,
              points: [
                { x: 0, y: 0 },
                { x: 10, y: 9 },
              ],
            },
          ],
          xDomain: [0, 10],
          yDomain: [0, 10],
          yTicks: [0, 5, 10],
          formatX: String,
          formatY: (value) => `${value} KiB`,
          xTitle: 'tokens',
          marks: [{ x: 5.5, y: 5, label: 'crossover', tone: '--anemone' }],
        },
      },
    ]);
    const text = document.documentElement.textContent;
    for (const said of ['Constant', 'Growing', '10 KiB', 'tokens →', 'crossover'])
      expect(text).toContain(said);
    expect(document.querySelectorAll('circle')).toHaveLength(1);
  });

  it('mark from where on two texts differ, across line breaks', () => {
    const document = parse([
      {
        kind: 'texts',
        runs: [
          { title: 'Untouched', text: 'one two\nthree', differsFrom: null },
          { title: 'Operated', text: 'one two\nfour five', differsFrom: 8 },
        ],
      },
    ]);
    const marks = [...document.querySelectorAll('rect[fill="#fbe3e1"]')];
    // Of the operated text its second line only.
    expect(marks).toHaveLength(1);
    expect(Number(marks[0]?.getAttribute('width'))).toBeCloseTo('four five'.length * 7.8);
  });

  it('hold against any text and number', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const share = fc.double();
    fc.assert(
      fc.property(text, text, fc.array(share, { maxLength: 6 }), (title, words, shares) => {
        const finite = shares.map((one) => (Number.isFinite(one) ? one : 0));
        parse(
          [
            {
              kind: 'bars',
              bars: finite.map((one) => ({ name: words, share: one, text: words, tone: '--pool' })),
            },
            {
              kind: 'words',
              words: finite.map((one) => ({ text: words, share: one, tone: '--tide' })),
            },
            {
              kind: 'strip',
              layers: finite.map(() => ({ letter: 'M', tone: '--pool', share: null })),
            },
            { kind: 'texts', runs: [{ title: words, text: title, differsFrom: 1 }] },
            {
              kind: 'grid',
              title,
              columns: ['a'],
              rows: [{ name: words, cells: [{ text: '✓', tone: 'right' }] }],
            },
          ],
          { ...FIGURE, title, sentence: words },
        );
      }),
      { numRuns: 12 },
    );
  });
});

describe('saved numbers', () => {
  it('are JSON with lists for arrays and words for what JSON has no number for', () => {
    const json = experimentJson({
      ...FIGURE,
      kind: 'compare',
      model: 'm',
      variant: 'v',
      device: 'wasm',
      request: { seed: 1 },
      result: { kl: Float32Array.of(1, 2), life: Infinity, bytes: new Uint8Array(3) },
    });
    expect(JSON.parse(json)).toMatchObject({
      format: 'tidepool-experiment',
      request: { seed: 1 },
      result: { kl: [1, 2], life: 'Infinity', bytes: '3 bytes' },
    });
  });

  it('have names that every disk takes', () => {
    expect(fileNameOf('Half-life of each head')).toBe('half-life-of-each-head');
    fc.assert(
      fc.property(fc.string(), (title) => {
        expect(fileNameOf(title)).toMatch(/^[a-z0-9][a-z0-9-]{0,59}$/);
      }),
    );
  });
});
