/** Owns what a key press is before anyone acts on it: an input method's, a keyboard's on the screen, or a person's. */

/** A KeyboardEvent as far as these rules read one. */
export interface Press {
  readonly key: string;
  readonly code: string;
  /** Deprecated, and the only thing by which Safari names the key that ends a composition. */
  readonly keyCode: number;
  readonly isComposing: boolean;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
}

/** What browsers give as `keyCode` while an input method has the key (UI Events, 7.3.1). */
const INPUT_METHOD_KEY = 229;

/**
 * True while letters are being composed (Japanese, Chinese, Korean, Vietnamese…): Enter and Escape then belong to the input
 * method. Safari ends the composition before it reports the key and says so by the key code alone.
 */
export function isComposing(press: Pick<Press, 'isComposing' | 'keyCode' | 'key'>): boolean {
  return press.isComposing || press.keyCode === INPUT_METHOD_KEY || press.key === 'Process';
}

/** Where the press happened: what decides whether Enter is the only way to a new line. */
export interface PressPlace {
  /** The main pointer is a finger. */
  readonly isTouch: boolean;
  /** A keyboard on the screen covers part of the page. */
  readonly isCovered: boolean;
  /** Enter alone makes a new line, by the person's choice. */
  readonly isModNeeded?: boolean;
}

/**
 * True for the Enter that sends. On a touch device that is the Enter of a keyboard with keys, which names the key (`code`) and
 * covers nothing; a keyboard on the screen has no other way to a new line. With Ctrl or Command it always sends.
 */
export function isSendingEnter(
  press: Press,
  { isTouch, isCovered, isModNeeded = false }: PressPlace,
): boolean {
  if (press.key !== 'Enter' || isComposing(press)) return false;
  if (press.ctrlKey || press.metaKey) return true;
  if (press.shiftKey || press.altKey || isModNeeded) return false;
  const hasKeys = press.code === 'Enter' || press.code === 'NumpadEnter';
  return !isTouch || (hasKeys && !isCovered);
}
