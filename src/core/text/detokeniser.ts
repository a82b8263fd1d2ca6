/**
 * Owns the way from token ids to text, one token at a time, never cutting a UTF-8 character. The text is that of the
 * tokenizer's own decoding of all tokens together, for byte-level and for SentencePiece vocabularies.
 */
import { EngineError } from '../errors';
import { bytesOfPiece } from './byte-level';

/** How the pieces of a vocabulary stand for text. */
type PieceForm =
  | { readonly kind: 'byte-level' }
  /** `▁` for a space, and `<0x0A>` for a byte where the vocabulary falls back on bytes. */
  | {
      readonly kind: 'metaspace';
      readonly hasBytes: boolean;
      /** The decoder takes the space off that the tokenizer put before the text. */
      readonly stripsFirst: boolean;
    };

/** What a detokeniser must know of a tokenizer. */
export interface Vocabulary {
  /** Absent: byte-level. */
  readonly form?: PieceForm;
  /**
   * The piece as the vocabulary writes it; for an added token its plain text. Undefined for an
   * unknown id.
   */
  pieceOf(id: number): string | undefined;
  /** True for added tokens (`<think>`, …), whose piece is plain text. */
  isAdded(id: number): boolean;
}

/** Streams text out of tokens; one for each reply. */
export interface Detokeniser {
  /**
   * Text that this token completed: '' while a character is half done. EngineError `model-corrupt`
   * on unknown ids.
   */
  push(id: number): string;
  /** Ends the stream: U+FFFD for a half character, else ''. Ready for a new stream afterwards. */
  flush(): string;
}

const BYTE_PIECE = /^<0x([\dA-Fa-f]{2})>$/;

interface Decoder {
  readonly type?: unknown;
  readonly decoders?: readonly (Decoder | null)[];
  readonly content?: unknown;
  readonly start?: unknown;
  readonly pattern?: { readonly String?: unknown };
  readonly add_prefix_space?: unknown;
  readonly prepend_scheme?: unknown;
}

/** The form that the `decoder` of a tokenizer.json tells. */
export function pieceFormOf(decoder: unknown): PieceForm {
  const first = decoder as Decoder | null | undefined;
  const all = (first?.type === 'Sequence' ? (first.decoders ?? []) : [first]).filter(
    (one): one is Decoder => typeof one === 'object' && one !== null,
  );
  const metaspace = all.find(({ type }) => type === 'Metaspace');
  const isMetaspace =
    metaspace !== undefined ||
    all.some(({ type, pattern }) => type === 'Replace' && pattern?.String === '\u2581');
  if (!isMetaspace) return { kind: 'byte-level' };
  return {
    kind: 'metaspace',
    hasBytes: all.some(({ type }) => type === 'ByteFallback'),
    stripsFirst:
      all.some(({ type, content, start }) => type === 'Strip' && content === ' ' && start === 1) ||
      (metaspace !== undefined &&
        metaspace.add_prefix_space !== false &&
        metaspace.prepend_scheme !== 'never'),
  };
}

/** Bytes of one token; EngineError `model-corrupt` when the vocabulary lacks it. */
export function bytesOfToken(vocabulary: Vocabulary, id: number): Uint8Array {
  const piece = vocabulary.pieceOf(id);
  if (piece === undefined) {
    throw new EngineError(
      'model-corrupt',
      `Token ${id} is not in the tokenizer's vocabulary: model and tokenizer don't belong together.`,
      'Load the model again; if it stays so, its tokenizer.json is not the one it was trained with.',
    );
  }
  const { form } = vocabulary;
  if (vocabulary.isAdded(id)) return new TextEncoder().encode(piece);
  if (form?.kind !== 'metaspace') return bytesOfPiece(piece);
  const byte = form.hasBytes ? BYTE_PIECE.exec(piece)?.[1] : undefined;
  return byte === undefined
    ? new TextEncoder().encode(piece.replaceAll('\u2581', ' '))
    : Uint8Array.of(Number.parseInt(byte, 16));
}

/**
 * `isInside` says that the tokens go on with a text: their first space is kept, which the decoding of a whole text may
 * take off.
 */
export function createDetokeniser(
  vocabulary: Vocabulary,
  { isInside = false }: { readonly isInside?: boolean } = {},
): Detokeniser {
  // ignoreBOM: a U+FEFF that the model writes is text like any other.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let isFirst = !isInside && vocabulary.form?.kind === 'metaspace' && vocabulary.form.stripsFirst;
  return {
    push: (id) => {
      const text = decoder.decode(bytesOfToken(vocabulary, id), { stream: true });
      if (!isFirst || text === '') return text;
      isFirst = false;
      return text.startsWith(' ') ? text.slice(1) : text;
    },
    flush: () => decoder.decode(),
  };
}

/** Text of tokens that stand inside a text; halves of characters at either end come out as �. */
export function textOf(vocabulary: Vocabulary, ids: Iterable<number>): string {
  const detokeniser = createDetokeniser(vocabulary, { isInside: true });
  let text = '';
  for (const id of ids) text += detokeniser.push(id);
  return text + detokeniser.flush();
}
