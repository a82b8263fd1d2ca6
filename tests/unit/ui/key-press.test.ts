// What key presses mean: composition, shortcuts on keyboards of the world, Enter on touch devices.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comboOf, isCombo, isPressOf, takenBy } from '../../../src/ui/help/key-combos';
import { shortcutOf } from '../../../src/ui/help/shortcuts';
import { isComposing, isSendingEnter, type Press } from '../../../src/ui/primitives/key-press';
import { coveredPixels } from '../../../src/ui/primitives/seen-page';

function press(change: Partial<Press>): Press {
  return {
    key: '',
    code: '',
    keyCode: 0,
    isComposing: false,
    altKey: false,
    ctrlKey: false,
    metaKey: false,
    shiftKey: false,
    ...change,
  };
}

const DESK = { isTouch: false, isCovered: false };
const TOUCH = { isTouch: true, isCovered: false };

/** The ways in which browsers say that an input method has the key. */
const composed = fc.constantFrom<Partial<Press>>(
  { isComposing: true },
  { keyCode: 229 }, // Safari: the composition has ended, the key that ended it comes now
  { isComposing: true, keyCode: 229 },
  { key: 'Process', keyCode: 229 },
);
const modifiers = fc.record({
  altKey: fc.boolean(),
  ctrlKey: fc.boolean(),
  metaKey: fc.boolean(),
  shiftKey: fc.boolean(),
});

describe('composition', () => {
  test('no key of an input method sends, stops or opens anything', () => {
    fc.assert(
      fc.property(
        composed,
        modifiers,
        fc.constantFrom('Enter', 'Escape', '/', '?', 'n', 'a', 's', 'N', 'とう'),
        fc.boolean(),
        fc.boolean(),
        (how, held, key, isWriting, isTouch) => {
          const given = press({ key, code: 'Enter', ...held, ...how });
          expect(isComposing(given)).toBe(true);
          expect(shortcutOf(given, isWriting)).toBeNull();
          expect(isSendingEnter(given, { isTouch, isCovered: false })).toBe(false);
        },
      ),
    );
  });

  test('a plain Enter and a plain Escape are nobody else’s', () => {
    expect(isSendingEnter(press({ key: 'Enter', code: 'Enter', keyCode: 13 }), DESK)).toBe(true);
    expect(shortcutOf(press({ key: 'Escape', code: 'Escape', keyCode: 27 }), true)).toBe('stop');
  });
});

describe('shortcuts on keyboards of the world', () => {
  const LETTERS: readonly (readonly [string, string])[] = [
    ['ń', 'KeyN'],
    ['ś', 'KeyS'],
    ['ą', 'KeyA'],
    ['Ń', 'KeyN'],
    ['ß', 'KeyS'],
    ['å', 'KeyA'],
    ['Dead', 'KeyN'],
    ['˜', 'KeyN'],
    ['æ', 'KeyA'],
    ['Í', 'KeyS'],
    ['ş', 'KeyS'],
    ['ñ', 'KeyN'],
  ];

  test.each(LETTERS)('Alt that writes %s writes it', (key, code) => {
    expect(shortcutOf(press({ key, code, altKey: true }), true)).toBeNull();
  });

  test('while something is written, no key that writes another character than its own letter is a shortcut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
        fc.constantFrom('KeyN', 'KeyS', 'KeyA', 'KeyQ', 'Slash', ''),
        modifiers,
        (key, code, held) => {
          const action = shortcutOf(press({ key, code, ...held }), true);
          const isLetter = 'nask'.includes(key.toLowerCase());
          // Ctrl with a key writes nothing, wherever the letter lies.
          if (action !== null) expect(isLetter || held.ctrlKey).toBe(true);
        },
      ),
    );
  });

  test('Alt and the letter itself still are, and outside the box the place is enough', () => {
    expect(shortcutOf(press({ key: 'n', code: 'KeyN', altKey: true }), true)).toBe('new-chat');
    // Dvorak, AZERTY: the letter, wherever it lies.
    expect(shortcutOf(press({ key: 'a', code: 'KeyQ', altKey: true }), true)).toBe('answer-now');
    expect(shortcutOf(press({ key: 'ñ', code: 'KeyN', altKey: true }), false)).toBe('new-chat');
    // A Russian keyboard has no n.
    expect(shortcutOf(press({ key: 'т', code: 'KeyN', altKey: true }), false)).toBe('new-chat');
  });

  test('letters alone are shortcuts only where nothing is written; Escape always stops', () => {
    expect(shortcutOf(press({ key: '?' }), false)).toBe('help');
    expect(shortcutOf(press({ key: '?' }), true)).toBeNull();
    expect(shortcutOf(press({ key: '/' }), true)).toBeNull();
    expect(shortcutOf(press({ key: 'Escape' }), true)).toBe('stop');
  });

  test('AltGr writes too: it says Ctrl and Alt at once', () => {
    const held = { altKey: true, ctrlKey: true };
    expect(shortcutOf(press({ key: 'n', code: 'KeyN', ...held }), true)).toBeNull();
    expect(shortcutOf(press({ key: '/', code: 'Digit7', ...held }), true)).toBeNull();
    expect(shortcutOf(press({ key: '/', code: 'Digit7', ...held }), false)).toBe('focus-message');
    expect(shortcutOf(press({ key: '/', code: 'Slash', ctrlKey: true }), false)).toBeNull();
  });
});

