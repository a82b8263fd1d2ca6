/**
 * Owns the reading of a JSON string byte by byte: quotes, escapes, well-formed UTF-8, and the count of its characters. A
 * place is one whole number, so that places can be compared and kept. Escaped surrogates are refused: each escape is then
 * one character.
 */

/** States within a string; the numbers stand for what must follow. The first is the place of one that has not begun. */
const QUOTE = 0;
const BODY = 1;
const ESCAPE = 2;
const HEX_1 = 3;
const HEX_2 = 4;
const HEX_3 = 5;
const HEX_4 = 6;
const HEX_2_BELOW_SURROGATES = 7;
const TAIL_1 = 8;
const TAIL_2 = 9;
const TAIL_2_AFTER_E0 = 10;
const TAIL_2_AFTER_ED = 11;
const TAIL_3 = 12;
const TAIL_3_AFTER_F0 = 13;
const TAIL_3_AFTER_F4 = 14;
const STATES = 16;

/** Bytes that end the character that a state stands in. */
const BYTES_LEFT = [0, 0, 1, 4, 3, 2, 1, 3, 1, 2, 2, 2, 3, 3, 3];

/** What {@link stringStep} gives when the closing quote has come. */
export const STRING_END = -1;
/** What {@link stringStep} gives for a byte that cannot stand there. */
export const STRING_REFUSED = -2;

export interface StringLength {
  readonly min: number;
  /** null: any. */
  readonly max: number | null;
}

const isHex = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x41 && byte <= 0x46) ||
  (byte >= 0x61 && byte <= 0x66);

/** State after the first byte of a character; null for what no character begins with. */
function afterLead(byte: number): number | null {
  if (byte < 0x20 || byte === 0x22) return null;
  if (byte === 0x5c) return ESCAPE;
  if (byte < 0x80) return BODY;
  if (byte < 0xc2) return null;
  if (byte < 0xe0) return TAIL_1;
  if (byte === 0xe0) return TAIL_2_AFTER_E0;
  if (byte === 0xed) return TAIL_2_AFTER_ED;
  if (byte < 0xf0) return TAIL_2;
  if (byte === 0xf0) return TAIL_3_AFTER_F0;
  if (byte < 0xf4) return TAIL_3;
  return byte === 0xf4 ? TAIL_3_AFTER_F4 : null;
}

/** State after a further byte of a character; BODY when it is whole. */
function afterMore(state: number, byte: number): number | null {
  const between = (low: number, high: number, next: number): number | null =>
    byte >= low && byte <= high ? next : null;
  switch (state) {
    case ESCAPE:
      if (byte === 0x75) return HEX_1;
      return '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? BODY : null;
    case HEX_1:
      if (!isHex(byte)) return null;
      return byte === 0x64 || byte === 0x44 ? HEX_2_BELOW_SURROGATES : HEX_2;
    case HEX_2_BELOW_SURROGATES:
      return between(0x30, 0x37, HEX_3);
    case HEX_2:
      return isHex(byte) ? HEX_3 : null;
    case HEX_3:
      return isHex(byte) ? HEX_4 : null;
    case HEX_4:
      return isHex(byte) ? BODY : null;
    case TAIL_1:
      return between(0x80, 0xbf, BODY);
    case TAIL_2:
      return between(0x80, 0xbf, TAIL_1);
    case TAIL_2_AFTER_E0:
      return between(0xa0, 0xbf, TAIL_1);
    case TAIL_2_AFTER_ED:
      return between(0x80, 0x9f, TAIL_1);
    case TAIL_3:
      return between(0x80, 0xbf, TAIL_2);
    case TAIL_3_AFTER_F0:
      return between(0x90, 0xbf, TAIL_2);
    case TAIL_3_AFTER_F4:
      return between(0x80, 0x8f, TAIL_2);
    default:
      return null;
  }
}

/** The place after one more byte. */
export function stringStep(place: number, byte: number, { min, max }: StringLength): number {
  const state = place % STATES;
  const count = (place - state) / STATES;
  if (state === QUOTE) return byte === 0x22 ? BODY : STRING_REFUSED;
  if (state === BODY) {
    if (byte === 0x22) return count >= min ? STRING_END : STRING_REFUSED;
    if (max !== null && count >= max) return STRING_REFUSED;
  }
  const next = state === BODY ? afterLead(byte) : afterMore(state, byte);
  if (next === null) return STRING_REFUSED;
  if (next !== BODY) return count * STATES + next;
  // Without a longest length all counts beyond the least are the same place.
  return (max === null ? Math.min(count + 1, min) : count + 1) * STATES + BODY;
}

/** Characters so far, at a place between two of them; null elsewhere. */
export function stringCharacters(place: number): number | null {
  return place % STATES === BODY ? (place - BODY) / STATES : null;
}

/** Characters of a text that may stand in a string as they are; null where it has others, or half a character. */
export function plainCharacters(bytes: Uint8Array): number | null {
  let state = BODY;
  let count = 0;
  for (const byte of bytes) {
    const next: number | null = state === BODY ? afterLead(byte) : afterMore(state, byte);
    if (next === null || next === ESCAPE) return null;
    if (next === BODY) count += 1;
    state = next;
  }
  return state === BODY ? count : null;
}

/** Fewest bytes from a place to behind the closing quote. */
export function stringBytesLeft(place: number, { min }: StringLength): number {
  const state = place % STATES;
  const count = (place - state) / STATES;
  if (state === QUOTE) return min + 2;
  const inside = state === BODY ? 0 : 1;
  return (BYTES_LEFT[state] ?? 0) + Math.max(0, min - count - inside) + 1;
}
