/** Owns the way from a file to the text that a question takes along; the reader of PDFs comes when a PDF does. */
import { t } from '../../core/language/translate';
import { decodeText, kindOfFile } from '../../core/files/file-kind';
import { cutText } from '../../core/text/letters';
import { formatBytes } from '../../core/units';

/** Far more than a context of a model that runs here holds, and little enough to be kept with a chat. In UTF-16 units. */
const LONGEST_FILE_TEXT = 400_000;
/** Of a text file only its beginning is read. In bytes. */
const READ_BYTES = 4 * LONGEST_FILE_TEXT;
/** A PDF is read as a whole. In bytes. */
const LARGEST_PDF_BYTES = 64 * 1024 * 1024;

export type ReadFile =
  | {
      readonly ok: true;
      readonly text: string;
      /** Of the file's letters those that `text` has; below 1 only for very long files. */
      readonly share: number;
    }
  /** `problem`: what is wrong and what to do. */
  | { readonly ok: false; readonly problem: string };

function refused(problem: string): ReadFile {
  return { ok: false, problem };
}

async function readText(file: File): Promise<ReadFile> {
  const bytes = new Uint8Array(await file.slice(0, READ_BYTES).arrayBuffer());
  const decoded = decodeText(bytes);
  if (decoded === null)
    return refused(
      t('“{name}” is neither text nor PDF. Save it as text or as PDF, and add that.', {
        name: file.name,
      }),
    );
  const text = cutText(decoded.text, LONGEST_FILE_TEXT);
  const readShare = file.size === 0 ? 1 : bytes.length / file.size;
  const share = readShare * (text.length / Math.max(decoded.text.length, 1));
  return text.trim() === ''
    ? refused(t('“{name}” is empty.', { name: file.name }))
    : { ok: true, text, share: Math.min(1, share) };
}

async function readPdfFile(file: File): Promise<ReadFile> {
  if (file.size > LARGEST_PDF_BYTES)
    return refused(
      t(
        '“{name}” has {size}; a PDF of at most {LARGESTPDFBYTES} can be read here. Save the pages that matter as a PDF of their own.',
        {
          name: file.name,
          size: formatBytes(file.size),
          LARGESTPDFBYTES: formatBytes(LARGEST_PDF_BYTES),
        },
      ),
    );
  const { readPdf } = await import('./read-pdf');
  const read = await readPdf(new Uint8Array(await file.arrayBuffer()), LONGEST_FILE_TEXT);
  switch (read.outcome) {
    case 'text':
      return { ok: true, text: read.text, share: read.pagesRead / read.pages };
    case 'no-text':
      return refused(
        t(
          '“{name}” has pictures of pages and no text in it. Have its text recognised by another program first (OCR), or copy the text you need into the message.',
          { name: file.name },
        ),
      );
    case 'locked':
      return refused(
        t(
          '“{name}” asks for a password. Open it in a PDF reader, save a copy without one, and add that.',
          { name: file.name },
        ),
      );
    case 'damaged':
      return refused(
        t('“{name}” is no PDF that can be read: it may be cut off. Copy it again.', {
          name: file.name,
        }),
      );
    default:
      return read satisfies never;
  }
}

/** The text of a file. Rejects never: what cannot be read is said. */
export async function readFile(file: File): Promise<ReadFile> {
  try {
    switch (kindOfFile(file.name, file.type)) {
      case 'text':
        return await readText(file);
      case 'pdf':
        return await readPdfFile(file);
      case 'model':
        return refused(
          t(
            '“{name}” is a file of a model, not of a question. Open it under “Choose another model”.',
            { name: file.name },
          ),
        );
    }
  } catch {
    return refused(
      t(
        '“{name}” could not be read. It may have been moved or changed since you chose it, or the reader for it did not arrive: check the connection, then add it again.',
        { name: file.name },
      ),
    );
  }
}
