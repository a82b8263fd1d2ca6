/** Owns how files are cut so that a model's context holds them: how much each may have, and where its text ends. Pure. */
import { cutText } from '../text/letters';

/** No tokeniser makes fewer tokens of a text than one for so many UTF-16 units, but of runs of one letter. */
const MOST_UNITS_A_TOKEN = 16;
/** Counts of tokens that one cut may take: each is a call to the worker. */
const MOST_COUNTS = 8;
/** A cut is moved back to the end of a line or a word when that loses at most this share. */
const MOST_LOSS = 0.1;

export interface FittedText {
  readonly text: string;
  readonly tokens: number;
}

/** The beginning of `text` with about `units` UTF-16 units, ending at a line or a word where one is near. */
function beginning(text: string, units: number): string {
  const cut = cutText(text, units);
  if (cut.length === text.length) return cut;
  const least = cut.length * (1 - MOST_LOSS);
  const line = cut.lastIndexOf('\n');
  if (line >= least) return cut.slice(0, line);
  const word = cut.lastIndexOf(' ');
  return word >= least ? cut.slice(0, word) : cut;
}

/**
 * The longest beginning of `text` found that has at most `room` tokens; null when not even a little fits.
 * @param count tokens of a text; may be wrong by a few, as when two texts are tokenised together
 */
export async function cutToRoom(
  text: string,
  room: number,
  count: (text: string) => Promise<number>,
): Promise<FittedText | null> {
  if (room <= 0) return null;
  let tried = beginning(text, room * MOST_UNITS_A_TOKEN);
  let best: FittedText | null = null;
  /** Units that fit, and units that do not. */
  let low = 0;
  let high = Infinity;
  for (let at = 0; at < MOST_COUNTS && tried !== ''; at += 1) {
    const tokens = await count(tried);
    if (tokens <= room) {
      if (best === null || tried.length > best.text.length) best = { text: tried, tokens };
      low = tried.length;
      // Nothing more is to be had, or what is left would not be worth another call.
      if (tried.length === text.length || tokens >= room * (1 - MOST_LOSS / 2)) break;
    } else {
      high = tried.length;
    }
    const guess = Math.floor(tried.length * (room / Math.max(tokens, 1)) * 0.98);
    const between =
      guess > low && guess < high ? guess : Math.floor((low + Math.min(high, text.length)) / 2);
    const next = beginning(text, between);
    if (next.length <= low || next.length >= high) break;
    tried = next;
  }
  return best;
}

/** Shares `room` among the texts: short ones get all they need, the others the same. Null for one that gets nothing. */
export async function fitTexts(
  texts: readonly string[],
  room: number,
  count: (text: string) => Promise<number>,
): Promise<readonly (FittedText | null)[]> {
  const fitted = texts.map((): FittedText | null => null);
  const order = texts.map((_, at) => at).sort((a, b) => lengthAt(texts, a) - lengthAt(texts, b));
  let left = room;
  for (const [done, at] of order.entries()) {
    const text = texts[at] ?? '';
    const own = await cutToRoom(text, Math.floor(left / (order.length - done)), count);
    fitted[at] = own;
    left -= own?.tokens ?? 0;
  }
  return fitted;
}

function lengthAt(texts: readonly string[], at: number): number {
  return texts[at]?.length ?? 0;
}
