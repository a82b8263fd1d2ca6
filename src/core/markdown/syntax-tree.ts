/** What Markdown is once it was read: blocks with the text of their leaves, and the pieces of such a text. Owns no reading. */

/** Text whose pieces `readInlines` finds. */
export interface Leaf {
  readonly text: string;
  /** True for the end of a text that still grows: its last marks may be half written. */
  readonly isGrowing: boolean;
}

export type Alignment = 'left' | 'center' | 'right' | null;

export interface ListItem {
  /** `null` where the item is no task. */
  readonly isDone: boolean | null;
  readonly children: readonly Block[];
}

export type Block =
  | { readonly kind: 'paragraph'; readonly leaf: Leaf }
  | { readonly kind: 'heading'; readonly level: number; readonly leaf: Leaf }
  | { readonly kind: 'code'; readonly info: string; readonly text: string }
  | { readonly kind: 'rule' }
  | { readonly kind: 'quote'; readonly children: readonly Block[] }
  | {
      readonly kind: 'list';
      /** Number of the first item; `null` for bullets. */
      readonly start: number | null;
      /** Without blank lines between its items, whose paragraphs then stand close. */
      readonly isTight: boolean;
      readonly items: readonly ListItem[];
    }
  | {
      readonly kind: 'table';
      readonly alignments: readonly Alignment[];
      readonly header: readonly Leaf[];
      readonly rows: readonly (readonly Leaf[])[];
    };

export type Mark = 'em' | 'strong' | 'del';

/** A piece of a leaf. Marks and links open and close as pieces of their own, so that no depth of them needs a call. */
export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  /** As it was written, for the browser to read: `&copy;`. */
  | { readonly kind: 'entity'; readonly raw: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'break' }
  | {
      readonly kind: 'maths';
      readonly tex: string;
      readonly isDisplay: boolean;
      /** False while its end has not been written. */
      readonly isWhole: boolean;
    }
  | { readonly kind: 'image'; readonly address: string; readonly alt: string }
  | { readonly kind: 'open' | 'close'; readonly mark: Mark }
  | { readonly kind: 'openLink'; readonly address: string }
  | { readonly kind: 'closeLink' };
