/** What the lab's pictures are made of, as data, so that each can be saved as it was shown. Owns no drawing. */
import type { NumberRow } from '../../../core/number-row';
import type { Provenance } from '../../../core/lab/memory-curves';
import type { ScaleKind } from '../charts/colour-scale';
import type { LinePlot } from '../charts/line-layout';

export interface MatrixPlot {
  /** Row-major. */
  readonly values: NumberRow;
  readonly rows: number;
  readonly columns: number;
  readonly kind: ScaleKind;
  /** The value at the scale's end; by default the largest size in the matrix. */
  readonly bound?: number;
  /** The value at the beginning of a sequential scale; 0 by default. */
  readonly floor?: number;
  readonly rowTitle: string;
  readonly columnTitle: string;
  /** Cells above the diagonal are not drawn. */
  readonly isTriangle?: boolean;
  /** Width over height of the picture; by default square cells. */
  readonly aspect?: number;
}

export interface PictureBar {
  readonly name: string;
  /** 0…1: length of the bar. */
  readonly share: number;
  readonly text: string;
  /** A colour token of app.css. */
  readonly tone: string;
}

export interface PictureCell {
  readonly text: string;
  readonly tone: 'right' | 'some' | 'wrong' | 'waiting';
}

export interface PictureWord {
  readonly text: string;
  /** 0…1: height of the bar below it. */
  readonly share: number;
  readonly tone: string;
}

export type Picture =
  | { readonly kind: 'lines'; readonly plot: LinePlot }
  | { readonly kind: 'matrix'; readonly plot: MatrixPlot; readonly title?: string }
  | { readonly kind: 'bars'; readonly bars: readonly PictureBar[]; readonly note?: string }
  | {
      readonly kind: 'grid';
      readonly title: string;
      readonly columns: readonly string[];
      readonly rows: readonly { readonly name: string; readonly cells: readonly PictureCell[] }[];
    }
  | {
      readonly kind: 'texts';
      readonly runs: readonly {
        readonly title: string;
        readonly text: string;
        /** Place in the text from which on it differs; null: nowhere. */
        readonly differsFrom: number | null;
      }[];
    }
  | { readonly kind: 'words'; readonly words: readonly PictureWord[] }
  | {
      readonly kind: 'strip';
      readonly layers: readonly {
        readonly letter: string;
        readonly tone: string;
        /** 0…1; null: not measured. */
        readonly share: number | null;
      }[];
    };

/** A figure as it is saved: what was drawn, and the words that make it stand alone. */
export interface Figure {
  readonly title: string;
  /** True of the numbers shown. */
  readonly sentence: string;
  readonly provenance: Provenance | null;
  /** Model, file and device; a paper, where the figure is taken from one. */
  readonly source: string;
  readonly pictures: readonly Picture[];
}
