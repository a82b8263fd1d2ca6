/** The worker side of PDF.js, which answers as soon as it runs. Nothing of ours. */
import 'pdfjs-dist/build/pdf.worker.min.mjs';