describe('chosen keys', () => {
  test('the commands open with Ctrl K, on a Mac with Command K, where Ctrl K edits', () => {
    const k = { key: 'k', code: 'KeyK' };
    expect(shortcutOf(press({ ...k, ctrlKey: true }), true)).toBe('palette');
    expect(shortcutOf(press({ ...k, metaKey: true }), true)).toBeNull();
    expect(shortcutOf(press({ ...k, metaKey: true }), true, {}, true)).toBe('palette');
    expect(shortcutOf(press({ ...k, ctrlKey: true }), true, {}, true)).toBeNull();
    // A Russian keyboard: the place of the key.
    expect(shortcutOf(press({ key: 'л', code: 'KeyK', ctrlKey: true }), true)).toBe('palette');
  });

  test('other keys take the place of the usual ones; what is no combination changes nothing', () => {
    const chosen = { 'new-chat': 'Mod+Shift+O', settings: 'rm -rf', help: 'Mod+W' };
    const o = { key: 'O', code: 'KeyO', ctrlKey: true, shiftKey: true };
    expect(shortcutOf(press(o), true, chosen)).toBe('new-chat');
    expect(shortcutOf(press({ key: 'n', code: 'KeyN', altKey: true }), false, chosen)).toBeNull();
    expect(shortcutOf(press({ key: 's', code: 'KeyS', altKey: true }), true, chosen)).toBe(
      'settings',
    );
    expect(shortcutOf(press({ key: 'w', code: 'KeyW', ctrlKey: true }), true, chosen)).toBeNull();
  });

  test('whatever is pressed, what is recorded is a combination that is recognised again, or said to be taken', () => {
    const keys = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      fc.constantFrom('F2', 'F9', 'Shift', 'Control', 'Tab', 'Enter', 'k', 'Q'),
    );
    fc.assert(
      fc.property(keys, fc.constantFrom('KeyN', 'KeyW', ''), modifiers, (key, code, held) => {
        const given = press({ key, code, ...held });
        const combo = comboOf(given, false);
        if (combo === null) return;
        expect(isPressOf(combo, given, { isWriting: false, isMac: false })).toBe(true);
        expect(isCombo(combo)).toBe(takenBy(combo) === '');
      }),
    );
  });

  test('Enter sends unless Ctrl+Enter was chosen; then it makes a new line', () => {
    const enter = { key: 'Enter', code: 'Enter' };
    expect(isSendingEnter(press(enter), { ...DESK, isModNeeded: true })).toBe(false);
    expect(isSendingEnter(press({ ...enter, ctrlKey: true }), { ...DESK, isModNeeded: true })).toBe(
      true,
    );
  });
});

describe('Enter on a touch device', () => {
  const enter = (change: Partial<Press> = {}): Press => press({ key: 'Enter', ...change });

  test('of a keyboard with keys sends; of one on the screen it makes a new line', () => {
    expect(isSendingEnter(enter({ code: 'Enter' }), TOUCH)).toBe(true);
    expect(isSendingEnter(enter({ code: 'NumpadEnter' }), TOUCH)).toBe(true);
    expect(isSendingEnter(enter({ code: '' }), TOUCH)).toBe(false);
    expect(isSendingEnter(enter({ code: 'Unidentified' }), TOUCH)).toBe(false);
    // Safari may name the key of its keyboard on the screen; that one covers the page.
    expect(isSendingEnter(enter({ code: 'Enter' }), { isTouch: true, isCovered: true })).toBe(
      false,
    );
  });

  test('with Ctrl or Command always sends, with Shift or Alt never', () => {
    fc.assert(
      fc.property(modifiers, fc.boolean(), fc.boolean(), (held, isTouch, isCovered) => {
        const sends = isSendingEnter(enter({ code: 'Enter', ...held }), { isTouch, isCovered });
        if (held.ctrlKey || held.metaKey) expect(sends).toBe(true);
        else if (held.shiftKey || held.altKey) expect(sends).toBe(false);
      }),
    );
  });
});

describe('a keyboard over the page', () => {
  test('covers what the browser says is not seen; bars, zoom and the bar above a keyboard with keys do not count', () => {
    expect(coveredPixels({ height: 844, offsetTop: 0, scale: 1 }, 844)).toBe(0);
    expect(coveredPixels({ height: 508, offsetTop: 0, scale: 1 }, 844)).toBe(336);
    expect(coveredPixels({ height: 789, offsetTop: 0, scale: 1 }, 844)).toBe(0);
    expect(coveredPixels({ height: 422, offsetTop: 100, scale: 2 }, 844)).toBe(0);
    expect(coveredPixels(null, 844)).toBe(0);
  });
});
