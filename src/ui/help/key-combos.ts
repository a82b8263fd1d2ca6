/**
 * Combinations of keys as they are written, kept and recognised: `Alt+N`, `Mod+K`, `/`, `F2`. `Mod` is Ctrl, and Command on
 * a Mac, where Ctrl edits text.
 */
import { t } from '../../core/language/translate';
import { isComposing, type Press } from '../primitives/key-press';

/** Those of Ctrl and Command that write, edit, or never reach a page. */
const TAKEN = new Set(
  'A C V X Z Y N T W Q R L F P S H J O'.split(' ').map((letter) => `Mod+${letter}`),
);
const TAKEN_KEYS = new Set([
  'F1',
  'F3',
  'F5',
  'F6',
  'F7',
  'F11',
  'F12',
  'Mod+Shift+N',
  'Mod+Shift+T',
]);

/** The letter that stands on a key's place on most keyboards; '' for other keys. */
function letterOfPlace(code: string): string {
  return /^Key([A-Z])$/.exec(code)?.[1] ?? '';
}

/** A combination that can be kept: one that {@link comboOf} gives. */
export function isCombo(text: string): boolean {
  return (
    /^(?:(?:Alt|Mod|Mod\+Shift)\+[A-Z]|F\d{1,2}|[^\s\p{L}\p{N}])$/u.test(text) &&
    takenBy(text) === ''
  );
}

/** Why a combination cannot be a shortcut; '' where it can. */
export function takenBy(combo: string): string {
  if (TAKEN.has(combo) || TAKEN_KEYS.has(combo))
    return t('The browser keeps these keys for itself. Choose others.');
  return '';
}

/** The combination that was pressed; null while only Shift, Ctrl, Alt or Command is down, and for keys that write letters. */
export function comboOf(press: Press, isMac: boolean): string | null {
  if (isComposing(press)) return null;
  const { key, altKey, ctrlKey, metaKey, shiftKey } = press;
  if (/^F\d{1,2}$/.test(key) && !altKey && !ctrlKey && !metaKey && !shiftKey) return key;
  const letter = /^[a-z]$/i.test(key) ? key.toUpperCase() : letterOfPlace(press.code);
  if (letter !== '') {
    if (altKey && !ctrlKey && !metaKey && !shiftKey) return `Alt+${letter}`;
    const isMod = isMac ? metaKey && !ctrlKey : ctrlKey && !metaKey;
    return isMod && !altKey ? `Mod+${shiftKey ? 'Shift+' : ''}${letter}` : null;
  }
  // A sign, however it is reached: with Shift, or with AltGr, which says Ctrl and Alt at once.
  return /^[^\s\p{L}\p{N}]$/u.test(key) && ctrlKey === altKey && !metaKey ? key : null;
}

/**
 * Whether a press is the combination. Whatever may write a character while something is being written is no shortcut: Alt
 * with a letter counts there only where it still means that letter, because on a Mac and on many keyboards it writes
 * another one (ń, ß, å). Elsewhere the place of the key counts too.
 */
export function isPressOf(
  combo: string,
  press: Press,
  { isWriting, isMac }: { readonly isWriting: boolean; readonly isMac: boolean },
): boolean {
  if (comboOf(press, isMac) !== combo) return false;
  if (combo.startsWith('Mod+') || /^F\d/.test(combo)) return true;
  if (!combo.startsWith('Alt+')) return !isWriting;
  return !isWriting || press.key.toUpperCase() === combo.slice('Alt+'.length);
}

/** The keys by their names on this computer's keyboard. */
export function keysOf(combo: string, isMac: boolean): readonly string[] {
  return combo.split(/(?<=.)\+/).map((key) => {
    if (key === 'Mod') return isMac ? '⌘' : 'Ctrl';
    return key === 'Alt' && isMac ? '⌥' : key;
  });
}

export function isMacKeyboard(platform: string): boolean {
  return /mac|iphone|ipad/i.test(platform);
}
