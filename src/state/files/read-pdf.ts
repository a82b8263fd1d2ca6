/** Owns the text layer of a PDF, read by PDF.js in a worker of its own that ends with the work. The only importer of pdfjs-dist. */
import { getDocument, PDFWorker, type PDFDocumentProxy } from 'pdfjs-dist';
import { pdfText, type PdfPiece } from '../../core/files/pdf-lines';
import { cutText } from '../../core/text/letters';

export type PdfRead =
  | {
      readonly outcome: 'text';
      readonly text: string;
      readonly pages: number;
      readonly pagesRead: number;
    }
  | { readonly outcome: 'no-text' | 'locked' | 'damaged' };

async function pageText(document: PDFDocumentProxy, number: number): Promise<string> {
  const page = await document.getPage(number);
  const { items } = await page.getTextContent();
  const pieces = items.flatMap((item): PdfPiece[] =>
    'str' in item
      ? [
          {
            text: item.str,
            y: Number(item.transform[5] ?? 0),
            height: item.height,
            endsLine: item.hasEOL,
          },
        ]
      : [],
  );
  page.cleanup();
  return pdfText(pieces);
}

async function documentText(document: PDFDocumentProxy, most: number): Promise<PdfRead> {
  const pages = document.numPages;
  const texts: string[] = [];
  let length = 0;
  while (texts.length < pages && length < most) {
    const text = await pageText(document, texts.length + 1);
    texts.push(text);
    length += text.length;
  }
  const text = texts
    .filter((page) => page !== '')
    .join('\n\n')
    .trim();
  if (text === '') return { outcome: 'no-text' };
  return { outcome: 'text', text: cutText(text, most), pages, pagesRead: texts.length };
}

/** Reads pages until `most` UTF-16 units are there. Rejects when the worker does not arrive. */
export async function readPdf(data: Uint8Array, most: number): Promise<PdfRead> {
  const port = new Worker(new URL('../../../workers/pdf.worker.ts', import.meta.url), {
    type: 'module',
    name: 'tidepool-pdf',
  });
  const absent = new Promise<never>((_, reject) => {
    port.addEventListener('error', () => reject(new Error('the PDF worker did not start')));
  });
  const worker = PDFWorker.create({ port });
  const task = getDocument({
    data,
    worker,
    // Only the letters are wanted: nothing is drawn, fetched or compiled.
    disableFontFace: true,
    useSystemFonts: false,
    useWorkerFetch: false,
    useWasm: false,
    isEvalSupported: false,
    enableXfa: false,
    verbosity: 0,
  });
  try {
    return await Promise.race([
      task.promise.then((document) => documentText(document, most)),
      absent,
    ]);
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'PasswordException') return { outcome: 'locked' };
    if (name === 'InvalidPDFException' || name === 'FormatError') return { outcome: 'damaged' };
    throw error;
  } finally {
    await task.destroy().catch(() => {
      // The document was never opened.
    });
    worker.destroy();
    port.terminate();
  }
}
