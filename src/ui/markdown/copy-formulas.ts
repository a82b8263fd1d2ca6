/** Copying text with formulas: each goes out once, as the TeX it was written in. Owns no other copying. */

function texOf(formula: Element): string {
  return formula.querySelector('annotation[encoding="application/x-tex"]')?.textContent ?? '';
}

interface Swap {
  readonly formula: HTMLElement;
  readonly source: HTMLElement;
}

/** Puts the TeX before each formula and hides the formula, so that the browser's own text of the selection has it once. */
function showSource(formula: HTMLElement): Swap {
  const sign = formula.closest('.maths-block') === null ? '$' : '$$';
  const source = document.createElement('span');
  source.textContent = `${sign}${texOf(formula)}${sign}`;
  formula.before(source);
  formula.hidden = true;
  return { formula, source };
}

/** Listens to `copy` of the document; a selection without typeset formulas is left to the browser. */
export function copyFormulas(event: ClipboardEvent): void {
  const selection = getSelection();
  if (event.defaultPrevented || event.clipboardData === null || selection === null) return;
  // A selection within a field is none of the document's.
  if (event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement)
    return;
  if (selection.rangeCount === 0 || selection.isCollapsed) return;
  const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
  const range = selection.getRangeAt(0);
  const formulas = [...document.querySelectorAll<HTMLElement>('.maths:has(.katex)')].filter(
    (formula) => range.intersectsNode(formula),
  );
  if (formulas.length === 0 || anchorNode === null || focusNode === null) return;
  const swaps = formulas.map(showSource);
  try {
    for (const { formula, source } of swaps) {
      if (formula.contains(range.startContainer)) range.setStartBefore(source);
      if (formula.contains(range.endContainer)) range.setEndAfter(source);
    }
    const copy = document.createElement('div');
    copy.append(range.cloneContents());
    for (const hidden of copy.querySelectorAll('.maths[hidden]')) hidden.remove();
    selection.removeAllRanges();
    selection.addRange(range);
    event.clipboardData.setData('text/plain', selection.toString());
    event.clipboardData.setData('text/html', copy.innerHTML);
    event.preventDefault();
  } finally {
    for (const { formula, source } of swaps) {
      source.remove();
      formula.hidden = false;
    }
    selection.setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
  }
}
