/** Owns what a file is by its name and its first bytes: something to read in a question, or a model. Reads no files. */

export type FileKind = 'text' | 'pdf' | 'model';

/** Files by which a model comes; a .zip may be one saved by this app. */
const MODEL_NAME = /\.(?:onnx|onnx_data(?:_\d+)?|safetensors|gguf|tidepool|zip)$/i;

/** By the name, else by the type that the browser gives. What is neither PDF nor model is tried as text. */
export function kindOfFile(name: string, type: string): FileKind {
  if (MODEL_NAME.test(name)) return 'model';
  return /\.pdf$/i.test(name) || type === 'application/pdf' ? 'pdf' : 'text';
}

/** True where one of the files is a model's: they are opened as a model then, together. */
export function isModelDrop(
  files: readonly { readonly name: string; readonly type: string }[],
): boolean {
  return files.some(({ name, type }) => kindOfFile(name, type) === 'model');
}

export interface DecodedText {
  readonly text: string;
  /** How the letters were read. */
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
}

/** Controls that no text has: all of C0 but tab, line feed, form feed, carriage return and escape. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const BINARY = /[\u0000-\u0008\u000E-\u001A\u001C-\u001F]/;

function decode(bytes: Uint8Array, encoding: string, isFatal: boolean): string {
  return new TextDecoder(encoding, { fatal: isFatal }).decode(bytes);
}

/** How many bytes at the end begin a letter of UTF-8 that is not whole: 0 to 3. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0x80 && byte < 0xc0) continue; // goes on with a letter
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/** UTF-8 whose last letter may be cut, because only the beginning of a file was read; null when it is none. */
function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return decode(bytes.subarray(0, bytes.length - unfinishedBytes(bytes)), 'utf-8', true);
  } catch {
    return null;
  }
}

/** The text that these bytes are, with plain line ends and without a byte order mark; null when they are none. */
export function decodeText(bytes: Uint8Array): DecodedText | null {
  const [first, second] = bytes;
  const marked =
    first === 0xff && second === 0xfe
      ? 'utf-16le'
      : first === 0xfe && second === 0xff
        ? 'utf-16be'
        : null;
  const utf8 = marked === null ? decodeUtf8(bytes) : null;
  const encoding = marked ?? (utf8 === null ? 'windows-1252' : 'utf-8');
  const text = utf8 ?? decode(bytes, encoding, false);
  if (BINARY.test(text)) return null;
  // An old text has letters that are not ASCII here and there; a picture or an archive is full of them.
  if (encoding === 'windows-1252' && (text.match(/[^\t\n\f\r -~]/g)?.length ?? 0) > text.length / 4)
    return null;
  return { text: text.replaceAll(/\r\n?/g, '\n'), encoding };
}
