/** Owns the finding of tags that are no single tokens in streamed text, however they fall into tokens. */

/** A stretch of text, or one of the tags, whole. */
export type TagPiece = { readonly text: string } | { readonly tag: string };

/** Length of the longest end of `text` that begins, but does not complete, one of `tags`. */
function heldLength(text: string, tags: readonly string[]): number {
  const longest = Math.max(0, ...tags.map(({ length }) => length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length -= 1) {
    const end = text.slice(text.length - length);
    if (tags.some((tag) => tag.startsWith(end))) return length;
  }
  return 0;
}

export class TagText {
  readonly #tags: readonly string[];
  #held = '';

  constructor(tags: readonly string[]) {
    this.#tags = tags;
  }

  /** True while the end of what was pushed may be the beginning of a tag. */
  get isHolding(): boolean {
    return this.#held !== '';
  }

  /** Takes the next text; gives what is certain now, in order. */
  push(text: string): readonly TagPiece[] {
    const pieces: TagPiece[] = [];
    let rest = this.#held + text;
    for (;;) {
      const found = this.#tags
        .map((tag) => ({ tag, at: rest.indexOf(tag) }))
        .filter(({ at }) => at >= 0)
        .sort((a, b) => a.at - b.at)[0];
      if (found === undefined) break;
      if (found.at > 0) pieces.push({ text: rest.slice(0, found.at) });
      pieces.push({ tag: found.tag });
      rest = rest.slice(found.at + found.tag.length);
    }
    const cut = rest.length - heldLength(rest, this.#tags);
    if (cut > 0) pieces.push({ text: rest.slice(0, cut) });
    this.#held = rest.slice(cut);
    return pieces;
  }

  /** What was held back, at the end of the text. */
  flush(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}
