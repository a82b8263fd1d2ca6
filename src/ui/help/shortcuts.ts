/** The keyboard shortcuts of the page: what they do, with which keys unless others were chosen, and which one an event is. */
import { t } from '../../core/language/translate';
import { isComposing, type Press } from '../primitives/key-press';
import { isCombo, isPressOf } from './key-combos';

/** What the page does at a key or from the list of commands. */
export type ShortcutAction =
  'stop' | 'palette' | 'new-chat' | 'focus-message' | 'answer-now' | 'settings' | 'help';

/** Actions whose keys may be changed. Escape always stops. */
export type KeyedAction = Exclude<ShortcutAction, 'stop'>;

export interface Shortcut {
  readonly action: KeyedAction;
  /** Unless the person chose others. */
  readonly combo: string;
  readonly what: string;
}

export const SHORTCUTS: readonly Shortcut[] = [
  {
    action: 'palette',
    combo: 'Mod+K',
    get what() {
      return t('All commands, chats, models and lessons');
    },
  },
  {
    action: 'focus-message',
    combo: '/',
    get what() {
      return t('Go to the message box');
    },
  },
  {
    action: 'answer-now',
    combo: 'Alt+A',
    get what() {
      return t('Answer now: end the thought');
    },
  },
  {
    action: 'new-chat',
    combo: 'Alt+N',
    get what() {
      return t('New chat');
    },
  },
  {
    action: 'settings',
    combo: 'Alt+S',
    get what() {
      return t('Settings');
    },
  },
  {
    action: 'help',
    combo: '?',
    get what() {
      return t('Help and keys');
    },
  },
];

/** Keys that stay as they are: of the whole page, and of one view that listens for its own. */
export const FIXED_KEYS: readonly { readonly combo: string; readonly what: string }[] = [
  {
    combo: 'Escape',
    get what() {
      return t('Stop the reply');
    },
  },
  {
    combo: '.',
    get what() {
      return t('Step mode of the lab: one token on');
    },
  },
  {
    combo: ',',
    get what() {
      return t('Step mode of the lab: one token back');
    },
  },
];

/** Keys that were chosen, by action; what is none of ours is passed over. */
export type ChosenKeys = Readonly<Record<string, string>>;

/** The combination of an action as it is now. */
export function comboFor(action: KeyedAction, chosen: ChosenKeys): string {
  const own = chosen[action];
  if (own !== undefined && isCombo(own)) return own;
  return SHORTCUTS.find((shortcut) => shortcut.action === action)?.combo ?? '';
}

/** The action of a key press, or null. */
export function shortcutOf(
  press: Press,
  isWriting: boolean,
  chosen: ChosenKeys = {},
  isMac = false,
): ShortcutAction | null {
  if (isComposing(press)) return null;
  if (press.key === 'Escape') return 'stop';
  const found = SHORTCUTS.find(({ action }) =>
    isPressOf(comboFor(action, chosen), press, { isWriting, isMac }),
  );
  return found?.action ?? null;
}

/** True where a key writes: a field for text, or a choice that letters move in. */
export function isWritingIn(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type=range]), textarea, select'))
  );
}
