/** Puts a copy of a sheet alone on the page that is printed. Owns no sheet. */
import './print-sheet.css';

/** Opens the browser's print dialog with the sheet; the page is as it was when that is closed. */
export function printSheet(sheet: HTMLElement, title: string): void {
  const page = document.createElement('div');
  page.className = 'printed-sheet';
  page.append(...Array.from(sheet.childNodes, (node) => node.cloneNode(true)));
  const titleBefore = document.title;
  document.body.append(page);
  document.documentElement.classList.add('prints-sheet');
  // What the browser proposes as the file's name.
  document.title = title;
  addEventListener(
    'afterprint',
    () => {
      page.remove();
      document.documentElement.classList.remove('prints-sheet');
      document.title = titleBefore;
    },
    { once: true },
  );
  print();
}
