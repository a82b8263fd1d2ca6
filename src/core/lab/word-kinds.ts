/**
 * Owns the sorting of words into the kinds that the experts' picture counts by: digits, names, verbs, and the rest. Plain
 * rules over English words as the embedded models write them; no model and no dictionary. Owns no tokens.
 */

export type WordKind = 'digits' | 'names' | 'verbs' | 'other';

export const WORD_KINDS: readonly WordKind[] = ['digits', 'names', 'verbs', 'other'];

/** Verbs of the sums, riddles and stories that the models were taught, in the forms that occur there. */
const VERBS: ReadonlySet<string> = new Set(
  `is are was were be been has have had do does did go goes went gone come comes came get gets got
  give gives gave given take takes took taken buy buys bought sell sells sold find finds found lose loses lost
  make makes made say says said tell tells told ask asks asked see sees saw seen look looks looked walk walks walked
  run runs ran sit sits sat stand stands stood put puts eat eats ate need needs needed want wants wanted like likes liked
  live lives lived know knows knew think thinks thought add adds added count counts counted share shares shared
  pay pays paid cost costs keep keeps kept leave leaves left let lets play plays played help helps helped
  can could will would may must should read reads wrote write writes carry carries carried fly flies flew
  fall falls fell hold holds held bring brings brought pick picks picked begin begins began stop stops stopped
  hide hides hid smile smiles smiled laugh laughs laughed call calls called open opens opened start starts started`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** Words that get a capital at the beginning of a sentence and are no names for that. */
const OPENERS: ReadonlySet<string> = new Set(
  `a an the this that these those there here i you he she it we they my your his her its our their one two three
  and but so then now if when while after before as at by for from in of on to with what who where why how which
  yes no not all each every some more most many much once first next last soon later today both none hello hi
  because total together since okay well please let`.split(/\s+/),
);

/** The kind of a whole word, punctuation around it left aside. */
export function kindOfWord(word: string): WordKind {
  if (/\d/.test(word)) return 'digits';
  const bare = word.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '').replace(/[’']s$/u, '');
  const lower = bare.toLowerCase();
  if (VERBS.has(lower)) return 'verbs';
  if (!/^\p{Lu}\p{Ll}+/u.test(bare)) return 'other';
  return OPENERS.has(lower) ? 'other' : 'names';
}

/** A token begins a word: it stands after a blank, or is itself no letter or digit. */
export function beginsWord(text: string): boolean {
  return !/^[\p{L}\p{N}’']/u.test(text);
}
