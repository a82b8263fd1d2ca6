/** How a figure learns what is drawn inside it, so that it can be saved: each drawing offers itself. Owns no drawing. */
import { getContext, onDestroy, setContext } from 'svelte';
import type { Picture } from './picture';

const KEY = Symbol('figure');

export interface PictureBoard {
  /** Returns how to take it back. */
  add(picture: () => Picture): () => void;
}

export function makeBoard(board: PictureBoard): void {
  setContext(KEY, board);
}

/** Called while a drawing component is set up; outside of a figure it does nothing. */
export function offerPicture(picture: () => Picture): void {
  const board = getContext<PictureBoard | undefined>(KEY);
  if (board !== undefined) onDestroy(board.add(picture));
}
