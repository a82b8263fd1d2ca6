/**
 * Owns how a sentence that was made in English away from the page is recognised and said in the page's language: whole, or
 * by its form, with what stands in its blanks.
 */

/** English sentence by its wording; blanks are {1}, {2} and so on, each at most once in the English one. */
export type SaidTable = Readonly<Record<string, string>>;

interface Form {
  readonly pattern: RegExp;
  readonly wording: string;
}

const BLANK = /\{(\d+)\}/g;

/** Letters besides the blanks: the more of them, the surer that a sentence is meant. */
function lettersOf(sentence: string): number {
  return sentence.replace(BLANK, '').length;
}

function formOf(sentence: string, wording: string): Form {
  const pattern = sentence
    .split(/\{(\d+)\}/)
    .map((part, at) =>
      at % 2 === 1 ? `(?<b${part}>.*?)` : part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'),
    )
    .join('');
  return { pattern: new RegExp(`^${pattern}$`, 's'), wording };
}

/** What stands in a blank is looked up in turn. Two sentences in a row are taken apart. A stranger stays as it is. */
export function recogniserOf(table: SaidTable): (sentence: string) => string {
  const forms = Object.entries(table)
    .filter(([sentence]) => sentence.search(BLANK) >= 0)
    .sort(([a], [b]) => lettersOf(b) - lettersOf(a))
    .map(([sentence, wording]) => formOf(sentence, wording));

  function say(sentence: string): string {
    const whole = table[sentence];
    if (whole !== undefined) return whole;
    for (const { pattern, wording } of forms) {
      const groups = pattern.exec(sentence)?.groups;
      if (groups !== undefined)
        return wording.replace(BLANK, (_, name: string) => say(groups[`b${name}`] ?? ''));
    }
    return sentence;
  }
  return say;
}
