/**
 * Owns how much of the page is seen while a keyboard on the screen covers some of it. Chromium makes the page smaller by itself
 * (`interactive-widget` in index.html); Safari only says so, and here the page follows.
 */

/** As far as these rules read one; scale and sizes in CSS pixels. */
export type SeenViewport = Pick<VisualViewport, 'height' | 'offsetTop' | 'scale'>;

/** Browser bars that come and go take less, keyboards more; the bar above a keyboard with keys has about 55. In CSS pixels. */
const LEAST_KEYBOARD_PX = 120;
/** Zoomed with two fingers: the part that is seen is the person's to move. */
const ZOOMED_SCALE = 1.05;

/** Pixels at the lower end of the page that a keyboard covers; 0 for none. */
export function coveredPixels(viewport: SeenViewport | null, pageHeight: number): number {
  if (viewport === null) return 0;
  const covered = pageHeight - viewport.height * viewport.scale;
  return covered >= LEAST_KEYBOARD_PX ? covered : 0;
}

/** True while a keyboard covers part of this page. */
export function isPageCovered(view: Window): boolean {
  return coveredPixels(view.visualViewport, view.document.documentElement.clientHeight) > 0;
}

/**
 * Keeps `--page-block-size` and `--page-top` (app.css) at what is seen, so that the message box stays above the keyboard.
 * Returns unsubscribe.
 */
export function followSeenPage(view: Window): () => void {
  const { visualViewport: viewport } = view;
  const root = view.document.documentElement;
  if (viewport === null) return () => undefined;
  const follow = (): void => {
    const covered = coveredPixels(viewport, root.clientHeight);
    if (covered === 0 || viewport.scale > ZOOMED_SCALE) {
      root.style.removeProperty('--page-block-size');
      root.style.removeProperty('--page-top');
      return;
    }
    root.style.setProperty('--page-block-size', `${viewport.height}px`);
    root.style.setProperty('--page-top', `${viewport.offsetTop}px`);
  };
  follow();
  viewport.addEventListener('resize', follow);
  viewport.addEventListener('scroll', follow);
  return () => {
    viewport.removeEventListener('resize', follow);
    viewport.removeEventListener('scroll', follow);
  };
}
