/** The keyboard shortcuts of the page: which keys, what they do, and which one an event is. */
import { isComposing, type Press } from '../primitives/key-press';

export type ShortcutAction =
  'stop' | 'new-chat' | 'focus-message' | 'answer-now' | 'settings' | 'help';

export interface Shortcut {
  readonly keys: readonly string[];
  readonly what: string;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['Enter'], what: 'Send the message' },
  { keys: ['Shift', 'Enter'], what: 'A new line in the message' },
  { keys: ['Escape'], what: 'Stop the reply' },
  { keys: ['/'], what: 'Go to the message box' },
  { keys: ['Alt', 'A'], what: 'Answer now: end the thought' },
  { keys: ['Alt', 'N'], what: 'New chat' },
  { keys: ['Alt', 'S'], what: 'Settings' },
  { keys: ['.'], what: 'Step mode of the lab: one token on' },
  { keys: [','], what: 'Step mode of the lab: one token back' },
  { keys: ['?'], what: 'This help' },
];

const WITH_ALT: Readonly<Partial<Record<string, ShortcutAction>>> = {
  n: 'new-chat',
  a: 'answer-now',
  s: 'settings',
};

/** The letter that stands on a key's place on most keyboards; '' for other keys. */
function letterOfPlace(code: string): string {
  return /^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase() ?? '';
}

/**
 * The action of a key press, or null. Whatever may write a character while something is being written is no shortcut: Alt
 * with a letter counts there only where it still means that letter, because on a Mac and on many keyboards it writes
 * another one (ń, ß, å). Elsewhere the place of the key counts too.
 */
export function shortcutOf(press: Press, isWriting: boolean): ShortcutAction | null {
  if (isComposing(press)) return null;
  if (press.key === 'Escape') return 'stop';
  if (press.altKey && !press.ctrlKey && !press.metaKey && !press.shiftKey) {
    const byLetter = WITH_ALT[press.key.toLowerCase()];
    const byPlace = isWriting ? undefined : WITH_ALT[letterOfPlace(press.code)];
    return byLetter ?? byPlace ?? null;
  }
  if (isWriting || press.metaKey) return null;
  // AltGr, which some keyboards need for these two, says Ctrl and Alt at once.
  if (press.ctrlKey !== press.altKey) return null;
  if (press.key === '/') return 'focus-message';
  if (press.key === '?') return 'help';
  return null;
}

/** True where a key writes: a field for text, or a choice that letters move in. */
export function isWritingIn(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type=range]), textarea, select'))
  );
}
