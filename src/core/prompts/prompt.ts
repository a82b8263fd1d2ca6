/** Owns what a saved prompt is, and the blanks in one: `{{topic}}` is filled in before it is used. Pure. */

export interface SavedPrompt {
  readonly id: string;
  /** `system`: instructions of a chat; `question`: goes into the message box. */
  readonly kind: 'system' | 'question';
  readonly name: string;
  readonly text: string;
}

const BLANK = /\{\{\s*([^{}\n]{1,60}?)\s*\}\}/g;

/** Names of the blanks, each once, in the order of the text. */
export function blanksOf(text: string): readonly string[] {
  return [...new Set(Array.from(text.matchAll(BLANK), ([, name]) => name ?? ''))];
}

/** The text with what was written for its blanks; a blank without anything stays as it is. */
export function fillBlanks(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(BLANK, (whole, name: string) => {
    const value = values.get(name)?.trim() ?? '';
    return value === '' ? whole : value;
  });
}
